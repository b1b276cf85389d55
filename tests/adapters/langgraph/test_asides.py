"""Writers that are run aside: LangGraph's routing, with no callbacks, and no hop to a thread where none is needed."""

from __future__ import annotations

import asyncio
import contextvars
import operator
import threading
from collections.abc import AsyncIterator, Callable
from typing import Annotated, Any

import pytest
from langchain_core.runnables import RunnableConfig, RunnableLambda
from langgraph.graph import START, StateGraph
from langgraph.types import Send
from typing_extensions import TypedDict

import alto_lg
from alto_lg.adapters.langgraph.asides import _QuietPath

ITEMS = 4


class State(TypedDict, total=False):
    items: Annotated[list[int], operator.add]
    done: Annotated[list[int], operator.add]
    other: list[int]


@alto_lg.streaming
async def emit(state: State) -> AsyncIterator[dict[str, Any]]:
    for item in range(ITEMS):
        yield {"items": [item]}
        await asyncio.sleep(0)


@alto_lg.node(reads=[], writes=["done"])
async def work(packet: dict[str, int]) -> dict[str, Any]:
    return {"done": [packet["item"]]}


def _sends(state: Any) -> list[Send]:
    return [Send("work", {"item": item}) for item in state["items"]]


def _run(router: Any) -> alto_lg.RunStatistics:
    """Statistics of a run whose node streams, and whose answer is LangGraph's."""
    builder = StateGraph(State)
    builder.add_node("emit", emit)
    builder.add_node("work", work)
    builder.add_edge(START, "emit")
    builder.add_conditional_edges("emit", router, ["work"])
    plain = builder.compile()
    app = alto_lg.accelerate(plain)
    assert asyncio.run(app.ainvoke({})) == asyncio.run(plain.ainvoke({}))
    statistics = alto_lg.statistics(app)
    assert statistics is not None
    return statistics


def test_a_quick_router_runs_on_the_event_loop_from_the_second_time_on() -> None:
    on_loop: list[bool] = []

    def router(state: State) -> list[Send]:
        on_loop.append(threading.current_thread() is threading.main_thread())
        return _sends(state)

    path = _quiet(router)
    config: RunnableConfig = {}

    async def twice() -> None:
        await path.ainvoke({"items": []}, config)
        path._pace.is_quick = True  # what a thread that had to wait for the processor may not have found
        await path.ainvoke({"items": []}, config)

    asyncio.run(twice())
    assert on_loop == [False, True]


@pytest.mark.parametrize(("took_s", "is_quick"), [(0.0005, True), (0.002, False)])
def test_a_router_is_quick_if_it_takes_less_than_a_millisecond(took_s: float, is_quick: bool) -> None:
    path = _quiet(_sends)
    path._pace.timed(iter([5.0, 5.0 + took_s]).__next__, path.invoke, {"items": [1]}, {})
    assert path._pace.is_quick is is_quick


def _quiet(router: Callable[..., Any]) -> Any:
    builder = StateGraph(State)
    builder.add_node("emit", emit)
    builder.add_conditional_edges("emit", router, ["emit"])
    (branch,) = builder.branches["emit"].values()
    return _QuietPath(branch.path, contextvars.copy_context())  # type: ignore[arg-type]


def test_a_router_that_cannot_run_beside_an_event_loop_runs_on_threads_for_good() -> None:
    tried_on_loop: list[bool] = []

    def router(state: State) -> list[Send]:
        tried_on_loop.append(threading.current_thread() is threading.main_thread())
        if tried_on_loop[-1]:
            raise RuntimeError("not beside an event loop")
        return _sends(state)

    async def thrice() -> list[Any]:
        path = _quiet(router)
        found = []
        for item in range(3):
            path._pace.is_quick = True  # what a thread that had to wait for the processor may not have found
            found.append(await path.ainvoke({"items": [item]}, {}))
        return found

    assert asyncio.run(thrice()) == [[Send("work", {"item": item})] for item in range(3)]
    assert tried_on_loop == [True, False, False, False]


def test_a_router_that_fails_everywhere_promises_nothing_and_is_asked_again_for_the_next() -> None:
    def router(state: State) -> list[Send]:
        if len(state["items"]) == 2:
            raise ValueError("two are not enough")
        return _sends(state)

    assert _run(router).unpromised == 1


async def _awaiting(state: State) -> list[Send]:
    await asyncio.sleep(0)
    return _sends(state)


class Router:
    def __call__(self, state: State) -> list[Send]:
        return _sends(state)


@pytest.mark.parametrize(
    "router",
    [_sends, _awaiting, Router(), RunnableLambda(_sends), RunnableLambda(_sends, _awaiting)],
    ids=["function", "coroutine", "object", "runnable", "runnable of two colours"],
)
def test_routers_of_every_kind_are_run_on_partial_updates(router: Any) -> None:
    statistics = _run(router)
    assert (statistics.early_starts, statistics.dropped, statistics.unpromised) == (ITEMS, 0, 0)


def test_what_a_router_leaves_in_a_context_variable_is_not_seen_by_the_next() -> None:
    variable: contextvars.ContextVar[int] = contextvars.ContextVar("variable", default=0)
    seen: list[int] = []

    def router(state: State) -> list[Send]:
        seen.append(variable.get())
        variable.set(7)
        return _sends(state)

    _run(router)
    assert set(seen) == {0}
