"""A model made of rules as a LangChain chat model."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from langchain_core.callbacks import CallbackManagerForLLMRun
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, BaseMessage
from langchain_core.outputs import ChatGeneration, ChatResult

_ROLES = {"human": "user", "system": "system", "ai": "assistant"}


class RulesModel(BaseChatModel):
    """Answers by the rules of one application."""

    reply: Callable[..., str | None]

    @property
    def _llm_type(self) -> str:
        return "rules"

    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **settings: Any,
    ) -> ChatResult:
        plain = [{"role": _ROLES[message.type], "content": str(message.content)} for message in messages]
        return ChatResult(generations=[ChatGeneration(message=AIMessage(self.reply(plain, 0) or ""))])
