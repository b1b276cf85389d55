"""FacTool's streaming graph on a real server: whole answers, and one that is cut off in the middle."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable
from typing import Any

import pytest
from dropin.watch import Implementation

from alto_lg.adapters.openai_chat import AnswerBrokenOff, ClientOptions, OpenAIChat
from alto_lg.apps.chat import Messages
from alto_lg.apps.factool import FACTOOL, build, rules
from alto_lg.apps.factool.local_chat import LocalChat

GIVEN = {"question": "Q?", "reference": "The Nile is long. Bees fly far. Ice melts. The Amazon is wide."}


class Chat(LocalChat):
    """Streams come from a server, with a fault if one is named; whole answers do not."""

    def __init__(self, base_url: str, fault: str | None = None) -> None:
        super().__init__()
        extra = {"extra_headers": {"x-sim-fault": fault}} if fault else {}
        self.streaming = OpenAIChat(base_url, "sim", options=ClientOptions(max_retries=0, extra=extra))

    async def stream(self, messages: Messages, *, max_tokens: int = 1024) -> AsyncGenerator[str, None]:
        async for delta in self.streaming.stream(messages, max_tokens=max_tokens):
            yield delta


def _streamed(impl: Implementation, chat: Chat) -> Any:
    graph = impl(build("streaming", chat=chat))

    async def run() -> Any:
        try:
            return FACTOOL.answer(await graph.ainvoke(dict(GIVEN)))
        finally:
            await chat.streaming.close()

    return asyncio.run(run())


def test_the_answer_is_that_of_the_flat_graph(impl: Implementation, serve: Callable[..., str]) -> None:
    base_url = serve(text_models=(rules.reply,))
    flat = FACTOOL.answer(asyncio.run(build("flat", chat=LocalChat()).ainvoke(dict(GIVEN))))
    assert _streamed(impl, Chat(base_url)) == flat
    assert len(flat["claims"]) == 4


def test_a_stream_that_is_cut_off_fails_the_run(impl: Implementation, serve: Callable[..., str]) -> None:
    base_url = serve(text_models=(rules.reply,))
    with pytest.raises(AnswerBrokenOff, match="model 'sim' at http"):
        _streamed(impl, Chat(base_url, "cut=9"))
