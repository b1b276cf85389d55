"""Recording: what graphs do inside a `with` block, heard through LangChain's callbacks.

Always true: plain and accelerated graphs are heard in the same way; nothing that runs is changed or delayed but for
the callbacks themselves; when the block has ended, nothing more is recorded.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any
from uuid import UUID

from langchain_core.callbacks import BaseCallbackHandler
from langgraph.errors import GraphBubbleUp, GraphInterrupt

from alto_lg.adapters.langgraph.events import EVENT_KEY, AncestralText
from alto_lg.tracing.tasks import Ending, Heard, Kind, TracedTask, with_waits

_TASK_TAG = "graph:step:"
"""LangGraph tags the run of a task with its step, and no run inside it."""
_recorder: ContextVar[_Recorder | None] = ContextVar("alto_lg_trace", default=None)


@contextmanager
def trace(label: str = "run", *, clock: Callable[[], float] = time.monotonic) -> Iterator[Trace]:
    """Record what every graph that runs inside the block does, plain or accelerated, sync or async.

        with alto_lg.trace("accelerated") as traced:
            app.invoke(question)
        traced.save("trace.html")

    Args:
        label: What the trace is called where several are shown.
        clock: Seconds; for tests on virtual time.
    """
    _register()
    recorder = _Recorder(clock)
    token = _recorder.set(recorder)
    try:
        yield Trace(label, recorder)
    finally:
        _recorder.reset(token)
        recorder.close()


class Trace:
    """What was recorded; it can be read during the block, too, and then shows what is still running as unfinished."""

    def __init__(self, label: str, recorder: _Recorder) -> None:
        self.label = label
        self._recorder = recorder

    @property
    def tasks(self) -> tuple[TracedTask, ...]:
        """Every task of every graph, and the calls of models and tools inside, earliest first."""
        return with_waits(self._recorder.heard())

    @property
    def took_s(self) -> float:
        """Seconds from the beginning of the first graph to the last task that ended."""
        return max((task.ended_s for task in self.tasks), default=0.0)

    def save(self, path: str | Path, *others: Trace) -> None:
        """Write this trace, and others for comparison, to a file.

        Args:
            path: With the suffix .html, a page that opens from disk; with .json, trace events that
                https://ui.perfetto.dev and chrome://tracing open.
            others: Traces to show below this one, on the same axis of time.

        Raises:
            ValueError: The suffix is neither.
        """
        from alto_lg.tracing.saving import save  # it draws

        save(Path(path), [(one.label, one.tasks) for one in (self, *others)])


@dataclass(slots=True)
class _Open:
    """A piece of work that has begun."""

    run: UUID | None
    kind: Kind
    name: str
    metadata: Mapping[str, Any]
    started_s: float


class _Recorder(BaseCallbackHandler):
    """Hears runs begin and end, on whatever thread they do."""

    run_inline = True  # where the work itself happens, so that the times are its own
    ignore_retry = ignore_retriever = ignore_custom_event = True

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._origin: float | None = None  # when the first graph began
        self._open: dict[UUID, _Open] = {}
        self._ended: list[Heard] = []
        self._closed = False

    def close(self) -> None:
        """Whatever still runs is unfinished from now on."""
        left = self.heard()
        self._closed = True
        self._open.clear()
        self._ended = left

    def heard(self) -> list[Heard]:
        """What has ended, and what has not."""
        now = self._now() if self._open else 0.0
        return [*self._ended, *((one.run, _task(one, now, "unfinished", None)) for one in list(self._open.values()))]

    def _now(self) -> float:
        now = self._clock()
        self._origin = now if self._origin is None else self._origin
        return now - self._origin

    def _is_inside(self, parent: UUID | None) -> bool:
        """Whether the run above is itself a call by `@task`, so that this one is no more than a part of it."""
        above = self._open.get(parent) if parent is not None else None
        return above is not None and _is_call(above.metadata)

    def _begin(self, run_id: UUID, run: UUID | None, kind: Kind, name: str, metadata: Mapping[str, Any] | None) -> None:
        if metadata and "langgraph_node" in metadata and not self._closed:
            self._open[run_id] = _Open(run, kind, name, metadata, self._now())

    def _end(self, run_id: UUID, error: BaseException | None = None) -> None:
        begun = self._open.pop(run_id, None)
        if begun is not None:
            failure = type(error).__name__ if error is not None else None
            self._ended.append((begun.run, _task(begun, self._now(), _ending(error), failure)))

    def on_chain_start(
        self,
        serialized: dict[str, Any] | None,
        inputs: Any,
        *,
        run_id: UUID,
        parent_run_id: UUID | None = None,
        tags: list[str] | None = None,
        metadata: dict[str, Any] | None = None,
        **rest: Any,
    ) -> None:
        self._now()
        node = (metadata or {}).get("langgraph_node")
        is_task = any(tag.startswith(_TASK_TAG) for tag in tags or ())
        if is_task or (rest.get("name") == node and _is_call(metadata or {}) and not self._is_inside(parent_run_id)):
            self._begin(run_id, parent_run_id, "node", str(node), metadata)

    def on_chat_model_start(
        self,
        serialized: dict[str, Any] | None,
        messages: Sequence[Any],
        *,
        run_id: UUID,
        parent_run_id: UUID | None = None,
        tags: list[str] | None = None,
        metadata: dict[str, Any] | None = None,
        **rest: Any,
    ) -> None:
        self._begin(run_id, None, "model", _name(serialized, rest, "model"), metadata)

    def on_llm_start(self, serialized: dict[str, Any] | None, prompts: list[str], **rest: Any) -> None:
        self.on_chat_model_start(serialized, prompts, **rest)

    def on_tool_start(
        self,
        serialized: dict[str, Any] | None,
        input_str: str,
        *,
        run_id: UUID,
        parent_run_id: UUID | None = None,
        tags: list[str] | None = None,
        metadata: dict[str, Any] | None = None,
        **rest: Any,
    ) -> None:
        self._begin(run_id, None, "tool", _name(serialized, rest, "tool"), metadata)

    def on_chain_end(self, outputs: Any, *, run_id: UUID, parent_run_id: UUID | None = None, **rest: Any) -> None:
        self._end(run_id)

    def on_llm_end(self, response: Any, *, run_id: UUID, parent_run_id: UUID | None = None, **rest: Any) -> None:
        self._end(run_id)

    def on_tool_end(self, output: Any, *, run_id: UUID, parent_run_id: UUID | None = None, **rest: Any) -> None:
        self._end(run_id)

    def on_chain_error(
        self, error: BaseException, *, run_id: UUID, parent_run_id: UUID | None = None, **rest: Any
    ) -> None:
        self._end(run_id, error)

    on_llm_error = on_tool_error = on_chain_error


@cache
def _register() -> None:
    """Once a process: LangChain asks the variable at the start of every run, and finds nothing outside a block."""
    from langchain_core.tracers.context import register_configure_hook

    register_configure_hook(_recorder, inheritable=True)


def _name(serialized: Mapping[str, Any] | None, rest: Mapping[str, Any], otherwise: str) -> str:
    return str(rest.get("name") or (serialized or {}).get("name") or otherwise)


def _ending(error: BaseException | None) -> Ending:
    if isinstance(error, GraphInterrupt):
        return "interrupted"
    if error is None or isinstance(error, GraphBubbleUp):  # a command for the graph above is no failure
        return "done"
    return "failed" if isinstance(error, Exception) else "cancelled"


def _task(begun: _Open, now: float, ending: Ending, error: str | None) -> TracedTask:
    told = begun.metadata
    shown = told.get(EVENT_KEY)
    ancestral = shown if isinstance(shown, AncestralText) else None
    levels = str(told.get("langgraph_checkpoint_ns", "")).split("|")
    return TracedTask(
        kind=begun.kind,
        name=begun.name,
        node=str(told["langgraph_node"]),
        step=int(told["langgraph_step"]),
        within=tuple(level.partition(":")[0] for level in levels[:-1]),
        place=_place(told.get("langgraph_path", ()), ancestral, is_call=_is_call(told)),
        ancestry=None if ancestral is None else ancestral.ancestry,
        started_s=begun.started_s,
        ended_s=now,
        ending=ending,
        error=error if ending == "failed" else None,
        early=False,
        waited_for=None if ancestral is None or begun.kind != "node" else ancestral.waited_for,
    )


def _is_call(metadata: Mapping[str, Any]) -> bool:
    """Whether it belongs to a call of a `@task` function, whose path holds that of its caller. It has no tag."""
    path = metadata.get("langgraph_path", ())
    return len(path) > 2 and isinstance(path[1], tuple)


def _place(path: Sequence[Any], ancestral: AncestralText | None, *, is_call: bool) -> int | None:
    if ancestral is not None and not is_call:
        return ancestral.ancestry.index
    return next((part for part in path if type(part) is int), None)
