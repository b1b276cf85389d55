"""Events: what `events="eager"` adds to an update that comes before its turn."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from alto_lg.engine.ancestry import Ancestry


class Update(dict[str, Any]):
    """An `updates` event, equal to LangGraph's, that says where it belongs.

    step: LangGraph's step in which the firing commits.
    ancestry: the firing that it comes from; None when it is not known.
    """

    __slots__ = ("ancestry", "step")

    def __init__(self, update: Mapping[str, Any], *, step: int, ancestry: Ancestry | None) -> None:
        super().__init__(update)
        self.step = step
        self.ancestry = ancestry
