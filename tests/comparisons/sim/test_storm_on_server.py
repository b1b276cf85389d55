"""STORM on a real server: the article is that of the rules in this process, and a stream that is cut off."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from dropin.watch import Implementation

from alto_lg.adapters.openai_chat import AnswerBrokenOff, ClientOptions, OpenAIChat
from alto_lg.apps.chat import Messages
from alto_lg.apps.storm import STORM, build, program, rules
from alto_lg.apps.storm.local_chat import LocalChat

GIVEN = {
    "topic": "Tea in China and Japan",
    "perspectives_max": 2,
    "turns_max": 2,
    "queries_max": 2,
    "sections_max": 3,
}


class StreamedChat(OpenAIChat):
    """Asks the server for what is streamed; the rules in this process answer the rest."""

    async def complete(self, messages: Messages, *, max_tokens: int = 1024, temperature: float = 0.0) -> str:
        return await LocalChat().complete(messages)


def _written(chat: OpenAIChat, begin: Callable[[OpenAIChat], Any]) -> Any:
    async def run() -> Any:
        try:
            return STORM.answer(await begin(chat))
        finally:
            await chat.close()

    return asyncio.run(run())


def _local() -> Any:
    return STORM.answer(asyncio.run(build("flat", chat=LocalChat()).ainvoke(dict(GIVEN))))


@pytest.mark.parametrize("version", STORM.versions)
def test_the_article_is_that_of_the_rules(impl: Implementation, version: str, serve: Callable[..., str]) -> None:
    chat = OpenAIChat(serve(text_models=(rules.reply,)), "sim")
    local = _local()
    assert _written(chat, lambda chat: impl(build(version, chat=chat)).ainvoke(dict(GIVEN))) == local
    assert local["references"]


def test_the_program_by_hand_writes_the_same(serve: Callable[..., str]) -> None:
    chat = OpenAIChat(serve(text_models=(rules.reply,)), "sim")
    assert _written(chat, lambda chat: program(chat=chat).run(GIVEN, lambda node: None)) == _local()


def test_a_stream_that_is_cut_off_fails_the_run(impl: Implementation, serve: Callable[..., str]) -> None:
    options = ClientOptions(max_retries=0, extra={"extra_headers": {"x-sim-fault": "cut=5"}})
    chat = StreamedChat(serve(text_models=(rules.reply,)), "sim", options=options)
    with pytest.raises(AnswerBrokenOff, match="model 'sim' at http"):
        _written(chat, lambda chat: impl(build("streaming", chat=chat)).ainvoke(dict(GIVEN)))
