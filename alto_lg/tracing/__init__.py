"""Traces: what ran when in a graph, plain or accelerated; as a page and for Perfetto.

`recording` listens, `tasks` says what was heard, `timeline` and `page` draw it, `chrome` exports it.
"""
