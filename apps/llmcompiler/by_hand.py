"""LLMCompiler written by hand with asyncio: a task for each line when it is written, which waits for those it needs."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from alto_lg.apps.llmcompiler import parsing
from alto_lg.apps.llmcompiler.nodes import Stages, in_order
from alto_lg.apps.llmcompiler.state import Result, Task

_Told = Callable[[str], None]


class PlanCompilerByHand:
    """One question at a time, or many at once; `TypeError` if the model cannot stream."""

    def __init__(self, stages: Stages) -> None:
        stages.require_streaming()
        self._stages = stages

    async def run(self, given: Mapping[str, Any], told: _Told) -> Mapping[str, Any]:
        """The final state for one question."""
        question, turn, missing, answer = str(given["question"]), 1, "", ""
        plan, results = list[Task](), list[Result]()
        while turn == 1 or missing:
            plan, results = await self._compiled((question, turn, plan, results, missing), told)
            answer, missing = await self._stages.join(question, turn, results)
            told("join")
            turn += 1
        return {"question": question, "plan": plan, "results": results, "answer": answer, "missing": ""}

    async def _compiled(
        self, asked: tuple[str, int, list[Task], list[Result], str], told: _Told
    ) -> tuple[list[Task], list[Result]]:
        """The plan with the lines of one round, and the results of all."""
        turn, plan, before = asked[1], asked[2], asked[3]
        calls = {result["number"]: _known(result) for result in before}
        try:
            async with asyncio.TaskGroup() as group:
                async for plan in self._stages.plan_by_and_by(*asked):
                    for task in (one for one in plan if one["number"] not in calls):
                        waits = self._call(turn, task, plan, calls, told)
                        calls[task["number"]] = group.create_task(waits)
                told("plan")
        except ExceptionGroup as failed:
            raise failed.exceptions[0] from None
        return plan, in_order([call.result() for call in calls.values()])

    async def _call(
        self, turn: int, task: Task, plan: Sequence[Task], calls: Mapping[int, asyncio.Future[Result]], told: _Told
    ) -> Result:
        needed = [await calls[number] for number in parsing.needs(task, plan)]
        argument = parsing.filled_in(task["argument"], {one["number"]: one["result"] for one in needed})
        result = await self._stages.call(turn, task["number"], task["tool"], argument)
        told("work")
        return result


def _known(result: Result) -> asyncio.Future[Result]:
    known: asyncio.Future[Result] = asyncio.get_running_loop().create_future()
    known.set_result(result)
    return known
