"""What the model of a run did, as spans: each of its answers, and each tool call until it was whole.

Always true: a model is heard and not changed: it streams if somebody else wants it to. Where it does, a call is whole
when its arguments are; where it does not, all calls are whole with the message.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from langchain_core.messages import AIMessage

from alto_lg.adapters.watching import CallsInProgress, CompleteCall, ModelCall, ModelWatcher, ToolCallDelta
from alto_lg.apps.agent.tools import call_number
from alto_lg.apps.spans import note, now

MODEL, CALL = "model", "call"
"""Stages: `model` has no item; the item of `call` is its place in the message and its number."""


class CallNotes:
    """Notes the calls of one answer of a model."""

    def __init__(self) -> None:
        self._started = now()
        self._progress = CallsInProgress()
        self._noted = 0

    def feed(self, delta: ToolCallDelta) -> list[CompleteCall]:
        """The calls that are whole with this piece."""
        complete = self._progress.feed(delta)
        for one in complete:
            self._note(one.name, one.arguments)
        return complete

    def end(self, calls: Sequence[Mapping[str, Any]]) -> None:
        """The answer is over, and these were all its calls."""
        for call in calls[self._noted :]:
            self._note(call["name"], call["args"])
        note(MODEL, (), self._started)

    def _note(self, name: str, arguments: Mapping[str, Any]) -> None:
        number = call_number(name, argument_of(arguments))
        note(CALL, (self._noted, number), self._started)
        self._noted += 1


def argument_of(arguments: Mapping[str, Any]) -> str:
    """The one argument of a call; all of them as JSON where a model gave other ones."""
    values = list(arguments.values())
    return str(values[0]) if len(values) == 1 else json.dumps(arguments, sort_keys=True)


class _Observer:
    """Notes all answers of a model."""

    def __init__(self) -> None:
        self._answers: dict[UUID, CallNotes] = {}

    def began(self, call: ModelCall) -> None:
        self._answers[call.id] = CallNotes()

    def said(self, call: ModelCall, text: str) -> None:
        """Text is noted with the whole answer."""

    def called(self, call: ModelCall, deltas: Sequence[ToolCallDelta]) -> None:
        for delta in deltas:
            self._answers[call.id].feed(delta)

    def ended(self, call: ModelCall, message: AIMessage | None) -> None:
        calls: Sequence[Any] = message.tool_calls if message is not None else ()
        self._answers.pop(call.id).end(calls)

    def failed(self, call: ModelCall, error: BaseException) -> None:
        self._answers.pop(call.id)


class Recorder(ModelWatcher):
    """A callback handler for a model; it does not ask the model to stream."""

    tap_output_aiter = tap_output_iter = None  # type: ignore[assignment]

    def __init__(self) -> None:
        super().__init__(_Observer())
