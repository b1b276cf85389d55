"""Preparation: the task of a firing whose step LangGraph has not reached.

It is made from a template, as those of its step will be. What is read for that is laid out: the state as it will be, a
queue that holds the one packet, triggers that have fired. The identity of the task is provisional, because it derives
from a checkpoint that does not exist yet; nothing that is saved carries it.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

from langchain_core.runnables import RunnableConfig
from langgraph.types import Send

from alto_lg.adapters.langgraph.config_keys import ANCESTRY, GATE, TALLY
from alto_lg.adapters.langgraph.events import EVENT_KEY, AncestralText, tell_custom_events_apart
from alto_lg.adapters.langgraph.internals import (
    CONF,
    CONFIG_KEY_RESUMING,
    TASKS,
    PregelExecutableTask,
)
from alto_lg.adapters.langgraph.ownership import copied
from alto_lg.adapters.langgraph.projection import Projection, StateView
from alto_lg.adapters.langgraph.templates import Template
from alto_lg.engine.ancestry import Ancestry
from alto_lg.engine.statistics import Tally

if TYPE_CHECKING:
    from alto_lg.adapters.langgraph.early import EarlyFiring
    from alto_lg.adapters.langgraph.run import AcceleratedRun
    from alto_lg.adapters.langgraph.wired import WiredPlan


class Preparation:
    """Prepares the tasks of one run."""

    def __init__(self, loop: AcceleratedRun, projection: Projection, wired: WiredPlan, tally: Tally) -> None:
        self._tally = tally
        self._loop = loop
        self._projection = projection
        self._wired = wired
        self._index = 0

    def task(self, early: EarlyFiring, packet: Send | None) -> PregelExecutableTask:
        """LangGraph's task for an early firing, with a packet or with the state for its input."""
        loop, firing = self._loop, early.firing
        name = firing.stage.name
        self._index += 1
        if packet is None:
            extra: dict[str, Any] = dict.fromkeys(loop.nodes[name].triggers, _FIRED)
        else:
            packet = self._owned(early, packet)
            extra = {TASKS: _Queue(self._index, packet)}
        base = step_of(loop)  # the task outlives the step, and LangGraph's loop is not to outlive its run
        view = StateView(self._projection, early, firing.step, base, self._wired.keys, loop.channels, extra, loop.lock)
        self._template.begin({**loop.checkpoint, "versions_seen": {}}, view, firing.step)
        task = self._template.pull(name) if packet is None else self._template.push(self._index, packet)
        assert task is not None
        view.prepared()
        describe(task.config, firing.ancestry, self._tally, loop, firing.waited_for)
        gate = early.gate()
        if gate is not None:
            task.config[CONF][GATE] = gate
        return task

    @cached_property
    def _template(self) -> Template:
        loop = self._loop
        return Template(
            loop.nodes,
            loop.managed,
            _without_resuming(loop.config),
            loop.stop,
            store=loop.store,
            checkpointer=loop.checkpointer,
            manager=loop.manager,
            retry_policy=loop.retry_policy,
        )

    def _owned(self, early: EarlyFiring, packet: Send) -> Send:
        """A payload that its receiver may change is copied: the original is still to be saved as it was sent."""
        if early.firing.stage.may_change_packet:
            return Send(packet.node, copied(packet.arg), timeout=packet.timeout)
        return packet


def describe(
    config: RunnableConfig, ancestry: Ancestry, tally: Tally, loop: AcceleratedRun, waited_for: str | None = None
) -> None:
    """Put the ancestry where the node can see it; and whoever streams what it says, if that was asked for."""
    config[CONF][ANCESTRY] = ancestry
    config[CONF][TALLY] = tally
    if not loop.annotates:
        return
    callbacks = config.get("callbacks")
    if callbacks is not None and not isinstance(callbacks, list) and callbacks.handlers:
        callbacks.add_metadata({EVENT_KEY: AncestralText.of(str(ancestry), ancestry, waited_for)})
    if loop.stream is not None and "custom" in loop.stream.modes:
        tell_custom_events_apart(config, ancestry)


def step_of(loop: AcceleratedRun) -> Callable[[], int]:
    """The step that a loop is committing, without keeping the loop alive."""
    reference = weakref.ref(loop)

    def step() -> int:
        alive = reference()
        assert alive is not None
        return alive.step

    return step


def _without_resuming(config: RunnableConfig) -> RunnableConfig:
    """The flag concerns the step that a run resumes at; LangGraph takes it away after that step."""
    if CONFIG_KEY_RESUMING not in config[CONF]:
        return config
    kept = {key: value for key, value in config[CONF].items() if key != CONFIG_KEY_RESUMING}
    return {**config, CONF: kept}


class _Fired:
    """A trigger channel that has a value."""

    def is_available(self) -> bool:
        return True


_FIRED = _Fired()


class _Queue:
    """A queue of packets with one known place."""

    def __init__(self, index: int, packet: Send) -> None:
        self._packets = _OnePacket(index, packet)

    def is_available(self) -> bool:
        return True

    def get(self) -> Sequence[Send]:
        return self._packets


class _OnePacket(Sequence[Send]):
    def __init__(self, index: int, packet: Send) -> None:
        self._index = index
        self._packet = packet

    def __len__(self) -> int:
        return self._index + 1

    def __getitem__(self, index: Any) -> Any:
        assert index == self._index
        return self._packet
