"""A graph as a part of something larger: LangChain chains, tools, wrappers, and other graphs' nodes."""

from __future__ import annotations

from typing import Any

import pytest
from dropin.shapes.base import Builder, Log, add_all, connect
from langchain_core.runnables import RunnableLambda, RunnableParallel, RunnablePassthrough
from langgraph.graph import START

from surface.bench import UNEVEN_LOG, Bench, uneven
from surface.spans import Spans

parser = RunnableLambda(lambda state: ",".join(state["log"]))
opener = RunnableLambda(lambda word: {"log": [word]})


def _invoke(bench: Bench, runnable: Any, given: Any, config: Any = None) -> Any:
    return bench.call(runnable.ainvoke, runnable.invoke, given, config)


def test_a_graph_between_two_links_of_a_chain(bench: Bench) -> None:
    app = bench.app(uneven(bench))
    spans = Spans()
    chain = opener | app | parser
    assert _invoke(bench, chain, "given", {"callbacks": [spans]}) == "given,fast,slow,after,last"
    bench.assert_started_early(app)
    assert spans.path(spans.one("after")) == ("RunnableSequence", "LangGraph", "after")
    assert spans.mistakes == spans.open_spans() == []


def test_a_chain_streams_what_the_graph_streams(bench: Bench) -> None:
    app = bench.app(uneven(bench))
    app.stream_mode = "values"
    chain = opener | app
    states = list(bench.call(chain.astream, chain.stream, "given"))
    assert [len(state["log"]) for state in states] == [1, 3, 4, 5]
    bench.assert_started_early(app)


def test_a_graph_beside_another_in_a_parallel_chain(bench: Bench) -> None:
    app = bench.app(uneven(bench))
    both = RunnableParallel(graph=app, given=RunnablePassthrough())
    assert _invoke(bench, both, {"log": ["given"]}) == {
        "graph": {"log": ["given", *UNEVEN_LOG]},
        "given": {"log": ["given"]},
    }
    bench.assert_started_early(app)


@pytest.mark.filterwarnings("ignore:This API is in beta")
def test_a_graph_as_a_tool(bench: Bench) -> None:
    app = bench.app(uneven(bench))
    tool = app.as_tool(name="words", description="says words")
    assert tool.name == "words"
    assert "log" in tool.args
    assert _invoke(bench, tool, {"log": ["given"]}) == {"log": ["given", *UNEVEN_LOG]}
    bench.assert_started_early(app)


def test_pick_and_assign(bench: Bench) -> None:
    app = bench.app(uneven(bench))
    assert _invoke(bench, app.pick("log"), {"log": []}) == UNEVEN_LOG
    assert _invoke(bench, app.assign(text=parser), {"log": []}) == {"log": UNEVEN_LOG, "text": ",".join(UNEVEN_LOG)}
    bench.assert_started_early(app)


def test_map_runs_the_graph_for_each(bench: Bench) -> None:
    app = bench.app(uneven(bench))
    given = [{"log": [str(number)]} for number in range(3)]
    answers = _invoke(bench, app.map(), given)
    assert [answer["log"] for answer in answers] == [[str(number), *UNEVEN_LOG] for number in range(3)]
    bench.assert_started_early(app)


def _failing(bench: Bench, times: int) -> Builder:
    runs: list[int] = []

    def check(state: Log) -> dict[str, Any]:
        runs.append(1)
        if len(runs) <= times:
            raise ValueError(f"failed {len(runs)}")
        return {"log": [f"run {len(runs)}"]}

    nodes = {"fast": bench.say("fast"), "slow": bench.say("slow", 1.0), "check": check}
    return connect(add_all(Log, nodes), (START, "fast"), (START, "slow"), ("fast", "check"))


def test_a_retried_graph_runs_again_as_a_whole(bench: Bench) -> None:
    app = bench.app(_failing(bench, 2))
    patient = app.with_retry(wait_exponential_jitter=False, stop_after_attempt=3)
    assert _invoke(bench, patient, {"log": []}) == {"log": ["fast", "slow", "run 3"]}


def test_a_fallback_takes_over_with_the_same_input(bench: Bench) -> None:
    app = bench.app(_failing(bench, 9)).with_fallbacks([bench.app(uneven(bench))])
    assert _invoke(bench, app, {"log": ["given"]}) == {"log": ["given", *UNEVEN_LOG]}


def test_listeners_hear_the_start_and_the_end(bench: Bench) -> None:
    heard: list[tuple[str, Any]] = []
    app = bench.app(uneven(bench))
    listening = app.with_listeners(
        on_start=lambda run: heard.append(("start", run.inputs)), on_end=lambda run: heard.append(("end", run.outputs))
    )
    assert _invoke(bench, listening, {"log": []}) == {"log": UNEVEN_LOG}
    assert heard == [("start", {"log": []}), ("end", {"log": UNEVEN_LOG})]
    bench.assert_started_early(app)


def test_bound_arguments_reach_the_run(bench: Bench) -> None:
    app = bench.app(uneven(bench))
    updates = _invoke(bench, app.bind(stream_mode="updates"), {"log": []})
    assert updates[2:] == [{"after": {"log": ["after"]}}, {"last": {"log": ["last"]}}]
    bench.assert_started_early(app)


def test_a_graph_called_inside_a_node_of_a_graph_is_its_subgraph(bench: Bench) -> None:
    app = bench.app(uneven(bench))
    spans = Spans()

    async def call(state: Log) -> dict[str, Any]:
        return {"log": [",".join((await app.ainvoke({"log": []}))["log"])]}

    def call_in_sync(state: Log) -> dict[str, Any]:
        return {"log": [",".join(app.invoke({"log": []})["log"])]}

    node = call if bench.colour == "async" else call_in_sync
    outer = connect(add_all(Log, {"call": node}), (START, "call")).compile(name="outer")
    assert bench.invoke(outer, {"log": []}, {"callbacks": [spans]}) == {"log": [",".join(UNEVEN_LOG)]}
    bench.assert_started_early(app)
    assert spans.path(spans.one("after")) == ("outer", "call", "LangGraph", "after")


def test_a_chain_as_a_node(bench: Bench) -> None:
    """A node that is a LangChain sequence, in a later step beside a slow one."""
    chain = RunnableLambda(lambda state: len(state["log"])) | RunnableLambda(lambda size: {"log": [f"size {size}"]})
    nodes = {"fast": bench.say("fast"), "slow": bench.say("slow", 1.0), "chain": chain, "last": bench.say("last")}
    builder = connect(add_all(Log, nodes), (START, "fast"), (START, "slow"), ("fast", "chain"), ("chain", "last"))
    assert bench.invoke(bench.app(builder), {"log": []}) == {"log": ["fast", "slow", "size 2", "last"]}
