"""Reducing: what applying an update may do to the value that was there before it.

Owns the answer to one question of each state key: may LangGraph, by applying a write, change a value in place? It
asks when a step is committed, and when a conditional edge reads the state with its own node's update applied.
"""

from __future__ import annotations

import operator
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any

from langgraph.channels.any_value import AnyValue
from langgraph.channels.delta import DeltaChannel
from langgraph.channels.ephemeral_value import EphemeralValue
from langgraph.channels.last_value import LastValue, LastValueAfterFinish
from langgraph.channels.named_barrier_value import NamedBarrierValue, NamedBarrierValueAfterFinish
from langgraph.channels.topic import Topic
from langgraph.channels.untracked_value import UntrackedValue

from alto_lg.adapters.langgraph.internals import BaseChannel, BinaryOperatorAggregate
from alto_lg.reducers import commutes, concatenate

REPLAYABLE = (LastValue, AnyValue, EphemeralValue, UntrackedValue, Topic)
"""Channels of which a copy can be written to instead."""

_JOINING = (operator.add, operator.concat)
"""Of two lists, they make a new one."""

_ASSIGNING = (*REPLAYABLE, LastValueAfterFinish, NamedBarrierValue, NamedBarrierValueAfterFinish)
"""Channels that never change a value in place, or whose own value `keep_apart` takes care of."""


class Reducers:
    """The reducers of one graph, each looked into when it is first asked about. Shared by all runs."""

    def __init__(self, channels: Mapping[str, Any]) -> None:
        self._channels = channels
        self._pure: dict[str, bool] = {}

    def is_pure(self, key: str) -> bool:
        """Whether the reducer of a key provably changes nothing, so that it may also run on a copy of the channel."""
        known = self._pure.get(key)
        if known is None:
            from alto_lg.adapters.langgraph import analysis  # loaded with the first plan

            reducer = _reducer_of(self._channels[key])
            known = self._pure[key] = reducer is not None and analysis.reducer_is_pure(reducer)[0]
        return known

    def reduces_in_place(self, key: str) -> bool:
        """Whether applying a write to a key may change the value that it had."""
        return type(self._channels[key]) not in _ASSIGNING and not self.is_pure(key)

    def appends(self, key: str) -> bool:
        """Whether a state key is a list that grows at its end only."""
        channel = self._channels[key]
        return (
            type(channel) is BinaryOperatorAggregate
            and channel.operator in (operator.add, operator.concat, concatenate)
            and isinstance(channel.typ(), list)
        )

    def commutes(self, key: str) -> bool:
        """Whether the order of writes to a key is known to make no difference."""
        channel = self._channels[key]
        return type(channel) is BinaryOperatorAggregate and commutes(channel.operator)

    def applied(self, key: str, before: Any, update: Any) -> Any:
        """What a value of a key becomes by one more write."""
        return self._channels[key].operator(before, update)

    @cached_property
    def any_in_place(self) -> bool:
        """Whether that is so of any key."""
        return any(self.reduces_in_place(key) for key, one in self._channels.items() if isinstance(one, BaseChannel))


def apply(channel: Any, values: Sequence[Any]) -> bool:
    """`channel.update(values)`, without a new list for each of many lists that are added up."""
    if len(values) > 1 and type(channel) is BinaryOperatorAggregate and channel.operator in _JOINING:
        kinds = set(map(type, values))
        if kinds == {list} and type(channel.value) is list:
            values = [[item for value in values for item in value]]
    return channel.update(values)  # type: ignore[no-any-return]


def _reducer_of(channel: Any) -> Any:
    if type(channel) is BinaryOperatorAggregate:
        return channel.operator
    return channel.reducer if type(channel) is DeltaChannel else None
