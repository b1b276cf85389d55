"""What `alto_lg.repeatable` returns is what it was given, wherever it is used outside of an accelerated run."""

from __future__ import annotations

import asyncio
import copy
import inspect
import operator
import pickle
from typing import Annotated, Any

import pytest
from langchain_core.callbacks import CallbackManagerForToolRun
from langchain_core.runnables import RunnableConfig
from langchain_core.tools import BaseTool, StructuredTool, Tool, tool
from langchain_core.utils.function_calling import convert_to_openai_tool
from langgraph.graph import START, StateGraph
from typing_extensions import TypedDict

import alto_lg
from alto_lg.adapters.langgraph.acceleration import acceleration_of


class Multiply(BaseTool):
    """A tool with a class of its own."""

    name: str = "multiply"
    description: str = "Multiply."
    factor: int = 3

    def _run(self, x: int, run_manager: CallbackManagerForToolRun | None = None) -> int:
        assert run_manager is not None
        return self.factor * x


class MultiplyBoth(Multiply):
    async def _arun(self, x: int, config: RunnableConfig) -> int:  # type: ignore[override]
        assert "configurable" in config
        return self.factor * x + 1


def plain(x: int, note: str = "none") -> str:
    """Add a note.

    With two lines.
    """
    return f"{x} {note}"


async def coroutine(x: int, note: str = "none") -> str:
    """Add a note."""
    return f"{x} {note}"


def test_a_function_stays_a_function() -> None:
    made = alto_lg.repeatable(plain)
    assert made(1, note="two") == "1 two"
    assert (made.__name__, made.__doc__) == (plain.__name__, plain.__doc__)
    assert inspect.signature(made) == inspect.signature(plain)
    awaited = alto_lg.repeatable(coroutine)
    assert inspect.iscoroutinefunction(awaited)
    assert asyncio.run(awaited(1)) == "1 none"


@pytest.mark.parametrize("function", [plain, coroutine])
def test_a_tool_of_the_function_is_the_same_tool(function: Any) -> None:
    usual, made = tool(function), tool(alto_lg.repeatable(function))
    assert convert_to_openai_tool(made) == convert_to_openai_tool(usual)
    assert (made.name, made.description, made.args) == (usual.name, usual.description, usual.args)
    assert asyncio.run(made.ainvoke({"x": 1, "note": "n"})) == "1 n"


@pytest.mark.parametrize(
    "given",
    [
        tool(plain),
        tool(coroutine),
        StructuredTool.from_function(plain, coroutine, name="both"),
        Tool(name="single", func=str.upper, description="Shout."),
        Multiply(),
        MultiplyBoth(factor=5),
    ],
    ids=lambda given: given.name,
)
def test_a_tool_stays_the_tool_that_it_was(given: BaseTool) -> None:
    made = alto_lg.repeatable(given)
    assert isinstance(made, type(given))
    assert type(made).__name__ == type(given).__name__
    assert repr(made) == repr(given)
    assert made.args == given.args
    assert convert_to_openai_tool(made) == convert_to_openai_tool(given)
    for call in ({"x": 2}, {"tool_input": "abc"}):
        if not call.keys() & given.args.keys():
            continue
        assert asyncio.run(made.ainvoke(call)) == asyncio.run(given.ainvoke(call))
        if getattr(given, "func", True):
            assert made.invoke(call) == given.invoke(call)


def test_a_tool_shares_its_fields_with_the_one_given() -> None:
    given = Multiply()
    made = alto_lg.repeatable(given)
    given.factor = 10
    assert made.invoke({"x": 1}) == 10


@pytest.mark.parametrize("copied", [copy.copy, copy.deepcopy, lambda made: made.model_copy()])
def test_a_copy_is_repeatable_too(copied: Any) -> None:
    made = copied(alto_lg.repeatable(Multiply()))
    assert alto_lg.repeatable(made) is made
    assert made.invoke({"x": 2}) == 6


def test_a_pickled_tool_is_repeatable_when_it_is_back() -> None:
    made = pickle.loads(pickle.dumps(alto_lg.repeatable(Multiply(factor=4))))
    assert alto_lg.repeatable(made) is made
    assert made.invoke({"x": 2}) == 8


def test_declaring_twice_is_declaring_once() -> None:
    made = alto_lg.repeatable(tool(plain))
    assert alto_lg.repeatable(made) is made


def _generator() -> Any:
    yield 1


async def _async_generator() -> Any:
    yield 1


@pytest.mark.parametrize("given", [3, "search", Multiply, [plain], len, _generator, _async_generator])
def test_what_is_no_tool_is_refused(given: Any) -> None:
    with pytest.raises(TypeError, match="neither a function nor a tool"):
        alto_lg.repeatable(given)


class _State(TypedDict):
    items: list[int]
    log: Annotated[list[Any], operator.add]


def _appends(items: list[int]) -> int:
    items.append(1)
    return len(items)


def _counts(items: list[int]) -> int:
    return len(items)


@pytest.mark.parametrize(("function", "changed"), [(_appends, {"items"}), (_counts, set())])
def test_a_node_that_calls_the_function_is_known_as_well_as_before(function: Any, changed: set[str]) -> None:
    """The analysis looks at the user's function, declared or not."""
    found = []
    for called in (function, alto_lg.repeatable(function)):

        def node(state: _State, called: Any = called) -> dict[str, Any]:
            return {"log": [called(state["items"])]}

        builder = StateGraph(_State)
        builder.add_node("node", node)
        builder.add_edge(START, "node")
        acceleration = acceleration_of(alto_lg.accelerate(builder))
        assert acceleration is not None
        stage = acceleration.wired.plan.stages["node"]
        found.append((stage.mutates.keys, stage.reads.keys, stage.may_interrupt, stage.mutates_outside, stage.leaks))
    assert found[0] == found[1]
    assert found[0][0].within(frozenset({"items", "log"})) == changed
