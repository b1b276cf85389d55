"""Node checks: what is wrong with the result of one node, found where LangGraph would lose it.

Owns the watch over a node's writers. Always true: LangGraph's own writers run first and unchanged, so what they refuse
they refuse in their own words; a result without a mistake costs a comparison of two lengths.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from langgraph.constants import START
from langgraph.types import Command, Send

from alto_lg.adapters.langgraph.internals import (
    TASKS,
    BranchSpec,
    ChannelWrite,
    ChannelWriteEntry,
    ChannelWriteTupleEntry,
    Pregel,
    PregelNode,
    RunnableCallable,
)
from alto_lg.adapters.langgraph.mistakes.graphs_within import holds_a_graph
from alto_lg.adapters.langgraph.mistakes.reporter import Reporter
from alto_lg.adapters.langgraph.mistakes.words import did_you_mean, listed
from alto_lg.adapters.langgraph.wiring import Wiring

_TRIGGER = "branch:to:"
"""What LangGraph puts before a node's name to get the channel that triggers it."""

Writes = Sequence[tuple[str, Any]] | None


class NodeChecks:
    """The checks of the nodes of one graph."""

    def __init__(self, graph: Pregel, reporter: Reporter) -> None:
        self._channels = frozenset(graph.channels)
        self._nodes = frozenset(graph.nodes) - {START}
        self._keys = frozenset(key for key in Wiring(graph).keys if not key.startswith("__"))
        self._reporter = reporter
        self._with_graphs: dict[str, bool] = {}

    def writers(self, name: str, node: PregelNode) -> list[Any]:
        """The node's writers, watched."""
        first = node.writers[0] if node.writers else None
        watched = [self._branch(name, writer) for writer in node.writers]
        if isinstance(first, ChannelWrite):
            entries: Any = tuple(self._entry(name, node, at, entry) for at, entry in enumerate(first.writes))
            # LangGraph joins neighbouring writers by adding their entries up, lists to lists and tuples to tuples.
            watched[0] = ChannelWrite(type(first.writes)(entries), tags=first.tags)
        return watched

    def _entry(self, name: str, node: PregelNode, at: int, entry: Any) -> Any:
        """LangGraph's first writer of a state graph's node has two entries: the updates, and where `goto` leads."""
        if not isinstance(entry, ChannelWriteTupleEntry):
            return entry
        if name == START:  # what it hands on is the input, which is not the node's doing
            return entry
        if at > 0:
            return entry._replace(mapper=self._goto(name, entry.mapper))
        if isinstance(node.bound, Pregel) or "__root__" in self._channels:  # a state that is one value has no keys
            return entry
        return entry._replace(mapper=self._updates(name, node, entry.mapper))

    # ── keys ────────────────────────────────────────────────────────────────────────────────────────────────

    def _updates(self, name: str, node: PregelNode, mapper: Callable[[Any], Writes]) -> Callable[[Any], Writes]:
        def updates(output: Any) -> Writes:
            found = mapper(output)
            if type(output) is dict:
                if found is not None and len(found) < len(output):
                    self._dropped(name, node, output, found)
            elif isinstance(output, Command | list | tuple):
                for update in _updates_in(output):
                    self._dropped(name, node, update, found or ())
            return found

        return updates

    def _dropped(self, name: str, node: PregelNode, update: dict[str, Any], found: Sequence[tuple[str, Any]]) -> None:
        kept = {key for key, _ in found}
        for key in update:
            # What another graph returns has the keys of that one: those that this one lacks are dropped on purpose.
            if key not in kept and not self._holds_a_graph(name, node):
                self._reporter.report(
                    ("dropped", name, key),
                    f"Node {name!r} returned key {key!r}, which is not in the state (keys: {listed(self._keys)}); "
                    f"LangGraph drops it.{did_you_mean(str(key), self._keys)}",
                )

    def _holds_a_graph(self, name: str, node: PregelNode) -> bool:
        """Looked at when there is reason to: most nodes drop nothing."""
        found = self._with_graphs.get(name)
        if found is None:
            found = self._with_graphs[name] = holds_a_graph(node)
        return found

    # ── destinations ────────────────────────────────────────────────────────────────────────────────────────

    def _goto(self, name: str, mapper: Callable[[Any], Writes]) -> Callable[[Any], Writes]:
        def destinations(output: Any) -> Writes:
            found = mapper(output)
            if found:
                for channel, value in found:
                    self._destination(name, channel, value)
            if isinstance(output, Command) and not isinstance(output.goto, str):
                for target in _not_names(output):
                    self._routed(name, target)
            return found

        return destinations

    def _branch(self, name: str, writer: Any) -> Any:
        """A conditional edge whose destinations are looked at."""
        if not isinstance(writer, RunnableCallable) or not isinstance(
            getattr(writer.func, "__self__", None), BranchSpec
        ):
            return writer
        entries_of = writer.kwargs["writer"]

        def entries(packets: Sequence[str | Send], static: bool = False) -> Any:
            made = entries_of(packets, static)
            for entry in () if static else made:
                if isinstance(entry, ChannelWriteEntry):
                    self._destination(name, entry.channel, None)
                elif isinstance(entry, Send):
                    self._destination(name, TASKS, entry)
            return made

        watched = copy.copy(writer)
        watched.kwargs = {**writer.kwargs, "writer": entries}
        return watched

    def _destination(self, name: str, channel: str, value: Any) -> None:
        if channel == TASKS:
            if isinstance(value, Send) and value.node not in self._nodes:
                self._sent(name, value.node)
        elif channel not in self._channels:
            self._routed(name, channel.removeprefix(_TRIGGER))

    def _routed(self, name: str, target: Any) -> None:
        self._reporter.report(("routed", name, str(target)), routed(_source(name), target, self._nodes))

    def _sent(self, name: str, target: Any) -> None:
        self._reporter.report(("sent", name, str(target)), sent(_source(name), target, self._nodes))


def routed(source: str, target: Any, nodes: frozenset[str]) -> str:
    """What is said of a route that leads nowhere."""
    return (
        f"{source} routed to {target!r}, which is not a node (nodes: {listed(nodes)}); LangGraph ends that branch."
        f"{did_you_mean(str(target), nodes)}"
    )


def sent(source: str, target: Any, nodes: frozenset[str]) -> str:
    """What is said of a packet for nobody."""
    return (
        f"{source} sent a packet to {target!r}, which is not a node (nodes: {listed(nodes)}); LangGraph drops it."
        f"{did_you_mean(str(target), nodes)}"
    )


def is_branch(writer: Any) -> bool:
    """Whether a writer of a node is a conditional edge."""
    return isinstance(writer, RunnableCallable) and isinstance(getattr(writer.func, "__self__", None), BranchSpec)


def _source(name: str) -> str:
    return "The conditional edge from START" if name == START else f"Node {name!r}"


def _updates_in(output: Any) -> Iterator[dict[str, Any]]:
    """The dictionaries in what a node may return besides one: a `Command`, or a list with some."""
    for item in output if isinstance(output, list | tuple) else (output,):
        # A command for another graph has the keys of that one.
        update = item.update if isinstance(item, Command) and item.graph is None else item
        if isinstance(update, dict):
            yield update


def _not_names(command: Command[Any]) -> Iterator[Any]:
    """Destinations that are neither a name nor a packet; LangGraph passes over them."""
    goto: Any = command.goto
    for target in goto if isinstance(goto, list | tuple) else ():
        if not isinstance(target, str | Send):
            yield target
