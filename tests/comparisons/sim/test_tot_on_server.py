"""Tree of Thoughts on a real server: the answer is that of the rules in this process, in every version."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from dropin.watch import Implementation

from alto_lg.adapters.openai_chat import OpenAIChat
from alto_lg.apps.tot import TOT, build, rules
from alto_lg.apps.tot.local_chat import LocalChat
from alto_lg.apps.tot.parsing import answer_of, left_after

GIVEN = {"puzzle": "4 5 6 10"}


@pytest.mark.parametrize("version", TOT.versions)
def test_the_answer_is_that_of_the_rules(version: str, impl: Implementation, serve: Callable[..., str]) -> None:
    chat = OpenAIChat(serve(text_models=(rules.reply,)), "sim")

    async def run() -> Any:
        try:
            return TOT.answer(await impl(build(version, chat=chat)).ainvoke(dict(GIVEN)))
        finally:
            await chat.close()

    answer = asyncio.run(run())
    assert answer == TOT.answer(asyncio.run(build("flat", chat=LocalChat()).ainvoke(dict(GIVEN))))
    judged = {answer_of(steps) or left_after(steps) for steps in (thought["steps"] for thought in answer["thoughts"])}
    assert chat.usage.calls == 16 + len(judged), "one proposal for each thought that was kept, one call for each value"
