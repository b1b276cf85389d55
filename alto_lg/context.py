"""What a node can learn about its own firing."""

from __future__ import annotations

from langgraph.config import get_config

from alto_lg.adapters.langgraph.lookahead import ancestry_of
from alto_lg.engine.ancestry import Ancestry


def current_ancestry() -> Ancestry | None:
    """The ancestry of the firing that calls this; None where no accelerated graph runs.

    request ▸ extract ▸ appraise#2
    """
    try:
        config = get_config()
    except RuntimeError:
        return None
    return ancestry_of(config)
