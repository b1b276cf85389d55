"""Projection: the value that a state key will have at a later step, before that step is committed.

Owns the only early reading of the state. Always true:
  updates go to copies of LangGraph's channels, in LangGraph's order, by LangGraph's `update`;
  a value is asked for only when the machine has proven that no write to it is missing, and is computed once;
  the object that early firings were given is the one that LangGraph goes on with, as if they had run in their step.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any, Protocol

from langchain_core.messages import BaseMessage
from langgraph.channels.any_value import AnyValue
from langgraph.channels.ephemeral_value import EphemeralValue
from langgraph.channels.last_value import LastValueAfterFinish
from langgraph.channels.named_barrier_value import NamedBarrierValue, NamedBarrierValueAfterFinish
from langgraph.channels.topic import Topic
from langgraph.errors import EmptyChannelError, InvalidUpdateError
from langgraph.graph.message import add_messages

from alto_lg.adapters.langgraph.freezing import is_frozen
from alto_lg.adapters.langgraph.internals import BaseChannel, BinaryOperatorAggregate
from alto_lg.adapters.langgraph.reducing import REPLAYABLE, Reducers, apply

ValuesAt = Callable[[int, str], Sequence[Any]]
"""What the ended firings of a step wrote to a key, in the order in which LangGraph applies it."""

_FORGETTING = (AnyValue, EphemeralValue, Topic)
"""Channels that a step without a write to them changes."""

MISSING = object()


class Projection:
    """The state of one run at steps that are not committed yet.

    channels: LangGraph's own, always those of the step that `base` names.
    reducers: of the graph that runs.
    """

    def __init__(
        self,
        channels: Mapping[str, BaseChannel],
        base: Callable[[], int],
        values_at: ValuesAt,
        reducers: Reducers,
    ) -> None:
        self._channels = channels
        self._base = base
        self._values_at = values_at
        self._reducers = reducers
        self._ahead: dict[tuple[int, str], BaseChannel] = {}

    def computable(self, key: str, step: int) -> bool:
        """Whether applying the writes on a copy gives what applying them for real will give."""
        channel = self._channels[key]
        values = [value for at in range(self._base(), step) for value in self._values_at(at, key)]
        if not values and not isinstance(channel, _FORGETTING):
            return self._is_known(channel)
        if type(channel) is BinaryOperatorAggregate:
            return self._reduces_purely(key, channel, values) and self._applies(key, step)
        return type(channel) in REPLAYABLE and self._applies(key, step)

    def channel(self, key: str, step: int) -> BaseChannel:
        """A channel that holds the value of `key` at `step`, for whoever may start now; not to be written to."""
        if step <= self._base():
            return self._channels[key]
        known = self._ahead[step, key] = self._projected(key, step)
        return known

    def committed(self) -> None:
        """LangGraph has reached the step `base`: where it made an object of its own, it goes on with the one given out.

        Whoever changes that object later changes the state, as on LangGraph.
        """
        base = self._base()
        for key in [key for step, key in self._ahead if step == base]:
            channel: Any = self._channels[key]
            given: Any = self._ahead[base, key]
            if type(channel) is BinaryOperatorAggregate and equal(channel.value, given.value):
                channel.value = given.value
        self._ahead = {place: channel for place, channel in self._ahead.items() if place[0] > base}

    def _projected(self, key: str, step: int) -> BaseChannel:
        known = self._ahead.get((step, key))
        if known is not None:
            return known
        channel = self._channels[key]
        copied = False
        for at in range(self._base(), step):
            values = self._values_at(at, key)
            if not values and not isinstance(channel, _FORGETTING):
                continue
            if not copied:
                channel, copied = channel.copy(), True
            apply(channel, values)
        return channel if copied else channel.copy()

    def value(self, key: str, step: int) -> Any:
        """The value itself, or MISSING."""
        return _value_of(self.channel(key, step))

    def was_changeable(self, key: str, step: int) -> bool:
        """Whether a value that the key has from the base on, up to `step`, could be changed in place."""
        base = self._base()
        written = [at + 1 for at in range(base, step) if self._values_at(at, key)]
        return any(is_changeable(_value_of(self._projected(key, at))) for at in {base, step, *written})

    def _applies(self, key: str, step: int) -> bool:
        try:
            self._projected(key, step)  # not kept: whether somebody may yet change it in place is asked later
        except InvalidUpdateError:
            return False  # LangGraph will raise it when it commits that step
        return True

    def _is_known(self, channel: BaseChannel) -> bool:
        """A channel of the user's own may change by itself from step to step."""
        return type(channel) in REPLAYABLE or type(channel).__module__.startswith("langgraph.")

    def _reduces_purely(self, key: str, channel: BinaryOperatorAggregate[Any], values: Sequence[Any]) -> bool:
        # `add_messages` gives an id to a message without one: another id each time it runs.
        if channel.operator is add_messages and not all(map(_has_ids, values)):
            return False
        return self._reducers.is_pure(key)


