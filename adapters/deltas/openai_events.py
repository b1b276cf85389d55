"""Events of the openai client: chunks of chat completions, and events of the Responses API.

Always true: an event that is neither is a fault, because the client builds an object of whatever JSON a server sends.
The client itself is not imported: its objects are told by what they hold.
"""

from __future__ import annotations

from typing import Any

from alto_lg.adapters.deltas.endings import Take
from alto_lg.adapters.deltas.news import NOTHING, News


def chat_news(chunk: Any, take: Take) -> News:
    """What a chunk of a chat completion says."""
    choices = getattr(chunk, "choices", None)
    if not isinstance(choices, list):
        return News(fault=_why_no_choices(chunk))
    model = getattr(chunk, "model", None)
    if not choices:  # the count of tokens, or a filter's verdict on the prompt
        return News(model=model)
    delta = getattr(choices[0], "delta", None)
    if delta is None:
        return News(fault="an event with a choice that has no delta (the request was not for a stream?)")
    reason = getattr(choices[0], "finish_reason", None)
    if getattr(delta, "refusal", None):
        reason = "refusal"
    answer = f"choice {getattr(choices[0], 'index', 0)}"
    if take == "text":
        return News(getattr(delta, "content", None) or "", reason, answer=answer, model=model)
    return _argument_news(getattr(delta, "tool_calls", None) or (), reason, answer, model)


def response_news(event: Any, take: Take) -> News:
    """What an event of the Responses API says."""
    kind = event.type
    wanted = "response.output_text.delta" if take == "text" else "response.function_call_arguments.delta"
    if kind == wanted:
        return News(event.delta, answer=f"output {getattr(event, 'item_id', '')}")
    if kind == "response.refusal.delta":
        return News(reason="refusal")
    if kind == "response.completed":
        return News(reason="completed", model=_model(event))
    if kind == "response.incomplete":
        details = getattr(event.response, "incomplete_details", None)
        return News(reason=getattr(details, "reason", None) or "incomplete", model=_model(event))
    if kind in ("response.failed", "response.cancelled"):
        problem = getattr(event.response, "error", None)
        return News(fault=f"the server says {getattr(problem, 'message', None) or kind!r}", model=_model(event))
    if kind == "error":
        return News(fault=f"the server sent an error: {getattr(event, 'message', None)!r}")
    return NOTHING


def _argument_news(calls: Any, reason: str | None, answer: str, model: str | None) -> News:
    indexes = {getattr(call, "index", 0) for call in calls}
    if len(indexes) > 1:
        return News(fault="an event with the arguments of several tool calls")
    if indexes:
        answer = f"{answer}, tool call {indexes.pop()}"
    pieces = (getattr(getattr(call, "function", None), "arguments", None) or "" for call in calls)
    return News("".join(pieces), reason, answer=answer, model=model)


def _why_no_choices(chunk: Any) -> str:
    message = getattr(chunk, "message", None)
    if getattr(chunk, "object", None) == "error" or message is not None:
        return f"the server sent an error in mid-stream: {message!r}"
    return "an event that is no chunk of a chat completion"


def _model(event: Any) -> str | None:
    return getattr(event.response, "model", None)
