"""Spec: one random graph as data, with its input and the way it is run.

Owns the words in which graphs are drawn, built and shrunk. Pure. Always true:
  a spec says all that a run depends on, besides the schedule;
  `str(spec)` is a Python test that makes the same spec again and checks it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields, is_dataclass, replace
from typing import Any, Literal

START, END = "__start__", "__end__"

Kind = Literal[
    "number",  # LastValue of an int
    "box",  # LastValue of a list, which can be changed in place
    "sum",  # operator.add on ints
    "count",  # the same, and every write adds one: what loops are bounded by
    "list",  # operator.add on lists
    "messages",  # add_messages
    "weave",  # a reducer whose order of application shows
    "grown",  # a reducer that changes its left side
    "flash",  # EphemeralValue
    "hidden",  # UntrackedValue
    "any",  # AnyValue
    "delta",  # DeltaChannel
]
LISTS = ("box", "list", "grown", "delta")
"""Kinds whose values are lists."""
SINGLE = ("number", "box", "flash", "hidden")
"""Kinds that LangGraph refuses two writes of in one step."""

Mode = Literal["values", "updates", "tasks", "checkpoints", "debug", "custom", "messages"]


@dataclass(frozen=True, slots=True)
class Key:
    """One key of the state. given: the run's input has it."""

    name: str
    kind: Kind
    given: bool = False


@dataclass(frozen=True, slots=True)
class Way:
    """A conditional edge, or the `goto` of a `Command`.

    by: the key whose number chooses; "" for what the node has seen (in a router: the first choice).
    clamp: the last choice is kept to once it is reached, so that a loop ends.
    sends: if there are any, packets are sent instead: so many, as chosen.
    payload: keys whose values travel in the packets. fresh: a key under which each packet has a list of its own.
    same: one `Send` object is sent every time. mapped: with a path map. also: a second target besides.
    """

    targets: tuple[str, ...]
    by: str = ""
    clamp: bool = False
    sends: tuple[int, ...] = ()
    payload: tuple[str, ...] = ()
    fresh: str = ""
    same: bool = False
    mapped: bool = False
    also: str = ""
    parent: bool = False
    fails: bool = False


@dataclass(frozen=True, slots=True)
class Node:
    """What one node does, in this order: read, note, rest, ask, fail, change in place, write, go.

    whole: it looks at every key. narrow: its input schema has only what it reads. by_item: how long it rests depends
    on its packet. late: it reads after its rest and not before.
    mutates: the key whose value it changes in place. passes: it writes what it read to this key, the object itself.
    twin: it writes one object to both of its list keys. keeps: it leaves the value of that key in a global list.
    stirs: it changes the newest object in that list. fails: "always", "odd" (what it has seen), "first" (attempt).
    asks: calls of `interrupt`. store: "put", "get". result: the form of what it returns; "sometimes" is nothing for
    some of what it can see. declares: arguments of `alto_lg.node`. speaks: writes custom events.
    streams: it yields its update in parts, and rests in between. wavers: the first parts are not what it ends with.
    takes: what it takes of the lists that it reads. batches: it is written for a list of inputs.
    inner: it is a compiled subgraph; `saver` is that one's checkpointer.
    """

    name: str
    reads: tuple[str, ...] = ()
    writes: tuple[str, ...] = ()
    rest_ms: int = 0
    by_item: bool = False
    late: bool = False
    is_async: bool = True
    whole: bool = False
    narrow: bool = False
    result: Literal["dict", "command", "updates", "none", "empty", "sometimes"] = "dict"
    goto: Way | None = None
    routes: tuple[Way, ...] = ()
    mutates: str = ""
    passes: str = ""
    twin: bool = False
    keeps: str = ""
    stirs: bool = False
    constant: bool = False
    fails: Literal["", "always", "odd", "first"] = ""
    asks: int = 0
    store: Literal["", "put", "get"] = ""
    retries: bool = False
    caches: bool = False
    timeout: Literal["", "long", "short"] = ""
    handled: bool = False
    defers: bool = False
    declares: tuple[Literal["reads", "writes", "barrier", "pure"], ...] = ()
    speaks: bool = False
    streams: bool = False
    wavers: bool = False
    takes: Literal["", "first", "stream", "arrivals"] = ""
    batches: bool = False
    inner: Spec | None = None
    saver: bool | None = None

    @property
    def may_fail(self) -> bool:
        """Whether it raises by design, or returns what LangGraph refuses."""
        return bool(self.fails) or self.timeout == "short" or self.result == "empty"

    def ways(self) -> Iterator[Way]:
        """Its conditional edges and its goto."""
        yield from self.routes
        if self.goto is not None:
            yield self.goto


