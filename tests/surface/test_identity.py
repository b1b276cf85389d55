"""What one can ask of the object itself: its class, its methods, its copies, its pictures."""

from __future__ import annotations

import copy
import gc
import inspect
import pickle
import weakref
from typing import Any

import pytest
from langchain_core.load import dumpd
from langchain_core.runnables import Runnable
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.func import entrypoint
from langgraph.graph.state import CompiledStateGraph
from langgraph.pregel import Pregel
from langgraph.pregel.protocol import PregelProtocol

from surface.bench import UNEVEN_LOG, Bench, uneven
from surface.talkative import talkative

METHODS = (
    "invoke",
    "ainvoke",
    "stream",
    "astream",
    "stream_events",
    "astream_events",
    "batch",
    "abatch",
    "get_state",
    "aget_state",
    "get_state_history",
    "update_state",
    "with_config",
    "copy",
    "get_graph",
)


@pytest.fixture
def app(bench: Bench) -> Any:
    return bench.app(uneven(bench), name="uneven graph")


@pytest.fixture
def plain(plain_bench: Bench) -> Any:
    return plain_bench.app(uneven(plain_bench), name="uneven graph")


@pytest.mark.parametrize("kind", [CompiledStateGraph, Pregel, PregelProtocol, Runnable])
def test_it_is_an_instance_of_what_a_graph_is(app: Any, kind: type) -> None:
    assert isinstance(app, kind)
    assert issubclass(type(app), kind)


def test_its_class_has_the_name_and_the_place_of_langgraphs(app: Any) -> None:
    assert type(app).__name__ == CompiledStateGraph.__name__
    assert type(app).__qualname__ == CompiledStateGraph.__qualname__
    assert type(app).__module__ == CompiledStateGraph.__module__
    assert type(app).__doc__ == CompiledStateGraph.__doc__


def test_all_graphs_of_a_kind_have_one_class(bench: Bench, app: Any) -> None:
    assert type(bench.app(talkative(bench))) is type(app)


def test_an_entrypoint_stays_what_it_is(bench: Bench) -> None:
    @entrypoint()
    def main(given: str) -> str:
        return given

    app = bench.implementation(main)
    assert isinstance(app, Pregel)
    assert type(app).__name__ == "Pregel"
    assert app.get_name() == main.get_name()


@pytest.mark.parametrize("method", METHODS)
def test_its_methods_look_like_langgraphs(app: Any, plain: Any, method: str) -> None:
    mine, theirs = getattr(app, method), getattr(plain, method)
    assert inspect.signature(mine) == inspect.signature(theirs)
    for looks in (inspect.isasyncgenfunction, inspect.iscoroutinefunction, inspect.isgeneratorfunction):
        assert looks(mine) == looks(theirs), looks.__name__
    assert mine.__name__ == theirs.__name__
    assert mine.__doc__ == theirs.__doc__


def test_it_is_written_as_langgraph_writes_it(app: Any, plain: Any) -> None:
    def without_address(text: str) -> str:
        return text.split(" at 0x")[0]

    assert without_address(repr(app)) == without_address(repr(plain))
    assert without_address(str(app)) == without_address(str(plain))


def test_it_has_the_attributes_of_langgraphs_and_no_other_public_one(app: Any, plain: Any) -> None:
    def public(thing: Any) -> set[str]:
        return {name for name in dir(thing) if not name.startswith("_")}

    assert public(app) == public(plain)
    assert {name for name in vars(app) if not name.startswith("_")} == {
        name for name in vars(plain) if not name.startswith("_")
    }


def test_equality_and_hash_are_by_identity(bench: Bench, app: Any) -> None:
    other = bench.app(uneven(bench), name="uneven graph")
    assert app == app
    assert app != other
    assert len({app, other, app}) == 2


def test_it_can_be_referred_to_weakly_and_goes_when_it_is_not_needed(bench: Bench) -> None:
    app = bench.app(uneven(bench))
    assert bench.invoke(app, {"log": []})["log"] == UNEVEN_LOG
    reference = weakref.ref(app)
    del app
    gc.collect()
    assert reference() is None


