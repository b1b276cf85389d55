"""Run checks: what is wrong with a call, with its settings, or with how it ended.

Owns the checks of one run. Always true:
  what LangGraph accepts is accepted: a warning once for a graph and mistake, an error only with `strict=True`;
  what LangGraph refuses is refused with its class; at most a note is added to its error.
"""

from __future__ import annotations

import asyncio
import sys
import weakref
from collections.abc import Iterator, Sequence
from typing import Any, get_args

from langgraph.constants import START
from langgraph.types import Command, Durability, Send, StreamMode

from alto_lg.adapters.langgraph.internals import CONF, INTERRUPT, SyncPregelLoop
from alto_lg.adapters.langgraph.mistakes import notes, threads
from alto_lg.adapters.langgraph.mistakes.in_place import checked_channels
from alto_lg.adapters.langgraph.mistakes.node_checks import routed, sent
from alto_lg.adapters.langgraph.mistakes.reporter import Reporter
from alto_lg.adapters.langgraph.mistakes.words import choices, suggestion
from alto_lg.errors import MissingCheckpointer
from alto_lg.options import Options

_STREAM_MODES = frozenset((*get_args(StreamMode), "tools"))  # LangGraph has "tools", but its type does not
_DURABILITIES = get_args(Durability)

_MOVED = "This run belongs to another event loop; create it where it is awaited."

_reporters: weakref.WeakKeyDictionary[object, Reporter] = weakref.WeakKeyDictionary()
"""What has been said, by what the runs of one graph share."""


class RunChecks:
    """The checks of one run of an accelerated graph, in either colour."""

    def __init__(self, loop: Any, options: Options) -> None:
        self._loop = weakref.proxy(loop)  # the loop holds these checks, and is not to outlive its run
        self._options = options
        self._writers: dict[str, str] | None = None if loop.checkpointer is None else {}
        self._entered = False
        self._home: asyncio.AbstractEventLoop | None = None

    def began(self) -> None:
        """The run has begun: LangGraph's own checks have passed, and no node has run.

        Raises:
            MissingCheckpointer: As LangGraph's AttributeError after the first step, but before it.
            Mistake: With `strict=True`: what would be a warning.
        """
        loop = self._loop
        in_loop = _running_loop()
        is_sync = isinstance(loop, SyncPregelLoop)
        self._home = None if is_sync else in_loop
        if loop.durability == "sync" and loop.checkpointer is None:
            raise MissingCheckpointer
        if self._options.check:
            loop.channels.update(checked_channels(loop.channels, self._reporter))
        if loop.is_nested:  # its caller's settings: they were looked at where they were given
            return
        for mistake, text in (*_settings(loop), *_destinations(loop)):
            self._reporter.report((mistake, text), text)
        # A notebook runs its cells on a loop that has nothing else to do.
        if is_sync and in_loop is not None and "ipykernel" not in sys.modules:
            self._reporter.report(
                "invoke", "invoke() blocks this event loop while the graph runs; await ainvoke() instead."
            )
        if self._thread is not None:
            threads.enter(loop.checkpointer, self._thread, self)
            self._entered = True

    def committed(self, task: Any, writes: Sequence[tuple[str, Any]]) -> None:
        """LangGraph has taken the writes of a task that succeeded."""
        if self._writers is not None:
            for key, _ in writes:
                self._writers[key] = task.name

    def ended(self, error: BaseException | None = None) -> None:
        """LangGraph has left the run, with that error if with any.

        Raises:
            Mistake: With `strict=True`, if nothing else was raised: what would be a warning.
        """
        # Asked at the end of a run that was not broken off: that of a stream which nobody reads any more is closed
        # when Python comes to it, which may be after the next run on its thread has begun.
        is_alone = not self._entered or threads.leave(self._loop.checkpointer, self._thread or "", self)
        moved = self._home is not None and self._home is not _running_loop()
        if error is not None:
            notes.explain(error, self._loop, self._writers or {}, [_MOVED] if moved else [])
            return
        if moved:
            self._reporter.report("moved", _MOVED)
        if not is_alone:
            self._reporter.report(
                "not alone",
                f"Thread {self._thread!r} already has a run in progress; LangGraph keeps only the last to finish.",
            )
        if self._loop.checkpointer is None and not self._loop.is_nested:
            for text in _questions(self._loop):
                self._reporter.report(("interrupt", text), text)

    @property
    def _reporter(self) -> Reporter:
        shared = self._loop.acceleration
        found = _reporters.get(shared)
        if found is None:
            found = _reporters.setdefault(shared, Reporter(self._options.strict))
        return found

    @property
    def _thread(self) -> str | None:
        if self._loop.checkpointer is None:
            return None
        thread = self._loop.config[CONF].get("thread_id")
        return None if thread is None else str(thread)


def _settings(loop: Any) -> Iterator[tuple[str, str]]:
    """Settings that LangGraph takes, and that have no effect."""
    for mode in sorted(loop.stream.modes - _STREAM_MODES if loop.stream is not None else (), key=str):
        meant = suggestion(str(mode), _STREAM_MODES)
        instead = f"did you mean {meant!r}?" if meant else f"use {choices(sorted(_STREAM_MODES))}."
        yield "stream_mode", f"Unknown stream_mode {mode!r}; {instead} LangGraph yields nothing for it."
    if loop.durability not in _DURABILITIES:
        yield "durability", f"Unknown durability {loop.durability!r}; use {choices(_DURABILITIES)}."
    if "recursion_limit" in loop.config[CONF]:
        limit = loop.config["recursion_limit"]
        yield (
            "recursion_limit",
            f"recursion_limit belongs beside 'configurable', not in it; the limit of {limit} is in force.",
        )


def _destinations(loop: Any) -> Iterator[tuple[str, str]]:
    """Where the input of the run leads, if it is a command."""
    if not isinstance(loop.input, Command):
        return
    nodes = frozenset(loop.nodes) - {START}
    goto: Any = loop.input.goto
    for target in goto if isinstance(goto, list | tuple) else (goto,):
        if isinstance(target, Send) and target.node not in nodes:
            yield "sent", sent("The input", target.node, nodes)
        elif isinstance(target, str) and target and target not in nodes:
            yield "routed", routed("The input", target, nodes)


def _running_loop() -> asyncio.AbstractEventLoop | None:
    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        return None


def _questions(loop: Any) -> Iterator[str]:
    """What a run without checkpointer has asked: nobody can answer it."""
    tasks = getattr(loop, "tasks", {})
    asking = {task for task, key, _ in loop.checkpoint_pending_writes if key == INTERRUPT}
    for name in sorted({tasks[task].name for task in asking if task in tasks}):
        yield f"Node {name!r} called interrupt(): add a checkpointer, or this run cannot be resumed."
