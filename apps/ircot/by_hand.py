"""IRCoT written by hand with asyncio: a loop. There is nothing to overlap, so it is what the streaming graph does."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from alto_lg.apps.corpus import Passage
from alto_lg.apps.ircot.nodes import Stages, is_over


class ByHand:
    """One question at a time, or many at once; `TypeError` if the model cannot stream."""

    def __init__(self, stages: Stages) -> None:
        stages.require_streaming()
        self._stages = stages

    async def run(self, given: Mapping[str, Any], told: Callable[[str], None]) -> Mapping[str, Any]:
        """The final state for one question."""
        question, passages, thoughts = str(given["question"]), list[Passage](), list[str]()
        told("begin")
        while not thoughts or not is_over(thoughts):
            passages = self._stages.retrieve(question, passages, thoughts)
            told("retrieve")
            thoughts.append(await self._stages.reason_briefly(question, passages, thoughts))
            told("reason")
        answer = await self._stages.read(question, passages)
        told("read")
        return {"question": question, "passages": passages, "thoughts": thoughts, "answer": answer}
