"""Record: the model calls that one run of a node has made, and the answers that a prediction gets from them.

Knows no client. Always true:
  a prediction is given nothing that the model has not written: an ended call's answer, or the part up to a cut, closed;
  a call that has failed is forgotten, as if it had never been made;
  a prediction in which any call could not be answered, or an answer was not asked for, does not hold.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterable, Iterator
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from alto_lg.adapters.replay.cuts import Cut, Cuts, MakeCuts

Answer = Callable[[], Any]
"""Makes what the client would have returned, new each time: the node may change it."""


class EndOfPrediction(BaseException):
    """Ends a prediction. It is no `Exception`, so that a node's own handling of errors does not take it for one."""


class SeenCall:
    """One model call of the node. request: what was asked for, which a prediction's call must equal."""

    def __init__(self, request: object, record: Record) -> None:
        self.request = request
        self.answer: Answer | None = None
        self.is_whole = False
        self._record = record
        self._cuts: dict[Any, Cuts] = {}

    def said(self, deltas: Iterable[tuple[Any, str]]) -> tuple[Any, Cut] | None:
        """More of its texts, each with its channel: the last place in them behind which an item is whole."""
        reached: tuple[Any, Cut] | None = None
        for channel, delta in deltas:
            if channel not in self._cuts:
                self._cuts[channel] = self._record.make_cuts()
            cut = self._cuts[channel].feed(delta)
            reached = reached if cut is None else (channel, cut)
        return reached

    @contextlib.contextmanager
    def watching(self) -> Iterator[None]:
        """Around a call whose parts may be calls that are watched, too, but not of the node."""
        token = RECORDING.set(None)
        try:
            yield
        except BaseException:
            self.failed()
            raise
        finally:
            RECORDING.reset(token)

    def reached(self, answer: Answer) -> None:
        """One more item is whole: `answer` is the text up to it, closed."""
        if not self._record.is_over:
            self.answer = answer
            self._record.on_item()

    def ended(self, answer: Answer) -> None:
        """The model has come to its end; what other calls have said so far may count now."""
        self.answer, self.is_whole = answer, True
        if self._record.has_parts():
            self._record.on_item()

    def failed(self) -> None:
        self._record.forget(self)


class Record:
    """What one run of a node has asked its models, in order.

    make_cuts: finds the items in the text of a call. on_item: called on any thread when one is whole.
    """

    def __init__(self, make_cuts: MakeCuts, on_item: Callable[[], None]) -> None:
        self.make_cuts = make_cuts
        self.on_item = on_item
        self.is_over = False
        self._calls: list[SeenCall] = []
        self._lock = threading.Lock()

    def begin(self, request: object) -> SeenCall:
        """A call that is about to be made."""
        call = SeenCall(request, self)
        with self._lock:
            self._calls.append(call)
        return call

    def forget(self, call: SeenCall) -> None:
        with self._lock:
            self._calls = [one for one in self._calls if one is not call]

    def has_parts(self) -> bool:
        """Whether a call goes on that has given an item."""
        with self._lock:
            return any(call.answer is not None and not call.is_whole for call in self._calls)

    def replay(self) -> Replay:
        """For one prediction: the answers that there are now."""
        with self._lock:
            known = [(call.request, call.answer) for call in self._calls if call.answer is not None]
        return Replay(self, known)


class Replay:
    """What one prediction is answered from."""

    def __init__(self, record: Record, known: list[tuple[object, Answer]]) -> None:
        self._record = record
        self._known = known
        self._lock = threading.Lock()
        self._has_ended = False

    @property
    def holds(self) -> bool:
        """Whether the prediction went the way that the node has gone."""
        return not (self._has_ended or self._known or self._record.is_over)

    def answer(self, request: object) -> Any:
        """What the node's own call of that kind has been given so far.

        Raises:
            EndOfPrediction: There was none, or it has not come so far, or the node has ended meanwhile.
        """
        found = self.find(request)
        if found is None:
            raise self.end()
        return found()

    def find(self, request: object) -> Answer | None:
        """The same, or None."""
        with self._lock:
            if self._record.is_over:
                return None
            for place, (asked, answer) in enumerate(self._known):
                if asked == request:
                    del self._known[place]
                    return answer
        return None

    def end(self) -> EndOfPrediction:
        """To be raised: the prediction goes where there is no answer."""
        self._has_ended = True
        return EndOfPrediction()


def end_of_prediction() -> EndOfPrediction:
    """To be raised by what a prediction must not do."""
    replay = PREDICTING.get()
    return EndOfPrediction() if replay is None else replay.end()


RECORDING: ContextVar[Record | None] = ContextVar("alto_lg_recording", default=None)
"""Where the code of a node that is watched runs."""
PREDICTING: ContextVar[Replay | None] = ContextVar("alto_lg_predicting", default=None)
"""Where the code of a prediction runs."""
