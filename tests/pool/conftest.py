"""The fixtures of `pools`."""

from pool.pools import colour, serve

__all__ = ["colour", "serve"]
