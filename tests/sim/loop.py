"""A seeded event loop on virtual time: no clock, no threads, no sockets.

Owns time, the order of ready tasks, and the order in which a set of futures is walked. Always true:
  the same seed, schedule and program give the same trace, on any machine and at any load;
  time moves only when nothing can run, and then exactly to the next timer;
  when nothing can ever run again, `Deadlock` names every task that waits;
  seed 0 is the ideal machine, on which a thread starts at once, so that totals are exact.
Under `shuffle` only the steps of *tasks* change places. Plain callbacks keep their order, because LangGraph
hands stream events to the loop with `call_soon_threadsafe` and relies on asyncio being first in, first out.
"""

from __future__ import annotations

import asyncio
import gc
import heapq
import random
from collections import deque
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass, field
from typing import Any, Generic, Literal, TypeVar, get_args

Result = TypeVar("Result")
Schedule = Literal["fifo", "shuffle"]

MAX_TURNS = 200_000
EXECUTOR_DELAY_S_MAX = 0.01


class Deadlock(RuntimeError):
    """Every task waits for something that no task, timer or callback will ever bring."""


class Endless(RuntimeError):
    """The program turned the loop more often than `MAX_TURNS`."""


class Leak(AssertionError):
    """The program ended but left tasks behind, or the loop's exception handler was called."""


@dataclass(frozen=True, slots=True)
class Outcome(Generic[Result]):
    """What one run gave, and how long it took on the virtual clock."""

    result: Result
    elapsed_s: float
    turns: int
    tasks_left: tuple[str, ...] = ()
    handler_calls: tuple[str, ...] = ()
    trace: tuple[tuple[float, str], ...] = field(default=(), repr=False)


class _Task(asyncio.Task[Any]):
    """A task whose place in a set is drawn from the seed, not from its address."""

    def set_name(self, value: object) -> None:
        """Python 3.13.0 sets the name that `create_task` was given once more, even if it was None."""
        if value is not None:
            super().set_name(value)

    def __init__(self, coroutine: Coroutine[Any, Any, Any], *, order: int, **settings: Any) -> None:
        self._order = order
        super().__init__(coroutine, **settings)

    def __hash__(self) -> int:
        return self._order


class _Future(asyncio.Future[Any]):
    """The same for a bare future."""

    def __init__(self, *, order: int, loop: asyncio.AbstractEventLoop) -> None:
        self._order = order
        super().__init__(loop=loop)

    def __hash__(self) -> int:
        return self._order


class _NeverWaits:
    """The selector's place in the loop: it moves the clock where a real one would sleep."""

    def __init__(self, loop: VirtualLoop) -> None:
        self._loop = loop

    def select(self, timeout: float | None = None) -> list[Any]:
        self._loop.turn()
        return []


