"""Strides: steps with one task each, run one after the other while LangGraph waits for what it takes to be one task.

Between two steps LangGraph leaves its runner, streams, files and applies what was written, saves, and goes through all
that the next step could be. Where nobody listens, nothing is saved, and a node leads to one other by name, all that is
left of this is to apply the writes and to make the next task.

Always true:
  a step that has other than one task, or that could pause or end the run, is begun and committed by LangGraph;
  a task that fails, or that calls tasks of its own, is the last of its stride;
  the caller's event loop has its turn at least every millisecond.
"""

from __future__ import annotations

import asyncio
import weakref
from collections.abc import Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from langgraph.channels import EphemeralValue

from alto_lg.adapters.langgraph import attempts
from alto_lg.adapters.langgraph.applying import NOT_FOR_CHANNELS, commit
from alto_lg.adapters.langgraph.direct import has_handlers
from alto_lg.adapters.langgraph.internals import (
    CONF,
    CONFIG_KEY_CALL,
    CONFIG_KEY_RESUMING,
    TASKS,
    PregelExecutableTask,
    map_output_values,
)
from alto_lg.adapters.langgraph.stepping import INERT, RunChannels

if TYPE_CHECKING:
    from alto_lg.adapters.langgraph.lookahead import Lookahead
    from alto_lg.adapters.langgraph.run import AcceleratedRun

_TURN_S = 0.001


def may_stride(loop: AcceleratedRun) -> bool:
    """Whether nobody could tell one step of a run from the next: asked once, when it is known what is streamed."""
    channels = loop.channels
    return (
        loop.is_unheard
        and loop.checkpointer is None
        and loop.cache is None
        and loop.cache_policy is None
        and not loop.interrupt_before
        and not loop.interrupt_after
        and loop.config.get("max_concurrency") is None
        and loop.manager is not None
        and not has_handlers(loop.manager)
        and isinstance(channels, RunChannels)
        and channels.versions_are_ours
        and all(type(channels.get(key)) in INERT for key in _outputs(loop))
    )


class Stride:
    """The tasks of one stride, in the place of the one that it begins with.

    task: the one that runs, or ran last.
    """

    def __init__(self, loop: AcceleratedRun, lookahead: Lookahead, task: PregelExecutableTask) -> None:
        self.task = task
        self._loop = loop
        self._lookahead = lookahead
        self._are_outputs_due = False

    async def arun(self, configurable: Mapping[str, Any]) -> None:
        """On an event loop. configurable: what LangGraph's runner gives to the one task that it runs."""
        clock = asyncio.get_running_loop().time
        turn = clock() + _TURN_S
        while True:
            await attempts.arun(self.task, None, configurable=self._for_task(configurable))
            if not self._goes_on(configurable):
                return
            if clock() >= turn:
                await asyncio.sleep(0)
                turn = clock() + _TURN_S

    def run(self, configurable: Mapping[str, Any]) -> None:
        """In the caller's thread."""
        while True:
            attempts.run(self.task, None, configurable=self._for_task(configurable))
            with self._loop.lock:
                if not self._goes_on(configurable):
                    return

    def _for_task(self, configurable: Mapping[str, Any]) -> dict[str, Any]:
        """What a node calls `@task`s with is LangGraph's, and is told who calls."""
        call = configurable[CONFIG_KEY_CALL]
        return {**configurable, CONFIG_KEY_CALL: partial(call.func, weakref.ref(self.task), **call.keywords)}

    def _goes_on(self, configurable: Mapping[str, Any]) -> bool:
        """Commit the task that has ended and make the next one; False if LangGraph is to do it."""
        has_called = bool(configurable[CONFIG_KEY_CALL].keywords["futures"]())
        name = None if has_called else self._following(self.task)
        if name is None:
            if self._are_outputs_due:
                self._emit_outputs()
            return False
        self._commit(self.task)
        self.task = self._begin(name)
        return True

    def _following(self, task: PregelExecutableTask) -> str | None:
        """The one node that what a task has written leads to, if there is nothing else to do."""
        loop = self._loop
        control = getattr(loop, "control", None)
        if loop.step >= loop.stop or (control is not None and control.drain_requested):
            return None
        found = None
        for channel, _ in task.writes:
            if channel in NOT_FOR_CHANNELS or channel == TASKS or channel not in loop.channels:
                return None
            nodes = loop.trigger_to_nodes.get(channel)
            if nodes:
                if found is not None or len(nodes) != 1 or type(loop.channels[channel]) is not EphemeralValue:
                    return None
                (found,) = nodes
        return found if found is not None and self._lookahead.is_quiet(found) and self._has_input(found) else None

    def _has_input(self, name: str) -> bool:
        """Whether it is certain that a node runs once it is triggered, and on this task's way."""
        proc = self._loop.nodes[name]
        return isinstance(proc.channels, list) and proc.cache_policy is None and proc.node is not None

    def _commit(self, task: PregelExecutableTask) -> None:
        loop = self._loop
        loop.updated_channels = commit(
            loop.checkpoint, loop.channels, (task,), loop.checkpointer_get_next_version, loop.trigger_to_nodes
        )
        if not self._are_outputs_due:
            self._are_outputs_due = not loop.updated_channels.isdisjoint(_outputs(loop))
        loop.checkpoint_pending_writes.clear()
        loop.is_replaying = False
        loop.count_step()
        loop.config[CONF].pop(CONFIG_KEY_RESUMING, None)  # it concerns the first step

    def _begin(self, name: str) -> PregelExecutableTask:
        loop = self._loop
        template = loop.channels.template
        template.begin(loop.checkpoint, loop.channels, loop.step)
        task = template.pull(name)
        assert task is not None
        loop.tasks = {task.id: task}
        self._lookahead.went_on(task)
        return task

    def _emit_outputs(self) -> None:
        """Of all the values that the caller's `invoke` reads, it returns the last."""
        loop = self._loop
        loop._emit("values", map_output_values, loop.output_keys, True, loop.channels)


def _outputs(loop: AcceleratedRun) -> Sequence[str]:
    return (loop.output_keys,) if isinstance(loop.output_keys, str) else loop.output_keys


async def arun(task: PregelExecutableTask, *arguments: Any, **options: Any) -> Any:
    """LangGraph's `arun_with_retry`, of one task or of a stride."""
    if isinstance(task.proc, Stride):
        return await task.proc.arun(options["configurable"])
    return await attempts.arun(task, *arguments, **options)


def run(task: PregelExecutableTask, *arguments: Any, **options: Any) -> Any:
    """LangGraph's `run_with_retry`, of one task or of a stride."""
    if isinstance(task.proc, Stride):
        return task.proc.run(options["configurable"])
    return attempts.run(task, *arguments, **options)


def is_attempt(function: object) -> bool:
    """Whether a function that is submitted runs a node (or a `@task`), and not a save."""
    return function in (arun, run) or attempts.is_attempt(function)
