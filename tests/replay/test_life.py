"""Whatever ends a run ends its predictions: no task is left, whichever turn it was, and schedules do not matter."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import aclosing
from typing import Any

import pytest
from dropin.watch import Implementation, plain_langgraph
from langchain_core.messages import AIMessageChunk, BaseMessage
from langchain_core.outputs import ChatGenerationChunk
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import START, StateGraph
from langgraph.types import Send
from openai import OpenAI
from sim.loop import run
from watching.scripted import Breaks, ScriptedModel, said

import alto_lg
from alto_lg import split
from alto_lg.adapters.langgraph.acceleration import observers
from replay.served import Script, served
from replay.test_replay import CALL, QUESTION, early, structured
from replay.test_structured_output import PLAN, TEXTS, Plan, State, app_of, asks, graph, search


def slow_plan(model: Any) -> Any:
    """Predictions of it take time, and are under way when something else happens."""

    async def plan(state: State) -> dict[str, Any]:
        await asyncio.sleep(0.7)
        made = await model.ainvoke(state["question"])
        await asyncio.sleep(0.3)
        return {"plan": made}

    return plan


@pytest.mark.parametrize("cancelled_at_s", [0.35 + 0.71 * turn for turn in range(16)])
def test_a_cancelled_run_leaves_nothing(impl: Implementation, cancelled_at_s: float) -> None:
    app = app_of(impl, graph(slow_plan(structured())))

    async def cancelled() -> None:
        with pytest.raises(asyncio.TimeoutError):
            await asyncio.wait_for(app.ainvoke(QUESTION), cancelled_at_s)

    outcome = run(cancelled)
    assert (outcome.tasks_left, outcome.elapsed_s) == ((), pytest.approx(cancelled_at_s))


@pytest.mark.parametrize("pieces", range(1, 150, 13))
def test_a_caller_that_leaves_ends_the_run(impl: Implementation, pieces: int) -> None:
    app = app_of(impl, graph(slow_plan(structured())))

    async def leaves() -> int:
        seen = 0
        async with aclosing(app.astream(QUESTION, stream_mode="messages")) as events:
            async for _ in events:
                seen += 1
                if seen == pieces:
                    break
        return seen

    assert run(leaves).result == pieces


@pytest.mark.parametrize("schedule", ["fifo", "shuffle"])
@pytest.mark.parametrize("seed", range(8))
def test_the_answer_does_not_depend_on_the_schedule(impl: Implementation, seed: int, schedule: Any) -> None:
    app = app_of(impl, graph(slow_plan(structured())))
    result = run(lambda: app.ainvoke(QUESTION), seed=seed, schedule=schedule).result
    assert result == {**QUESTION, "plan": Plan.model_validate(PLAN), "found": TEXTS}


def test_slow_predictions_are_made_of_the_newest_text(impl: Implementation) -> None:
    app = app_of(impl, graph(slow_plan(structured())))
    outcome = run(lambda: app.ainvoke(QUESTION))
    assert outcome.result["found"] == TEXTS
    if impl is not plain_langgraph:
        assert early(app) == (6, 0, 0)
        assert outcome.elapsed_s == pytest.approx(11.0), "the last work is done before the node is"


@pytest.mark.parametrize("at", range(0, len(CALL), 19))
def test_a_break_anywhere_is_langgraphs_and_the_next_try_gives_the_answer(impl: Implementation, at: int) -> None:
    model = ScriptedModel(scripts=[[*CALL[:at], Breaks(ConnectionError("reset"))], CALL])
    plain = graph(asks(model.with_structured_output(Plan)), checkpointer=InMemorySaver())
    app = app_of(impl, plain).with_config({"configurable": {"thread_id": "1"}})
    with pytest.raises(ConnectionError):
        run(lambda: app.ainvoke(QUESTION))
    assert run(lambda: app.ainvoke(None)).result["found"] == TEXTS


def test_the_thread_can_be_taken_over_by_plain_langgraph() -> None:
    saver = InMemorySaver()
    model = ScriptedModel(scripts=[[*CALL[:90], Breaks(ConnectionError("reset"))], CALL])
    plain = graph(asks(model.with_structured_output(Plan)), checkpointer=saver)
    config: Any = {"configurable": {"thread_id": "1"}}
    accelerated = app_of(lambda graph: graph, plain)
    with pytest.raises(ConnectionError):
        run(lambda: accelerated.ainvoke(QUESTION, config))
    assert run(lambda: plain.ainvoke(None, config)).result["found"] == TEXTS


def test_limits_of_concurrency_hold(impl: Implementation) -> None:
    running: list[int] = [0, 0]

    async def search(text: str) -> dict[str, Any]:
        running[0] += 1
        running[1] = max(running)
        await asyncio.sleep(1)
        running[0] -= 1
        return {"found": [text]}

    app = app_of(impl, graph(asks(structured()), target=search))
    result = run(lambda: app.ainvoke(QUESTION, {"max_concurrency": 2})).result
    assert result["found"] == TEXTS
    assert running[1] <= 2


def test_a_short_answer_without_items_is_no_prediction(impl: Implementation) -> None:
    model = ScriptedModel(scripts=[said('{"queries": []}', 1.0)])

    async def plan(state: State) -> dict[str, Any]:
        message = await model.ainvoke(state["question"])
        return {"plan": Plan.model_validate_json(str(message.content))}

    app = app_of(impl, graph(plan))
    assert run(lambda: app.ainvoke(QUESTION)).result["found"] == []
    if impl is not plain_langgraph:
        assert early(app) == (0, 0, 0)


class Gate(threading.Event):
    """Is open when the run is over, and tells when somebody waits at it."""

    def __init__(self) -> None:
        super().__init__()
        self.reached = threading.Event()

    def wait(self, timeout: float | None = None) -> bool:
        self.reached.set()
        return super().wait(timeout)


class Outliving(ScriptedModel):
    """Writes one item, and the others when the run is over."""

    gate: Gate

    def _stream(self, messages: list[BaseMessage], *args: Any, **options: Any) -> Iterator[ChatGenerationChunk]:
        for text in TEXTS:
            yield ChatGenerationChunk(message=AIMessageChunk(content=f"{text}\n"))
            assert self.gate.wait(20)


@pytest.mark.parametrize("client", ["LangChain", "openai"])
def test_a_thread_that_outlives_its_run_starts_nothing(client: str, caplog: pytest.LogCaptureFixture) -> None:
    gate = Gate()
    failures: list[Exception] = []
    model = Outliving(scripts=[[]], gate=gate)

    def plan(state: State) -> dict[str, Any]:
        try:
            if client == "LangChain":
                text = str(model.bind(stream=True).invoke("Why?").content)
            else:
                with OpenAI(base_url=server.address, api_key="none", max_retries=0) as asked:
                    made = asked.chat.completions.create(model="m", messages=[{"role": "user", "content": "Why?"}])
                text = made.choices[0].message.content or ""
        except Exception as failure:
            failures.append(failure)
            raise
        return {"plan": text.splitlines()}

    def breaks(state: State) -> dict[str, Any]:
        assert gate.reached.wait(20)
        raise ValueError("broken")

    builder = StateGraph(State)
    builder.add_node("plan", plan)
    builder.add_node("breaks", breaks)
    builder.add_node("search", search)
    builder.add_edge(START, "plan")
    builder.add_edge(START, "breaks")
    builder.add_conditional_edges("plan", lambda state: [Send("search", line) for line in state["plan"]], ["search"])
    app = alto_lg.accelerate(builder.compile(), replay={"plan": split.lines})

    def ended(acceleration: Any, counted: Any) -> None:
        gate.set()

    observers.append(ended)
    try:
        with (
            served(Script([f"{text}\n" for text in TEXTS], waits=[gate])) as server,
            pytest.raises(ValueError, match="broken"),
        ):
            app.invoke(QUESTION)
    finally:
        observers.remove(ended)
    assert failures == []
    assert caplog.records == []
