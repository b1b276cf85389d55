"""IRCoT and LLMCompiler on a real server: the rules' own answers, fewer tokens where the model is stopped."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import Any

import pytest
from dropin.watch import Implementation, plain_langgraph

from alto_lg.adapters.openai_chat import AnswerBrokenOff, ClientOptions, OpenAIChat, Usage
from alto_lg.apps import ircot, llmcompiler
from alto_lg.apps.ircot.rules import reply as ircot_reply
from alto_lg.apps.llmcompiler.rules import reply as llmcompiler_reply
from alto_lg.apps.rules_chat import RulesChat

APPS: Mapping[str, tuple[Any, Any, Any, str]] = {
    "ircot": (
        ircot,
        ircot.IRCOT,
        ircot_reply,
        "In which city was the composer of Don Giovanni born?",
    ),
    "llmcompiler": (
        llmcompiler,
        llmcompiler.LLMCOMPILER,
        llmcompiler_reply,
        "How many metres higher is Mount Fuji than Uluru?",
    ),
}


def _asked(name: str, version: str, base_url: str, impl: Implementation, fault: str | None = None) -> tuple[Any, Usage]:
    app, application, _, question = APPS[name]
    extra = {"extra_headers": {"x-sim-fault": fault}} if fault else {}
    chat = OpenAIChat(base_url, "sim", options=ClientOptions(max_retries=0, extra=extra))
    graph = impl(app.build(version, chat=chat))

    async def run() -> Any:
        try:
            return application.answer(await graph.ainvoke({"question": question}))
        finally:
            await chat.close()

    return asyncio.run(run()), chat.usage


@pytest.mark.parametrize("name", APPS)
@pytest.mark.parametrize("version", ["flat", "streaming"])
def test_the_answer_is_that_of_the_rules(
    name: str, version: str, impl: Implementation, serve: Callable[..., str]
) -> None:
    app, application, reply, question = APPS[name]
    local = asyncio.run(app.build("flat", chat=RulesChat(reply)).ainvoke({"question": question}))
    answer, _ = _asked(name, version, serve(text_models=(reply,)), impl)
    assert answer == application.answer(local)
    assert answer["answer"] in ("Salzburg", "3428")


@pytest.mark.parametrize("name", APPS)
def test_a_stream_that_is_cut_off_fails_the_run(name: str, impl: Implementation, serve: Callable[..., str]) -> None:
    reply = APPS[name][2]
    with pytest.raises(AnswerBrokenOff, match="model 'sim' at http"):
        _asked(name, "streaming", serve(text_models=(reply,)), impl, "cut=5")


def test_a_thought_longer_than_the_limit_is_kept_as_far_as_it_came(
    impl: Implementation, serve: Callable[..., str]
) -> None:
    """A real server's finish reason, whole and streamed."""

    def endless(messages: Any, seed: int) -> str:
        return "word " * 1000 + "end. Another sentence."

    base_url = serve(text_models=(endless,))
    flat, used = _asked("ircot", "flat", base_url, plain_langgraph)
    streamed, _ = _asked("ircot", "streaming", base_url, impl)
    assert flat == streamed
    assert flat["thoughts"] == [("word " * 200).strip(), ""]
    assert used.completion_tokens == 600
