"""Mistakes in a call: settings that LangGraph passes over, and what it refuses. Each first on LangGraph, as it is."""

from __future__ import annotations

import asyncio
import warnings
from contextlib import aclosing
from typing import Any

import pytest
from langgraph.checkpoint.base import BaseCheckpointSaver
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.types import Command, Send, interrupt
from sim.loop import run

import alto_lg
from alto_lg.errors import MissingCheckpointer, Mistake
from dropin.mistaken import (
    INPUT,
    THREAD,
    Colour,
    Heard,
    State,
    answer,
    assert_not_said,
    assert_said,
    assert_same_error,
    both_colours,
    events,
    graph_of,
    hear,
    writes_x,
)
from dropin.watch import App, Implementation


def _plain() -> App:
    return graph_of(writes_x).compile()


def _saved() -> App:
    return graph_of(writes_x).compile(checkpointer=InMemorySaver())


# ── settings ────────────────────────────────────────────────────────────────────────────────────────────────────


@both_colours
@pytest.mark.parametrize(
    ("mode", "instead"),
    [
        ("value", "did you mean 'values'?"),
        ("update", "did you mean 'updates'?"),
        (
            "tokens",
            "use 'checkpoints', 'custom', 'debug', 'messages', 'tasks', 'tools', 'updates' or 'values'.",
        ),
    ],
)
def test_a_misspelt_stream_mode_is_named(mode: str, instead: str, colour: Colour) -> None:
    assert events(_plain(), colour, stream_mode=mode) == []
    text = f"Unknown stream_mode {mode!r}; {instead} LangGraph yields nothing for it."
    assert_said(_plain, lambda app: events(app, colour, stream_mode=mode), text)


def test_a_misspelt_mode_among_others_is_named(colour: Colour = "async") -> None:
    text = "Unknown stream_mode 'update'; did you mean 'updates'? LangGraph yields nothing for it."
    assert_said(_plain, lambda app: events(app, colour, stream_mode=["values", "update"]), text)


@pytest.mark.parametrize("mode", ["values", "updates", "checkpoints", "tasks", "debug", "messages", "custom", "tools"])
def test_the_modes_that_langgraph_has_are_known(mode: str) -> None:
    assert_not_said(_plain, lambda app: len(events(app, "async", stream_mode=mode)))


@both_colours
def test_a_misspelt_durability_is_named(colour: Colour) -> None:
    text = "Unknown durability 'snyc'; use 'sync', 'async' or 'exit'."
    assert_said(_saved, lambda app: answer(app, colour, config=THREAD, durability="snyc"), text)


@both_colours
def test_a_recursion_limit_in_the_wrong_place_is_named(colour: Colour) -> None:
    config = {"configurable": {"recursion_limit": 1}}
    text = "recursion_limit belongs beside 'configurable', not in it; the limit of 10007 is in force."
    assert_said(_plain, lambda app: answer(app, colour, config=config), text)


@pytest.mark.filterwarnings("ignore:`durability` has no effect")
@both_colours
def test_saving_before_each_step_needs_a_checkpointer(colour: Colour) -> None:
    for accelerated in (False, True):
        ran: list[str] = []
        graph = graph_of(a=lambda state: ran.append("a")).compile()  # noqa: B023
        app = alto_lg.accelerate(graph) if accelerated else graph
        with pytest.raises(AttributeError) as raised:
            answer(app, colour, durability="sync")
        assert ran == []
    assert type(raised.value) is MissingCheckpointer
    assert isinstance(raised.value, alto_lg.AltoError)
    assert str(raised.value) == "durability='sync' needs a checkpointer; compile(checkpointer=…)."


@both_colours
def test_saving_before_each_step_reaches_subgraphs_that_save_nothing(colour: Colour) -> None:
    """LangGraph fails here too: the subgraph inherits the durability, and has nothing to save to."""
    for accelerate in (False, True):
        graph = graph_of(sub=graph_of(writes_x).compile(checkpointer=False)).compile(checkpointer=InMemorySaver())
        with pytest.raises(AttributeError):
            answer(alto_lg.accelerate(graph) if accelerate else graph, colour, config=THREAD, durability="sync")


@both_colours
def test_durability_that_can_be_had_is_not_complained_of(colour: Colour) -> None:
    for durability in ("sync", "async", "exit"):
        assert_not_said(_saved, lambda app: answer(app, colour, config=THREAD, durability=durability))  # noqa: B023


