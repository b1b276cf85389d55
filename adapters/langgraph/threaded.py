"""Threaded: early firings of a synchronous run.

Always true: each is one of LangGraph's background tasks, so that the run waits for it, however it ends. A thread that
runs cannot be stopped: an early firing that is not wanted any more ends by itself, and its result is dropped.
"""

from __future__ import annotations

import contextvars
from collections import deque
from collections.abc import Callable
from concurrent.futures import CancelledError, Future, wait
from functools import partial
from typing import TYPE_CHECKING, Any

from langchain_core.runnables import RunnableConfig
from langgraph.errors import GraphInterrupt

from alto_lg.adapters.langgraph.attempts import run
from alto_lg.adapters.langgraph.early import EarlyFiring
from alto_lg.adapters.langgraph.internals import (
    CONF,
    CONFIG_KEY_CALL,
    PregelExecutableTask,
    chain_future,
)
from alto_lg.adapters.langgraph.threads import NodeThreads
from alto_lg.engine.firing import Firing

if TYPE_CHECKING:
    from alto_lg.adapters.langgraph.lookahead import Lookahead

Call = Callable[..., Any]
"""What LangGraph gives a node to call an `@task` with."""


class ThreadedFiring(EarlyFiring):
    """An early firing on a thread."""

    def __init__(self, firing: Firing) -> None:
        super().__init__(firing)
        self.future: Future[Any]
        self._lookahead: Lookahead
        self._threads: NodeThreads
        self._lock: Any
        self._official: Call | None = None
        self._over = False
        self._calls: list[tuple[Future[Any], Callable[[Call], Any]]] = []  # waiting for the adoption
        self._lent = False

    def start(self, lookahead: Lookahead, task: PregelExecutableTask, context: contextvars.Context) -> None:
        loop: Any = lookahead.loop
        self.task = task
        self._lookahead = lookahead
        self._threads, self._lock = loop.threads, loop.lock

        def ended(future: Future[Any]) -> None:
            with self._lock:
                context.copy().run(lookahead.early_ended, self, future)

        call = partial(context.run, run, task, None, configurable={CONFIG_KEY_CALL: self._call})
        self.future = self._threads.submit_early(self.firing.ancestry.order, call, ended)

    def gate(self) -> None:
        return None

    def cancel(self) -> None:
        with self._lock:
            self._over = True
            calls, self._calls = self._calls, []
            self._take_back()
        self.future.cancel()
        for promised, _ in calls:
            promised.cancel()

    def adopted(self, official: Call) -> None:
        """LangGraph has the task that this is: `official` calls tasks in its name."""
        with self._lock:
            if self._official is not None:
                return
            self._official = official
            calls, self._calls = self._calls, []
            self._take_back()
        for promised, call in calls:
            _keep(promised, call, official)

    def deliver(self, writes: deque[tuple[str, Any]], config: RunnableConfig) -> Any:
        self.adopted(config[CONF][CONFIG_KEY_CALL])
        try:
            result = self.future.result()
            save = self._lookahead.save_to_await()
            if save is not None:
                wait([save])
            return result
        except GraphInterrupt as interrupt:
            raise self.readdressed(interrupt, config) from interrupt.__cause__
        except Exception as error:
            self.forget_note(error)
            raise
        finally:
            writes.extend(self.task.writes)
            self._official, self._over = None, True  # leads to the loop, which is not to outlive its run
            del self.future  # so do its callbacks

    def _call(self, function: Any, arguments: Any, **options: Any) -> Future[Any]:
        """A `@task` called from the node: LangGraph files it under the official task, so it waits for that one."""
        context = contextvars.copy_context()

        def call(official: Call) -> Any:
            return context.run(official, function, arguments, **options)

        with self._lock:
            official = self._official
            if official is None:
                promised: Future[Any] = Future()
                if self._over:
                    promised.set_exception(CancelledError())
                else:
                    self._calls.append((promised, call))
                    self._lend()
                return promised
        future: Future[Any] = call(official)
        return future

    def _lend(self) -> None:
        """Give the place to others while it waits for its adoption: what must come before that may need it."""
        if not self._lent:
            self._lent = True
            self._threads.lend()

    def _take_back(self) -> None:
        if self._lent:
            self._lent = False
            self._threads.take_back()


def _keep(promised: Future[Any], call: Callable[[Call], Any], official: Call) -> None:
    try:
        chain_future(call(official), promised)
    except BaseException as error:  # the node is to have it, in its own thread
        promised.set_exception(error)
