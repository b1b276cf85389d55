"""The chat model as the stages see it, whichever client is behind it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol, runtime_checkable

from langchain_core.language_models import BaseChatModel

Messages = Sequence[Mapping[str, str]]


@runtime_checkable
class Chat(Protocol):
    """Messages in OpenAI's form to the text of an answer."""

    async def complete(self, messages: Messages, *, max_tokens: int = 1024) -> str: ...


class LangChainChat:
    """A LangChain chat model. Its own settings of temperature and length stand."""

    def __init__(self, model: BaseChatModel) -> None:
        self._model = model

    async def complete(self, messages: Messages, *, max_tokens: int = 1024) -> str:
        """The text of the model's answer."""
        answer = await self._model.ainvoke([dict(message) for message in messages])
        return str(answer.text)


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
