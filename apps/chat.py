"""The chat model as the stages see it, whichever client is behind it."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing
from typing import Protocol, runtime_checkable

from langchain_core.language_models import BaseChatModel

from alto_lg.adapters.deltas.sources import AsyncTextSource

Messages = Sequence[Mapping[str, str]]


@runtime_checkable
class Chat(Protocol):
    """Messages in OpenAI's form to the text of an answer."""

    async def complete(self, messages: Messages, *, max_tokens: int = 1024) -> str: ...


@runtime_checkable
class StreamingChat(Chat, Protocol):
    """A chat model that also gives its answer piece by piece; a stream that breaks off raises."""

    def stream(self, messages: Messages, *, max_tokens: int = 1024) -> AsyncGenerator[str, None]: ...


class LangChainChat:
    """A LangChain chat model. Its own settings of temperature and length stand."""

    def __init__(self, model: BaseChatModel) -> None:
        self._model = model

    async def complete(self, messages: Messages, *, max_tokens: int = 1024) -> str:
        """The text of the model's answer."""
        answer = await self._model.ainvoke([dict(message) for message in messages])
        return str(answer.text)

    async def stream(self, messages: Messages, *, max_tokens: int = 1024) -> AsyncGenerator[str, None]:
        """The text of the model's answer in pieces."""
        events = self._model.astream([dict(message) for message in messages])
        async with aclosing(AsyncTextSource(events, "text", ())) as deltas:
            async for delta in deltas:
                if delta:
                    yield delta


def as_chat(model: Chat | BaseChatModel) -> Chat:
    """The model itself, or a LangChain model in the form that the stages use."""
    if isinstance(model, BaseChatModel):
        return LangChainChat(model)
    if isinstance(model, Chat):
        return model
    raise TypeError(
        f"got {type(model).__name__} as chat model; pass an alto_lg.adapters.openai_chat.OpenAIChat, a LangChain "
        "BaseChatModel, or any object with `async complete(messages, *, max_tokens) -> str`"
    )


def as_streaming_chat(model: Chat) -> StreamingChat:
    """The model itself, if it can stream."""
    if isinstance(model, StreamingChat):
        return model
    raise TypeError(
        f"{type(model).__name__} cannot stream, which this version of the graph needs; give it "
        "`stream(messages, *, max_tokens)`, an async generator of text, or build the version 'flat'"
    )
