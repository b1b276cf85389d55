"""FacTool written by hand with asyncio: no graph, no engine, and nothing waits but for what it reads.

A claim goes its way when it is written, and the verdict waits for the last of them. What is written may turn out not
to be the claims after all (`claims_so_far`): the check of a claim that is taken back is cancelled. If it has failed by
then, so has the run.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from contextlib import aclosing
from typing import Any

from alto_lg.apps.factool.nodes import Stages
from alto_lg.apps.factool.state import Verdict
from alto_lg.apps.together import together

Told = Callable[[str], None]


class ByHand:
    """Checks one answer a run."""

    def __init__(self, stages: Stages) -> None:
        stages.require_streaming()
        self._stages = stages

    async def run(self, given: Mapping[str, Any], told: Told) -> Mapping[str, Any]:
        """The report on one answer."""
        answer = await self._stages.answer(given["question"], given.get("reference"))
        told("answer")
        claims = list[str]()
        checks = list[asyncio.Task[Verdict]]()
        async with together() as group, aclosing(self._stages.extract_by_and_by(answer)) as found:
            async for written in found:
                agreeing = [one == other for one, other in zip(claims, written, strict=False)]
                kept = agreeing.index(False) if False in agreeing else len(agreeing)
                for check in checks[kept:]:
                    check.cancel()
                claims = list(written)
                asked = enumerate(claims[kept:], kept)
                checks[kept:] = [group.create_task(self._check(index, claim, told)) for index, claim in asked]
            told("extract")
        verdicts = [check.result() for check in checks]
        factual = await self._stages.verdict(verdicts)
        told("verdict")
        return {**given, "answer": answer, "claims": claims, "verdicts": verdicts, "factual": factual}

    async def _check(self, index: int, claim: str, told: Told) -> Verdict:
        queries = await self._stages.make_queries(index, claim)
        told("make_queries")
        found = await self._stages.retrieve(index, queries)
        told("retrieve")
        evidence = await self._stages.rerank(index, found["candidates"], found["vectors"])
        told("rerank")
        verdict = await self._stages.appraise(index, claim, evidence)
        told("appraise")
        return verdict
