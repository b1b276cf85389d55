"""LLMCompiler written by hand with asyncio: a task for each line when it is written, which waits for those it needs."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from contextlib import aclosing
from typing import Any, cast

from alto_lg.apps.llmcompiler import parsing
from alto_lg.apps.llmcompiler.nodes import Stages
from alto_lg.apps.llmcompiler.state import Compiled, Result, Task, by_number
from alto_lg.apps.together import together

Told = Callable[[str], None]


class ByHand:
    """One question a run."""

    def __init__(self, stages: Stages) -> None:
        stages.require_streaming()
        self._stages = stages

    async def run(self, given: Mapping[str, Any], told: Told) -> Mapping[str, Any]:
        """The question with its answer, and all that led to it."""
        told("begin")
        begun = {"run": "", "round": 1, "plan": [], "results": [], "missing": "", "answer": ""}
        state = cast(Compiled, {**given, **begun})
        while True:
            await self._one_round(state, told)
            answer, missing = await self._stages.join(state["question"], state["round"], state["results"])
            told("join")
            state["answer"], state["missing"], state["round"] = answer, missing, state["round"] + bool(missing)
            if not missing:
                return state

    async def _one_round(self, state: Compiled, told: Told) -> None:
        """Plans, and calls each task as soon as it can be."""
        asked = (state["question"], state["round"], state["plan"], state["results"], state["missing"])
        calls: dict[int, asyncio.Task[Result]] = {}
        known = {result["number"]: result for result in state["results"]}
        async with together() as group, aclosing(self._stages.plan_by_and_by(*asked)) as plans:
            async for plan in plans:
                state["plan"] = plan
                for task in plan:
                    if task["number"] not in calls and task["number"] not in known:
                        work = self._call(state["round"], task, plan, known, calls, told)
                        calls[task["number"]] = group.create_task(work)
            told("plan")
        told("collect")
        state["results"] = by_number(state["results"], [call.result() for call in calls.values()])

    async def _call(
        self,
        turn: int,
        task: Task,
        plan: Sequence[Task],
        known: Mapping[int, Result],
        calls: Mapping[int, asyncio.Task[Result]],
        told: Told,
    ) -> Result:
        needed = [known[number] if number in known else await calls[number] for number in parsing.needs(task, plan)]
        argument = parsing.filled_in(task["argument"], {one["number"]: one["result"] for one in needed})
        result = await self._stages.call(turn, task["number"], task["tool"], argument)
        told("work")
        return result
