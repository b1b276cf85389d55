"""The text of replies: rule-based models for known tasks, and an extract for everything else.

Owns the choice among text models. Always true: the text is a function of the messages and the seed. The extract is
no answer to anything: it repeats what the last user message says, so that any client can be tried out.
"""

from __future__ import annotations

import importlib
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias, cast

TextModel: TypeAlias = Callable[[Sequence[Mapping[str, Any]], int], str | None]
"""(messages, seed) -> the reply, or None when the messages are not its task. Quick: it runs on the event loop."""

# Modules with `reply(messages, seed) -> str | None`, asked in this order.
_TASKS = (
    "alto_lg.apps.factool.rules",
    "alto_lg.apps.ircot.rules",
    "alto_lg.apps.llmcompiler.rules",
    "alto_lg.apps.storm.rules",
    "alto_lg.apps.tot.rules",
    "alto_lg.apps.wikichat.rules",
    "alto_lg.apps.agent.rules",
    "alto_lg.comparisons.agent_rules",
)
_SENTENCE_END = re.compile(r"(?<=[.!?])\s+|\n+")
_EXTRACT_SENTENCES = 3
_NOTHING_TO_SAY = "The last user message holds no text."


def task_models() -> list[TextModel]:
    """The text models of all known tasks."""
    return [cast(TextModel, importlib.import_module(name).reply) for name in _TASKS]


def reply_text(models: Sequence[TextModel], messages: Sequence[Mapping[str, Any]], seed: int) -> str:
    """The reply of the first model whose task this is, else the extract."""
    for model in models:
        text = model(messages, seed)
        if text is not None:
            return text
    return extract(messages)


def extract(messages: Sequence[Mapping[str, Any]]) -> str:
    """The sentences of the last user message with the most different words, in their order."""
    said = [message["content"] for message in messages if message["role"] == "user"]
    sentences = [sentence.strip() for sentence in _SENTENCE_END.split(said[-1] if said else "") if sentence.strip()]
    if not sentences:
        return _NOTHING_TO_SAY
    richest = sorted(range(len(sentences)), key=lambda index: -len(set(sentences[index].lower().split())))
    return " ".join(sentences[index] for index in sorted(richest[:_EXTRACT_SENTENCES]))
