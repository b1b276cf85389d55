"""FacTool as a chain of stages that stream nothing: each hands its output on when it is complete.

The baseline of the workshop paper (arXiv 2403.04311 v1: the same pipeline without streaming of partial outputs). What
moves from stage to stage is a whole request with all its claims: claims are checked side by side within a stage, and
the next stage begins when the last of them has been through. Always true: a stage takes as many requests at once as
come, so that nothing waits but for the model servers; bounded queues could only make it slower.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Any, TypeVar

from alto_lg.apps.factool.nodes import Stages
from alto_lg.apps.together import together

Item = TypeVar("Item")
Result = TypeVar("Result")
Told = Callable[[str], None]


class Staged:
    """Checks one answer a run."""

    def __init__(self, stages: Stages) -> None:
        self._stages = stages

    async def run(self, given: Mapping[str, Any], told: Told) -> Mapping[str, Any]:
        """The report on one answer."""
        stages = self._stages
        answer = await stages.answer(given["question"], given.get("reference"))
        told("answer")
        claims = await stages.extract(answer)
        told("extract")
        queries = await _each(lambda one: stages.make_queries(*one), enumerate(claims))
        told("make_queries")
        found = await _each(lambda one: stages.retrieve(*one), enumerate(queries))
        told("retrieve")
        evidence = await _each(
            lambda one: stages.rerank(one[0], one[1]["candidates"], one[1]["vectors"]), enumerate(found)
        )
        told("rerank")
        judged = enumerate(zip(claims, evidence, strict=True))
        verdicts = await _each(lambda one: stages.appraise(one[0], *one[1]), judged)
        told("appraise")
        factual = await stages.verdict(verdicts)
        told("verdict")
        return {**given, "answer": answer, "claims": claims, "verdicts": verdicts, "factual": factual}


async def _each(stage: Callable[[Item], Awaitable[Result]], items: Iterable[Item]) -> list[Result]:
    """All items of one request through one stage, side by side; their results in order, when all are there."""

    async def run(item: Item) -> Result:
        return await stage(item)

    async with together() as group:
        running = [group.create_task(run(item)) for item in items]
    return [one.result() for one in running]
