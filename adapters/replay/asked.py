"""Asked: what a user may name for a node in `accelerate(replay={node: …})`."""

from __future__ import annotations

from typing import Any

from alto_lg import split
from alto_lg.adapters.replay.cuts import MakeCuts, cuts_by
from alto_lg.split._splitter import Splitter

_FUNCTIONS = (split.lines, split.sentences, split.words, split.json_items, split.bullets, split.regex, split.by)
_NEED_MORE = {split.regex: "split.regex(pattern=…)", split.by: "split.by(function=…)"}


def cuts_asked_for(node: str, asked: object) -> MakeCuts:
    """How the text of a node's model is cut.

    Raises:
        TypeError: `asked` is no way to split.
    """
    if asked is None:
        return cuts_by(None)
    if isinstance(asked, Splitter):
        return cuts_by(asked)
    function: Any = asked
    if function in _FUNCTIONS:
        if function in _NEED_MORE:
            raise TypeError(f"replay[{node!r}] needs its argument: write {_NEED_MORE[function]}")
        return cuts_by(function())
    raise TypeError(
        f"replay[{node!r}] must be a function of alto_lg.split, a splitter such as split.json_items(path='queries'), "
        f"or None for structured output; got {asked!r}. A function of yours becomes one by split.by(function=…)."
    )
