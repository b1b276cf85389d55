"""WikiChat's streaming graph on a real server: whole answers, fewer tokens, and a stream that is cut off."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from dropin.watch import Implementation

from alto_lg.adapters.openai_chat import AnswerBrokenOff, ClientOptions, OpenAIChat
from alto_lg.apps.wikichat import WIKICHAT, build, rules
from alto_lg.apps.wikichat.local_chat import LocalChat

GIVEN = {"question": "What happened to Julius Caesar?"}


def _asked(impl: Implementation, version: str, base_url: str, fault: str | None = None) -> Any:
    extra = {"extra_headers": {"x-sim-fault": fault}} if fault else {}
    chat = OpenAIChat(base_url, "sim", options=ClientOptions(max_retries=0, extra=extra))
    graph = impl(build(version, chat=chat))

    async def run() -> Any:
        try:
            return WIKICHAT.answer(await graph.ainvoke(dict(GIVEN)))
        finally:
            await chat.close()

    return asyncio.run(run())


@pytest.mark.parametrize("version", WIKICHAT.versions)
def test_the_answer_is_that_of_the_rules(impl: Implementation, version: str, serve: Callable[..., str]) -> None:
    local = WIKICHAT.answer(asyncio.run(build("flat", chat=LocalChat()).ainvoke(dict(GIVEN))))
    assert _asked(impl, version, serve(text_models=(rules.reply,))) == local
    assert local["references"]


def test_a_stream_that_is_cut_off_fails_the_run(impl: Implementation, serve: Callable[..., str]) -> None:
    with pytest.raises(AnswerBrokenOff, match="model 'sim' at http"):
        _asked(impl, "streaming", serve(text_models=(rules.reply,)), "cut=5")
