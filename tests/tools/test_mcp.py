"""Tools of MCP servers: their own annotations say whether they may start early. The server is a real one, in memory."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from dropin.watch import Implementation, plain_langgraph
from watching.scripted import call, results, said

import alto_lg
from tools.agents import GO, by_hand, by_own_node, model, of_langchain

fastmcp = pytest.importorskip("mcp.server.fastmcp", reason="mcp is not installed")
memory = pytest.importorskip("mcp.shared.memory", reason="mcp is not installed")
adapters = pytest.importorskip("langchain_mcp_adapters.tools", reason="langchain-mcp-adapters is not installed")

WAIT_S = 0.05


def served(executed: list[int], **hints: Any) -> Any:
    from mcp.types import ToolAnnotations

    server = fastmcp.FastMCP("numbers")

    @server.tool(annotations=ToolAnnotations(**hints) if hints else None)
    async def work(n: int) -> str:
        """Work on a number."""
        executed.append(n)
        await asyncio.sleep(0)
        return f"worked on {n}"

    return server


SCRIPT = [*call("work", {"n": 0}, 0, seconds=0.0), *said("", WAIT_S), *call("work", {"n": 1}, 1, seconds=0.0)]


async def turn(impl: Implementation, agent: Any, executed: list[int], **hints: Any) -> tuple[Any, Any]:
    async with memory.create_connected_server_and_client_session(served(executed, **hints)) as session:
        tools = await adapters.load_mcp_tools(session)
        app = impl(agent(model(SCRIPT), tools))
        return app, await app.ainvoke(GO)


def texts(state: Any) -> list[Any]:
    return [(name, id, content[0]["text"]) for name, id, content in results(state["messages"])]


@pytest.mark.parametrize("agent", [by_hand, of_langchain])
@pytest.mark.parametrize("hints", [{"readOnlyHint": True}, {"idempotentHint": True}])
def test_a_tool_that_says_it_may_run_again_starts_early(impl: Implementation, agent: Any, hints: Any) -> None:
    executed: list[int] = []
    app, state = asyncio.run(turn(impl, agent, executed, **hints))
    assert texts(state) == [("work", f"call_{n}", f"worked on {n}") for n in range(2)]
    assert executed == [0, 1]
    if impl is not plain_langgraph:
        found = alto_lg.statistics(app)
        assert found is not None
        assert (found.early_tools, found.dropped_tools) == (2, 0)


@pytest.mark.parametrize("hints", [{}, {"readOnlyHint": False}, {"destructiveHint": False}, {"openWorldHint": True}])
def test_a_tool_that_does_not_say_so_waits(impl: Implementation, hints: Any) -> None:
    executed: list[int] = []
    app, state = asyncio.run(turn(impl, by_hand, executed, **hints))
    assert len(texts(state)) == 2
    assert executed == [0, 1]
    if impl is not plain_langgraph:
        found = alto_lg.statistics(app)
        assert found is not None and found.early_tools == 0
        (verdict,) = alto_lg.explain(app).tools
        assert verdict.why_not == "it is not declared repeatable (@alto_lg.repeatable)"


def test_in_a_node_of_ones_own_it_must_be_declared() -> None:
    executed: list[int] = []
    app, state = asyncio.run(turn(alto_lg.accelerate, by_own_node, executed, readOnlyHint=True))
    assert len(texts(state)) == 2
    (verdict,) = alto_lg.explain(app).tools
    assert verdict.why_not == "a node of your own runs it: declare it with alto_lg.repeatable(tool)"

    async def declared() -> Any:
        async with memory.create_connected_server_and_client_session(served(executed)) as session:
            tools = [alto_lg.repeatable(one) for one in await adapters.load_mcp_tools(session)]
            made = alto_lg.accelerate(by_own_node(model(SCRIPT), tools))
            await made.ainvoke(GO)
            return made

    found = alto_lg.statistics(asyncio.run(declared()))
    assert found is not None
    assert (found.early_tools, found.dropped_tools) == (2, 0)


def test_the_graph_that_was_given_is_not_changed() -> None:
    async def drive() -> None:
        executed: list[int] = []
        async with memory.create_connected_server_and_client_session(served(executed, readOnlyHint=True)) as session:
            tools = await adapters.load_mcp_tools(session)
            graph = by_hand(model(SCRIPT), tools)
            node = graph.nodes["tools"].bound
            app = alto_lg.accelerate(graph)
            assert graph.nodes["tools"].bound is node
            assert node.tools_by_name["work"] is tools[0]
            assert app.nodes["tools"].bound is not node
            assert app.nodes["tools"].bound.tools_by_name["work"] is tools[0], "middleware sees the tool that was given"
            assert isinstance(app.nodes["tools"].bound, type(node))

    asyncio.run(drive())
