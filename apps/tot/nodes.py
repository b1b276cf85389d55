"""The stages of the search, shared by every version of the graph.

Always true: a stage reads its argument and returns new values; it changes nothing in place. Equal calls for values are
made once a run: the same numbers are left by many thoughts. A thought that repeats an earlier one of its step is worth
nothing, where "earlier" means the order of places and lines, not that of time.
"""

from __future__ import annotations

import uuid
from collections.abc import AsyncGenerator, Sequence
from typing import Any

from langchain_core.language_models import BaseChatModel
from langgraph.types import Overwrite

from alto_lg import split
from alto_lg.apps.chat import Chat, Messages, as_chat, as_sampling_chat, as_streaming_chat
from alto_lg.apps.shared_calls import SharedCalls
from alto_lg.apps.spans import note, now, span
from alto_lg.apps.tot import parsing, prompts
from alto_lg.apps.tot.arithmetic import is_solution, numbers_in
from alto_lg.apps.tot.puzzles import read_puzzle
from alto_lg.apps.tot.state import BEAM, SAMPLES, STEPS, Expansion, Puzzle, Search, Thought, Valuing

_TOKENS_MAX = 1000
_TEMPERATURE = 0.7


class Stages:
    """The work of each node, with the model that it needs."""

    def __init__(self, chat: Chat | BaseChatModel) -> None:
        self._chat = as_chat(chat)
        self._sampling = as_sampling_chat(self._chat)
        self._shared = SharedCalls[list[str]]()

    async def read(self, state: Puzzle) -> dict[str, Any]:
        """The search before its first step, whatever an earlier one on the same thread has left behind.

        Raises:
            PuzzleError: There are not four numbers.
            ValueError: No thought would be kept.
        """
        numbers = read_puzzle(state["puzzle"])
        if state.get("beam", BEAM) < 1:
            raise ValueError(f"got beam={state['beam']}; at least 1 thought must be kept at each step")
        root: Thought = {"step": 0, "place": 0, "line": 0, "steps": "", "value": 0.0}
        return {"run": uuid.uuid4().hex, "numbers": numbers, "step": 0, "kept": [root], "thoughts": Overwrite([])}

    async def propose(self, item: tuple[int, int], numbers: str, steps: str) -> list[str]:
        """The ways to go on from a thought, or an empty one where there are none, so that the step ends all the same.

        item: the step, and the place of the thought among those kept.
        """
        with span("propose", item):
            left = parsing.left_after(steps) or numbers
            text = await self._chat.complete(_proposing(numbers, steps, left), max_tokens=_TOKENS_MAX)
            return parsing.proposals(text, left) or [""]

    def require_streaming(self) -> None:
        """`TypeError` if the model cannot stream."""
        as_streaming_chat(self._chat)

    async def propose_by_and_by(self, item: tuple[int, int], numbers: str, steps: str) -> AsyncGenerator[str, None]:
        """The same, each when its line is written."""
        with span("propose", item):
            left = parsing.left_after(steps) or numbers
            started, count = now(), 0
            deltas = as_streaming_chat(self._chat).stream(_proposing(numbers, steps, left), max_tokens=_TOKENS_MAX)
            async with split.lines(deltas) as lines:
                async for line in lines:
                    found = parsing.proposal(line, left)
                    if found:
                        note("thought", (*item, count), started)
                        count += 1
                        yield found
            if not count:
                yield ""

    async def value(self, run: str, numbers: str, proposed: str, item: tuple[int, int, int]) -> float | None:
        """What a thought is worth, by its answer or by the numbers that it leaves; None if it is an empty one.

        item: step, place and line of the thought.
        """
        if not proposed:
            return None
        messages = _judging(numbers, proposed)
        started = now()
        call, samples = await self._shared.ask(run, messages[1]["content"], lambda: self._samples(messages))
        note("value", (*item, call), started)
        return parsing.value(samples)

    async def select(self, state: Search) -> dict[str, Any]:
        """The best thoughts of the step that has just been taken."""
        step = state["step"] + 1
        with span("select", (step,)):
            made = [thought for thought in state.get("thoughts", []) if thought["step"] == step]
            return {"step": step, "kept": best(made, state.get("beam", BEAM))}

    async def answer(self, run: str, kept: Sequence[Thought]) -> str:
        """The answer of the best thought, empty if there is none. It ends what the run's calls have in common."""
        with span("answer"):
            self._shared.forget(run)
            return parsing.answer_of(kept[0]["steps"]) if kept else ""

    async def _samples(self, messages: Messages) -> list[str]:
        return await self._sampling.samples(messages, count=SAMPLES, max_tokens=_TOKENS_MAX, temperature=_TEMPERATURE)


def next_expansions(state: Search) -> list[Expansion]:
    """What is to be gone on from; nothing after the last step."""
    if state["step"] >= STEPS:
        return []
    return [
        {
            "run": state["run"],
            "numbers": state["numbers"],
            "step": state["step"] + 1,
            "place": place,
            "steps": thought["steps"],
        }
        for place, thought in enumerate(state["kept"])
    ]


def valuing(work: Expansion, line: int, proposed: str) -> Valuing:
    """A proposed thought on its way to be valued."""
    return {
        "run": work["run"],
        "numbers": work["numbers"],
        "step": work["step"],
        "place": work["place"],
        "line": line,
        "steps": work["steps"],
        "proposed": proposed,
    }


def valued(work: Valuing, value: float | None) -> list[Thought]:
    """The thought with its value; nothing of what has none."""
    if value is None:
        return []
    steps = f"{work['steps']}\n{work['proposed']}".strip()
    return [{"step": work["step"], "place": work["place"], "line": work["line"], "steps": steps, "value": value}]


def is_solved(numbers: str, answer: str) -> bool:
    """Whether an answer is right, by arithmetic and not by its value."""
    return is_solution(answer, numbers_in(numbers))


def best(thoughts: Sequence[Thought], beam: int) -> list[Thought]:
    """The thoughts of the highest value, the earliest first among equals; a repeated one counts as worth nothing."""
    ordered = sorted(thoughts, key=lambda thought: (thought["place"], thought["line"]))
    seen: set[str] = set()
    judged: list[Thought] = []
    for thought in ordered:
        judged.append({**thought, "value": 0.0} if thought["steps"] in seen else thought)
        seen.add(thought["steps"])
    return sorted(judged, key=lambda thought: -thought["value"])[:beam]


def _proposing(numbers: str, steps: str, left: str) -> Messages:
    if parsing.count_of(left) == 1:
        return prompts.finishing(numbers, steps)
    return prompts.proposing(numbers, steps, left)


def _judging(numbers: str, proposed: str) -> Messages:
    answer = parsing.answer_of(proposed)
    return prompts.checking(numbers, answer) if answer else prompts.valuing(parsing.left_after(proposed))
