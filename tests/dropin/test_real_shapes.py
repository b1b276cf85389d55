"""The shapes that real repositories show most: what overlaps, with which declarations, and what must not.

README's table says what this file holds. Times are virtual.
"""

from __future__ import annotations

import asyncio
from itertools import pairwise
from typing import Annotated, Any, TypedDict

import graphs
import pytest
from langgraph.graph import START, StateGraph
from sim.loop import run

import alto_lg
from dropin.watch import Tempo, invoke


def _early_starts(shape_name: str, **options: Any) -> int:
    shape = graphs.shape(shape_name)
    app = alto_lg.accelerate(shape.build(asyncio.sleep), **options)

    async def main() -> None:
        await app.ainvoke(dict(shape.input))

    run(main)
    seen = alto_lg.statistics(app)
    assert seen is not None
    assert seen.dropped == 0
    return seen.early_starts


def _elapsed_s(graph: Any, value: dict[str, Any], **options: Any) -> tuple[Any, float, float]:
    """The accelerated answer, asserted equal to LangGraph's, with both times."""

    async def invoked(app: Any) -> Any:
        return await app.ainvoke(dict(value))

    plain = run(lambda: invoked(graph.compile()))
    fast = run(lambda: invoked(alto_lg.accelerate(graph, **options)))
    assert fast.result == plain.result
    return fast.result, plain.elapsed_s, fast.elapsed_s


class Fetched(TypedDict, total=False):
    weather: str
    news: str
    stocks: str
    sport: str
    report: str


def _fetches() -> StateGraph[Any, Any, Any, Any]:
    async def fetch(topic: str) -> str:
        await asyncio.sleep(0.2)
        return f"{topic} of today"

    async def weather(state: Fetched) -> dict[str, str]:
        return {"weather": await fetch("weather")}

    async def news(state: Fetched) -> dict[str, str]:
        return {"news": await fetch("news")}

    async def stocks(state: Fetched) -> dict[str, str]:
        return {"stocks": await fetch("stocks")}

    async def sport(state: Fetched) -> dict[str, str]:
        return {"sport": await fetch("sport")}

    async def report(state: Fetched) -> dict[str, str]:
        await asyncio.sleep(0.1)
        return {"report": f"{state['weather']}, {state['news']}, {state['stocks']}, {state['sport']}"}

    graph = StateGraph(Fetched)
    nodes = {
        "get_weather": weather,
        "get_news": news,
        "get_stocks": stocks,
        "get_sport": sport,
        "write_report": report,
    }
    for name, function in nodes.items():
        graph.add_node(name, function)
    for start, end in pairwise([START, *nodes]):
        graph.add_edge(start, end)
    return graph


def test_independent_fetches_in_a_chain_run_side_by_side_when_asked_to() -> None:
    _, plain_s, chains_s = _elapsed_s(_fetches(), {}, overlap="chains")
    assert plain_s == pytest.approx(0.9)
    assert chains_s == pytest.approx(0.3)


def test_independent_fetches_in_a_chain_keep_their_order_by_default() -> None:
    assert _elapsed_s(_fetches(), {})[2] == pytest.approx(0.9)


def test_one_pure_node_runs_beside_its_predecessor() -> None:
    graph = _fetches()
    _, _, elapsed_s = _elapsed_s(graph, {}, hints={"get_news": alto_lg.Hint(pure=True)})
    assert elapsed_s == pytest.approx(0.7)


def test_retrieval_branches_beside_a_summary_do_not_wait_for_each_other() -> None:
    """The logging node reads no value; nothing is declared."""
    assert _early_starts("summary_beside_retrieval") > 0
    elapsed_s = invoke(graphs.shape("summary_beside_retrieval"), alto_lg.accelerate, Tempo()).elapsed_s
    assert elapsed_s == pytest.approx(1.1)


@pytest.mark.parametrize("name", ["turn_fields", "analysts"])
def test_what_depends_or_changes_values_in_place_is_not_started_early(name: str) -> None:
    assert _early_starts(name) == 0


@pytest.mark.parametrize("name", ["research_loop", "strategy_as_json", "agent_with_tools"])
def test_a_fan_out_of_one_hop_gives_the_same_answer(name: str) -> None:
    assert _early_starts(name) == 0  # nothing of a later step is certain before the last packet has ended


def _merge(left: dict[str, str], right: dict[str, str]) -> dict[str, str]:
    return {**left, **right}


class Coarse(TypedDict):
    data: Annotated[dict[str, str], _merge]


_BRANCHES = {"a": 17, "b": 9}
_PREFIX = 18


def _coarse(*, declared: bool) -> StateGraph[Any, Any, Any, Any]:
    """Forty-five nodes: a chain of 18, branches of 17 and 9, a join; each reads what the one before it wrote."""
    graph = StateGraph(Coarse)

    def add(name: str, before: tuple[str, ...]) -> None:
        async def work(state: Coarse) -> dict[str, dict[str, str]]:
            seen = [state["data"][one] for one in before]
            await asyncio.sleep(0.2 if name.startswith("b") else 0.1)
            return {"data": {name: f"{name} after {len(seen)}"}}

        if declared:
            work = alto_lg.node(reads=[f"data.{one}" for one in before], writes=[f"data.{name}"])(work)
        graph.add_node(name, work)

    prefix = [f"p{place:02}" for place in range(_PREFIX)]
    branches = [[f"{letter}{place:02}" for place in range(length)] for letter, length in _BRANCHES.items()]
    add(prefix[0], ())
    graph.add_edge(START, prefix[0])
    for chain in (prefix, *([prefix[-1], *branch] for branch in branches)):
        for before, name in pairwise(chain):
            add(name, (before,))
            graph.add_edge(before, name)
    ends = [branch[-1] for branch in branches]
    add("join", tuple(ends))
    graph.add_edge(ends, "join")
    return graph


def test_long_branches_over_a_coarse_key_overlap_with_declared_parts_of_it() -> None:
    """Branches of 17 × 0.1 s and 9 × 0.2 s: 9 supersteps of 0.2 and 8 of 0.1 without, the longer one with."""
    assert len(_coarse(declared=True).nodes) == 45
    around_s = _PREFIX * 0.1 + 0.1
    _, plain_s, elapsed_s = _elapsed_s(_coarse(declared=True), {"data": {}})
    assert plain_s == pytest.approx(around_s + 9 * 0.2 + 8 * 0.1)
    assert elapsed_s == pytest.approx(around_s + 1.8)


def test_long_branches_over_a_coarse_key_wait_for_each_other_undeclared() -> None:
    _, plain_s, elapsed_s = _elapsed_s(_coarse(declared=False), {"data": {}})
    assert elapsed_s == pytest.approx(plain_s)
