"""Run tools: the tools of one run that are started while the model writes the calls of them.

Owns what one run starts. Always true:
  every early execution is one of LangGraph's background tasks, for which the end of a run waits; it is stopped at most
  once, and then by us, so that what a tool does to clean up is not broken into;
  nothing is started for a model call that belongs to a graph inside, which has early results of its own;
  what a model call that fails, or whose message has no such call, made start is stopped and dropped.
"""

from __future__ import annotations

import asyncio
import contextvars
import copy
from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING, Any
from uuid import UUID

from langchain_core.messages import AIMessage
from langchain_core.runnables.config import var_child_runnable_config
from langchain_core.tools import BaseTool
from langgraph.errors import GraphBubbleUp
from langgraph.types import Command

from alto_lg.adapters.langgraph.config_keys import TOOLS
from alto_lg.adapters.langgraph.internals import CONF
from alto_lg.adapters.langgraph.tools.answering import (
    NO_EARLY_RESULTS,
    Early,
    config_parameter,
    injected_for_interceptors,
    surroundings_of,
    who_answers,
)
from alto_lg.adapters.langgraph.tools.catalogue import Catalogue
from alto_lg.adapters.langgraph.tools.results import (
    Answer,
    Arguments,
    Counts,
    EarlyResult,
    EarlyResults,
    Raised,
    Returned,
    Stopped,
    Wait,
    same,
)
from alto_lg.adapters.langgraph.tools.surroundings import NotHere, Surroundings
from alto_lg.adapters.langgraph.tools.tool_runs import ToolRuns
from alto_lg.adapters.watching import CallsInProgress, CompleteCall, ModelCall, ModelWatcher, ToolCallDelta

if TYPE_CHECKING:
    from alto_lg.adapters.langgraph.run import AcceleratedRun

TOOLS_AT_ONCE_MAX = 64
"""Early executions of one run that are under way at a time; what a model calls beyond that runs in its step."""


class RunTools:
    """Hears what the models of a run say, and holds what the tools that they call have given."""

    def __init__(self, loop: AcceleratedRun, catalogue: Catalogue) -> None:
        self._loop: AcceleratedRun | None = loop
        self._catalogue = catalogue
        self._context = contextvars.copy_context()
        self._results = EarlyResults()
        self._tool_runs = ToolRuns()
        self._progress: dict[UUID, CallsInProgress] = {}
        self._latest: UUID | None = None
        self._event_loop = asyncio.get_running_loop() if loop.on_event_loop else None

    @classmethod
    def attached(cls, loop: AcceleratedRun) -> RunTools | None:
        """Those of a run that has tools which may start early and does not bound what runs at once; else None."""
        if not _may_start_tools(loop):
            if TOOLS in loop.config[CONF]:  # of the run around this one, which is not to hear of these calls
                _configure(loop, NO_EARLY_RESULTS)
            return None
        made = cls(loop, loop.acceleration.catalogue)
        _configure(loop, made)
        manager: Any = loop.manager
        own = copy.copy(manager)
        own.inheritable_handlers = [*manager.inheritable_handlers, ModelWatcher(made), made._tool_runs]
        loop.manager = own
        return made

    def close(self) -> Counts:
        """The run is over, before LangGraph waits for what still runs."""
        self._loop = None
        self._results.close()
        return self._results.counts

    # ── what models say ─────────────────────────────────────────────────────────────────────────────────────

    def began(self, call: ModelCall) -> None:
        inner: Any = var_child_runnable_config.get()
        nearest = inner[CONF].get(TOOLS) if inner and CONF in inner else None
        if nearest in (None, self):
            self._progress[call.id] = CallsInProgress()

    def said(self, call: ModelCall, text: str) -> None:
        pass

    def called(self, call: ModelCall, deltas: Sequence[ToolCallDelta]) -> None:
        progress = self._progress.get(call.id)
        if progress is not None:
            for delta in deltas:
                for complete in progress.feed(delta):
                    self._start(call.id, complete)

    def ended(self, call: ModelCall, message: AIMessage | None) -> None:
        progress = self._progress.pop(call.id, None)
        if progress is None:
            return
        self._latest = call.id
        official = [(one["name"], one["id"], one["args"]) for one in message.tool_calls] if message else []
        self._results.drop(
            lambda early: early.model_call == call.id and not _is_among(early.call, official),
            "the model's message has no such call",
        )
        for complete in progress.end():
            if _is_among(complete, official):
                self._start(call.id, complete)

    def failed(self, call: ModelCall, error: BaseException) -> None:
        if self._progress.pop(call.id, None) is not None:
            self._results.drop(lambda early: early.model_call == call.id, "the model's message broke off")

    # ── what the step asks ──────────────────────────────────────────────────────────────────────────────────

    def take(self, who: object, arguments: Arguments, wait: Wait, tool_run: UUID | None) -> EarlyResult | None:
        call_id = self._tool_runs.call_ids.get(tool_run) if tool_run is not None else None
        return self._results.take(who, arguments, wait, call_id=call_id, latest=self._latest)

    def used(self, early: EarlyResult) -> None:
        self._results.used(early)

    def given_up(self, early: EarlyResult) -> None:
        self._results.given_up(early)

    # ── running ─────────────────────────────────────────────────────────────────────────────────────────────

    def _start(self, model_call: UUID, call: CompleteCall) -> None:
        loop, tool = self._loop, self._catalogue.startable(call.name)
        if loop is None or tool is None or self._results.under_way >= TOOLS_AT_ONCE_MAX:
            return
        try:
            positional, named = tool._to_args_and_kwargs(dict(call.arguments), call.id)
            kept = Arguments.kept(positional, named)
        except Exception:  # arguments that the tool refuses, or that cannot be copied: the step will see to them
            return
        as_coroutine = loop.on_event_loop and _has_coroutine(tool)
        early = EarlyResult(call, model_call, who_answers(tool), kept, on_thread=not as_coroutine)
        if not self._results.add(early, self._progress):
            return
        work = _Work(tool, positional, named, Surroundings(loop), early)
        function = self._on_thread if not loop.on_event_loop else self._as_task if as_coroutine else self._in_executor
        early.stop = partial(self._stop, self._submit(loop, function, work))

    def _submit(self, loop: AcceleratedRun, function: Any, work: _Work) -> Any:
        """Have LangGraph run it in the background, in the context of the run and not in that of the model."""
        submit = partial(loop.submit, function, work, __cancel_on_exit__=False, __reraise_on_exit__=False)
        return work.surroundings.context(self._context).run(submit, __name__=f"early {work.early.call.name}")

    def _stop(self, task: Any) -> None:
        loop = self._event_loop
        if loop is None or _running_loop() is loop:
            task.cancel()  # of a thread only what has not begun
        elif not loop.is_closed():
            loop.call_soon_threadsafe(task.cancel)

    async def _as_task(self, work: _Work) -> None:
        if not self._results.begin(work.early):
            return
        try:
            value = await work.coroutine()
        except asyncio.CancelledError:
            self._results.end(work.early, Stopped(), "it was cancelled")
            raise
        except BaseException as error:
            self._ended(work, None, error)
        else:
            self._ended(work, value, None)

    async def _in_executor(self, work: _Work) -> None:
        call = partial(contextvars.copy_context().run, self._on_thread, work)
        await asyncio.get_running_loop().run_in_executor(None, call)

    def _on_thread(self, work: _Work) -> None:
        if not self._results.begin(work.early):
            return
        try:
            value = work.call()
        except BaseException as error:
            self._ended(work, None, error)
        else:
            self._ended(work, value, None)

    def _ended(self, work: _Work, value: Any, error: BaseException | None) -> None:
        answer, why = _judged(work.surroundings.needs_step, value, error)
        if answer is None:
            self._catalogue.learn(work.early.call.name, why)
        self._results.end(work.early, answer, why)


