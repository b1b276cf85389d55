"""Any answer, any router, any node: what replay gives is what plain LangGraph gives."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from langgraph.types import Send
from sim.loop import run
from watching.scripted import Piece, ScriptedModel

import alto_lg
from alto_lg import split
from replay.test_replay import QUESTION
from replay.test_structured_output import Plan, State, graph, in_pieces

TEXTS = st.text("ab{}[]\",\\ \n'é", max_size=6)
QUERIES = st.lists(st.fixed_dictionaries({"text": TEXTS, "weight": st.integers(-1, 3)}), max_size=6)

Router = Callable[[list[str]], list[str]]
ROUTERS: dict[str, Router] = {
    "each": lambda texts: texts,
    "reversed": lambda texts: texts[::-1],
    "the last two": lambda texts: texts[-2:],
    "each once": lambda texts: sorted(set(texts), key=texts.index),
    "how many there are": lambda texts: [str(len(texts))] * len(texts),
    "nothing of two": lambda texts: texts if len(texts) > 2 else [],
    "an error of one": lambda texts: texts if len(texts) != 1 else [texts[1]],
}


def app(pieces: list[Piece], router: Router, before_s: float, behind_s: float, reads: str) -> Any:
    model = ScriptedModel(scripts=[pieces])

    async def plan(state: State) -> dict[str, Any]:
        await asyncio.sleep(before_s)
        message = await model.ainvoke(state["question"])
        await asyncio.sleep(behind_s)
        if reads == "lines":
            return {"plan": str(message.content).split("\n")}
        return {"plan": [query.text for query in Plan.model_validate_json(str(message.content)).queries]}

    return graph(plan, lambda state: [Send("search", text) for text in router(state["plan"])])


def ended(app: Any, seed: int) -> Any:
    """The state, or the error."""

    async def main() -> Any:
        try:
            return await app.ainvoke(QUESTION)
        except Exception as error:
            return type(error), str(error)

    return run(main, seed=seed, schedule="shuffle").result


@settings(max_examples=120, deadline=None)
@given(
    queries=QUERIES,
    reads=st.sampled_from(["json", "lines"]),
    router=st.sampled_from(sorted(ROUTERS)),
    size=st.integers(1, 40),
    before_s=st.sampled_from([0.0, 0.3, 2.0]),
    behind_s=st.sampled_from([0.0, 0.3, 2.0]),
    seed=st.integers(0, 3),
)
def test_the_end_is_the_same(
    queries: Any, reads: str, router: str, size: int, before_s: float, behind_s: float, seed: int
) -> None:
    lines = "\n".join(query["text"] for query in queries)
    said = json.dumps({"queries": queries, "remark": "done"}) if reads == "json" else lines or "nothing"
    pieces = in_pieces(said, seconds=3.0, size=size)
    plain = app(pieces, ROUTERS[router], before_s, behind_s, reads)
    asked = {"plan": None if reads == "json" else split.lines}
    accelerated = alto_lg.accelerate(app(pieces, ROUTERS[router], before_s, behind_s, reads), replay=asked)
    assert ended(accelerated, seed) == ended(plain, seed)
