"""Tree of Thoughts written by hand with asyncio: no graph, no engine, and nothing waits but for what it reads.

A thought is valued when its line is written. A step waits for all values of the one before, because what is kept is
chosen from all of them.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from contextlib import aclosing
from typing import Any, cast

from alto_lg.apps.together import together
from alto_lg.apps.tot.nodes import Stages, is_solved, next_expansions, valued, valuing
from alto_lg.apps.tot.state import Expansion, Puzzle, Search, Thought, Valuing

Told = Callable[[str], None]


class ByHand:
    """Searches for the way out of one puzzle a run."""

    def __init__(self, stages: Stages) -> None:
        stages.require_streaming()
        self._stages = stages

    async def run(self, given: Mapping[str, Any], told: Told) -> Mapping[str, Any]:
        """The search when it has ended."""
        begun = await self._stages.read(cast(Puzzle, given))
        search = cast(Search, {**given, **begun, "thoughts": []})
        told("read")
        while expansions := next_expansions(search):
            async with together() as group:
                expanded = [group.create_task(self._expand(work, told)) for work in expansions]
            search["thoughts"] += [thought for one in expanded for thought in one.result()]
            search = cast(Search, {**search, **await self._stages.select(search)})
            told("select")
        answer = await self._stages.answer(search["run"], search["kept"])
        told("answer")
        return {**search, "answer": answer, "solved": is_solved(search["numbers"], answer)}

    async def _expand(self, work: Expansion, told: Told) -> list[Thought]:
        item = (work["step"], work["place"])
        values = list[asyncio.Task[list[Thought]]]()
        async with (
            together() as group,
            aclosing(self._stages.propose_by_and_by(item, work["numbers"], work["steps"])) as proposed,
        ):
            async for one in proposed:
                values.append(group.create_task(self._value(valuing(work, len(values), one), told)))
            told("propose")
        return [thought for value in values for thought in value.result()]

    async def _value(self, work: Valuing, told: Told) -> list[Thought]:
        item = (work["step"], work["place"], work["line"])
        worth = await self._stages.value(work["run"], work["numbers"], work["proposed"], item)
        told("value")
        return valued(work, worth)
