"""What comes back is a graph of the same type, and the graph that went in is as it was."""

from __future__ import annotations

import asyncio
import copy
from typing import Any

import graphs
import pytest
from langchain_core.runnables import RunnableLambda
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.func import entrypoint, task
from langgraph.graph import START
from langgraph.graph.state import CompiledStateGraph
from langgraph.pregel import Pregel
from sim.loop import run

import alto_lg
from dropin.shapes.base import Log, add_all, connect, say
from dropin.watch import Implementation, plain_langgraph

SHAPE = graphs.shape("fast_and_slow")
CHAIN = RunnableLambda(lambda x: x) | RunnableLambda(lambda x: x)


def _graph(**settings: Any) -> Any:
    return SHAPE.build(asyncio.sleep).compile(name="some graph", **settings)


def test_a_compiled_graph_stays_one(impl: Implementation) -> None:
    app = impl(_graph())
    assert isinstance(app, CompiledStateGraph)
    assert type(app).__name__ == "CompiledStateGraph"
    assert app.name == "some graph"


def test_it_draws_and_describes_itself_as_before(impl: Implementation) -> None:
    graph = _graph()
    app = impl(graph)
    assert app.get_graph().to_json() == graph.get_graph().to_json()
    assert app.get_graph(xray=True).draw_mermaid() == graph.get_graph(xray=True).draw_mermaid()
    assert app.get_input_jsonschema() == graph.get_input_jsonschema()
    assert app.get_output_jsonschema() == graph.get_output_jsonschema()
    assert app.nodes.keys() == graph.nodes.keys()
    assert app.stream_mode == graph.stream_mode


def test_with_config_keeps_type_and_answer(impl: Implementation) -> None:
    app = impl(_graph()).with_config(tags=["mine"], recursion_limit=7)
    assert isinstance(app, CompiledStateGraph)
    assert app.config is not None
    assert app.config["recursion_limit"] == 7
    assert _words(app) == ["fast", "slow", "after_fast"]


def test_a_copy_works_and_is_another_object(impl: Implementation) -> None:
    app = impl(_graph())
    for other in (copy.copy(app), app.copy({"name": "renamed"})):
        assert other is not app
        assert isinstance(other, CompiledStateGraph)
        assert _words(other) == ["fast", "slow", "after_fast"]


def test_it_can_be_a_node_of_another_graph(impl: Implementation) -> None:
    outer = add_all(Log, {"before": say(asyncio.sleep, "before", 0.1)})
    outer.add_node("inner", impl(_graph()))
    connect(outer, (START, "before"), ("before", "inner"))
    assert _words(outer.compile()) == ["before", "before", "fast", "slow", "after_fast"]


def test_the_graph_that_went_in_is_unchanged(impl: Implementation) -> None:
    graph = _graph(checkpointer=InMemorySaver())
    before = dict(vars(graph))
    impl(graph)
    after = vars(graph)
    assert before.keys() == after.keys()
    assert all(after[key] is before[key] for key in before)
    assert run(lambda: graph.ainvoke({"log": []}, {"configurable": {"thread_id": "1"}})).elapsed_s == pytest.approx(1.4)


def test_twice_gives_the_same_object(impl: Implementation) -> None:
    app = impl(_graph())
    assert impl(app) is app


def test_it_keeps_saver_store_and_cache(impl: Implementation) -> None:
    saver = InMemorySaver()
    graph = _graph(checkpointer=saver)
    app = impl(graph)
    assert app.checkpointer is saver
    assert app.store is graph.store
    assert app.cache is graph.cache


def _functional() -> Any:
    @task
    async def double(number: int) -> int:
        await asyncio.sleep(0.1)
        return number * 2

    @entrypoint()
    async def total(numbers: list[int]) -> int:
        return sum(await asyncio.gather(*(double(number) for number in numbers)))

    return total


def test_an_entrypoint_gives_the_same_answer_in_the_same_time(impl: Implementation) -> None:
    app = impl(_functional())
    assert isinstance(app, Pregel)
    outcome = run(lambda: app.ainvoke([1, 2, 3]))
    assert outcome.result == 12
    assert outcome.elapsed_s == pytest.approx(0.1)


def test_a_builder_is_compiled_first() -> None:
    app = alto_lg.accelerate(SHAPE.build(asyncio.sleep))
    assert isinstance(app, CompiledStateGraph)
    assert _words(app) == ["fast", "slow", "after_fast"]


@pytest.mark.parametrize(
    ("thing", "name"),
    [(CHAIN, "RunnableSequence"), (print, "builtin_function_or_method"), (None, "NoneType"), ("graph", "str")],
    ids=["chain", "function", "none", "text"],
)
def test_anything_else_is_refused_with_what_to_pass(thing: Any, name: str) -> None:
    with pytest.raises(TypeError) as caught:
        alto_lg.accelerate(thing)
    said = str(caught.value)
    assert f"got a {name}" in said or f"got an {name}" in said
    assert "StateGraph" in said
    assert "compile()" in said
    assert "@entrypoint" in said


def test_the_bench_runs_langgraph_itself_beside_it() -> None:
    graph = _graph()
    assert plain_langgraph(graph, overlap="chains") is graph


def _words(app: Any) -> list[str]:
    words: list[str] = run(lambda: app.ainvoke({"log": []})).result["log"]
    return words
