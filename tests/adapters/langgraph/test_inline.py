"""Plain functions on the event loop: which are called there, from when on, and that nobody can tell."""

from __future__ import annotations

import asyncio
import operator
import threading
import time
from collections.abc import Callable
from contextlib import closing
from typing import Annotated, Any

import pytest
from dropin.watch import Implementation
from langchain_core.callbacks import AsyncCallbackHandler
from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import END, START, StateGraph
from sim.loop import VirtualLoop
from sim.loop import run as run_on_virtual_loop
from typing_extensions import TypedDict

import alto_lg
from alto_lg.adapters.langgraph.inline import Inline, inline
from alto_lg.adapters.langgraph.internals import RunnableCallable
from alto_lg.adapters.langgraph.pace import clock_of


class State(TypedDict, total=False):
    count: int
    log: Annotated[list[str], operator.add]
    thing: Any


def count_up(state: State) -> dict[str, Any]:
    return {"count": state["count"] + 1, "log": [f"count {state['count']}"]}


def again(state: State) -> str:
    return "count_up" if state["count"] < 5 else END


def _loop(node: Any = count_up, route: Any = again, **compiling: Any) -> Any:
    builder = StateGraph(State)
    builder.add_node("count_up", node)
    builder.add_edge(START, "count_up")
    builder.add_conditional_edges("count_up", route, ["count_up", END])
    return builder.compile(**compiling)


class _Hops(VirtualLoop):
    """Notes what is taken to a thread. passes_s: from one look at its clock to the next."""

    def __init__(self) -> None:
        super().__init__()
        self.taken: list[str] = []
        self.passes_s = 0.0

    def time(self) -> float:
        self._now_s += self.passes_s
        return self._now_s

    def run_in_executor(  # type: ignore[override]
        self, executor: Any, func: Callable[..., Any], *args: Any
    ) -> asyncio.Future[Any]:
        self.taken.append(repr(func))
        return super().run_in_executor(executor, func, *args)


def _hops(app: Any, given: Any) -> list[int]:
    """How often two runs each hopped to a thread, after a first one."""
    hops = []
    with closing(_Hops()) as loop:
        for _ in range(3):
            loop.taken.clear()
            loop.run_until_complete(app.ainvoke(given))
            hops.append(len(loop.taken))
    return hops[1:]


def test_a_harmless_node_and_edge_never_hop_again_after_the_first_time() -> None:
    plain = _loop()
    assert _hops(plain, {"count": 0}) == [10, 10]
    assert _hops(alto_lg.accelerate(plain), {"count": 0}) == [0, 0]


def _waits(state: State) -> dict[str, Any]:
    threading.Event().wait(0)
    return count_up(state)


def _looks_around(state: State) -> str:
    return "count_up" if threading.current_thread() and state["count"] < 5 else END


class _Counting:
    def __call__(self, state: State) -> dict[str, Any]:
        return count_up(state)


def _with_config(state: State, config: RunnableConfig) -> dict[str, Any]:
    return {"count": state["count"] + 1}


@alto_lg.repeatable
def _repeated(state: State) -> dict[str, Any]:
    return {"count": state["count"] + 1}


@pytest.mark.parametrize("node", [_waits, _Counting(), _with_config, _repeated])
def test_a_node_of_which_nothing_is_proven_hops_every_time(node: Any) -> None:
    assert _hops(alto_lg.accelerate(_loop(node)), {"count": 0}) == [5, 5]


def test_an_edge_of_which_nothing_is_proven_hops_every_time() -> None:
    assert _hops(alto_lg.accelerate(_loop(route=_looks_around)), {"count": 0}) == [5, 5]


class _Meddling:
    """A value that has code of its own."""

    @property
    def is_ready(self) -> bool:
        return True


def by_thing(state: State) -> str:
    return END if state["thing"].is_ready else "count_up"


def test_a_value_with_code_of_its_own_sends_a_harmless_function_to_a_thread() -> None:
    app = alto_lg.accelerate(_loop(route=by_thing))
    assert _hops(app, {"count": 0, "thing": _Meddling()}) == [1, 1]


