"""Each task that is made from a template, beside the one that LangGraph makes for it, field by field."""

from __future__ import annotations

import dataclasses
from collections import deque
from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any

import graphs
import pytest
from dropin.shapes.base import Shape
from dropin.watch import Implementation, Tempo, invoke, watch
from langchain_core.callbacks import BaseCallbackManager
from langchain_core.runnables import RunnableConfig, RunnableLambda
from langgraph.graph import START, StateGraph
from langgraph.runtime import ExecutionInfo, Runtime
from langgraph.types import Send
from typing_extensions import TypedDict

import alto_lg
from alto_lg.adapters.langgraph.internals import PregelExecutableTask, PregelScratchpad, PregelTaskWrites
from alto_lg.adapters.langgraph.templates import Template


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[tuple[Any, Any]]]:
    """All tasks that are made, in pairs: ours, and LangGraph's."""
    pairs: list[tuple[Any, Any]] = []
    originals: dict[str, Any] = {"push": Template.push, "pull": Template.pull}

    def compare(kind: str, template: Any, *arguments: Any) -> Any:
        ours = originals[kind](template, *arguments)
        path = ("__pregel_push", arguments[0]) if kind == "push" else ("__pregel_pull", arguments[0])
        theirs = template._by_langgraph(path)
        pairs.append((_plain(ours), _plain(theirs)))  # a run may catch what is raised here
        return ours

    for kind in originals:
        monkeypatch.setattr(Template, kind, lambda self, *arguments, kind=kind: compare(kind, self, *arguments))
    yield pairs


def _plain(value: Any) -> Any:
    """What can be seen of a task, or of something in it."""
    match value:
        case PregelExecutableTask():
            shown = {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
            return {name: id(one) if name == "proc" else _plain(one) for name, one in shown.items()}
        case Runtime() | ExecutionInfo():
            return {field.name: _plain(getattr(value, field.name)) for field in dataclasses.fields(value)}
        case PregelScratchpad():
            return (value.step, value.stop, value.resume, value.get_null_resume(False), value.call_counter())
        case partial():
            return ([_plain(one) for one in value.args if isinstance(one, PregelTaskWrites)],)
        case PregelTaskWrites():
            return (value.path, value.name, list(value.writes), value.triggers)
        case BaseCallbackManager():
            shown = _plain({**vars(value), "tags": None})  # of a manager that nobody hears, the step's tag is not set
            return (type(value), shown if value.handlers else {**shown, "metadata": None})
        case deque() | list():
            return list(value)
        case Mapping():
            return {key: _plain(one) for key, one in value.items() if key != "__pregel_send"}
    return value


@pytest.mark.parametrize("shape", graphs.SHAPES, ids=str)
def test_the_tasks_of_a_shape_are_langgraphs(shape: Shape, made: list[tuple[Any, Any]]) -> None:
    watch(shape, alto_lg.accelerate, Tempo())
    invoke(shape, alto_lg.accelerate, Tempo())
    assert made
    for ours, theirs in made:
        assert ours["config"]["configurable"] == theirs["config"]["configurable"]
        assert ours["config"] == theirs["config"]
        assert ours == theirs


class State(TypedDict, total=False):
    value: int


def test_configs_of_all_kinds_reach_the_tasks(made: list[tuple[Any, Any]], impl: Implementation) -> None:
    seen: list[Any] = []

    def look(state: State, config: RunnableConfig) -> State:
        entries = {key: one for key, one in config["configurable"].items() if not key.startswith("__")}
        metadata = {key: one for key, one in config["metadata"].items() if "checkpoint_ns" not in key}
        seen.append((metadata, sorted(config.get("tags") or ()), entries["mine"], config.get("max_concurrency")))
        config["metadata"]["nested"]["changed"] = True
        return {}

    builder: Any = StateGraph(State)
    builder.add_node("first", look, metadata={"of": "node"})
    builder.add_node("tagged", RunnableLambda(look).with_config(tags=["own"]))
    builder.add_node("sent", look)
    builder.add_edge(START, "first")
    builder.add_edge("first", "tagged")
    builder.add_conditional_edges(
        "tagged", lambda _: [Send("sent", {"value": 1}), Send("sent", {"value": 2})], ["sent"]
    )
    config: Any = {
        "metadata": {"nested": {"a": 1}, "flat": 2},
        "tags": ["run"],
        "configurable": {"mine": 3},
        "max_concurrency": 1,
        "run_name": "named",
    }
    graph = impl(builder.compile())
    graph.invoke({"value": 0}, config)
    mine = list(seen)
    seen.clear()
    builder.compile().invoke({"value": 0}, {**config, "metadata": {"nested": {"a": 1}, "flat": 2}})
    assert mine == seen
    for ours, theirs in made:
        assert ours["config"]["configurable"] == theirs["config"]["configurable"]
        assert ours["config"] == theirs["config"]
        assert ours == theirs


def test_a_node_that_has_run_can_be_copied(impl: Implementation) -> None:
    builder: Any = StateGraph(dict)
    builder.add_node("one", lambda state: state, metadata={"of": "one"})
    builder.add_edge(START, "one")
    app = impl(builder.compile())
    app.invoke({})
    node = app.nodes["one"]
    copied = node.copy({"tags": ["copied"]})
    assert (copied.tags, copied.metadata, copied.triggers) == (["copied"], node.metadata, node.triggers)
    app.invoke({})
