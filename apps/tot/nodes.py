"""The stages of the search, shared by every version of the graph.

Always true: a stage reads its argument and returns new values; it changes nothing in place. Equal calls for values are
made once a run: the same numbers are left by many thoughts. A thought that repeats an earlier one of its step is worth
nothing, where "earlier" means the order of places and lines, not that of time.
"""

from __future__ import annotations

import uuid
from collections.abc import AsyncGenerator, Sequence
from time import monotonic
from typing import Any

from langchain_core.language_models import BaseChatModel

from alto_lg import split
from alto_lg.apps.chat import Chat, Messages, as_chat, as_sampling_chat, as_streaming_chat
from alto_lg.apps.shared_calls import SharedCalls
from alto_lg.apps.spans import note, span
from alto_lg.apps.tot import parsing, prompts
from alto_lg.apps.tot.arithmetic import is_solution, numbers_in
from alto_lg.apps.tot.parsing import Proposal
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
        """The search before its first step; `PuzzleError` if there are not four numbers."""
        numbers = read_puzzle(state["puzzle"])
        root: Thought = {"step": 0, "place": 0, "line": 0, "steps": "", "left": numbers, "answer": "", "value": 0.0}
        return {"run": uuid.uuid4().hex, "numbers": numbers, "step": 0, "kept": [root]}

    async def propose(self, item: tuple[int, int], numbers: str, steps: str, left: str) -> list[Proposal]:
        """The ways to go on from a thought. item: the step, and the place of the thought among those kept."""
        with span("propose", item):
            text = await self._chat.complete(_proposing(numbers, steps, left), max_tokens=_TOKENS_MAX)
            return parsing.proposals(text, left)

    def require_streaming(self) -> None:
        """`TypeError` if the model cannot stream."""
        as_streaming_chat(self._chat)

    async def propose_by_and_by(
        self, item: tuple[int, int], numbers: str, steps: str, left: str
    ) -> AsyncGenerator[Proposal, None]:
        """The same, each when its line is written."""
        with span("propose", item):
            started, count = monotonic(), 0
            deltas = as_streaming_chat(self._chat).stream(_proposing(numbers, steps, left), max_tokens=_TOKENS_MAX)
            async with split.lines(deltas) as lines:
                async for line in lines:
                    found = parsing.proposal(line, left)
                    if found is not None:
                        note("thought", (*item, count), started)
                        count += 1
                        yield found

    async def value(self, run: str, numbers: str, left: str, answer: str, item: tuple[int, int, int]) -> float | None:
        """What a thought is worth, by its answer or by the numbers that it leaves; None where there is neither.

        item: step, place and line of the thought.
        """
        if not (left or answer):
            return None
        messages = prompts.checking(numbers, answer) if answer else prompts.valuing(left)
        started = monotonic()
        call, samples = await self._shared.ask(run, messages[1]["content"], lambda: self._samples(messages))
        note("value", (*item, call), started)
        return parsing.value(samples)

    async def select(self, state: Search) -> dict[str, Any]:
        """The best thoughts of the step that has just been taken."""
        step = state["step"] + 1
        with span("select", (step,)):
            made = [thought for thought in state.get("thoughts", []) if thought["step"] == step]
            return {"step": step, "kept": best(made, state.get("beam", BEAM))}

    async def answer(self, run: str, numbers: str, kept: Sequence[Thought]) -> dict[str, Any]:
        """The answer of the best thought, empty if there is none, and whether it is right."""
        with span("answer"):
            self._shared.forget(run)
            answer = kept[0]["answer"] if kept else ""
            return {"answer": answer, "solved": is_solution(answer, numbers_in(numbers))}

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
            "left": thought["left"],
        }
        for place, thought in enumerate(state["kept"])
    ]


def valuing(work: Expansion, line: int, found: Proposal | None) -> Valuing:
    """A proposed thought on its way to be valued."""
    return {
        "run": work["run"],
        "numbers": work["numbers"],
        "step": work["step"],
        "place": work["place"],
        "line": line,
        "steps": "\n".join([*work["steps"].splitlines(), found.step]) if found else work["steps"],
        "left": found.left if found else "",
        "answer": found.answer if found else "",
    }


def valued(work: Valuing, value: float | None) -> list[Thought]:
    """The thought with its value; nothing of what has none."""
    if value is None:
        return []
    return [
        {
            "step": work["step"],
            "place": work["place"],
            "line": work["line"],
            "steps": work["steps"],
            "left": work["left"],
            "answer": work["answer"],
            "value": value,
        }
    ]


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
    if len(numbers_in(left)) == 1:
        return prompts.finishing(numbers, steps)
    return prompts.proposing(numbers, steps, left)
