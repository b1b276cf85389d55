"""Updates: what LangGraph makes of the value that a node or a router returned.

Always true:
  every form that LangGraph accepts is listed; any other value is taken to write, and go, anywhere.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from langchain_core.runnables import Runnable
from langgraph.graph import END
from langgraph.types import Command, Send

from alto_lg.adapters.langgraph.internals import get_cached_annotated_keys

from .core import Core
from .findings import Touched
from .values import (
    NONE,
    Atom,
    Closure,
    Live,
    Made,
    Method,
    Part,
    Scalar,
    State,
    Thing,
    Value,
    is_immutable,
    join,
    text_of,
)


@dataclass(slots=True)
class Outcome:
    """What a returned value writes and where it goes; `may_run`: LangGraph may run it on the state.

    named: where it goes by name, and not by a packet.
    """

    writes: Touched = field(default_factory=Touched)
    goto: Touched = field(default_factory=Touched)
    named: set[str] = field(default_factory=set)
    may_run: str = ""


def node_outcome(core: Core, value: Value, where: str) -> Outcome:
    """What a node's return value does."""
    outcome = Outcome()
    for atom in value:
        _node_atom(core, atom, outcome, where)
    return outcome


def _node_atom(core: Core, atom: Atom, outcome: Outcome, where: str) -> None:
    if isinstance(atom, State):
        assigned = sorted(core.state_thing.fields)
        advice = "{" + ", ".join(f"{name!r}: ..." for name in assigned or ["key"]) + "}"
        does = f"assigns {', '.join(map(repr, assigned))} and returns" if assigned else "returns"
        why = f"{does} the whole state, and LangGraph then writes every key of it again; return {advice} instead"
        core.findings.reads.add_every(f"{does} the whole state; return {advice} instead ({where})")
        outcome.writes.add_every(f"{why} ({where})", proven=True)
    elif isinstance(atom, Made):
        _made(core, core.heap.things[atom.site], outcome, where)
    elif isinstance(atom, Live):
        _live(atom, outcome, where)
    elif not isinstance(atom, Scalar | Closure | Method):  # those are an InvalidUpdateError
        _unknown(outcome, "returns a value that could not be seen", where)
        _may_run(outcome, atom, where)


def _unknown(outcome: Outcome, why: str, where: str) -> None:
    outcome.writes.add_every(f"{why} ({where})")
    outcome.goto.add_every(f"{why} ({where})")


def _may_run(outcome: Outcome, atom: Atom, where: str) -> None:
    if not outcome.may_run:
        outcome.may_run = (
            f"returns a value that could not be seen, which LangGraph runs on the state if it is a runnable ({where})"
        )


def _live(atom: Live, outcome: Outcome, where: str) -> None:
    if is_immutable(atom):
        return
    if isinstance(atom.value, Runnable):
        _unknown(outcome, "returns a runnable", where)
        _may_run(outcome, atom, where)
    elif isinstance(atom.value, Command) and type(atom.value) is Command:
        command = atom.value
        if command.update is not None or command.graph is not None:
            _unknown(outcome, "returns a Command made elsewhere", where)
        _goto(outcome, frozenset({Live(command.goto)}), None, where)
    else:
        _unknown(outcome, "returns an object made elsewhere", where)


def _made(core: Core, thing: Thing, outcome: Outcome, where: str) -> None:
    place = thing.line or where
    if thing.kind == "awaitable":
        for atom in thing.elements:
            _node_atom(core, atom, outcome, where)
    elif thing.kind == "command":
        _command(core, thing, outcome, place)
    elif thing.kind == "send":
        outcome.writes.add_every(f"returns a Send that is in no Command ({place})")
        _send(outcome, thing, place)
    elif thing.kind in ("list", "tuple", "generator"):
        for atom in core.heap.contents(thing):
            _node_atom(core, atom, outcome, place)
    else:
        _update(core, thing, outcome, place)
        if thing.kind not in ("dict", "instance") or (thing.kind == "instance" and thing.type_ is None):
            outcome.goto.add_every(f"returns an object of unknown kind ({place})")
            for atom in core.heap.contents(thing):
                if isinstance(atom, State):
                    core.findings.reads.add_every(f"returns the whole state inside another object ({place})")


