"""The pool under graphs: nodes are not changed, and what LangGraph commits first goes first."""

from __future__ import annotations

import asyncio
import operator
from collections.abc import Iterator
from contextlib import contextmanager
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


@contextmanager
def _chat_model() -> Iterator[ChatOpenAI]:
    """With an HTTP client of its own: LangChain's default one is shared by all models of an address, and stays open."""
    with httpx.Client() as http:
        yield ChatOpenAI(base_url="http://unused/v1", api_key="any", model="sim", http_client=http)


def test_a_langchain_model_over_a_pool_is_a_model_like_before(impl: Implementation, serve: Serve) -> None:
    pool = alto_lg.Pool([serve(), serve()])
    with _chat_model() as plain:
        model = pool.model(plain)
        assert type(model) is ChatOpenAI

        def node(state: State) -> dict[str, Any]:
            streamed = "".join(chunk.text for chunk in model.stream(state["name"]))
            return {"answers": [model.invoke(state["name"]).text, streamed]}

        graph = StateGraph(State)
        graph.add_node("node", node)
        graph.add_edge(START, "node")
        assert impl(graph.compile()).invoke({"name": TEXT})["answers"] == [TEXT, TEXT]
        assert sum(one.ended for one in pool.stats().endpoints) == 2
        with pytest.raises(TypeError, match="already"):
            pool.model(model)
        with pytest.raises(openai.APIConnectionError):
            plain.invoke("still its own address")


def test_an_async_langchain_model_as_well(impl: Implementation, serve: Serve) -> None:
    pool = alto_lg.Pool([serve(), serve()])

    async def main() -> list[str]:
        async with httpx.AsyncClient() as http:
            plain = ChatOpenAI(base_url="http://unused/v1", api_key="any", model="sim", http_async_client=http)
            model = pool.model(plain)

            async def node(state: State) -> dict[str, Any]:
                streamed = "".join([chunk.text async for chunk in model.astream(state["name"])])
                return {"answers": [(await model.ainvoke(state["name"])).text, streamed]}

            graph = StateGraph(State)
            graph.add_node("node", node)
            graph.add_edge(START, "node")
            answers: list[str] = (await impl(graph.compile()).ainvoke({"name": TEXT}))["answers"]
            return answers

    assert asyncio.run(main()) == [TEXT, TEXT]
    assert sum(one.ended for one in pool.stats().endpoints) == 2
    assert running_in(pool) == 0


def test_tools_are_bound_to_what_the_pool_returns(serve: Serve) -> None:
    @tool
    def look_up(name: str) -> str:
        """Look a name up."""
        return name

    pool = alto_lg.Pool([serve()])
    with _chat_model() as plain:
        assert pool.model(plain).bind_tools([look_up]).invoke(TEXT).text
        with pytest.raises(TypeError, match="bind_tools"):
            pool.model(plain.bind_tools([look_up]))
