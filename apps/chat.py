"""The chat model as the stages of an application see it, whichever client is behind it."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing
from typing import Protocol, runtime_checkable

from langchain_core.language_models import BaseChatModel

from alto_lg.adapters.deltas.sources import AsyncTextSource
from alto_lg.adapters.openai_chat import OpenAIChat
from alto_lg.apps.base import ModelEndpoint
from alto_lg.apps.together import together

Messages = Sequence[Mapping[str, str]]


@runtime_checkable
class Chat(Protocol):
    """Messages in OpenAI's form to the text of an answer."""

    async def complete(self, messages: Messages, *, max_tokens: int = 1024) -> str: ...


@runtime_checkable
class StreamingChat(Chat, Protocol):
    """A chat model that also gives its answer piece by piece; a stream that breaks off raises."""

    def stream(self, messages: Messages, *, max_tokens: int = 1024) -> AsyncGenerator[str, None]: ...


@runtime_checkable
class SamplingChat(Chat, Protocol):
    """A chat model that also gives several answers to one question, drawn apart from each other."""

    async def samples(
        self, messages: Messages, *, count: int, max_tokens: int = 1024, temperature: float = 1.0
    ) -> list[str]: ...


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


class AskedAgain:
    """A chat model that is asked several times where several answers are wanted; its own temperature stands."""

    def __init__(self, chat: Chat) -> None:
        self._chat = chat

    async def complete(self, messages: Messages, *, max_tokens: int = 1024) -> str:
        """The text of the model's answer."""
        return await self._chat.complete(messages, max_tokens=max_tokens)

    async def samples(
        self, messages: Messages, *, count: int, max_tokens: int = 1024, temperature: float = 1.0
    ) -> list[str]:
        """As many answers, asked for at once; in the order of asking."""
        async with together() as group:
            asked = [group.create_task(self.complete(messages, max_tokens=max_tokens)) for _ in range(count)]
        return [one.result() for one in asked]


def chat_at(endpoint: ModelEndpoint) -> OpenAIChat:
    """The client with which every application asks the model of a server."""
    return OpenAIChat(endpoint.base_url, endpoint.model, api_key=endpoint.api_key, client=endpoint.client)


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


def as_sampling_chat(model: Chat) -> SamplingChat:
    """The model itself if one request can give several answers, else one that asks several times."""
    return model if isinstance(model, SamplingChat) else AskedAgain(model)