@pytest.mark.parametrize(
    ("goto", "text"),
    [
        (
            "writes",
            "The input routed to 'writes', which is not a node (nodes: writes_x); LangGraph ends that branch. "
            "Did you mean 'writes_x'?",
        ),
        (
            [Send("nobody", {})],
            "The input sent a packet to 'nobody', which is not a node (nodes: writes_x); LangGraph drops it.",
        ),
    ],
)
def test_an_input_that_leads_nowhere_is_named(goto: Any, text: str) -> None:
    given: Command[Any] = Command(goto=goto, update={"x": 3, "log": []})
    assert_said(_plain, lambda app: answer(app, "sync", given), text)


def test_an_input_that_leads_somewhere_is_not_complained_of() -> None:
    given: Command[Any] = Command(goto=["writes_x", Send("writes_x", INPUT)], update={"x": 3, "log": []})
    build = graph_of(writes_x)
    assert_not_said(build.compile, lambda app: _error_or(lambda: answer(app, "sync", given)))


def _error_or(call: Any) -> Any:
    try:
        return call()
    except Exception as error:
        return type(error), str(error)


# ── where it is called ──────────────────────────────────────────────────────────────────────────────────────────


def test_a_synchronous_call_on_an_event_loop_is_named() -> None:
    def call(app: App) -> Any:
        async def main() -> Any:
            return app.invoke(INPUT)

        return asyncio.run(main())

    assert_said(_plain, call, "invoke() blocks this event loop while the graph runs; await ainvoke() instead.")


def test_a_synchronous_call_in_a_thread_of_its_own_is_not_complained_of() -> None:
    def call(app: App) -> Any:
        async def main() -> Any:
            return await asyncio.to_thread(app.invoke, INPUT)

        return asyncio.run(main())

    assert_not_said(_plain, call)


def test_a_run_that_goes_on_in_another_loop_is_named() -> None:
    def call(app: App) -> Any:
        stream = app.astream(INPUT, stream_mode="values")
        first, second = asyncio.new_event_loop(), asyncio.new_event_loop()
        try:
            return [first.run_until_complete(anext(stream)), *second.run_until_complete(_rest(stream))]
        finally:
            first.close()
            second.close()

    text = "This run belongs to another event loop; create it where it is awaited."
    assert_said(_plain, call, text)


async def _rest(stream: Any) -> list[Any]:
    return [event async for event in stream]


def test_a_stream_that_was_closed_gives_no_more(impl: Implementation) -> None:
    async def main() -> None:
        stream = impl(_plain()).astream(INPUT, stream_mode="values")
        await anext(stream)
        await stream.aclose()
        with pytest.raises(StopAsyncIteration):
            await anext(stream)

    run(main)


# ── pauses and threads ──────────────────────────────────────────────────────────────────────────────────────────


def asks(state: State) -> dict[str, Any]:
    return {"x": interrupt("which?")}


def _questions(app: App, colour: Colour) -> list[Any]:
    return [question.value for question in answer(app, colour)["__interrupt__"]]


@both_colours
def test_a_question_that_nobody_can_answer_is_named(colour: Colour) -> None:
    text = "Node 'asks' called interrupt(): add a checkpointer, or this run cannot be resumed."
    assert_said(graph_of(asks).compile, lambda app: _questions(app, colour), text)


@both_colours
def test_a_question_in_a_subgraph_is_named_once(colour: Colour) -> None:
    text = "Node 'sub' called interrupt(): add a checkpointer, or this run cannot be resumed."
    assert_said(lambda: graph_of(sub=graph_of(asks).compile()).compile(), lambda app: _questions(app, colour), text)


@both_colours
def test_a_question_that_can_be_answered_is_not_complained_of(colour: Colour) -> None:
    def call(app: App) -> Any:
        first = answer(app, colour, config=THREAD)
        second = answer(app, colour, Command(resume=7), THREAD)
        return "__interrupt__" in first, second

    assert_not_said(lambda: graph_of(asks).compile(checkpointer=InMemorySaver()), call)


ON_ONE_THREAD = "Thread '1' already has a run in progress; LangGraph keeps only the last to finish."


async def waits(state: State) -> dict[str, Any]:
    await asyncio.sleep(0.1)
    return {"log": [f"saw {state['x']}"]}


def _waiting(saver: BaseCheckpointSaver[Any] | None = None) -> App:
    return graph_of(waits).compile(checkpointer=saver or InMemorySaver())


def _three_at_once(app: App) -> int:
    async def main() -> Any:
        running = (app.ainvoke({"x": number, "log": []}, THREAD) for number in range(3))
        return await asyncio.gather(*running, return_exceptions=True)

    for result in run(main).result:
        if isinstance(result, Exception):
            raise result
    return len(app.get_state(THREAD).values["log"])


