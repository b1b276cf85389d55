"""What a node can learn about its own firing."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from langgraph.config import get_config

from alto_lg.adapters.langgraph.config_keys import KEPT, ancestry_of
from alto_lg.adapters.langgraph.events import ancestry_of_event
from alto_lg.adapters.langgraph.internals import CONF
from alto_lg.engine.ancestry import Ancestry

T = TypeVar("T")


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


def kept(make: Callable[[], T]) -> T:
    """What a node keeps for the group that this firing belongs to: one object for all items of the group.

        def rank(packet):
            seen = alto_lg.kept(dict)  # of this claim, and of no other
            seen[packet["passage"]] = score(packet)
            return {"best": max(seen, key=seen.get)}

    For nodes that are placed with `by_group=True`, on Ray or in processes. The object is in the memory of the group's
    worker; it is dropped when the run ends, and gone if the worker dies, see docs/scaling.md. Firings that are at the
    worker at the same time share it. make: makes it, for the first firing of the group that asks.

    Raises:
        LookupError: The node is not placed so.
    """
    try:
        found = get_config()[CONF].get(KEPT)
    except RuntimeError:
        found = None
    if found is None:
        raise LookupError(
            "alto_lg.kept() is for nodes that are placed with by_group=True: all items of a group come to one worker "
            "only there. Place the node so: accelerate(graph, placement={…: alto_lg.ray(replicas=…, by_group=True)})"
        )
    made: T = found(make)
    return made
