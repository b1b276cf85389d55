"""The Responses API: what it would have returned, from the events of a stream; whole, or up to a cut.

Always true: a whole answer is the object that the last event brings.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from openai.types.responses import Response, ResponseCompletedEvent

from alto_lg.adapters.deltas.errors import BrokenStream
from alto_lg.adapters.replay.cuts import Cut
from alto_lg.adapters.replay.openai_api import Api, Channel, is_given, is_raw

_ENDS = frozenset({"response.completed", "response.incomplete", "response.failed", "response.cancelled"})
_ADD = frozenset({"response.output_text.delta", "response.function_call_arguments.delta"})


def _deltas_of(event: Any) -> Iterator[tuple[Channel, str]]:
    """The text of an item of the output, or the arguments of a call that is one."""
    if event.type in _ADD and not getattr(event, "content_index", 0):
        yield event.output_index, event.delta


def _whole_of(events: Sequence[Any]) -> Response:
    for event in reversed(events):
        if event.type in _ENDS:
            found: Response = event.response
            return found
    told = next((getattr(event, "message", None) for event in events if event.type == "error"), None)
    what = f"the server sent an error: {told!r}" if told else "it ended before the response was complete"
    raise BrokenStream("The stream of a response", len(events), what, "The node was given nothing; ask again.")


@dataclass(frozen=True, slots=True)
class _Part:
    """See `Part`."""

    events: Sequence[Any]
    channel: Any
    cut: Cut

    def whole(self) -> Response:
        """The items of the output that had ended, and the one that is cut."""
        response = next(event.response for event in self.events if event.type == "response.created").to_dict()
        items: dict[int, dict[str, Any]] = {}
        for event in self.events:
            if event.type in ("response.output_item.added", "response.output_item.done"):
                items[event.output_index] = event.item.to_dict()
        cut = {**items[self.channel], "status": "completed"}
        if cut["type"] == "message":
            cut["content"] = [{"type": "output_text", "text": self._text(), "annotations": [], "logprobs": []}]
        else:
            cut["arguments"] = self._text()
        before = [item for index, item in sorted(items.items()) if index < self.channel]
        return Response.construct(**{**response, "status": "completed", "output": [*before, cut]})

    def stream(self) -> list[Any]:
        """The events that came, with what the cut leaves of the last text in one, and the end."""
        kept = [event for event in self.events if not (event.type in _ADD and event.output_index == self.channel)]
        last = next(event for event in reversed(self.events) if event.type in _ADD)
        text = last.model_copy(update={"delta": self._text()})
        end = ResponseCompletedEvent.construct(
            type="response.completed", response=self.whole(), sequence_number=last.sequence_number + 1
        )
        return [*kept, text, end]

    def _text(self) -> str:
        deltas = (delta for event in self.events for channel, delta in _deltas_of(event) if channel == self.channel)
        return "".join(deltas)[: self.cut.length] + self.cut.closing


def _streaming(options: Mapping[str, Any]) -> dict[str, Any]:
    return {**options, "stream": True}


def _is_answered(options: Mapping[str, Any]) -> bool:
    return not (is_raw(options) or (is_given(options.get("background")) and options["background"]))


RESPONSES = Api("responses", _streaming, _is_answered, _deltas_of, _whole_of, _Part)
