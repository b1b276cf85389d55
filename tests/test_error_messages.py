"""Error messages: each says what, where, and the next move, in exactly these words."""

from __future__ import annotations

import asyncio
import copy
import importlib.metadata
import operator
import pickle
from typing import Annotated, Any

import pytest
from langchain_core.runnables import RunnableLambda
from langgraph.channels import LastValue
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.func import entrypoint
from langgraph.graph import START, StateGraph
from langgraph.pregel import NodeBuilder, Pregel
from langgraph.pregel.remote import RemoteGraph
from langgraph.types import Command
from typing_extensions import TypedDict

import alto_lg
from alto_lg.adapters.langgraph.internals import SUPPORTED
from alto_lg.errors import MissingCheckpointer, Mistake, UndeclaredRead, UndeclaredWrite


class State(TypedDict):
    question: str
    answer: str
    log: Annotated[list[str], operator.add]


def _builder(function: Any = lambda state: {"answer": "42"}, name: str = "think") -> Any:
    builder: Any = StateGraph(State)
    builder.add_node(name, function)
    builder.add_edge(START, name)
    return builder


def _by_hand() -> Any:
    """A graph that was put together of channels and nodes, without a builder; it has two nodes."""
    one = NodeBuilder().subscribe_only("a").do(lambda x: x).write_to("b")
    two = NodeBuilder().subscribe_only("b").do(lambda x: x).write_to("c")
    channels: dict[str, Any] = {"a": LastValue(int), "b": LastValue(int), "c": LastValue(int)}
    return Pregel(nodes={"one": one, "two": two}, channels=channels, input_channels="a", output_channels="c")


INPUT = {"question": "why", "log": []}


def _message(kind: type[BaseException], call: Any) -> str:
    with pytest.raises(kind) as caught:
        call()
    assert type(caught.value) is kind
    return str(caught.value)


# ── accelerate ──────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("graph", "name"),
    [(None, "NoneType"), ("graph", "str"), (_builder, "function"), (StateGraph, "type"), ({"a": 1}, "dict")],
)
def test_accelerate_says_what_it_got_and_what_to_pass(graph: object, name: str) -> None:
    assert _message(TypeError, lambda: alto_lg.accelerate(graph)) == (
        f"alto_lg.accelerate() got a {name}. Pass a StateGraph, a graph from StateGraph.compile(), or a function "
        "decorated with @entrypoint."
    )


def test_accelerate_says_which_arguments_a_compiled_graph_does_not_take() -> None:
    graph = _builder().compile()
    assert _message(TypeError, lambda: alto_lg.accelerate(graph, checkpointer=None, debug=True)) == (
        "accelerate() got checkpointer, debug, which only a StateGraph takes: this graph is compiled already."
    )


@pytest.mark.parametrize(
    ("option", "message"),
    [
        ({"overlap": "all"}, "overlap must be 'branches' or 'chains', got 'all'"),
        ({"overlap": None}, "overlap must be 'branches' or 'chains', got None"),
        ({"events": "now"}, "events must be 'steps' or 'eager', got 'now'"),
        ({"max_steps_ahead": -1}, "max_steps_ahead must be 0 or more, got -1"),
        ({"blocking_s": -0.5}, "blocking_s must be 0 or more, got -0.5"),
        (
            {"hints": {"thinks": alto_lg.Hint(reads=())}},
            "hints names node 'thinks', which the graph does not have (nodes: think)",
        ),
        (
            {"hints": {"think": alto_lg.Hint(reads=("qestion",))}},
            "Node 'think' declares reads of 'qestion', which is not in the state (keys: answer, log, question)",
        ),
        (
            {"hints": {"think": alto_lg.Hint(writes=("data.result",))}},
            "Node 'think' declares writes of 'data.result', which is not in the state (keys: answer, log, question)",
        ),
    ],
)
def test_an_option_that_cannot_be_names_what_it_can_be(option: dict[str, Any], message: str) -> None:
    assert _message(ValueError, lambda: alto_lg.accelerate(_builder(), **option)) == message


def test_a_hint_of_another_type_is_refused() -> None:
    assert _message(TypeError, lambda: alto_lg.accelerate(_builder(), hints={"think": {"reads": ()}})) == (
        "hints['think'] must be an alto_lg.Hint, got dict"
    )