def test_a_value_that_is_not_looked_at_does_not() -> None:
    app = alto_lg.accelerate(_loop())
    assert _hops(app, {"count": 0, "thing": _Meddling()}) == [0, 0]


def test_a_name_that_is_bound_anew_sends_its_function_to_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    app = alto_lg.accelerate(_loop(route=lambda state: again(state)))
    assert _hops(app, {"count": 0}) == [0, 0]
    monkeypatch.setitem(globals(), "again", _looks_around)
    assert _hops(app, {"count": 0}) == [5, 5]


# ── setbacks ────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_function_that_took_long_on_the_loop_goes_to_a_thread_next() -> None:
    function = _made(again)
    assert _hopped(function, [0.0, 0.0, 0.5, 0.0, 0.0]) == [True, False, False, True, False]
    assert not function.is_left_to_threads


def test_a_function_that_keeps_taking_long_is_left_to_threads_for_good() -> None:
    function = _made(again)
    assert _hopped(function, [0.0, 0.5] * 3) == [True, False] * 3
    assert not function.is_left_to_threads
    assert _hopped(function, [0.0, 0.5, 0.0, 0.0]) == [True, False, True, True]
    assert function.is_left_to_threads


def test_one_setback_in_a_hundred_calls_is_none() -> None:
    function = _made(again)
    _hopped(function, ([0.0] * 100 + [0.5]) * 10)
    assert not function.is_left_to_threads


def _hopped(function: Inline, each_takes_s: list[float]) -> list[bool]:
    """Whether each call of a function hopped to a thread; how long it takes, by the clock of the loop."""

    hopped = []
    with closing(_Hops()) as loop:
        for seconds in each_takes_s:
            loop.taken.clear()
            loop.passes_s = seconds
            loop.run_until_complete(function({"count": 1}))
            hopped.append(bool(loop.taken))
    return hopped


def test_the_clock_goes_on_while_the_loop_is_held() -> None:
    uvloop = pytest.importorskip("uvloop")
    with closing(uvloop.new_event_loop()) as loop:
        assert clock_of(loop) is time.monotonic
    with closing(VirtualLoop()) as virtual:
        assert clock_of(virtual) == virtual.time


def _made(function: Callable[..., Any]) -> Inline:
    builder = StateGraph(State)
    builder.add_node("node", function)
    made: Any = inline(builder.nodes["node"].runnable)
    assert isinstance(made, RunnableCallable)
    assert isinstance(made.afunc, Inline)
    return made.afunc


# ── that nobody can tell ────────────────────────────────────────────────────────────────────────────────────────


def _twice(app: Any, given: Any, config: Any = None) -> list[Any]:
    """What two runs end with, the second of which is the one whose functions are on the loop."""
    ended: list[Any] = []
    for _ in range(2):
        try:
            ended.append(run_on_virtual_loop(lambda: app.ainvoke(given, config)).result)
        except Exception as error:
            ended.append((type(error), error.args, repr(error.__cause__), repr(error.__context__)))
    return ended


def stops(state: State) -> dict[str, Any]:
    raise StopIteration("over")


def runs_out(state: State) -> dict[str, Any]:
    return {"count": next(one for one in [state["count"]] if one > 10)}


def stops_for_good(state: State) -> dict[str, Any]:
    raise StopAsyncIteration("over")


def misses(state: State) -> dict[str, Any]:
    return {"count": {"a": 1}[state["log"][0]]}


def refuses(state: State) -> dict[str, Any]:
    try:
        return {"count": state["log"][state["count"]]}
    except IndexError as error:
        raise ValueError(f"no {state['count']}", state["log"]) from error


@pytest.mark.parametrize("node", [stops, runs_out, stops_for_good, misses, refuses])
def test_an_error_is_as_it_is_from_a_thread(node: Any, impl: Implementation) -> None:
    plain = _twice(_loop(node), {"count": 3, "log": ["b"]})
    assert _twice(impl(_loop(node)), {"count": 3, "log": ["b"]}) == plain
    assert plain[0][0] is not dict


