"""Strides: steps with one task each, run one after the other by one call of LangGraph's runner.

Between two steps LangGraph leaves its runner, files and applies what was written, makes a checkpoint, and goes through
all that the next step could be. Where nothing is saved and a node leads to one other by name, all that is left of this
is to apply the writes, to make the next task, and to stream what the caller asked for.

Always true:
  a step that has other than one task, or that could pause or end the run, is begun and committed by LangGraph;
  a task that fails, or that calls tasks of its own, is the last of its stride: LangGraph goes on with it;
  what is streamed of a step has left before the next task runs, and the event loop has its turn every millisecond.
"""

from __future__ import annotations

import asyncio
import weakref
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from langchain_core.runnables import RunnableConfig
from langgraph.channels import EphemeralValue

from alto_lg.adapters.langgraph import attempts
from alto_lg.adapters.langgraph.applying import NOT_FOR_CHANNELS, commit
from alto_lg.adapters.langgraph.direct import has_handlers
from alto_lg.adapters.langgraph.internals import (
    CONF,
    CONFIG_KEY_CALL,
    CONFIG_KEY_RESUMING,
    CONFIG_KEY_STREAM,
    TASKS,
    PregelExecutableTask,
    map_output_values,
)
from alto_lg.adapters.langgraph.stepping import INERT, RunChannels
from alto_lg.adapters.langgraph.templates import Template, TemplateNode

if TYPE_CHECKING:
    from alto_lg.adapters.langgraph.lookahead import Lookahead
    from alto_lg.adapters.langgraph.run import AcceleratedRun

Call = Callable[..., Any]

_TURN_S = 0.001
_MODES = {"updates", "values"}
"""What may be streamed between the steps of a stride."""


def may_stride(loop: AcceleratedRun) -> bool:
    """Whether steps of a run may follow one another so: asked once, when it is known what is streamed."""
    channels = loop.channels
    return (
        loop.checkpointer is None
        and loop.cache is None
        and loop.cache_policy is None
        and not loop.interrupt_before
        and not loop.interrupt_after
        and loop.config.get("max_concurrency") is None
        and CONFIG_KEY_STREAM not in loop.config[CONF]
        and (loop.is_unheard or (loop.stream is not None and loop.stream.modes <= _MODES))
        and loop.manager is not None
        and not has_handlers(loop.manager)
        and isinstance(channels, RunChannels)
        and channels.versions_are_ours
        and all(type(channels.get(key)) in INERT for key in _outputs(loop))
    )


