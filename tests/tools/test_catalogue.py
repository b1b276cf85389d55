"""Which tools a graph is found to have, and what is said of each."""

from __future__ import annotations

import functools
from typing import Any

import pytest
from langchain_core.runnables import RunnableLambda
from langchain_core.tools import BaseTool, tool
from langgraph.graph import START, StateGraph
from langgraph.prebuilt import ToolNode

import alto_lg
from tools.agents import Log, Messages, by_hand, model, of_langchain, worker

NOT_DECLARED = "it is not declared repeatable (@alto_lg.repeatable)"


def named(name: str, *, declared: bool = True) -> BaseTool:
    def function(n: int) -> str:
        """Do something."""
        return str(n)

    return tool(name)(alto_lg.repeatable(function) if declared else function)


_GLOBAL = named("global_tool")
_IN_DICT = {"x": [named("in_dict")]}
_NODE = ToolNode([named("in_tool_node")])


def _helper(state: Any) -> Any:
    return _IN_DICT["x"][0].invoke({"n": 1})


def by_global(state: Messages) -> dict[str, Any]:
    return {"messages": [_GLOBAL.invoke({"n": 1})]}


def by_helper(state: Messages) -> dict[str, Any]:
    return {"messages": [_helper(state)]}


def by_tool_node(state: Messages) -> Any:
    return _NODE.invoke(state)


def by_closure() -> Any:
    own = named("in_closure")

    async def node(state: Messages) -> dict[str, Any]:
        return {"messages": [await own.ainvoke({"n": 1})]}

    return node


def with_argument(held: BaseTool, state: Messages) -> dict[str, Any]:
    return {"messages": [held.invoke({"n": 1})]}


class Agent:
    def __init__(self) -> None:
        self.tools = {"a": named("of_object")}

    def run(self, state: Messages) -> dict[str, Any]:
        return {"messages": [self.tools["a"].invoke({"n": 1})]}


def graph_of(node: Any) -> Any:
    builder = StateGraph(Messages)
    builder.add_node("node", node)
    builder.add_edge(START, "node")
    return builder.compile()


@pytest.mark.parametrize(
    ("node", "expected"),
    [
        (by_global, "global_tool"),
        (by_helper, "in_dict"),
        (by_tool_node, "in_tool_node"),
        (by_closure(), "in_closure"),
        (functools.partial(with_argument, named("in_partial")), "in_partial"),
        (Agent().run, "of_object"),
        (RunnableLambda(by_global) | RunnableLambda(lambda update: update), "global_tool"),
        (ToolNode([named("held")]), "held"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_tools_are_found_where_nodes_reach_them(node: Any, expected: str) -> None:
    (verdict,) = alto_lg.explain(alto_lg.accelerate(graph_of(node))).tools
    assert verdict == alto_lg.ToolVerdict(expected, ("node",), None)


def test_what_no_node_reaches_is_not_found() -> None:
    explanation = alto_lg.explain(alto_lg.accelerate(graph_of(lambda state: {"messages": []})))
    assert explanation.tools == ()
    assert "tool" not in str(explanation)


def test_each_tool_has_its_verdict_and_it_is_printed() -> None:
    tools = [named("search"), named("send_mail", declared=False)]
    explanation = alto_lg.explain(alto_lg.accelerate(by_hand(model(), tools)))
    assert [(one.name, one.why_not) for one in explanation.tools] == [("search", None), ("send_mail", NOT_DECLARED)]
    assert "search     yes" in str(explanation)
    assert f"send_mail  no: {NOT_DECLARED}" in str(explanation)


def test_a_tool_that_people_approve_says_so() -> None:
    middleware = pytest.importorskip("langchain.agents.middleware", reason="langchain is not installed")
    asked = middleware.HumanInTheLoopMiddleware(interrupt_on={"work": True})
    app = alto_lg.accelerate(of_langchain(model(), [worker(Log()), named("free")], middleware=[asked]))
    found = {one.name: one.why_not for one in alto_lg.explain(app).tools}
    assert found["free"] is None
    assert found["work"] is not None and found["work"].startswith("a person is asked before it runs")


def test_annotations_that_cannot_be_read_keep_a_tool_in_its_step() -> None:
    made = named("odd")
    made.func.__wrapped__.__annotations__["n"] = "Missing"  # type: ignore[union-attr, attr-defined]
    made.func.__annotations__["n"] = "Missing"  # type: ignore[union-attr]
    node = ToolNode([named("odd")])
    node._tools_by_name["odd"] = made
    (verdict,) = alto_lg.explain(alto_lg.accelerate(graph_of(node))).tools
    assert verdict is not None and verdict.why_not is not None
    assert verdict.why_not.startswith("its annotations cannot be read (NameError")
