"""`python -m alto_lg.apps.observed_lengths tot`: how long the texts of the rules are, beside recorded ones.

Runs the flat graph over the package's own inputs, in this process, and counts the tokens of every prompt and answer.
No server is needed and nothing is timed.
"""

from __future__ import annotations

import argparse
import asyncio
import importlib
import sys
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import mean, pstdev
from typing import Any

from alto_lg.apps.base import Request
from alto_lg.apps.chat import Messages
from alto_lg.apps.recorded import Recorded, StageOf
from alto_lg.apps.rules_chat import Reply, RulesChat
from alto_lg.apps.tokens import count

APPLICATIONS: Mapping[str, str] = {"factool": "FACTOOL", "tot": "TOT", "wikichat": "WIKICHAT"}
_DEFAULT_REQUESTS = 20


@dataclass(frozen=True, slots=True)
class Call:
    """One prompt and its answer, in tokens. request: during which it was sent."""

    request: int
    prompt: int
    answer: int


@dataclass(frozen=True, slots=True)
class Observed:
    """The calls of one stage over all requests. variation: coefficient of variation of the answers.

    longest: of each request, its longest answer by the mean of its answers; the mean of that over the requests.
    """

    calls: float
    prompt: float
    answer: float
    variation: float
    longest: float


class CountingChat(RulesChat):
    """Answers by rules, and keeps what was asked and answered."""

    def __init__(self, reply: Reply, stage_of: StageOf) -> None:
        super().__init__(reply)
        self.calls: defaultdict[str, list[Call]] = defaultdict(list)
        self.request = 0
        self._stage_of = stage_of

    def _answer(self, messages: Messages, seed: int) -> str:
        answer = super()._answer(messages, seed)
        prompt = sum(count(message["content"]) for message in messages)
        self.calls[self._stage_of(messages, answer)].append(Call(self.request, prompt, count(answer)))
        return answer


def observe(name: str, requests_max: int) -> dict[str, Observed]:
    """What each stage of an application is asked and answers."""
    package = f"alto_lg.apps.{name}"
    parts = {part: importlib.import_module(f"{package}.{part}") for part in ("application", "rules", "recorded")}
    workload = getattr(parts["application"], APPLICATIONS[name]).workload(corpus=None, questions=None)
    step = max(1, len(workload) // requests_max)
    chosen = workload[::step][:requests_max]
    chat = CountingChat(parts["rules"].reply, parts["recorded"].stage_of)
    asyncio.run(_run_all(parts["application"].build("flat", chat=chat), chat, chosen))
    inputs = sum(1 + len(request.then) for request in chosen)
    return {stage: _observed(calls, inputs) for stage, calls in sorted(chat.calls.items())}


def recorded_of(name: str) -> Mapping[str, Recorded]:
    """What was measured of the application's stages."""
    recorded: Mapping[str, Recorded] = importlib.import_module(f"alto_lg.apps.{name}.recorded").RECORDED
    return recorded


async def _run_all(graph: Any, chat: CountingChat, requests: Sequence[Request]) -> None:
    """Each input by itself; one that follows another is given what was said before."""
    for request in requests:
        state: Mapping[str, Any] = {}
        for given in (request.input, *request.then):
            history = {"history": state["history"]} if "history" in state else {}
            state = await graph.ainvoke({**history, **given})
            chat.request += 1


def _observed(calls: Sequence[Call], inputs: int) -> Observed:
    answers = [call.answer for call in calls]
    by_request: defaultdict[int, list[int]] = defaultdict(list)
    for call in calls:
        by_request[call.request].append(call.answer)
    longest = mean(max(lengths) / mean(lengths) for lengths in by_request.values())
    variation = pstdev(answers) / mean(answers)
    return Observed(len(calls) / inputs, mean(call.prompt for call in calls), mean(answers), variation, longest)


def table(name: str, observed: Mapping[str, Observed]) -> str:
    """One line a stage."""
    lines = [f"{name:20} {'calls':>6} {'prompt':>7} {'answer':>7} {'CV':>5} {'longest':>8}   recorded"]
    for stage, seen in observed.items():
        known = recorded_of(name).get(stage)
        line = f"{stage:20} {seen.calls:6.1f} {seen.prompt:7.0f} {seen.answer:7.1f} {seen.variation:5.2f}"
        lines.append(f"{line} {seen.longest:8.2f}   {_told(known)}".rstrip())
    return "\n".join(lines)


def _told(known: Recorded | None) -> str:
    if known is None:
        return ""
    spread = "" if known.variation is None else f" (CV {known.variation:.2f})"
    return f"{known.tokens:g}{spread}: {known.source}"


def main() -> int:
    """Print the table of one application."""
    parser = argparse.ArgumentParser(prog="python -m alto_lg.apps.observed_lengths", description=__doc__)
    parser.add_argument("application", choices=sorted(APPLICATIONS))
    parser.add_argument("--requests", type=int, default=_DEFAULT_REQUESTS, help="at most so many (default %(default)s)")
    options = parser.parse_args()
    if options.requests < 1:
        parser.error(f"--requests must be at least 1, not {options.requests}")
    print(table(options.application, observe(options.application, options.requests)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
