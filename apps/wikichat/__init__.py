"""WikiChat: a conversation in which every statement of the answer comes with the passage that it was found in."""

from alto_lg.apps.wikichat.application import WIKICHAT, WikiChat, build, program

__all__ = ["WIKICHAT", "WikiChat", "build", "program"]
