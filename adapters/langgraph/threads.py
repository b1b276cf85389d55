"""Threads: the nodes of a synchronous run, a bounded number at a time, earliest ancestry first.

LangGraph runs the tasks of a step in a pool of `max_concurrency` threads, or of as many as the machine has cores and
four more, together with the saving of checkpoints and the wait for events. Here a thread is made when one is needed,
and only nodes are counted. Always true:
  no thread waits for another firing: a firing starts when all that it needs is settled, the hand-over of an adopted
  firing runs when that firing has ended, and a firing that waits for its adoption lends its place to others;
  nodes of the step that LangGraph is at come before early firings.
"""

from __future__ import annotations

import contextlib
import contextvars
import heapq
import itertools
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from typing import TYPE_CHECKING, Any, cast

from alto_lg.adapters.langgraph.early import Handover
from alto_lg.adapters.langgraph.internals import CONFIG_KEY_CALL, BackgroundExecutor
from alto_lg.adapters.langgraph.strides import is_attempt
from alto_lg.engine.ancestry import Order

if TYPE_CHECKING:
    from alto_lg.adapters.langgraph.threaded import ThreadedFiring

NODES_AT_ONCE_MAX = 256
"""Nodes of one run that are under way at a time where the caller sets no `max_concurrency`."""

_NO_LIMIT = 1_000_000  # the pool makes a thread only where none is idle

Rank = tuple[Any, ...]
_FIRST: Rank = (0,)


class NodeThreads:
    """Takes the place of LangGraph's background executor in one run."""

    def __init__(self, background: BackgroundExecutor, nodes_at_once: int | None) -> None:
        self._background = background
        self._pool = background.stack.enter_context(ThreadPoolExecutor(_NO_LIMIT, thread_name_prefix="alto_lg"))
        background.executor = self._pool
        self.is_exact = bool(nodes_at_once)  # else a node in the caller's own thread need not be counted
        self._free = nodes_at_once or NODES_AT_ONCE_MAX
        self._lock = threading.Lock()
        self._uncounted = 0
        self._expected = 0
        self._held = False
        self._arrival = itertools.count()
        self._waiting: list[tuple[Rank, int, Callable[[], bool]]] = []

    def hold(self) -> None:
        """A step begins: no early firing is served until it is known how many of its tasks want a place."""
        with self._lock:
            self._held = True

    def expect(self, tasks: int) -> None:
        """So many tasks of the step that begins are about to come: their places are not given to early firings."""
        with self._lock:
            self._held, self._expected = False, tasks
        self._serve()

    def submit(self, function: Callable[..., Any], *arguments: Any, **options: Any) -> Future[Any]:
        """What LangGraph's loop and runner call: nodes are ranked, all else starts at once."""
        if not is_attempt(function):
            return self._background.submit(function, *arguments, **options)
        flags = (options.pop("__cancel_on_exit__", False), options.pop("__reraise_on_exit__", True))
        next_tick = options.pop("__next_tick__", False)
        call = partial(contextvars.copy_context().run, function, *arguments, **options)
        proc = arguments[0].proc
        if isinstance(proc, Handover):
            early = cast("ThreadedFiring", proc.early)
            return self._after(early, options["configurable"][CONFIG_KEY_CALL], call, flags)
        return self._enter(_FIRST, partial(_let_others_first, call) if next_tick else call, flags)

    def submit_early(self, order: Order, call: Callable[[], Any], ended: Callable[[Future[Any]], None]) -> Future[Any]:
        """Run an early firing when its turn comes; `ended` is the first to hear of its end."""
        return self._enter((1, order), call, (True, False), ended)

    def lend(self) -> None:
        """Free a place whose firing waits."""
        with self._lock:
            self._free += 1
        self._serve()

    def take_back(self) -> None:
        """Take a lent place again, without waiting."""
        with self._lock:
            self._free -= 1

    @contextlib.contextmanager
    def uncounted(self) -> Iterator[None]:
        """For the only node of a step, which runs in the caller's own thread: all places are for what it calls.

        Early firings, though, do count it, so that with them no more nodes run at once than without.
        """
        admitted = threading.Event()

        def admit() -> bool:
            with self._lock:
                self._uncounted += 1
            admitted.set()
            return False  # it takes none

        self._wait(_FIRST, admit)
        admitted.wait()
        try:
            yield
        finally:
            with self._lock:
                self._uncounted -= 1
            self._serve()

    def _after(
        self, early: ThreadedFiring, official: Callable[..., Any], call: Callable[[], Any], flags: tuple[bool, bool]
    ) -> Future[Any]:
        """The official task of an adopted firing: run when that has ended, by the thread that ended it."""
        future = self._registered(flags)
        early.adopted(official)
        early.future.add_done_callback(lambda _: _run(future, call))
        return future

    def _enter(
        self,
        rank: Rank,
        call: Callable[[], Any],
        flags: tuple[bool, bool],
        ended: Callable[[Future[Any]], None] | None = None,
    ) -> Future[Any]:
        future = self._registered(flags)
        if ended is not None:
            future.add_done_callback(ended)
        self._wait(rank, partial(self._start, future, call))
        return future

    def _start(self, future: Future[Any], call: Callable[[], Any]) -> bool:
        """Whether it was started; what was cancelled while it waited is not."""
        if future.cancelled():
            return False
        self._pool.submit(self._work, future, call)
        return True

    def _registered(self, flags: tuple[bool, bool]) -> Future[Any]:
        future: Future[Any] = Future()
        self._background.tasks[future] = flags
        future.add_done_callback(self._background.done)
        return future

    def _work(self, future: Future[Any], call: Callable[[], Any]) -> None:
        try:
            _run(future, call)
        finally:
            self.lend()

    def _wait(self, rank: Rank, start: Callable[[], bool]) -> None:
        with self._lock:
            if rank == _FIRST:
                self._expected = max(self._expected - 1, 0)
            heapq.heappush(self._waiting, (rank, next(self._arrival), start))
        self._serve()

    def _serve(self) -> None:
        while True:
            with self._lock:
                if not self._waiting or not self._has_free(self._waiting[0][0]):
                    return
                self._free -= 1
                _, _, start = heapq.heappop(self._waiting)
            if not start():
                with self._lock:
                    self._free += 1

    def _has_free(self, rank: Rank) -> bool:
        if rank == _FIRST:
            return self._free > 0
        return not self._held and self._free > self._uncounted + self._expected


def _let_others_first(call: Callable[[], Any]) -> Any:
    """As LangGraph does for a called task: what its caller has ended already is to be seen first."""
    time.sleep(0)
    return call()


def _run(future: Future[Any], call: Callable[[], Any]) -> None:
    if not future.set_running_or_notify_cancel():
        return
    try:
        result = call()
    except BaseException as error:
        future.set_exception(error)
    else:
        future.set_result(result)
