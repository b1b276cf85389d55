"""Results: what tools have given, or will give, before the step that runs them.

Owns who takes which result. Always true:
  a result is taken by a call of the very tool, with equal arguments, and by one only: by the call of that id, or, where
  the step does not tell its id, by one that runs what the latest message called, so that no result of an earlier turn
  is taken for one of now;
  a tool that has not begun when its step asks for it does not begin any more: the step runs it;
  whatever cannot be used counts as dropped, and whoever waited for it runs the tool itself.
"""

from __future__ import annotations

import contextlib
import copy
import threading
from collections import Counter
from collections.abc import Callable, Container, Mapping, Sequence
from concurrent.futures import Future, InvalidStateError
from dataclasses import dataclass, field
from enum import Enum
from typing import Any
from uuid import UUID

from pydantic import BaseModel

from alto_lg.adapters.watching import CompleteCall

NOT_TAKEN = "the step ran no such call"
RUN_OVER = "the run ended"


class Wait(Enum):
    """How the step would wait for a result."""

    THREAD = "it holds its thread"
    TASK = "it awaits"


@dataclass(frozen=True, slots=True)
class Arguments:
    """What the innermost function of a tool gets, apart from config and callbacks."""

    positional: tuple[Any, ...]
    named: Mapping[str, Any]

    @classmethod
    def kept(cls, positional: Sequence[Any], named: Mapping[str, Any]) -> Arguments:
        """A copy, which stays as it is if the tool changes what it was given."""
        return cls(copy.deepcopy(tuple(positional)), copy.deepcopy(dict(named)))

    def equals(self, other: Arguments) -> bool:
        return same(self.positional, other.positional) and same(dict(self.named), dict(other.named))


@dataclass(frozen=True, slots=True)
class Returned:
    value: Any


@dataclass(frozen=True, slots=True)
class Raised:
    error: Exception


@dataclass(frozen=True, slots=True)
class Stopped:
    """The run is over: whoever still waits is left over from it, and is not to run the tool."""


Answer = Returned | Raised | Stopped | None
"""What a tool gave; None if that cannot be used."""


class Progress(Enum):
    WAITING = "not begun"
    RUNNING = "under way"
    ENDED = "ended"
    DROPPED = "not wanted"


class EarlyResult:
    """One early execution of a tool.

    call: as the model wrote it. model_call: which call of the model. who: what the step will call, by identity.
    on_thread: it needs no event loop to come to its end.
    """

    def __init__(
        self, call: CompleteCall, model_call: UUID, who: Sequence[object], arguments: Arguments, *, on_thread: bool
    ) -> None:
        self.call = call
        self.model_call = model_call
        self.who = tuple(who)
        self.arguments = arguments
        self.on_thread = on_thread
        self.progress = Progress.WAITING
        self.taken = False
        self.answer: Future[Answer] = Future()
        self.stop: Callable[[], Any] | None = None

    def is_for(self, who: object, arguments: Arguments, call_id: str | None, latest: UUID | None) -> bool:
        if self.taken or not any(one is who for one in self.who):
            return False
        known = call_id is not None and self.call.id is not None
        if (self.call.id != call_id) if known else (self.model_call != latest):
            return False
        return self.arguments.equals(arguments)


@dataclass(slots=True)
class Counts:
    """started: tools that began early. used: of these, whose result the step took. dropped_why: of the others."""

    started: int = 0
    used: int = 0
    dropped_why: Counter[str] = field(default_factory=Counter)