def test_a_decorated_function_with_an_unknown_key_is_refused_as_well() -> None:
    @alto_lg.node(reads=["qestion"])
    def think(state: State) -> dict[str, Any]:
        return {}

    assert _message(ValueError, lambda: alto_lg.accelerate(_builder(think))) == (
        "Node 'think' declares reads of 'qestion', which is not in the state (keys: answer, log, question)"
    )


@pytest.mark.parametrize("graph", [RunnableLambda(str) | str, RemoteGraph("g", url="http://127.0.0.1:1"), _by_hand()])
def test_a_runnable_that_is_no_graph_of_this_process_is_refused(graph: Any) -> None:
    assert _message(TypeError, lambda: alto_lg.accelerate(graph)) == (
        f"alto_lg.accelerate() got a {type(graph).__name__}. Pass a StateGraph, a graph from StateGraph.compile(), or "
        "a function decorated with @entrypoint."
    )


def test_a_builder_is_compiled_with_what_compile_takes() -> None:
    with pytest.raises(AttributeError):
        _builder().invoke(INPUT)  # LangGraph's own
    saver = InMemorySaver()
    app = alto_lg.accelerate(_builder(), checkpointer=saver, name="mine")
    assert (app.checkpointer, app.name) == (saver, "mine")
    assert app.invoke(INPUT, {"configurable": {"thread_id": "1"}})["answer"] == "42"


# ── accelerated twice, and with an unknown LangGraph ────────────────────────────────────────────────────────────


def test_a_graph_that_is_accelerated_already_is_returned() -> None:
    app = alto_lg.accelerate(_builder(), strict=True, overlap="chains")
    assert alto_lg.accelerate(app) is app
    assert alto_lg.accelerate(app, strict=True) is app


def test_options_that_come_too_late_are_named() -> None:
    app = alto_lg.accelerate(_builder(), overlap="chains")
    with pytest.warns(alto_lg.AltoWarning) as said:
        assert alto_lg.accelerate(app, strict=True, blocking_s=2, overlap="chains") is app
    assert [str(one.message) for one in said] == [
        "accelerate() got a graph that is accelerated already, so strict=True, blocking_s=2 has no effect. Accelerate "
        "it once, with all options."
    ]


@pytest.mark.parametrize("version", ["1.2.10", "1.3.0", "1.4.0rc1", "2.0"])
def test_an_unknown_version_of_langgraph_runs_its_graphs_itself(version: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.metadata, "version", lambda name: version)
    graph = _builder().compile()
    with pytest.warns(alto_lg.AltoWarning) as said:
        assert alto_lg.accelerate(graph) is graph
    assert [str(one.message) for one in said] == [
        f"alto_lg is checked against LangGraph {SUPPORTED}; {version} is installed, so graphs run unaccelerated. "
        "alto_lg.accelerate(graph, allow_unchecked=True) tries anyway."
    ]


def test_an_unknown_version_can_be_tried_anyway(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.metadata, "version", lambda name: "1.4.0")
    app = alto_lg.accelerate(_builder().compile(), allow_unchecked=True)
    assert app.invoke(INPUT)["answer"] == "42"
    assert alto_lg.statistics(app) is not None


# ── hints ───────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("argument", ["reads", "writes"])
def test_a_single_string_is_refused_where_names_are_meant(argument: str) -> None:
    options: dict[str, Any] = {argument: "question"}
    assert _message(TypeError, lambda: alto_lg.node(**options)) == (
        f"{argument}='question' is a single string; write {argument}=['question']"
    )


def test_a_node_cannot_be_a_barrier_and_pure() -> None:
    expected = "a node cannot be both barrier=True (its effects are ordered) and pure=True (it has none)"
    assert _message(ValueError, lambda: alto_lg.node(barrier=True, pure=True)) == expected
    assert _message(ValueError, lambda: alto_lg.Hint(barrier=True, pure=True)) == expected


# ── other functions ─────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("function", ["explain", "statistics"])
def test_a_graph_that_was_not_accelerated_is_refused_by_name(function: str) -> None:
    graph = _builder().compile()
    assert _message(TypeError, lambda: getattr(alto_lg, function)(graph)) == (
        f"alto_lg.{function}() got a CompiledStateGraph that did not come from alto_lg.accelerate()."
    )


def test_explaining_an_unknown_node_names_it() -> None:
    explanation = alto_lg.explain(alto_lg.accelerate(_builder()))
    with pytest.raises(KeyError, match="nobody"):
        explanation["nobody"]


