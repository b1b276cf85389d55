"""What a node can learn about its own firing."""

from __future__ import annotations

from langgraph.config import get_config

from alto_lg.adapters.langgraph.config_keys import ancestry_of
from alto_lg.adapters.langgraph.events import ancestry_of_event
from alto_lg.engine.ancestry import Ancestry


def ancestry(event: object) -> Ancestry | None:
    """The ancestry of the firing that an event of a stream comes from: which item of which item it belongs to.

        async for mode, event in app.astream(question, stream_mode=["messages", "custom", "updates"]):
            claim = alto_lg.ancestry(event).at("check_claim")

    Takes an event of `messages`, `updates` or `custom` in any form of LangGraph's, alone or with its mode and
    namespace. An `Ancestry` can be printed, compared, sorted (by LangGraph's order of commits), and asked for the level
    of a node (`at`), for all levels (`levels`), and for the place at each (`indices`).

    None for an event of plain LangGraph or of `accelerate(annotate=False)`, and for a custom event that is neither a
    dictionary nor a text: let such a node put `str(alto_lg.current_ancestry())` into it.
    """
    return ancestry_of_event(event)


def current_ancestry() -> Ancestry | None:
    """The ancestry of the firing that calls this; None where no accelerated graph runs.

    request ▸ extract ▸ appraise#2
    """
    try:
        config = get_config()
    except RuntimeError:
        return None
    return ancestry_of(config)
