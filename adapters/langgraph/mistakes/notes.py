"""Notes: what an error of LangGraph's does not say. They are added to it; its class and its text stay LangGraph's.

Owns the search for the nodes behind an error of the run itself. It costs something only when there is one.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from langgraph.errors import InvalidUpdateError

from alto_lg.adapters.langgraph.mistakes.words import quoted

_WHAT = "msgpack serializable: "
"""What stands before the type, where LangGraph's serializer refuses a value."""


def explain(error: BaseException, loop: Any, writers: Mapping[str, str], known: Iterable[str] = ()) -> None:
    """Add to an error of a run what is known of its cause.

    writers: the node that wrote a key last, by key. known: what is known already.
    """
    # LangGraph notes on the error of a node whose it is; there, and where we have been before, nothing is to be added.
    if not isinstance(error, Exception) or getattr(error, "__notes__", None):
        return
    for note in known:
        error.add_note(note)
    if isinstance(error, InvalidUpdateError):
        for note in _several_writers(str(error), loop):
            error.add_note(note)
    elif getattr(loop.checkpointer, "serde", None) is not None:
        for note in _not_serializable(error, loop, writers):
            error.add_note(note)


def _several_writers(text: str, loop: Any) -> Iterator[str]:
    nodes: dict[str, Counter[str]] = {}
    for task in getattr(loop, "tasks", {}).values():
        for key, _ in task.writes:
            nodes.setdefault(key, Counter())[task.name] += 1
    for key, counts in nodes.items():
        if f"At key '{key}'" not in text or counts.total() < 2:
            continue
        names = sorted(counts)
        who = f"Nodes {quoted(names)} wrote {key!r}" if len(names) > 1 else f"Node {names[0]!r} wrote {key!r} "
        times = "" if len(names) > 1 else f"{counts.total()} times"
        yield f"{who}{times} in the same step. Give it a reducer, or let one node write it."


def _not_serializable(error: Exception, loop: Any, writers: Mapping[str, str]) -> Iterator[str]:
    """Ask the saver's own serializer which of the values it refuses."""
    values = dict(getattr(loop, "checkpoint", {}).get("channel_values", {}))
    for _, key, value in getattr(loop, "checkpoint_pending_writes", ()):
        values[key] = value
    for key, value in values.items():
        try:
            loop.checkpointer.serde.dumps_typed(value)
        except Exception as refused:
            if (type(refused), str(refused)) != (type(error), str(error)):
                continue
            _, known, kind = str(error).partition(_WHAT)
            kind = kind if known else type(value).__name__
            author = f" written by {writers[key]!r}" if key in writers else ""
            article = "an" if kind[:1].lower() in "aeiou" else "a"
            yield (
                f"Key {key!r}{author} holds {article} {kind}. Keep it out of the state, or annotate the key with "
                "UntrackedValue, which is not saved."
            )