# ── at run time ─────────────────────────────────────────────────────────────────────────────────────────────────

UNDECLARED_WRITE = (
    "Node 'think' wrote key 'answer', but declares writes=['log']. Add 'answer' to its declaration, or leave writes "
    "out to have it analysed."
)
UNDECLARED_READ = (
    "Node 'think' read key 'question', but declares reads=['log']. Add 'question' to its declaration, or leave reads "
    "out to have it analysed."
)


def _answer(state: State) -> dict[str, Any]:
    return {"answer": "42"}


def _command(state: State) -> Command[Any]:
    return Command(update={"answer": "42"})


def _several(state: State) -> list[Any]:
    return [{"log": ["first"]}, Command(update={"answer": "42"})]


def _subscript(state: State) -> dict[str, Any]:
    return {"log": [state["question"]]}


def _get(state: State) -> dict[str, Any]:
    return {"log": [state.get("question")]}


def _run(app: Any, asynchronous: bool) -> Any:
    return asyncio.run(app.ainvoke(INPUT)) if asynchronous else app.invoke(INPUT)


both_colours = pytest.mark.parametrize("asynchronous", [True, False], ids=["ainvoke", "invoke"])


@both_colours
@pytest.mark.parametrize("function", [_answer, _command, _several])
def test_an_undeclared_write_names_node_and_key(function: Any, asynchronous: bool) -> None:
    app = alto_lg.accelerate(_builder(function), hints={"think": alto_lg.Hint(writes=("log",))})
    with pytest.raises(UndeclaredWrite) as caught:
        _run(app, asynchronous)
    assert str(caught.value) == UNDECLARED_WRITE
    assert (caught.value.node, caught.value.key, caught.value.declared) == ("think", "answer", ("log",))


@both_colours
@pytest.mark.parametrize("function", [_subscript, _get])
def test_an_undeclared_read_names_node_and_key(function: Any, asynchronous: bool) -> None:
    app = alto_lg.accelerate(_builder(function), hints={"think": alto_lg.Hint(reads=("log",))})
    with pytest.raises(UndeclaredRead) as caught:
        _run(app, asynchronous)
    assert str(caught.value) == UNDECLARED_READ
    assert (caught.value.node, caught.value.key, caught.value.declared) == ("think", "question", ("log",))
    assert isinstance(caught.value, KeyError)


@both_colours
def test_declarations_that_hold_change_nothing(asynchronous: bool) -> None:
    hint = alto_lg.Hint(reads=("question",), writes=("log",))
    app = alto_lg.accelerate(_builder(_subscript), hints={"think": hint})
    assert _run(app, asynchronous) == _run(_builder(_subscript).compile(), asynchronous)


def test_the_error_of_a_node_passes_through_untouched() -> None:
    error = ValueError("mine")

    def fail(state: State) -> dict[str, Any]:
        raise error

    app = alto_lg.accelerate(_builder(fail))
    with pytest.raises(ValueError) as caught:
        asyncio.run(app.ainvoke(INPUT))
    assert caught.value is error


def test_an_error_of_ours_is_an_alto_error() -> None:
    assert issubclass(UndeclaredRead, alto_lg.AltoError)
    assert issubclass(UndeclaredWrite, alto_lg.AltoError)
    assert issubclass(alto_lg.AltoWarning, UserWarning)
    assert issubclass(Mistake, alto_lg.AltoError)
    assert issubclass(Mistake, ValueError)
    assert issubclass(MissingCheckpointer, alto_lg.AltoError)
    assert issubclass(MissingCheckpointer, AttributeError)


def test_an_entrypoint_is_accepted() -> None:
    @entrypoint()
    def work(text: str) -> str:
        return text + "!"

    assert alto_lg.accelerate(work).invoke("hey") == "hey!"


@pytest.mark.parametrize(
    "error",
    [
        alto_lg.UndeclaredWrite("a", "x", ("y",)),
        alto_lg.UndeclaredRead("a", "x", ("y",)),
        alto_lg.MissingCheckpointer(),
        alto_lg.Mistake("what happened"),
        alto_lg.AltoError("what happened"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_an_error_can_be_copied_and_sent(error: alto_lg.AltoError) -> None:
    error.add_note("where")
    for made in (copy.copy(error), copy.deepcopy(error), pickle.loads(pickle.dumps(error))):
        assert type(made) is type(error)
        assert (str(made), made.args, vars(made)) == (str(error), error.args, vars(error))