def test_runs_at_once_on_one_thread_are_named() -> None:
    assert _three_at_once(_waiting()) == 1  # of three
    app = alto_lg.accelerate(_waiting())
    assert hear(lambda: _three_at_once(app)) == Heard(1, [ON_ONE_THREAD])
    with pytest.raises(Mistake) as raised:
        _three_at_once(alto_lg.accelerate(_waiting(), strict=True))
    assert str(raised.value) == ON_ONE_THREAD


def test_runs_of_two_graphs_at_once_on_one_thread_are_named() -> None:
    saver = InMemorySaver()
    apps = [alto_lg.accelerate(_waiting(saver)) for _ in range(2)]

    async def main() -> None:
        await asyncio.gather(*(app.ainvoke(INPUT, THREAD) for app in apps))

    assert hear(lambda: run(main)).said == [ON_ONE_THREAD]


def test_runs_at_once_on_threads_or_savers_of_their_own_are_not_complained_of() -> None:
    other = {"configurable": {"thread_id": "2"}}

    def call(app: App) -> None:
        second = alto_lg.accelerate(_waiting())

        async def main() -> None:
            await asyncio.gather(app.ainvoke(INPUT, THREAD), app.ainvoke(INPUT, other), second.ainvoke(INPUT, THREAD))

        run(main)

    assert_not_said(_waiting, call)


@both_colours
def test_runs_one_after_the_other_are_not_complained_of(colour: Colour) -> None:
    assert_not_said(_saved, lambda app: [answer(app, colour, config=THREAD) for _ in range(3)])


def test_a_stream_that_nobody_reads_to_its_end_does_not_count_as_a_run() -> None:
    """Python closes it when it can, which may be after the next run has begun."""

    def call(app: App) -> Any:
        async def main() -> Any:
            async for _ in app.astream(INPUT, THREAD, stream_mode="values"):
                break
            return await app.ainvoke(INPUT, THREAD)

        return run(main).result

    assert hear(lambda: call(alto_lg.accelerate(_waiting()))) == hear(lambda: call(_waiting()))


def test_a_run_that_failed_or_was_closed_is_over() -> None:
    def call(app: App) -> Any:
        async def main() -> Any:
            async with aclosing(app.astream(INPUT, THREAD, stream_mode="values")) as stream:
                await anext(stream)
            running = asyncio.ensure_future(app.ainvoke(INPUT, THREAD))
            await asyncio.sleep(0.05)
            running.cancel()
            await asyncio.wait([running])
            return await app.ainvoke(INPUT, THREAD)

        return run(main).result

    assert_not_said(_waiting, call)


# ── what LangGraph refuses ──────────────────────────────────────────────────────────────────────────────────────


@both_colours
def test_a_missing_thread_is_refused_in_the_words_of_langgraph(colour: Colour) -> None:
    error = assert_same_error(_saved, lambda app: answer(app, colour))
    assert type(error) is ValueError
    assert "thread_id" in str(error)


def test_an_async_node_is_refused_by_a_synchronous_call() -> None:
    error = assert_same_error(graph_of(waits).compile, lambda app: answer(app, "sync"))
    assert str(error).startswith('No synchronous function provided to "waits".')


class SyncOnly(InMemorySaver):
    """A saver without an asynchronous side, as `SqliteSaver` is."""

    async def aget_tuple(self, config: Any) -> Any:
        raise NotImplementedError("The SyncOnly saver does not support async methods.")


def test_a_saver_without_async_methods_is_refused_before_a_node_runs() -> None:
    ran: list[str] = []
    build = graph_of(a=lambda state: ran.append("a"))
    error = assert_same_error(
        lambda: build.compile(checkpointer=SyncOnly()), lambda app: answer(app, "async", config=THREAD)
    )
    assert type(error) is NotImplementedError
    assert ran == []


def test_an_async_generator_gives_its_last_value(impl: Implementation) -> None:
    async def counts(state: State) -> Any:
        yield {"x": 5}
        yield {"x": 6}

    assert answer(impl(graph_of(counts).compile()), "async")["x"] == 6


def test_resuming_without_a_checkpointer_is_refused_in_the_words_of_langgraph() -> None:
    error = assert_same_error(graph_of(asks).compile, lambda app: answer(app, "async", Command(resume=1)))
    assert str(error) == "Cannot use Command(resume=...) without checkpointer"


def test_a_warning_that_is_turned_into_an_error_reaches_the_caller() -> None:
    app = alto_lg.accelerate(_plain())
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(alto_lg.AltoWarning, match="did you mean 'values'"):
            events(app, "async", stream_mode="value")