def _value_of(channel: BaseChannel) -> Any:
    try:
        return channel.get()
    except EmptyChannelError:
        return MISSING


def _has_ids(value: Any) -> bool:
    messages = value if isinstance(value, list) else [value]
    return all(isinstance(message, BaseMessage) and message.id is not None for message in messages)


class _Reader(Protocol):
    """Who reads.

    settled: keys whose value at the reader's step is known. given: what its input has of keys that are not.
    """

    settled: frozenset[str]
    given: dict[str, Any]


class StateView(Mapping[str, BaseChannel]):
    """The channels that an early firing reads: the state at its own step, as far as it is settled.

    What the firing provably does not read may be of an earlier step. `extra` holds what LangGraph's preparation of
    a task looks at besides the state: the queue of packets, and the triggers. `lock` keeps the step from moving on.
    """

    def __init__(
        self,
        projection: Projection,
        reader: _Reader,
        step: int,
        base: Callable[[], int],
        keys: frozenset[str],
        channels: Mapping[str, BaseChannel],
        extra: Mapping[str, Any],
        lock: AbstractContextManager[Any],
    ) -> None:
        self._projection = projection
        self._reader = reader
        self._step = step
        self._base = base
        self._keys = keys
        self._channels = channels
        self._extra = extra
        self._lock = lock
        self._is_input = True

    def prepared(self) -> None:
        """The input is made: what is read from here on is read by conditional edges."""
        self._is_input = False

    def __getitem__(self, key: str) -> BaseChannel:
        if key in self._extra:
            return self._extra[key]  # type: ignore[no-any-return]
        with self._lock:
            if self._is_input and key in self._reader.given:
                return _Given(self._reader.given[key])  # type: ignore[return-value]
            if key in self._reader.settled and self._base() < self._step:
                return self._projection.channel(key, self._step)
            return self._channels[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._keys)

    def __len__(self) -> int:
        return len(self._keys)

    def __contains__(self, key: object) -> bool:
        return key in self._extra or key in self._channels


class _Given:
    """What LangGraph's preparation of a task reads in place of a channel that is still being written."""

    def __init__(self, value: Any) -> None:
        self._value = value

    def is_available(self) -> bool:
        return True

    def get(self) -> Any:
        return self._value


def is_waiting(channel: BaseChannel) -> bool:
    """Whether the trigger of a deferred node has been pulled, or may have been."""
    if isinstance(channel, LastValueAfterFinish):
        return isinstance(channel.checkpoint(), tuple)  # nothing to save, until it has a value
    if isinstance(channel, NamedBarrierValueAfterFinish):
        return channel.seen == channel.names
    return not isinstance(channel, EphemeralValue | NamedBarrierValue)


def hands_itself_out(channel: BaseChannel) -> bool:
    """Whether a channel gives to be saved what it then goes on changing itself."""
    return isinstance(channel, NamedBarrierValue | NamedBarrierValueAfterFinish) or (
        isinstance(channel, Topic) and channel.accumulate
    )


def keep_apart(channel: BaseChannel) -> None:
    """What was handed out to be saved stays as it is: the channel goes on with a copy."""
    if isinstance(channel, Topic):
        channel.values = list(channel.values)
    else:
        channel.seen = set(channel.seen)  # type: ignore[attr-defined]


def equal(one: Any, other: Any) -> bool:
    """Whether two values are provably the same."""
    if one is other:
        return True
    try:
        return type(one) is type(other) and bool(one == other)
    except Exception:  # an == of the user's, or of an array
        return False


def is_changeable(value: Any) -> bool:
    """Whether whoever holds the value could change it in place."""
    return value is not MISSING and not is_frozen(value)