class EarlyResults:
    """The early results of one run; safe to use from any thread."""

    def __init__(self) -> None:
        self.counts = Counts()
        self._lock = threading.Lock()
        self._results: list[EarlyResult] = []
        self._closed = False

    @property
    def under_way(self) -> int:
        """How many have not ended."""
        return sum(one.progress in (Progress.WAITING, Progress.RUNNING) for one in self._results)

    def add(self, early: EarlyResult, writing: Container[UUID] = ()) -> bool:
        """Expect a result; False if the run is over.

        Servers that give an id again mean the call that came last, unless both messages are being written:
        `writing` has the model calls of those.
        """
        call = early.call

        def is_succeeded(one: EarlyResult) -> bool:
            if call.id is None or one.call.id != call.id:
                return False
            return one.model_call != early.model_call and one.model_call not in writing

        self.drop(is_succeeded, "a later message has a call of the same id")
        with self._lock:
            if not self._closed:
                self._results.append(early)
            return not self._closed

    def begin(self, early: EarlyResult) -> bool:
        """Whether the tool is still to run."""
        with self._lock:
            if self._closed or early.progress is not Progress.WAITING:
                return False
            early.progress = Progress.RUNNING
            self.counts.started += 1
            return True

    def end(self, early: EarlyResult, answer: Answer, why: str = "") -> None:
        """The tool has ended; `why` says why its answer cannot be used, if it cannot."""
        with self._lock:
            dropped = early.progress is Progress.DROPPED
            if not dropped:
                early.progress = Progress.ENDED
                if answer is None or isinstance(answer, Stopped):
                    self.counts.dropped_why[why] += 1
                    self._forget(early)
        _tell(early, None if dropped else answer)

    def take(
        self, who: object, arguments: Arguments, wait: Wait, *, call_id: str | None, latest: UUID | None
    ) -> EarlyResult | None:
        """The result that a call of the step is to wait for; None if it runs the tool itself.

        latest: the model call whose message was the last to end.
        """
        with self._lock:
            early = next((one for one in self._results if one.is_for(who, arguments, call_id, latest)), None)
            if early is None:
                return None
            if early.progress is Progress.WAITING:
                self._forget(early)
                early.progress = Progress.DROPPED
            elif early.progress is Progress.ENDED or wait is Wait.TASK or early.on_thread:
                early.taken = True
                return early
            else:  # whoever held a thread for a coroutine might hold the one that it needs
                return None
        _stop(early)
        return None

    def used(self, early: EarlyResult) -> None:
        """The step has the answer."""
        with self._lock:
            self.counts.used += 1
            self._forget(early)

    def given_up(self, early: EarlyResult) -> None:
        """Whoever took it does not wait for it any more."""
        with self._lock:
            if early.progress is Progress.RUNNING:
                self._drop(early, "the call was cancelled")
        _stop(early)

    def drop(self, unwanted: Callable[[EarlyResult], bool], why: str) -> None:
        """Stop and forget what nobody has taken."""
        with self._lock:
            found = [early for early in self._results if not early.taken and unwanted(early)]
            for early in found:
                self._drop(early, why)
        for early in found:
            _stop(early)

    def close(self) -> None:
        """The run is over: nothing is taken any more. What still runs is stopped; LangGraph waits for it."""
        with self._lock:
            self._closed = True
            left = list(self._results)
            for early in left:
                self._drop(early, RUN_OVER if early.taken else NOT_TAKEN)
        for early in left:
            _tell(early, Stopped())
            _stop(early)

    def _drop(self, early: EarlyResult, why: str) -> None:
        if early.progress is not Progress.WAITING:
            self.counts.dropped_why[why] += 1
        early.progress = Progress.DROPPED
        self._forget(early)

    def _forget(self, early: EarlyResult) -> None:
        if early in self._results:
            self._results.remove(early)


def _stop(early: EarlyResult) -> None:
    """Once: a second cancel would break into whatever a tool does to clean up."""
    stop, early.stop = early.stop, None
    if stop is not None:
        stop()


def _tell(early: EarlyResult, answer: Answer) -> None:
    with contextlib.suppress(InvalidStateError):  # told already, or whoever waited for it has been cancelled
        early.answer.set_result(answer)


def same(one: Any, other: Any) -> bool:
    """Whether two arguments are equal and of the same types, however deep: 1, 1.0 and True are not the same."""
    if one is other:
        return True
    if type(one) is not type(other):
        return False
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(same(one[key], other[key]) for key in one)
    if isinstance(one, list | tuple):
        return len(one) == len(other) and all(map(same, one, other))
    if isinstance(one, BaseModel):
        return same(vars(one), vars(other)) and same(one.model_extra, other.model_extra)
    try:
        return bool(one == other)
    except Exception:  # an == of the user's, or of an array
        return False
