"""Message chunks of LangChain: alone, or with metadata as LangGraph streams them.

Always true: only what a model says is text, never a message of a user or a tool. LangChain ends every stream with a
chunk marked as the last, also one whose connection broke, so that mark is no proof of a whole answer: only for models
that name no provider, as fakes and models of one's own, is it taken for one.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage

from alto_lg.adapters.deltas.endings import Take
from alto_lg.adapters.deltas.news import NOTHING, News

_REASONS = ("finish_reason", "stop_reason", "done_reason")
_PLACES = ("langgraph_checkpoint_ns", "langgraph_node")


def is_message(event: object) -> bool:
    return isinstance(event, BaseMessage)


def is_message_with_metadata(event: object) -> bool:
    """What `stream_mode="messages"` of a LangGraph graph gives."""
    return isinstance(event, tuple) and len(event) == 2 and is_message(event[0]) and isinstance(event[1], Mapping)


def message_news(message: BaseMessage, take: Take, metadata: Mapping[str, Any] | None = None) -> News:
    """What a message, or a piece of one, says."""
    if not isinstance(message, AIMessage):
        return NOTHING
    told = message.response_metadata
    answer = next((str(metadata[place]) for place in _PLACES if place in metadata), None) if metadata else None
    text = _text(message) if take == "text" else ""
    if take == "arguments" and (indexes := _call_indexes(message)):
        if len(indexes) > 1:
            return News(fault="a message with the arguments of several tool calls")
        text, answer = _arguments(message), f"{answer or 'message'}, tool call {indexes.pop()}"
    has_provider = "model_provider" in told
    is_last = not isinstance(message, AIMessageChunk) or message.chunk_position == "last"
    model = told.get("model_name") or told.get("model")
    return News(
        text,
        _reason(message),
        answer=answer if text else None,
        message=message.id,
        model=model,
        is_last=is_last,
        owes_reason=has_provider,
    )


def _text(message: AIMessage) -> str:
    content = message.content
    return content if isinstance(content, str) else str(message.text)


def _call_indexes(message: AIMessage) -> set[Any]:
    return {call["index"] for call in message.tool_call_chunks} if isinstance(message, AIMessageChunk) else set()


def _arguments(message: AIMessage) -> str:
    assert isinstance(message, AIMessageChunk), "only chunks have pieces of arguments"
    return "".join(call["args"] or "" for call in message.tool_call_chunks)


def _reason(message: AIMessage) -> str | None:
    told = message.response_metadata
    if message.additional_kwargs.get("refusal"):
        return "refusal"
    for name in _REASONS:
        if told.get(name):
            return str(told[name])
    if told.get("status") == "completed":
        return "completed"
    if told.get("status") == "incomplete":
        return str((told.get("incomplete_details") or {}).get("reason") or "incomplete")
    return None