@dataclass(frozen=True, slots=True)
class Run:
    """How a graph is run.

    modes: what is streamed; nothing for `ainvoke`. stops_before, stops_after: static interrupts.
    overlap: an option of `accelerate`, which the answer must not depend on.
    """

    limit: int = 25
    saver: bool = False
    durability: Literal["sync", "async", "exit"] = "async"
    modes: tuple[Mode, ...] = ("values", "updates", "debug")
    stops_before: tuple[str, ...] = ()
    stops_after: tuple[str, ...] = ()
    at_once: int = 0
    overlap: Literal["branches", "chains"] = "branches"
    handed_over: bool = False


@dataclass(frozen=True, slots=True)
class Spec:
    """One graph. start: conditional edges from START. joins: list edges."""

    keys: tuple[Key, ...]
    nodes: tuple[Node, ...]
    edges: tuple[tuple[str, str], ...] = ()
    joins: tuple[tuple[tuple[str, ...], str], ...] = ()
    start: tuple[Way, ...] = ()
    run: Run = Run()

    def kind(self, key: str) -> Kind:
        return next(one.kind for one in self.keys if one.name == key)

    def has(self, key: str) -> bool:
        return any(one.name == key for one in self.keys)

    def every_node(self) -> Iterator[Node]:
        """The nodes of this graph and of those inside."""
        for node in self.nodes:
            yield node
            if node.inner is not None:
                yield from node.inner.every_node()

    def with_nodes(self, change: Callable[[Node], Node]) -> Spec:
        """The spec with each node changed, and each of those inside."""
        nodes = []
        for node in self.nodes:
            inside = None if node.inner is None else node.inner.with_nodes(change)
            nodes.append(replace(change(node), inner=inside))
        return replace(self, nodes=tuple(nodes))

    def every_key(self) -> Iterator[Key]:
        yield from self.keys
        for node in self.nodes:
            if node.inner is not None:
                yield from node.inner.every_key()

    @property
    def has_joins(self) -> bool:
        """Whether there is a list edge, here or inside."""
        return bool(self.joins) or any(node.inner is not None and node.inner.has_joins for node in self.nodes)

    @property
    def streams(self) -> bool:
        """Whether what is started early may turn out not to be wanted."""
        return any(node.streams for node in self.every_node())

    @property
    def changes_in_place(self) -> bool:
        """Whether an object may change after it has been streamed or saved."""
        changing = any(node.mutates or node.stirs for node in self.every_node())
        return changing or any(key.kind == "grown" for key in self.every_key())

    @property
    def may_fail(self) -> bool:
        """Whether some node or router raises by design."""
        nodes = list(self.every_node())
        ways = [way for node in nodes for way in node.ways()]
        return any(node.may_fail for node in nodes) or any(way.fails for way in ways)

    def __str__(self) -> str:
        return f"def test_a_graph_that_once_differed() -> None:\n    spec = {code(self, 1)}\n    assert_same(spec)\n"


def code(value: Any, depth: int = 0) -> str:
    """A value as Python source; what has its default is left out."""
    if is_dataclass(value) and not isinstance(value, type):
        parts = [
            f"{one.name}={code(getattr(value, one.name), depth + 1)}"
            for one in fields(value)
            if getattr(value, one.name) != one.default
        ]
        return _in_lines(type(value).__name__ + "(", parts, ")", depth)
    if isinstance(value, tuple):
        parts = [code(item, depth + 1) for item in value]
        return _in_lines("(", parts, ",)" if len(parts) == 1 else ")", depth)
    return repr(value)


def _in_lines(opening: str, parts: list[str], closing: str, depth: int) -> str:
    short = opening + ", ".join(parts) + closing
    if len(short) + 4 * depth < 110 and "\n" not in short:
        return short
    margin = "    " * (depth + 1)
    end = "    " * depth + closing.removeprefix(",")
    return opening + "\n" + "".join(f"{margin}{part},\n" for part in parts) + end
