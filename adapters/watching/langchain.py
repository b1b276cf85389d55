"""Watching LangChain's chat models: a callback handler that reports every call of a model to an observer.

Owns the translation of LangChain's callbacks. Always true:
  a model that can stream streams while it is watched, also inside of `invoke`: LangChain asks handlers for that by the
  two methods whose names begin with `tap_output`, and then sends a streaming request;
  of each call the observer hears `began`, then pieces in their order, then one of `ended` and `failed`;
  nothing that a model says is changed, and nobody else's events are.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol
from uuid import UUID

from langchain_core.callbacks import BaseCallbackHandler
from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage
from langchain_core.outputs import ChatGeneration, ChatGenerationChunk, LLMResult

from alto_lg.adapters.watching.calls import ToolCallDelta, deltas_of


@dataclass(frozen=True, slots=True)
class ModelCall:
    """One call of a model.

    id: LangChain's run id of it. parent: that of what called it. messages: what the model was given.
    """

    id: UUID
    parent: UUID | None
    messages: Sequence[BaseMessage] = field(repr=False)
    tags: tuple[str, ...] = ()


class ModelObserver(Protocol):
    """Who hears what models say. Called in the thread that the model runs in; what it raises is logged and lost."""

    def began(self, call: ModelCall) -> None: ...

    def said(self, call: ModelCall, text: str) -> None:
        """The next piece of its text."""

    def called(self, call: ModelCall, deltas: Sequence[ToolCallDelta]) -> None:
        """The next pieces of its tool calls."""

    def ended(self, call: ModelCall, message: AIMessage | None) -> None:
        """The whole of it, as the caller gets it; None if that is no chat message."""

    def failed(self, call: ModelCall, error: BaseException) -> None:
        """It broke off: what was said is not the whole."""


class ModelWatcher(BaseCallbackHandler):
    """Reports the calls of chat models under one config; add it to a callback manager as inheritable."""

    run_inline = True  # pieces must arrive in order, in the thread of the model
    ignore_chain = ignore_agent = ignore_retriever = ignore_retry = ignore_custom_event = True

    def __init__(self, observer: ModelObserver) -> None:
        self._observer = observer
        self._calls: dict[UUID, ModelCall] = {}
        # Blocks of tool calls that come in pieces, with the number of characters that were reported.
        self._in_pieces: dict[UUID, dict[Any, int]] = {}

    # ── what makes a model stream ───────────────────────────────────────────────────────────────────────────

    def tap_output_aiter(self, run_id: UUID, output: AsyncIterator[Any]) -> AsyncIterator[Any]:
        return output

    def tap_output_iter(self, run_id: UUID, output: Iterator[Any]) -> Iterator[Any]:
        return output

    # ── LangChain's callbacks ───────────────────────────────────────────────────────────────────────────────

    def on_chat_model_start(
        self,
        serialized: dict[str, Any],
        messages: list[list[BaseMessage]],
        *,
        run_id: UUID,
        parent_run_id: UUID | None = None,
        tags: list[str] | None = None,
        **kwargs: Any,
    ) -> None:
        call = ModelCall(run_id, parent_run_id, tuple(messages[0]) if messages else (), tuple(tags or ()))
        self._calls[run_id] = call
        self._observer.began(call)

    def on_llm_new_token(
        self, token: Any, *, chunk: Any = None, run_id: UUID, parent_run_id: UUID | None = None, **kwargs: Any
    ) -> None:
        call = self._calls.get(run_id)
        if call is None or not isinstance(chunk, ChatGenerationChunk):
            return
        message = chunk.message
        text = message.content if isinstance(message.content, str) else str(message.text)
        if text:
            self._observer.said(call, text)
        if isinstance(message, AIMessageChunk) and message.tool_call_chunks:
            self._observer.called(call, deltas_of(message.tool_call_chunks))

    def on_stream_event(self, event: Any, *, run_id: UUID, parent_run_id: UUID | None = None, **kwargs: Any) -> None:
        """The form that pieces have where somebody streams by version 3 of the events."""
        call = self._calls.get(run_id)
        if call is None:
            return
        text, delta = _said_by(event), _called_by(event, self._in_pieces.setdefault(run_id, {}))
        if text:
            self._observer.said(call, text)
        if delta is not None:
            self._observer.called(call, [delta])

    def on_llm_end(self, response: LLMResult, *, run_id: UUID, **kwargs: Any) -> None:
        call = self._forget(run_id)
        if call is not None:
            generation = response.generations[0][0] if response.generations and response.generations[0] else None
            message = generation.message if isinstance(generation, ChatGeneration) else None
            self._observer.ended(call, message if isinstance(message, AIMessage) else None)

    def on_llm_error(self, error: BaseException, *, run_id: UUID, **kwargs: Any) -> None:
        call = self._forget(run_id)
        if call is not None:
            self._observer.failed(call, error)

    def _forget(self, run_id: UUID) -> ModelCall | None:
        self._in_pieces.pop(run_id, None)
        return self._calls.pop(run_id, None)


def _said_by(event: Any) -> str:
    delta = event.get("delta") if event.get("event") == "content-block-delta" else None
    return str(delta.get("text", "")) if delta and delta.get("type") == "text-delta" else ""


def _called_by(event: Any, in_pieces: dict[Any, int]) -> ToolCallDelta | None:
    kind, index = event.get("event"), event.get("index")
    content, delta = event.get("content") or {}, event.get("delta") or {}
    if kind == "content-block-start" and content.get("type") == "tool_call_chunk":
        text = content.get("args") or ""
        in_pieces[index] = len(text)
        return ToolCallDelta(index, content.get("id"), content.get("name"), text)
    if kind == "content-block-delta" and index in in_pieces:
        text = _next_piece(delta, in_pieces[index])
        in_pieces[index] += len(text)
        return ToolCallDelta(index, arguments=text)
    if kind == "content-block-finish" and content.get("type") == "tool_call" and index not in in_pieces:
        return ToolCallDelta(index, content.get("id"), content.get("name"), json.dumps(content.get("args") or {}))
    return None


def _next_piece(delta: Any, reported: int) -> str:
    if delta.get("type") == "tool-call-delta":
        return str(delta.get("args") or "")
    fields = delta.get("fields") or {}  # before langchain-core 1.7: all of the arguments so far
    return str(fields.get("args") or "")[reported:]