def _ways_to_copy() -> dict[str, Any]:
    return {
        "copy": copy.copy,
        "method": lambda app: app.copy(),
        "update": lambda app: app.copy({"name": "another name"}),
        "config": lambda app: app.with_config(tags=["mine"]),
        "twice": lambda app: copy.copy(app.with_config(tags=["mine"])),
    }


@pytest.mark.parametrize("way", _ways_to_copy())
def test_a_copy_runs_as_the_original_does(bench: Bench, app: Any, way: str) -> None:
    other = _ways_to_copy()[way](app)
    assert other is not app
    assert type(other) is type(app)
    assert bench.invoke(other, {"log": []})["log"] == UNEVEN_LOG
    bench.assert_started_early(other)
    assert bench.invoke(app, {"log": []})["log"] == UNEVEN_LOG
    bench.assert_started_early(app)


def _outcome(work: Any) -> Any:
    """The type of what comes of it, or of the error: a deep copy may not be possible at all."""
    try:
        return type(work()).__name__
    except Exception as raised:
        return type(raised).__name__


def test_a_deep_copy_is_possible_where_it_is_of_langgraphs(app: Any, plain: Any) -> None:
    assert _outcome(lambda: copy.deepcopy(app)) == _outcome(lambda: copy.deepcopy(plain))


def test_pickling_is_possible_where_it_is_of_langgraphs(app: Any, plain: Any) -> None:
    assert _outcome(lambda: pickle.dumps(app)) == _outcome(lambda: pickle.dumps(plain))


def test_it_is_serialised_as_langchain_serialises_a_graph(app: Any, plain: Any) -> None:
    def described(thing: Any) -> Any:
        found = dumpd(thing)
        found.pop("repr", None)
        return found

    assert described(app) == described(plain)


@pytest.mark.parametrize("xray", [False, True, 1])
def test_it_is_drawn_as_langgraph_draws_it(bench: Bench, plain_bench: Bench, xray: Any) -> None:
    mine, theirs = (side.app(talkative(side)).get_graph(xray=xray) for side in (bench, plain_bench))
    assert mine.to_json() == theirs.to_json()
    assert mine.draw_mermaid() == theirs.draw_mermaid()
    assert {name: type(node.data).__name__ for name, node in mine.nodes.items()} == {
        name: type(node.data).__name__ for name, node in theirs.nodes.items()
    }


def test_it_is_drawn_without_waiting_too(bench: Bench) -> None:
    app = bench.app(talkative(bench))
    drawn = bench.call(app.aget_graph, app.get_graph)
    assert drawn.draw_mermaid() == app.get_graph().draw_mermaid()


def test_its_subgraphs_are_found_by_name(bench: Bench, plain_bench: Bench) -> None:
    for recurse in (False, True):
        mine, theirs = (
            [(name, type(graph).__name__) for name, graph in side.app(talkative(side)).get_subgraphs(recurse=recurse)]
            for side in (bench, plain_bench)
        )
        assert mine == theirs == [("inner", "CompiledStateGraph")]


def test_what_it_was_compiled_with_is_still_there(bench: Bench) -> None:
    saver = InMemorySaver()
    compiled = uneven(bench).compile(checkpointer=saver, name="mine", interrupt_before=["after"], debug=False)
    app = bench.implementation(compiled)
    assert app.checkpointer is saver
    assert app.interrupt_before_nodes == compiled.interrupt_before_nodes
    assert app.builder is compiled.builder
    assert app.channels.keys() == compiled.channels.keys()
    assert list(app.nodes) == list(compiled.nodes)
    assert app.input_channels == compiled.input_channels
    assert app.stream_channels == compiled.stream_channels
    assert app.get_name() == "mine"
    assert app.config_specs == compiled.config_specs
    assert app.validate() is app