def test_an_error_of_an_edge_is_as_it_is_from_a_thread(impl: Implementation) -> None:
    plain = _loop(route=runs_out)
    assert _twice(impl(plain), {"count": 3}) == _twice(plain, {"count": 3})


def test_events_come_in_the_same_order(impl: Implementation) -> None:
    """Beside nodes that need another number of turns of the event loop."""

    def after(turns: int) -> Any:
        async def node(state: State) -> dict[str, Any]:
            for _ in range(turns):
                await asyncio.sleep(0)
            return {"log": [f"after {turns}"]}

        return node

    builder = StateGraph(State)
    builder.add_node("plain", lambda state: {"log": ["plain"]})
    for turns in range(6):
        builder.add_node(f"after {turns}", after(turns))
    for name in builder.nodes:
        builder.add_edge(START, name)

    async def events(app: Any) -> list[Any]:
        return [event async for event in app.astream({"count": 0}, stream_mode="updates")]

    compiled = builder.compile()
    app = impl(compiled)
    expected = run_on_virtual_loop(lambda: events(compiled)).result
    for _ in range(2):
        assert run_on_virtual_loop(lambda: events(app)).result == expected


@pytest.mark.parametrize("limit", [1, 2, None])
def test_what_is_saved_is_the_same(limit: int | None, impl: Implementation) -> None:
    def history(app: Any) -> list[Any]:
        found = []
        for thread in ("1", "2"):
            config = {"configurable": {"thread_id": thread}, **({"max_concurrency": limit} if limit else {})}
            run_on_virtual_loop(lambda config=config: app.ainvoke({"count": 0}, config))  # type: ignore[misc]
            found.append(
                [(one.values, one.next) for one in app.get_state_history({"configurable": {"thread_id": thread}})]
            )
        return found

    plain = history(_loop(checkpointer=InMemorySaver()))
    assert history(impl(_loop(checkpointer=InMemorySaver()))) == plain


def test_a_run_without_end_can_be_cancelled_and_leaves_others_their_turns(impl: Implementation) -> None:
    def on(state: State) -> str:
        return "count_up" if state["count"] else END

    app = impl(_loop(lambda state: {"count": 1}, on))
    turns: list[int] = []

    async def beside() -> None:
        while len(turns) < 500:
            turns.append(1)
            await asyncio.sleep(0)

    async def both() -> None:
        running = asyncio.create_task(app.ainvoke({"count": 0}, {"recursion_limit": 10**9}))
        await asyncio.create_task(beside())
        assert not running.done()
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running

    for _ in range(2):
        turns.clear()
        run_on_virtual_loop(both)


class _Hears(AsyncCallbackHandler):
    """Notes the starts and ends of nodes and edges, in order."""

    def __init__(self) -> None:
        self.heard: list[Any] = []

    async def on_chain_start(self, serialized: Any, inputs: Any, **told: Any) -> None:
        self.heard.append(("start", told.get("name"), told["tags"], inputs))

    async def on_chain_end(self, outputs: Any, **told: Any) -> None:
        self.heard.append(("end", told["tags"], outputs))


def test_who_listens_hears_the_same(impl: Implementation) -> None:
    def heard(app: Any) -> list[Any]:
        handler = _Hears()
        for _ in range(2):
            run_on_virtual_loop(lambda: app.ainvoke({"count": 3}, {"callbacks": [handler]}))
        return handler.heard

    plain = heard(_loop())
    assert ("end", ["seq:step:3"], "count_up") in plain
    assert heard(impl(_loop())) == plain


@pytest.mark.parametrize("kind", ["asyncio", "uvloop"])
def test_on_a_real_loop_as_well(kind: str, impl: Implementation) -> None:
    app = impl(_loop())

    async def thrice() -> list[Any]:
        return [await app.ainvoke({"count": 0}) for _ in range(3)]

    expected = {"count": 5, "log": [f"count {count}" for count in range(5)]}
    with asyncio.Runner(loop_factory=pytest.importorskip(kind).new_event_loop) as runner:
        assert runner.run(thrice()) == [expected] * 3
