"""Tool calls that are being written, and which of them are complete.

Owns the completeness of a call: its JSON object has closed, or it has no arguments and another call has begun, or the
message has ended. Always true:
  how the text was cut into pieces changes nothing of what is complete after any character of it;
  a call is reported once, with arguments that are a JSON object; anything else is never reported.
A call without any argument that another one follows is taken to be complete: servers write calls one after another.
Should it go on nevertheless, the message decides in the end, as always.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class ToolCallDelta:
    """A piece of one tool call.

    index: which call of the message it belongs to; None for a call that comes in one piece.
    arguments: the next piece of the text of its arguments.
    """

    index: int | str | None
    id: str | None = None
    name: str | None = None
    arguments: str = ""


@dataclass(frozen=True, slots=True)
class CompleteCall:
    """A call whose arguments are all there, though the message may go on."""

    id: str | None
    name: str
    arguments: dict[str, Any]


class CallsInProgress:
    """The tool calls of one message, so far."""

    def __init__(self) -> None:
        self._open: dict[int | str, _Call] = {}
        self._last: _Call | None = None

    def feed(self, delta: ToolCallDelta) -> list[CompleteCall]:
        """The calls that are complete with this piece."""
        before = self._last
        call = self._call_of(delta)
        found: list[CompleteCall] = []
        if before is not None and before is not call and before.is_empty:
            found += before.completed()
        self._last = call
        call.add(delta)
        if call.has_closed or delta.index is None:
            found += call.completed()
        return found

    def end(self) -> list[CompleteCall]:
        """The calls that are complete because the message is."""
        return [complete for call in self._open.values() for complete in call.completed()]

    def _call_of(self, delta: ToolCallDelta) -> _Call:
        if delta.index is None:
            return _Call()
        call = self._open.get(delta.index)
        # Some servers give every call of a message the same index; then only the id tells them apart.
        if call is None or (delta.id and call.id and delta.id != call.id):
            call = self._open[delta.index] = _Call()
        return call


class _Call:
    """One call, and how far its JSON object is."""

    def __init__(self) -> None:
        self.id: str | None = None
        self._name = ""
        self._pieces: list[str] = []
        self._scan = _ObjectScan()
        self._reported = False

    @property
    def is_empty(self) -> bool:
        return not self._scan.has_begun

    @property
    def has_closed(self) -> bool:
        return self._scan.has_closed

    def add(self, delta: ToolCallDelta) -> None:
        self.id = self.id or delta.id
        self._name += delta.name or ""
        self._pieces.append(delta.arguments)
        self._scan.feed(delta.arguments)

    def completed(self) -> Iterator[CompleteCall]:
        """The call, if it is one and was not reported before."""
        if self._reported or not self._name:
            return
        arguments = _object("".join(self._pieces))
        if arguments is not None:
            self._reported = True
            yield CompleteCall(self.id, self._name, arguments)


class _ObjectScan:
    """Finds the end of a JSON object in a text that comes piece by piece."""

    def __init__(self) -> None:
        self.has_begun = False
        self.has_closed = False
        self._depth = 0
        self._in_string = False
        self._escaped = False

    def feed(self, text: str) -> None:
        for character in text:
            if self._in_string:
                self._in_a_string(character)
            elif character == '"':
                self.has_begun = self._in_string = True
            elif character in "{[":
                self.has_begun = True
                self._depth += 1
            elif character in "}]":
                self._depth -= 1
                self.has_closed = self.has_closed or self._depth == 0
            elif not character.isspace():
                self.has_begun = True

    def _in_a_string(self, character: str) -> None:
        if self._escaped:
            self._escaped = False
        elif character == "\\":
            self._escaped = True
        elif character == '"':
            self._in_string = False


def _object(text: str) -> dict[str, Any] | None:
    """What LangChain makes of the arguments of a finished call; None where that is no object."""
    if not text.strip():
        return {}
    try:
        value = json.loads(text, strict=False)
    except ValueError:
        return None
    return value if isinstance(value, dict) else None


def deltas_of(chunks: Iterable[Any]) -> list[ToolCallDelta]:
    """The pieces in `tool_call_chunks` of a message chunk of LangChain's."""
    return [
        ToolCallDelta(chunk.get("index"), chunk.get("id"), chunk.get("name"), chunk.get("args") or "")
        for chunk in chunks
    ]