def _update(core: Core, thing: Thing, outcome: Outcome, place: str) -> None:
    """The keys that an update object names."""
    if thing.kind == "instance" and thing.type_ is not None:
        for name in get_cached_annotated_keys(thing.type_):
            outcome.writes.add(name, place)
    elif thing.kind == "dict":
        for name in thing.fields:
            outcome.writes.add(name, place)
        if thing.open:
            copied = any(isinstance(a, Part) and a.key is None for a in core.heap.contents(thing))
            why = (
                "returns a copy of the whole state, so it writes every key again; return only what changed"
                if copied
                else "returns a dict with keys that could not be told"
            )
            outcome.writes.add_every(f"{why} ({place})", proven=copied)
    else:
        outcome.writes.add_every(f"returns an object of unknown kind ({place})")


def _command(core: Core, thing: Thing, outcome: Outcome, place: str) -> None:
    if thing.open or (thing.fields.get("graph", NONE) | NONE) != NONE:
        _unknown(outcome, "returns a Command for another graph, or one that unseen code could change", place)
        return
    for atom in thing.fields.get("update", NONE):
        if isinstance(atom, Made) and core.heap.things[atom.site].kind in ("dict", "instance"):
            _update(core, core.heap.things[atom.site], outcome, place)
        elif isinstance(atom, State):
            core.findings.reads.add_every(f"updates with the whole state ({place})")
            outcome.writes.add_every(f"updates with the whole state, every key of it ({place})", proven=True)
        elif atom != Live(None):
            outcome.writes.add_every(f"the Command's update could not be seen ({place})")
    _goto(outcome, thing.fields.get("goto", frozenset({Live(())})), core, place)


def _goto(outcome: Outcome, value: Value, core: Core | None, place: str, *, keep_end: bool = False) -> None:
    for atom in value:
        name = text_of(atom)
        if name is not None:
            if name != END or keep_end:
                outcome.goto.add(name, place)
                outcome.named.add(name)
        elif (isinstance(atom, Live) and type(atom.value) in (tuple, list) and core is None) or (
            isinstance(atom, Live) and type(atom.value) is tuple
        ):
            _goto_items(outcome, atom.value, place)
        elif isinstance(atom, Live) and isinstance(atom.value, Send):
            outcome.goto.add(atom.value.node, place)
        elif isinstance(atom, Made) and core is not None:
            _goto_made(outcome, core.heap.things[atom.site], core, place, keep_end=keep_end)
        else:
            outcome.goto.add_every(f"goes to a node whose name could not be told ({place})")


def _goto_items(outcome: Outcome, items: object, place: str) -> None:
    assert isinstance(items, tuple | list)
    _goto(outcome, frozenset(Live(item) for item in items), None, place)


def _goto_made(outcome: Outcome, thing: Thing, core: Core, place: str, *, keep_end: bool) -> None:
    if thing.kind == "send":
        _send(outcome, thing, place)
    elif thing.kind in ("list", "tuple", "set", "generator"):
        inside = join((*thing.fields.values(), thing.elements))
        _goto(outcome, inside, core, place, keep_end=keep_end)
    else:
        outcome.goto.add_every(f"goes to a node whose name could not be told ({place})")


def _send(outcome: Outcome, thing: Thing, place: str) -> None:
    targets = thing.fields.get("node", frozenset())
    names = [text_of(atom) for atom in targets]
    if thing.open or not names or None in names:
        outcome.goto.add_every(f"sends to a node whose name could not be told ({place})")
    for name in names:
        if name is not None:
            outcome.goto.add(name, place)


def router_outcome(core: Core, value: Value, where: str) -> Outcome:
    """Where a router's return value goes."""
    outcome = Outcome()
    value = join(
        core.heap.things[atom.site].elements
        if isinstance(atom, Made) and core.heap.things[atom.site].kind == "awaitable"
        else frozenset({atom})
        for atom in value
    )
    _goto(outcome, value, core, where, keep_end=True)
    for atom in core.heap.reach(value):
        if isinstance(atom, State):
            core.findings.reads.add_every(f"hands the whole state on ({where})")
        elif (isinstance(atom, Live) and isinstance(atom.value, Runnable)) or (
            not isinstance(atom, Scalar | Live | Made | Closure | Method | Part) and atom in value
        ):
            _may_run(outcome, atom, where)
    return outcome