def _may_start_tools(loop: AcceleratedRun) -> bool:
    if loop.manager is None or loop.config.get("max_concurrency") or loop.interrupt_before or loop.interrupt_after:
        return False
    return loop.acceleration.catalogue.any_may_start


def _configure(loop: AcceleratedRun, early: Early) -> None:
    loop.config = {**loop.config, CONF: {**loop.config[CONF], TOOLS: early}}


class _Work:
    """One early execution, ready to run: the tool's innermost function, as LangChain would call it."""

    def __init__(
        self,
        tool: BaseTool,
        positional: Sequence[Any],
        named: dict[str, Any],
        surroundings: Surroundings,
        early: EarlyResult,
    ) -> None:
        self.early = early
        self.surroundings = surroundings
        self._tool = tool
        self._positional = positional
        self._named = named

    async def coroutine(self) -> Any:
        return await self._tool._arun(*self._positional, **self._named, **self._around(self._tool._arun, on_loop=True))

    def call(self) -> Any:
        return self._tool._run(*self._positional, **self._named, **self._around(self._tool._run, on_loop=False))

    def _around(self, function: Any, *, on_loop: bool) -> dict[str, Any]:
        names = surroundings_of(function) | injected_for_interceptors(self._tool)
        return self.surroundings.parameters(names, config_parameter(function), on_loop=on_loop)


def _running_loop() -> asyncio.AbstractEventLoop | None:
    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        return None


def _has_coroutine(tool: BaseTool) -> bool:
    """Whether LangChain awaits the tool, or runs it on a thread."""
    if type(tool)._arun is BaseTool._arun:
        return False
    return not hasattr(tool, "coroutine") or tool.coroutine is not None


def _is_among(call: CompleteCall, official: Sequence[tuple[str, str | None, Any]]) -> bool:
    return any(name == call.name and id == call.id and same(args, call.arguments) for name, id, args in official)


def _judged(needs_step: str | None, value: Any, error: BaseException | None) -> tuple[Answer, str]:
    """What the step may be given of an early execution, or why nothing."""
    if needs_step is not None:
        return None, needs_step
    if isinstance(error, GraphBubbleUp | NotHere) or (error is not None and not isinstance(error, Exception)):
        return None, f"it raised {type(error).__name__}"
    if error is not None:
        return Raised(error), ""
    if any(isinstance(part, Command) for part in (value if isinstance(value, list | tuple) else [value])):
        return None, "it returns a Command"
    return Returned(value), ""
