"""Replay: what a prediction may do, what it may not, and that nobody but the scheduler hears of it."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from dropin.watch import Implementation, plain_langgraph
from langchain_core.callbacks import AsyncCallbackHandler, get_usage_metadata_callback
from langchain_core.messages import AIMessageChunk, BaseMessage
from langchain_core.outputs import ChatGenerationChunk
from langchain_core.runnables import RunnableConfig, RunnableLambda
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.config import get_stream_writer
from langgraph.runtime import Runtime
from langgraph.store.memory import InMemoryStore
from langgraph.types import Command, RetryPolicy, Send, interrupt
from sim.loop import run
from watching.scripted import Breaks, ScriptedModel, call, said

import alto_lg
from alto_lg import split
from replay.test_structured_output import (
    PLAN,
    TEXTS,
    Plan,
    State,
    app_of,
    asks,
    graph,
    in_pieces,
    statistics,
    tool_call,
)

QUESTION = {"question": "Why?"}
CALL = call("Plan", PLAN, 0, pieces=200, seconds=10.0)


def structured(*scripts: Any) -> Any:
    return ScriptedModel(scripts=list(scripts) or [CALL]).with_structured_output(Plan)


def early(app: Any) -> tuple[int, int, int]:
    counted = statistics(app)
    return counted.early_starts, counted.dropped, counted.unpromised


# ── what is asked for ───────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("asked", "what"),
    [
        ("json", "replay\\['plan'\\] must be a function of alto_lg.split"),
        (str.splitlines, "becomes one by split.by"),
        (split.by, "needs its argument: write split.by"),
        (split.regex, "needs its argument: write split.regex"),
    ],
)
def test_what_is_no_way_to_split_is_refused_before_any_work(asked: Any, what: str) -> None:
    with pytest.raises(TypeError, match=what):
        alto_lg.accelerate(graph(asks(structured())), replay={"plan": asked})


def test_nodes_that_cannot_be_replayed_are_refused_by_name() -> None:
    with pytest.raises(ValueError, match=r"'plans', which the graph does not have \(nodes: plan, search\)"):
        alto_lg.accelerate(graph(asks(structured())), replay={"plans": None})
    with pytest.raises(ValueError, match="'plan', which is a graph of its own"):
        alto_lg.accelerate(graph(graph(asks(structured()))), replay={"plan": None})

    @alto_lg.streaming
    def streams(state: State) -> Iterator[dict[str, Any]]:
        yield {}

    with pytest.raises(ValueError, match="'plan', which streams its updates already"):
        alto_lg.accelerate(graph(streams), replay={"plan": None})


# ── predictions that do not hold ────────────────────────────────────────────────────────────────────────────────────


def test_calls_that_have_ended_are_answered_with_what_they_gave(impl: Implementation) -> None:
    model = ScriptedModel(scripts=[said("a better question", 2.0), CALL])

    async def plan(state: State) -> dict[str, Any]:
        better = await model.ainvoke(state["question"])
        better.content += "!"  # its own to change
        return {"plan": await model.with_structured_output(Plan).ainvoke([better])}

    app = app_of(impl, graph(plan))
    outcome = run(lambda: app.ainvoke(QUESTION))
    assert outcome.result["found"] == TEXTS
    if impl is not plain_langgraph:
        assert (outcome.elapsed_s, early(app)) == (pytest.approx(12.0), (6, 0, 0))


def test_a_call_that_has_not_begun_ends_the_prediction(impl: Implementation) -> None:
    model = ScriptedModel(scripts=[CALL, said("fine", 1.0)])

    async def plan(state: State) -> dict[str, Any]:
        made = await model.with_structured_output(Plan).ainvoke(state["question"])
        await model.ainvoke(f"Is {made} good?")
        return {"plan": made}

    app = app_of(impl, graph(plan))
    assert run(lambda: app.ainvoke(QUESTION)).result["found"] == TEXTS
    assert len(model.asked) == 2, "no prediction asks the model"
    if impl is not plain_langgraph:
        assert early(app) == (0, 0, 6)


def test_a_node_that_catches_every_error_does_not_catch_the_end_of_a_prediction(impl: Implementation) -> None:
    model = ScriptedModel(scripts=[CALL, said("fine", 1.0)])

    async def plan(state: State) -> dict[str, Any]:
        made = await model.with_structured_output(Plan).ainvoke(state["question"])
        try:
            await model.ainvoke(f"Is {made} good?")
        except BaseException:
            return {"plan": Plan(queries=[])}
        return {"plan": made}

    app = app_of(impl, graph(plan))
    assert run(lambda: app.ainvoke(QUESTION)).result["found"] == TEXTS
    if impl is not plain_langgraph:
        assert early(app) == (0, 0, 6)


def test_the_end_of_a_prediction_in_a_task_group_is_one(impl: Implementation) -> None:
    """Until the title is there, predictions end."""
    models = {"list": structured(), "title": ScriptedModel(scripts=[said("A title", 5.0)])}

    async def plan(state: State) -> dict[str, Any]:
        async with asyncio.TaskGroup() as group:
            made, title = (group.create_task(model.ainvoke(state["question"])) for model in models.values())
        return {"plan": Plan(queries=made.result().queries, reason=str(title.result().content))}

    app = app_of(impl, graph(plan))
    outcome = run(lambda: app.ainvoke(QUESTION))
    assert outcome.result["found"] == TEXTS
    if impl is not plain_langgraph:
        assert early(app) == (6, 0, 5)


def test_a_path_that_differs_is_dropped(impl: Implementation) -> None:
    runs: list[str] = []

    async def plan(state: State) -> dict[str, Any]:
        runs.append("run")
        question = state["question"] if len(runs) == 1 else "Something else?"
        return {"plan": await structured().ainvoke(question)}

    app = app_of(impl, graph(plan))
    assert run(lambda: app.ainvoke(QUESTION)).result["found"] == TEXTS
    if impl is not plain_langgraph:
        assert (len(runs), early(app)) == (7, (0, 0, 6))


def test_a_prediction_that_leaves_the_call_out_is_dropped(impl: Implementation) -> None:
    runs: list[str] = []

    async def plan(state: State) -> dict[str, Any]:
        runs.append("run")
        made = await structured().ainvoke(state["question"]) if len(runs) == 1 else Plan(queries=[])
        return {"plan": made}

    app = app_of(impl, graph(plan))
    assert run(lambda: app.ainvoke(QUESTION)).result["found"] == TEXTS
    if impl is not plain_langgraph:
        assert early(app) == (0, 0, 6)


def test_what_the_whole_answer_changes_is_dropped_and_the_answer_is_right(impl: Implementation) -> None:
    """The node sorts, so that an early item may come to another place."""

    async def plan(state: State) -> dict[str, Any]:
        made = await structured().ainvoke(state["question"])
        return {"plan": Plan(queries=made.queries[::-1])}

    app = app_of(impl, graph(plan))
    assert run(lambda: app.ainvoke(QUESTION)).result["found"] == TEXTS[::-1]
    if impl is not plain_langgraph:
        started, dropped, _ = early(app)
        assert started - dropped <= 6
        assert dropped > 0


def test_two_calls_at_once_are_told_apart(impl: Implementation) -> None:
    async def plan(state: State) -> dict[str, Any]:
        model = structured()
        made = await asyncio.gather(*(model.ainvoke(question) for question in ("one?", "two?")))
        return {"plan": Plan(queries=[query for one in made for query in one.queries])}

    app = app_of(impl, graph(plan))
    assert run(lambda: app.ainvoke(QUESTION)).result["found"] == [*TEXTS, *TEXTS]


def test_a_call_beside_the_list_counts_when_it_has_ended(impl: Implementation) -> None:
    """The list is written by the sixth second, the title by the eighth, and all by the tenth."""
    models = {"list": structured(), "title": ScriptedModel(scripts=[said("A title", 8.0)])}

    async def plan(state: State) -> dict[str, Any]:
        made, title = await asyncio.gather(*(model.ainvoke(state["question"]) for model in models.values()))
        return {"plan": Plan(queries=made.queries, reason=str(title.content))}

    app = app_of(impl, graph(plan))
    outcome = run(lambda: app.ainvoke(QUESTION))
    assert outcome.result["found"] == TEXTS
    assert outcome.elapsed_s == pytest.approx(11.0 if impl is plain_langgraph else 10.0)
    if impl is not plain_langgraph:
        assert early(app) == (6, 0, 6)


def test_a_failed_call_that_is_asked_again_is_forgotten(impl: Implementation) -> None:
    model = ScriptedModel(scripts=[[*CALL[:100], Breaks(ConnectionError("reset"))], CALL])

    async def plan(state: State) -> dict[str, Any]:
        asked = RunnableLambda(lambda question: question) | model.with_structured_output(Plan)
        return {"plan": await asked.with_retry(wait_exponential_jitter=False).ainvoke(state["question"])}

    app = app_of(impl, graph(plan))
    assert run(lambda: app.ainvoke(QUESTION)).result["found"] == TEXTS
    if impl is not plain_langgraph:
        assert early(app) == (6, 0, 0)


# ── failures, retries, resumption ───────────────────────────────────────────────────────────────────────────────────


def test_a_stream_that_breaks_off_fails_as_ever_and_leaves_nothing(impl: Implementation) -> None:
    ended: list[str] = []

    @alto_lg.node(reads=[], writes=["found"])
    async def noted(text: str) -> dict[str, Any]:
        try:
            await asyncio.sleep(100)
        except asyncio.CancelledError:
            ended.append(text)
            raise
        return {"found": [text]}

    plan = asks(structured([*CALL[:40], Breaks(ConnectionError("reset"))]))
    app = app_of(impl, graph(plan, target=noted))
    with pytest.raises(ConnectionError, match="reset"):
        run(lambda: app.ainvoke(QUESTION))
    assert ended == ([] if impl is plain_langgraph else TEXTS[:2])
    app = app_of(impl, graph(plan, target=noted, checkpointer=InMemorySaver()))
    config: RunnableConfig = {"configurable": {"thread_id": "1"}}
    with pytest.raises(ConnectionError, match="reset"):
        run(lambda: app.ainvoke(QUESTION, config))
    state = app.get_state(config)
    assert (state.values, state.next) == ({**QUESTION, "found": []}, ("plan",))


def test_a_node_that_is_run_again_by_its_policy_is_predicted_again(impl: Implementation) -> None:
    model = structured([*CALL[:100], Breaks(ConnectionError("reset"))], CALL)
    app = app_of(impl, graph(asks(model), retry=RetryPolicy(initial_interval=0.1, jitter=False)))
    assert run(lambda: app.ainvoke(QUESTION)).result["found"] == TEXTS
    if impl is not plain_langgraph:
        assert early(app) == (6, 0, 0), "what the failed run had started is what the second one sends"


def test_interrupts_before_the_call_are_answered_and_those_behind_it_end_the_prediction(impl: Implementation) -> None:
    async def plan(state: State) -> dict[str, Any]:
        allowed = interrupt("May I?")
        made = await structured().ainvoke(allowed)
        if state["question"] == "Twice?":
            interrupt(f"Is {len(made.queries)} right?")
        return {"plan": made}

    for question, pauses in (("Once?", 1), ("Twice?", 2)):
        app = app_of(impl, graph(plan, checkpointer=InMemorySaver()))
        config: RunnableConfig = {"configurable": {"thread_id": "1"}}
        given: Any = {"question": question}
        for _ in range(pauses):
            paused = run(lambda app=app, given=given, config=config: app.ainvoke(given, config)).result
            given = Command(resume="Yes")
        assert paused["__interrupt__"][0].value == ("May I?" if pauses == 1 else "Is 6 right?")
        assert run(lambda app=app, given=given, config=config: app.ainvoke(given, config)).result["found"] == TEXTS


def test_what_is_saved_is_what_plain_langgraph_saves(impl: Implementation) -> None:
    app = app_of(impl, graph(asks(structured()), checkpointer=InMemorySaver()))
    config: RunnableConfig = {"configurable": {"thread_id": "1"}}
    assert run(lambda: app.ainvoke(QUESTION, config)).result["found"] == TEXTS
    history = [(state.metadata["step"], state.next, sorted(state.values)) for state in app.get_state_history(config)]
    assert history == [
        (2, (), ["found", "plan", "question"]),
        (1, ("search",) * 6, ["found", "plan", "question"]),
        (0, ("plan",), ["found", "question"]),
        (-1, ("__start__",), ["found"]),
    ]


def test_two_runs_at_once_never_mix(impl: Implementation) -> None:
    def script(letter: str) -> Any:
        queries = [{"text": f"{letter}{number}"} for number in range(4)]
        return call("Plan", {"queries": queries}, 0, pieces=100, seconds=4.0)

    models = {letter: structured(script(letter)) for letter in "ab"}

    async def plan(state: State) -> dict[str, Any]:
        return {"plan": await models[state["question"]].ainvoke("the same question")}

    app = app_of(impl, graph(plan))

    async def both() -> list[Any]:
        return await asyncio.gather(*(app.ainvoke({"question": letter}) for letter in "ab"))

    found = [result["found"] for result in run(both).result]
    assert found == [[f"{letter}{number}" for number in range(4)] for letter in "ab"]
    if impl is not plain_langgraph:
        assert early(app) == (4, 0, 0)


# ── silence ─────────────────────────────────────────────────────────────────────────────────────────────────────────


class Counting(AsyncCallbackHandler):
    """Counts what it hears, tokens apart."""

    def __init__(self) -> None:
        self.heard: list[str] = []

    async def on_chain_start(self, *args: Any, **kwargs: Any) -> None:
        self.heard.append(f"chain {kwargs.get('name')}")

    async def on_chat_model_start(self, *args: Any, **kwargs: Any) -> None:
        self.heard.append("model")

    async def on_llm_end(self, *args: Any, **kwargs: Any) -> None:
        self.heard.append("model ended")


def test_nobody_hears_of_predictions(impl: Implementation) -> None:
    of_model, of_run = Counting(), Counting()
    model = ScriptedModel(scripts=[CALL], callbacks=[of_model])

    async def plan(state: State, runtime: Runtime[None]) -> dict[str, Any]:
        get_stream_writer()({"asked": state["question"]})
        made = await model.with_structured_output(Plan).ainvoke(state["question"])
        runtime.stream_writer({"made": len(made.queries)})
        return {"plan": made}

    app = app_of(impl, graph(plan))

    async def streamed() -> list[Any]:
        with get_usage_metadata_callback():
            config: RunnableConfig = {"callbacks": [of_run]}
            return [event async for event in app.astream(QUESTION, config, stream_mode=["custom", "updates"])]

    events = run(streamed).result
    assert [event for mode, event in events if mode == "custom"] == [{"asked": "Why?"}, {"made": 6}]
    assert [list(event) for mode, event in events if mode == "updates"] == [["plan"], *[["search"]] * 6]
    assert of_model.heard == ["model", "model ended"]
    assert of_run.heard.count("model") == 1
    assert of_run.heard.count("chain RunnableSequence") == 1
    if impl is not plain_langgraph:
        assert early(app) == (6, 0, 0)


def test_tokens_reach_the_caller_once(impl: Implementation) -> None:
    app = app_of(impl, graph(asks(structured())))

    async def streamed() -> str:
        events = app.astream(QUESTION, stream_mode="messages")
        return "".join([piece["args"] or "" async for chunk, _ in events for piece in chunk.tool_call_chunks])

    assert Plan.model_validate_json(run(streamed).result) == Plan.model_validate(PLAN)


def test_a_prediction_reads_the_store_and_does_not_write_it(impl: Implementation) -> None:
    puts: list[str] = []

    async def plan(state: State, runtime: Runtime[None]) -> dict[str, Any]:
        assert runtime.store is not None
        hint = await runtime.store.aget(("hints",), "first")
        made = await structured().ainvoke(f"{state['question']} {hint and hint.value}")
        if state["question"] == "Why?":
            puts.append(f"{len(made.queries)}")
            await runtime.store.aput(("plans",), "last", {"queries": len(made.queries)})
        return {"plan": made}

    for question, unpromised in (("Why?", 6), ("How?", 0)):
        store = InMemoryStore()
        store.put(("hints",), "first", {"be": "brief"})
        app = app_of(impl, graph(plan, store=store))
        assert run(lambda app=app, question=question: app.ainvoke({"question": question})).result["found"] == TEXTS
        assert [item.value for item in store.search(("plans",))] == ([{"queries": 6}] if unpromised else [])
        if impl is not plain_langgraph:
            assert statistics(app).unpromised == unpromised


def test_a_prediction_has_an_input_of_its_own(impl: Implementation) -> None:
    seen: list[int] = []

    async def plan(state: State) -> dict[str, Any]:
        found = state.setdefault("found", [])
        seen.append(len(found))
        found.append("changed in place")
        return {"plan": await structured().ainvoke(state["question"]), "found": []}

    app = app_of(impl, graph(plan))
    run(lambda: app.ainvoke({**QUESTION, "found": ["before"]}))
    assert set(seen) == {1}
    assert len(seen) == (1 if impl is plain_langgraph else 7)


def test_a_graph_inside_the_node_ends_its_predictions(impl: Implementation) -> None:
    async def inner(state: State) -> dict[str, Any]:
        return {"plan": await structured().ainvoke(state["question"])}

    inside = graph(inner)

    async def plan(state: State) -> dict[str, Any]:
        made = await inside.ainvoke({"question": state["question"]})
        return {"plan": made["plan"]}

    app = app_of(impl, graph(plan))
    assert run(lambda: app.ainvoke(QUESTION)).result["found"] == TEXTS
    if impl is not plain_langgraph:
        assert early(app) == (0, 0, 6)


# ── threads ─────────────────────────────────────────────────────────────────────────────────────────────────────────


class Waiting(ScriptedModel):
    """Writes the next item when the work on the one before has begun, if it is ever to begin."""

    begun: dict[str, threading.Event]
    waits: bool

    def _stream(self, messages: list[BaseMessage], *args: Any, **options: Any) -> Iterator[ChatGenerationChunk]:
        self.asked.append("stream")
        for text, event in self.begun.items():
            yield ChatGenerationChunk(message=AIMessageChunk(content=f"{text}\n"))
            assert not self.waits or event.wait(20), f"{text} was not begun while the model wrote"


def test_on_threads_the_work_begins_while_the_model_writes(impl: Implementation) -> None:
    begun = {text: threading.Event() for text in TEXTS}
    model = Waiting(scripts=[[]], begun=begun, waits=impl is not plain_langgraph)

    def plan(state: State) -> dict[str, Any]:
        message = model.bind(stream=True).invoke(state["question"])
        return {"plan": str(message.content).splitlines()}

    def noted(text: str) -> dict[str, Any]:
        begun[text].set()
        return {"found": [text]}

    def route(state: State) -> list[Send]:
        return [Send("search", line) for line in state["plan"]]

    app = app_of(impl, graph(plan, route, noted), plan=split.lines)
    assert app.invoke(QUESTION)["found"] == TEXTS
    assert model.asked == ["stream"]
    if impl is not plain_langgraph:
        assert early(app) == (6, 0, 0)


def test_text_that_is_no_list_starts_nothing(impl: Implementation) -> None:
    model = ScriptedModel(scripts=[in_pieces("I would rather not.", seconds=1.0)])

    async def plan(state: State) -> dict[str, Any]:
        await model.ainvoke(state["question"])
        return {"plan": Plan(queries=[])}

    app = app_of(impl, graph(plan))
    assert run(lambda: app.ainvoke(QUESTION)).result["found"] == []
    if impl is not plain_langgraph:
        assert early(app) == (0, 0, 0)


def test_without_a_router_that_can_be_asked_nothing_is_watched(impl: Implementation) -> None:
    """The router changes the state: it runs once, at the end, as it always did."""

    def changes(state: State) -> list[Send]:
        queries = state["plan"].queries
        queries.reverse()
        return [Send("search", query.text) for query in queries]

    model = tool_call()
    app = app_of(impl, graph(asks(model.with_structured_output(Plan)), changes))
    assert run(lambda: app.ainvoke(QUESTION)).result["found"] == TEXTS[::-1]
    assert model.asked == ["whole"]