class Stride:
    """The tasks of one stride, in the place of the one that it begins with.

    task: the one that runs, or ran last. LangGraph commits it, with the error that it failed with if with any.
    is_heard: something may be streamed after each step.
    """

    def __init__(self, loop: AcceleratedRun, lookahead: Lookahead, task: PregelExecutableTask) -> None:
        self.task = task
        self.is_heard = not loop.is_unheard
        self._loop = loop
        self._lookahead = lookahead
        self._has_run = False
        self._error: BaseException | None = None
        self._are_outputs_due = False
        self._turn = lookahead.now() + _TURN_S

    # ── its steps ───────────────────────────────────────────────────────────────────────────────────────────

    async def astep(self, call: Call, called: Mapping[Any, Any]) -> bool:
        """Run a task on the event loop, commit it, and make the next one; False if LangGraph is to go on.

        Args:
            call: What nodes call `@task`s with, but for the task that calls.
            called: The futures of those that were called.
        """
        config = self._config(call)
        if config is None:
            return False
        try:
            await self.task.proc.ainvoke(self.task.input, config)
        except BaseException as error:
            self._error = error
        if not self._goes_on(called):
            return False
        if self._lookahead.now() >= self._turn:
            await asyncio.sleep(0)
            self._turn = self._lookahead.now() + _TURN_S
        return True

    def step(self, call: Call, called: Mapping[Any, Any]) -> bool:
        """The same, in the caller's thread."""
        config = self._config(call)
        if config is None:
            return False
        try:
            self.task.proc.invoke(self.task.input, config)
        except BaseException as error:
            self._error = error
        with self._loop.lock:
            return self._goes_on(called)

    def _config(self, call: Call) -> RunnableConfig | None:
        """That of a task's only attempt; None if it may have others."""
        task = self.task
        config = attempts.config_of_only(task, None, {CONFIG_KEY_CALL: partial(call, weakref.ref(task))})
        self._has_run = config is not None
        task.writes.clear()
        return config

    def _goes_on(self, called: Mapping[Any, Any]) -> bool:
        name = None if called or self._error is not None else self._following()
        if name is None:
            self._emit_outputs()
            return False
        if self.is_heard:
            self._loop.output_writes(self.task.id, self.task.writes)
        self._commit()
        if self.is_heard:
            self._emit_outputs()
        self._begin(name)
        return True

    # ── the end of its last task, for LangGraph's runner ────────────────────────────────────────────────────

    async def arun(self, configurable: Mapping[str, Any]) -> Any:
        """Return or raise what the last task did. configurable: LangGraph's, for the only task that it knows of."""
        if not self._has_run:
            return await attempts.arun(self.task, None, configurable=self._for_task(configurable))
        failing = self._failing()
        return await attempts.arun(failing, None, configurable=configurable) if failing is not None else None

    def run(self, configurable: Mapping[str, Any]) -> Any:
        """The same, in the caller's thread."""
        if not self._has_run:
            return attempts.run(self.task, None, configurable=self._for_task(configurable))
        failing = self._failing()
        return attempts.run(failing, None, configurable=configurable) if failing is not None else None

    def _failing(self) -> PregelExecutableTask | None:
        """A task that fails as the last one did; the error is kept by nobody, because it knows the frames of all."""
        if self._error is None:
            return None
        failing = attempts.failing(self.task, self._error)
        self._error = None
        return failing

    def _for_task(self, configurable: Mapping[str, Any]) -> dict[str, Any]:
        call = configurable[CONFIG_KEY_CALL]
        return {**configurable, CONFIG_KEY_CALL: partial(call.func, weakref.ref(self.task), **call.keywords)}

    # ── between two steps ───────────────────────────────────────────────────────────────────────────────────

    def _following(self) -> str | None:
        """The one node that what the task has written leads to, if there is nothing else to do."""
        loop = self._loop
        control = getattr(loop, "control", None)
        if self._template is None or loop.step >= loop.stop or (control is not None and control.drain_requested):
            return None
        found = None
        for channel, _ in self.task.writes:
            if channel in NOT_FOR_CHANNELS or channel == TASKS or channel not in loop.channels:
                return None
            nodes = loop.trigger_to_nodes.get(channel)
            if nodes:
                if found is not None or len(nodes) != 1 or type(loop.channels[channel]) is not EphemeralValue:
                    return None
                (found,) = nodes
        return found if found is not None and self._lookahead.is_quiet(found) and self._has_input(found) else None

    @property
    def _template(self) -> Template | None:
        """None where the run's first task was not made from one."""
        assert isinstance(self._loop.channels, RunChannels)
        return self._loop.channels.template

    def _has_input(self, name: str) -> bool:
        """Whether it is certain that a node runs once it is triggered."""
        proc = self._loop.nodes[name]
        return isinstance(proc, TemplateNode) and proc.is_ordinary and isinstance(proc.channels, list)

    def _commit(self) -> None:
        loop = self._loop
        loop.updated_channels = commit(
            loop.checkpoint, loop.channels, (self.task,), loop.checkpointer_get_next_version, loop.trigger_to_nodes
        )
        if not self._are_outputs_due:
            self._are_outputs_due = not loop.updated_channels.isdisjoint(_outputs(loop))
        loop.checkpoint_pending_writes.clear()
        loop.is_replaying = False
        loop.count_step()
        loop.config[CONF].pop(CONFIG_KEY_RESUMING, None)  # it concerns the first step

    def _begin(self, name: str) -> None:
        loop, template = self._loop, self._template
        assert template is not None
        template.begin(loop.checkpoint, loop.channels, loop.step)
        task = template.pull(name)
        assert task is not None
        loop.tasks = {task.id: task}
        self._lookahead.went_on(task)
        self.task = task

    def _emit_outputs(self) -> None:
        """Stream the values as they are; of all those that an `invoke` would hear, it returns the last."""
        loop = self._loop
        if self._are_outputs_due:
            self._are_outputs_due = False
            loop._emit("values", map_output_values, loop.output_keys, True, loop.channels)


def _outputs(loop: AcceleratedRun) -> Sequence[str]:
    return (loop.output_keys,) if isinstance(loop.output_keys, str) else loop.output_keys


async def arun(task: PregelExecutableTask, *arguments: Any, **options: Any) -> Any:
    """LangGraph's `arun_with_retry`, of one task or of what is left of a stride."""
    if isinstance(task.proc, Stride):
        return await task.proc.arun(options["configurable"])
    return await attempts.arun(task, *arguments, **options)


def run(task: PregelExecutableTask, *arguments: Any, **options: Any) -> Any:
    """LangGraph's `run_with_retry`, of one task or of what is left of a stride."""
    if isinstance(task.proc, Stride):
        return task.proc.run(options["configurable"])
    return attempts.run(task, *arguments, **options)


def is_attempt(function: object) -> bool:
    """Whether a function that is submitted runs a node (or a `@task`), and not a save."""
    return function in (arun, run) or attempts.is_attempt(function)
