"""The pool under graphs: nodes are not changed, and what LangGraph commits first goes first."""

from __future__ import annotations

import asyncio
import operator
from typing import Annotated, Any

import httpx
import openai
import pytest
from dropin.watch import Implementation
from langchain_core.tools import tool
from langchain_openai import ChatOpenAI
from langgraph.graph import START, StateGraph
from langgraph.graph.state import CompiledStateGraph
from langgraph.types import Send
from typing_extensions import TypedDict

import alto_lg
from pool.pools import LONG, LOOKS_MAX, Serve, running_in

TEXT = LONG[0]["content"]


class State(TypedDict, total=False):
    name: str
    answers: Annotated[list[str], operator.add]


def _fan_out(client: openai.AsyncOpenAI, order: list[str]) -> CompiledStateGraph[State]:
    """Three packets that each call the model, and one call behind them."""

    async def ask(text: str) -> str:
        answer = await client.chat.completions.create(model="sim", messages=[{"role": "user", "content": text}])
        order.append(text)
        return answer.choices[0].message.content or ""

    async def work(packet: dict[str, Any]) -> dict[str, Any]:
        return {"answers": [await ask(f"{packet['name']} {packet['number']}")]}

    async def last(state: State) -> dict[str, Any]:
        return {"answers": [await ask(f"{state['name']} last")]}

    def each(state: State) -> list[Send]:
        return [Send("work", {"name": state["name"], "number": number}) for number in range(3)]

    graph = StateGraph(State)
    graph.add_node("begin", lambda state: {})
    graph.add_node("work", work)
    graph.add_node("last", last)
    graph.add_edge(START, "begin")
    graph.add_conditional_edges("begin", each, ["work"])
    graph.add_edge("work", "last")
    return graph.compile()


def test_the_earliest_request_goes_first_and_within_it_the_earliest_ancestry(serve: Serve) -> None:
    """One slot, held until everybody waits; then calls end in the order in which they were given it."""
    pool = alto_lg.Pool([serve()], max_concurrency=1)
    order: list[str] = []

    async def main() -> None:
        async with openai.AsyncOpenAI(base_url="http://unused/v1", api_key="any") as plain:
            client = pool.client(plain)
            app = alto_lg.accelerate(_fan_out(client, order))
            held = await client.chat.completions.create(
                model="sim", messages=LONG, stream=True, extra_headers={"x-sim-fault": "stall-middle=1e9"}
            )
            runs = []
            for number, name in enumerate(("first", "second")):
                runs.append(asyncio.ensure_future(app.ainvoke({"name": name})))
                await _until_waiting(pool, 3 * (number + 1))
            await held.close()
            await asyncio.gather(*runs)

    asyncio.run(main())
    waited = [text for text in order if not text.endswith("last")]  # those came later, at a time of their own
    assert waited == [f"{name} {number}" for name in ("first", "second") for number in range(3)]
    assert running_in(pool) == 0


async def _until_waiting(pool: alto_lg.Pool, calls: int) -> None:
    for _ in range(LOOKS_MAX):
        if pool.stats().waiting == calls:
            return
        await asyncio.sleep(0.001)
    raise AssertionError(pool.stats())


def test_lengths_are_learned_by_node(serve: Serve) -> None:
    pool = alto_lg.Pool([serve()])

    async def main() -> None:
        async with openai.AsyncOpenAI(base_url="http://unused/v1", api_key="any") as plain:
            await alto_lg.accelerate(_fan_out(pool.client(plain), [])).ainvoke({"name": "x"})

    asyncio.run(main())
    assert pool._scheduler.lengths.expected([("sim", "work")]) == 2


@pytest.mark.parametrize("is_async", [False, True])
def test_a_langchain_model_over_a_pool_is_a_model_like_before(
    impl: Implementation, serve: Serve, is_async: bool
) -> None:
    pool = alto_lg.Pool([serve(), serve()])
    # LangChain shares one HTTP client among all models of an address, which event loops after the first cannot use.
    plain = ChatOpenAI(base_url="http://unused/v1", api_key="any", model="sim", http_async_client=httpx.AsyncClient())
    model = pool.model(plain)
    assert type(model) is ChatOpenAI

    def node(state: State) -> dict[str, Any]:
        streamed = "".join(chunk.text for chunk in model.stream(state["name"]))
        return {"answers": [model.invoke(state["name"]).text, streamed]}

    async def async_node(state: State) -> dict[str, Any]:
        streamed = "".join([chunk.text async for chunk in model.astream(state["name"])])
        return {"answers": [(await model.ainvoke(state["name"])).text, streamed]}

    graph = StateGraph(State)
    graph.add_node("node", async_node if is_async else node)
    graph.add_edge(START, "node")
    app = impl(graph.compile())
    given: State = {"name": TEXT}
    result = asyncio.run(app.ainvoke(given)) if is_async else app.invoke(given)
    assert result["answers"] == [TEXT, TEXT]
    assert sum(one.ended for one in pool.stats().endpoints) == 2
    assert running_in(pool) == 0
    with pytest.raises(TypeError, match="already"):
        pool.model(model)
    with pytest.raises(openai.APIConnectionError):
        plain.invoke("still its own address")


def test_tools_are_bound_to_what_the_pool_returns(serve: Serve) -> None:
    @tool
    def look_up(name: str) -> str:
        """Look a name up."""
        return name

    pool = alto_lg.Pool([serve()])
    plain = ChatOpenAI(base_url="http://unused/v1", api_key="any", model="sim")
    assert pool.model(plain).bind_tools([look_up]).invoke(TEXT).text
    with pytest.raises(TypeError, match="bind_tools"):
        pool.model(plain.bind_tools([look_up]))
