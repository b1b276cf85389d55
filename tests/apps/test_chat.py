"""Several answers to one question: by one request where the model can, else by as many."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest
from langchain_core.language_models import FakeListChatModel
from sim.loop import run

from alto_lg.apps.chat import AskedAgain, Messages, as_chat, as_sampling_chat
from alto_lg.apps.tot.local_chat import LocalChat

_MESSAGES: Messages = [{"role": "user", "content": "Good morning"}]


class Slow:
    """Takes a second for each answer; some of them fail."""

    def __init__(self, failing: Sequence[int] = ()) -> None:
        self.asked = 0
        self._failing = failing

    async def complete(self, messages: Messages, *, max_tokens: int = 1024) -> str:
        number, self.asked = self.asked, self.asked + 1
        if number in self._failing:
            raise ConnectionError(f"call {number}")
        await asyncio.sleep(1)
        return f"{number} of {max_tokens}"


def test_a_model_that_gives_several_answers_is_used_as_it_is() -> None:
    chat = LocalChat()
    assert as_sampling_chat(chat) is chat


def test_any_other_is_asked_as_often_at_once() -> None:
    outcome = run(lambda: as_sampling_chat(Slow()).samples(_MESSAGES, count=3, max_tokens=9))
    assert outcome.result == ["0 of 9", "1 of 9", "2 of 9"]
    assert outcome.elapsed_s == pytest.approx(1)


def test_the_model_s_own_error_comes_through_and_nothing_goes_on() -> None:
    with pytest.raises(ConnectionError, match="call 1"):
        run(lambda: AskedAgain(Slow(failing=[1])).samples(_MESSAGES, count=3))


def test_a_langchain_model_is_asked_as_often() -> None:
    chat = as_sampling_chat(as_chat(FakeListChatModel(responses=["one", "two", "three"])))
    assert sorted(run(lambda: chat.samples(_MESSAGES, count=3)).result) == ["one", "three", "two"]