class VirtualLoop(asyncio.BaseEventLoop):
    """The loop itself. Use `run` unless a test needs to hold the loop between two runs."""

    _ready: deque[asyncio.Handle]
    _scheduled: list[Any]  # timer handles, with the mark that the loop keeps on them
    _stopping: bool

    def __init__(self, seed: int = 0, schedule: Schedule = "fifo") -> None:
        if schedule not in get_args(Schedule):
            raise ValueError(f"VirtualLoop got schedule={schedule!r}. Use one of {get_args(Schedule)}.")
        super().__init__()
        self._random = random.Random(f"{seed}:{schedule}")
        self._schedule = schedule
        self._executor_delay_s_max = EXECUTOR_DELAY_S_MAX if seed else 0.0
        self._now_s = 0.0
        self._created = 0
        self._selector = _NeverWaits(self)
        self.turns = 0
        self.trace: list[tuple[float, str]] = []
        self.handler_calls: list[str] = []
        self.set_task_factory(self._make_task)
        self.set_exception_handler(lambda _, context: self.handler_calls.append(_describe(context)))

    def time(self) -> float:
        return self._now_s

    def create_future(self) -> asyncio.Future[Any]:
        return _Future(order=self._draw_order(), loop=self)

    def run_in_executor(  # type: ignore[override]
        self, executor: Any, func: Callable[..., Any], *args: Any
    ) -> asyncio.Future[Any]:
        """Run inline after a drawn delay: a thread's work without a thread."""
        future = self.create_future()
        self.call_later(self._random.uniform(0, self._executor_delay_s_max), _run_inline, future, func, args)
        return future

    def turn(self) -> None:
        """One turn: move the clock if nothing is ready, then put the ready tasks in this schedule's order."""
        self.turns += 1
        if self.turns > MAX_TURNS:
            raise Endless(f"{MAX_TURNS} turns of the loop at {self._now_s} s; waiting: {self._waiting()}")
        if not self._ready:
            if not self._scheduled and not self._stopping:
                raise Deadlock(f"nothing can run again at {self._now_s} s; waiting: {self._waiting()}")
            if self._scheduled:
                self._now_s = max(self._now_s, self._scheduled[0].when())
        while self._scheduled and self._scheduled[0].when() <= self._now_s:
            timer = heapq.heappop(self._scheduled)
            timer._scheduled = False
            if not timer.cancelled():
                self._ready.append(timer)
        if self._schedule == "shuffle":
            self._shuffle_tasks()
        self.trace.extend((self._now_s, name) for name in map(_task_name, self._ready) if name)

    def _shuffle_tasks(self) -> None:
        """Tasks change places among themselves; callbacks stay where they are."""
        places = [place for place, handle in enumerate(self._ready) if _task_name(handle)]
        handles = [self._ready[place] for place in places]
        self._random.shuffle(handles)
        for place, handle in zip(places, handles, strict=True):
            self._ready[place] = handle

    def _make_task(self, _: Any, coroutine: Any, **settings: Any) -> _Task:
        self._created += 1
        kind = getattr(coroutine, "__qualname__", type(coroutine).__name__)
        settings["name"] = settings.get("name") or f"#{self._created} {kind}"
        return _Task(coroutine, order=self._draw_order(), loop=self, **settings)

    def _draw_order(self) -> int:
        return self._random.getrandbits(40)

    def _waiting(self) -> str:
        waiting = (f"{task.get_name()} [{_coroutine_name(task)}]" for task in asyncio.all_tasks(self))
        return ", ".join(sorted(waiting)) or "no task"

    def _process_events(self, event_list: list[Any]) -> None:
        assert not event_list

    def _write_to_self(self) -> None:
        """Nothing sleeps here, so there is nobody to wake."""


def run(
    coroutine_function: Callable[[], Coroutine[Any, Any, Result]],
    *,
    seed: int = 0,
    schedule: Schedule = "fifo",
) -> Outcome[Result]:
    """Run to the end on a loop of its own; `Leak` if anything is left behind, with its error as the cause."""
    loop = VirtualLoop(seed, schedule)
    gc.disable()  # so that the collection at the end finds all that this run made in the youngest generation
    error: BaseException | None = None
    result: Any = None
    try:
        result = loop.run_until_complete(coroutine_function())
    except BaseException as raised:
        error = raised
    elapsed_s, left = loop.time(), tuple(sorted(task.get_name() for task in asyncio.all_tasks(loop)))
    _close(loop)
    if isinstance(error, Deadlock | Endless):
        raise error  # everything is left behind then; the error itself names what waits
    if left or loop.handler_calls:
        found = f"tasks left {list(left)}; exception handler {loop.handler_calls}"
        raise Leak(f"seed {seed}, schedule {schedule}: {found}") from error
    if error is not None:
        raise error
    return Outcome(result, elapsed_s, loop.turns, left, tuple(loop.handler_calls), tuple(loop.trace))


def _close(loop: VirtualLoop) -> None:
    """Cancel what is left, and let the collector report every error that nobody looked at."""
    left = asyncio.all_tasks(loop)
    for task in left:
        task.cancel()
    if left:
        loop.run_until_complete(asyncio.gather(*left, return_exceptions=True))
    loop.run_until_complete(loop.shutdown_asyncgens())
    del left
    gc.collect(0)
    gc.enable()
    loop.close()


def _run_inline(future: asyncio.Future[Any], func: Callable[..., Any], args: tuple[Any, ...]) -> None:
    if future.cancelled():
        return
    loop = asyncio.get_running_loop()
    asyncio._set_running_loop(None)  # a worker thread has no running loop, and code may ask
    try:
        result = func(*args)
    except Exception as error:
        future.set_exception(error)
    else:
        future.set_result(result)
    finally:
        asyncio._set_running_loop(loop)


def _task_name(handle: asyncio.Handle) -> str:
    owner = getattr(handle._callback, "__self__", None)  # type: ignore[attr-defined]
    return owner.get_name() if isinstance(owner, asyncio.Task) else ""


def _coroutine_name(task: asyncio.Task[Any]) -> str:
    return getattr(task.get_coro(), "__qualname__", "awaitable")


def _describe(context: Mapping[str, Any]) -> str:
    return f"{context.get('message')}: {context.get('exception')!r}"
