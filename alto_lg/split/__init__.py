"""Split the text of a model into items while it is being written.

for claim in split.lines(client.chat.completions.create(..., stream=True)): ...
splitter = split.json_items(path="queries")        # without a source: a value, to be called with one, or pushed into

Each function takes any source of text: a stream of the openai client, message chunks of LangChain, (message, metadata)
pairs of LangGraph, strings; sync or async. See docs/splitting.md.
"""

from __future__ import annotations

import importlib

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from alto_lg.split._bullets import Bullet
    from alto_lg.split._driver import AsyncItems, Items
    from alto_lg.split._functions import bullets, by, json_items, lines, regex, sentences, words
    from alto_lg.split._splitter import Splitter
    from alto_lg.split.errors import (
        BrokenStream,
        ItemTooLong,
        MalformedJson,
        MixedStream,
        SourceRefused,
        SplitError,
        StreamError,
        TruncatedStream,
        UnreadText,
    )

__all__ = [
    "AsyncItems",
    "BrokenStream",
    "Bullet",
    "ItemTooLong",
    "Items",
    "MalformedJson",
    "MixedStream",
    "SourceRefused",
    "SplitError",
    "Splitter",
    "StreamError",
    "TruncatedStream",
    "UnreadText",
    "bullets",
    "by",
    "json_items",
    "lines",
    "regex",
    "sentences",
    "words",
]

_HOMES = {
    "_bullets": ("Bullet",),
    "_driver": ("AsyncItems", "Items"),
    "_functions": ("bullets", "by", "json_items", "lines", "regex", "sentences", "words"),
    "_splitter": ("Splitter",),
}
_HOME = {name: home for home, names in _HOMES.items() for name in names}


def __getattr__(name: str) -> Any:
    """Loaded when first asked for: whoever does not split pays nothing for it (14 ms, measured)."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    found = getattr(importlib.import_module(f"{__name__}.{_HOME.get(name, 'errors')}"), name)
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    return [*globals(), *__all__]
