"""Wiring: which channels of a compiled graph carry state, which trigger nodes, and who triggers whom.

Owns the reading of LangGraph's channels and writers. Always true:
  a channel is a state key, a trigger of nodes, or the queue of packets, and never two of these.
"""

from __future__ import annotations

from langgraph.channels.ephemeral_value import EphemeralValue
from langgraph.channels.named_barrier_value import NamedBarrierValue

from alto_lg.adapters.langgraph.internals import (
    TASKS,
    BaseChannel,
    ChannelWrite,
    ChannelWriteEntry,
    ChannelWriteTupleEntry,
    Pregel,
    PregelNode,
)
from alto_lg.adapters.langgraph.reducing import Reducers
from alto_lg.engine.plan import Join


class Wiring:
    """The channels of one graph, sorted by what they are for."""

    def __init__(self, graph: Pregel) -> None:
        self.nodes = frozenset(graph.nodes)
        self._channels = graph.channels
        self._triggered = {
            channel: frozenset(nodes) for channel, nodes in graph.trigger_to_nodes.items() if channel in graph.channels
        }
        self.keys = frozenset(
            name
            for name, channel in graph.channels.items()
            if isinstance(channel, BaseChannel) and name not in self._triggered and name != TASKS
        )
        self.joins = tuple(
            Join(name, frozenset(channel.names), target)
            for name, channel in graph.channels.items()
            if type(channel) is NamedBarrierValue
            for target in sorted(self._triggered.get(name, ()))
        )
        self.reducers = Reducers(graph.channels)
        self._join_channels = {join.channel for join in self.joins}

    def input_keys(self, node: PregelNode) -> frozenset[str]:
        """The state keys in a node's input schema."""
        names = [node.channels] if isinstance(node.channels, str) else node.channels
        return self.keys.intersection(names)

    def activates(self, channel: str) -> frozenset[str]:
        """The nodes that a write to `channel` triggers in the next step, by itself."""
        if type(self._channels.get(channel)) is EphemeralValue:
            return self._triggered.get(channel, frozenset())
        return frozenset()

    def is_join(self, channel: str) -> bool:
        return channel in self._join_channels

    def is_deferred(self, node: PregelNode) -> bool:
        """Whether one of the node's triggers waits for the end of the run, or is not one that is known."""
        kinds = (EphemeralValue, NamedBarrierValue)
        return any(type(self._channels.get(channel)) not in kinds for channel in node.triggers)

    def certain_successors(self, node: PregelNode) -> frozenset[str]:
        """Nodes that each run of `node` triggers, by an unconditional edge of its own."""
        return frozenset().union(*(self.activates(channel) for channel in _edges(node)))

    def joined_successors(self, node: PregelNode) -> frozenset[str]:
        """Nodes that a run of `node` helps to trigger: behind a list edge, or deferred."""
        reached = frozenset().union(*(self._triggered.get(channel, frozenset()) for channel in _edges(node)))
        return reached - self.certain_successors(node)

    def declared_targets(self, node: PregelNode) -> frozenset[str] | None:
        """Destinations of `Command(goto=…)` that were declared when the node was added, or None."""
        statics = [
            entry.static
            for writer in node.writers
            if isinstance(writer, ChannelWrite)
            for entry in writer.writes
            if isinstance(entry, ChannelWriteTupleEntry) and entry.static
        ]
        if not statics:
            return None
        channels = {target[0] for static in statics for target in static}
        return frozenset().union(*(self._triggered.get(channel, frozenset()) for channel in channels))


def key_of(atom: str, keys: frozenset[str]) -> str:
    """The state key that an atom is a part of."""
    return atom if atom in keys else atom.split(".", 1)[0]


def _edges(node: PregelNode) -> list[str]:
    return [
        entry.channel
        for writer in node.writers
        if isinstance(writer, ChannelWrite)
        for entry in writer.writes
        if isinstance(entry, ChannelWriteEntry)
    ]
