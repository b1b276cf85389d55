"""A chat model that streams what a script says, piece by piece, at the times that it says."""

from __future__ import annotations

import asyncio
import itertools
import json
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage, ToolCall, ToolMessage
from langchain_core.messages.tool import tool_call, tool_call_chunk
from langchain_core.outputs import ChatGeneration, ChatGenerationChunk, ChatResult
from langchain_core.outputs.chat_generation import merge_chat_generation_chunks


@dataclass(frozen=True, slots=True)
class Piece:
    """One chunk, so many seconds after the one before."""

    chunk: AIMessageChunk
    after_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Breaks:
    """The stream ends here with an error."""

    error: Exception


Script = Sequence[Piece | Breaks]


def said(text: str, after_s: float = 0.0) -> list[Piece]:
    return [Piece(AIMessageChunk(content=text), after_s)]


def call(name: str, arguments: dict[str, Any], number: int, *, pieces: int = 4, seconds: float = 1.0) -> list[Piece]:
    """A tool call as OpenAI's servers stream it: id and name first, then its arguments."""
    text = json.dumps(arguments)
    size = max(1, -(-len(text) // pieces))
    cut = [text[start : start + size] for start in range(0, len(text), size)]
    first = tool_call_chunk(name=name, args="", id=f"call_{number}", index=number)
    rest = [tool_call_chunk(args=piece, index=number) for piece in cut]
    return [
        Piece(AIMessageChunk(content="", tool_call_chunks=[chunk]), seconds / (len(cut) + 1))
        for chunk in [first, *rest]
    ]


class ScriptedModel(BaseChatModel):
    """Answers its n-th call by the n-th script, and begins anew after the last.

    streams: whether it can. sleep: what its sync methods call between two pieces. asked: one entry for each
    call, "stream" or "whole".
    """

    scripts: list[Any]
    streams: bool = True
    sleep: Any = None
    asked: list[str] = []  # noqa: RUF012 -- a field of the model, copied for each

    def model_post_init(self, context: Any, /) -> None:
        super().model_post_init(context)
        self._numbers = itertools.count()

    @property
    def _llm_type(self) -> str:
        return "scripted"

    def bind_tools(self, tools: Any, **options: Any) -> Any:
        return self.bind(**options)

    def _script(self, messages: list[BaseMessage]) -> Script:
        return self.scripts[next(self._numbers) % len(self.scripts)]  # type: ignore[no-any-return]

    def _should_stream(self, **options: Any) -> bool:
        return self.streams and super()._should_stream(**options)

    def _generate(self, messages: list[BaseMessage], *args: Any, **options: Any) -> ChatResult:
        self.asked.append("whole")
        return _whole(_played(self._script(messages), self._sleep))

    async def _agenerate(self, messages: list[BaseMessage], *args: Any, **options: Any) -> ChatResult:
        self.asked.append("whole")
        return _whole([chunk async for chunk in _aplayed(self._script(messages))])

    def _stream(self, messages: list[BaseMessage], *args: Any, **options: Any) -> Iterator[ChatGenerationChunk]:
        self.asked.append("stream")
        for chunk in _played(self._script(messages), self._sleep):
            yield ChatGenerationChunk(message=chunk)

    async def _astream(
        self, messages: list[BaseMessage], *args: Any, **options: Any
    ) -> AsyncIterator[ChatGenerationChunk]:
        self.asked.append("stream")
        async for chunk in _aplayed(self._script(messages)):
            yield ChatGenerationChunk(message=chunk)

    def _sleep(self, seconds: float) -> None:
        if self.sleep is not None:
            self.sleep(seconds)


def _played(script: Script, sleep: Any) -> Iterator[AIMessageChunk]:
    for piece in script:
        if isinstance(piece, Breaks):
            raise piece.error
        sleep(piece.after_s)
        yield piece.chunk.model_copy(deep=True)


async def _aplayed(script: Script) -> AsyncIterator[AIMessageChunk]:
    for piece in script:
        if isinstance(piece, Breaks):
            raise piece.error
        await asyncio.sleep(piece.after_s)
        yield piece.chunk.model_copy(deep=True)


def _whole(chunks: Any) -> ChatResult:
    merged = merge_chat_generation_chunks([ChatGenerationChunk(message=chunk) for chunk in chunks])
    assert merged is not None
    message = merged.message
    calls: list[ToolCall] = [
        tool_call(name=one["name"], args=one["args"], id=one["id"]) for one in getattr(message, "tool_calls", [])
    ]
    return ChatResult(generations=[ChatGeneration(message=AIMessage(content=message.content, tool_calls=calls))])


def results(messages: Sequence[BaseMessage]) -> list[tuple[str, str, Any]]:
    """Name, call id and content of the tool messages, in order."""
    return [(one.name or "", one.tool_call_id, one.content) for one in messages if isinstance(one, ToolMessage)]
