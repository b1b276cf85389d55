"""Tracing: each run of a node is one span under the right parent, whenever it began."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from dropin.shapes.base import Builder, Log, add_all, connect
from dropin.watch import Implementation, plain_langgraph
from langchain_core.language_models import GenericFakeChatModel
from langchain_core.messages import AIMessage
from langchain_core.tools import tool
from langchain_core.tracers.run_collector import RunCollectorCallbackHandler
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import START
from langgraph.types import Command, Send, TracePolicy, interrupt, omit_payload
from sim.loop import run

from surface.bench import UNEVEN_LOG, Bench, thread, uneven
from surface.spans import Span, Spans
from surface.talkative import talkative

ABOUT = ("langgraph_node", "langgraph_step", "langgraph_triggers")


STEPS = {"fast": 1, "slow": 1, "after": 2, "last": 3}


def _assert_whole(spans: Spans) -> None:
    """Every span that began has ended, under a parent that began before it and ended after it."""
    assert spans.mistakes == []
    assert spans.open_spans() == []
    for span in spans.found.values():
        parent = spans.parent(span)
        assert span.ended is not None
        assert span.began < span.ended
        if parent is not None:
            assert parent.ended is not None
            assert parent.began < span.began < span.ended < parent.ended


def _described(spans: Spans) -> list[Any]:
    """What of a trace does not depend on ids and times."""

    def describe(span: Span) -> Any:
        about = [repr(span.metadata.get(key)) for key in ABOUT]
        # The place of a packet among all of its step is not known before the step has begun.
        kind = (span.metadata.get("langgraph_path") or [None])[0]
        return span.kind, spans.path(span), tuple(sorted(span.tags)), about, kind, span.error

    return sorted(map(describe, spans.found.values()), key=repr)


def _traced(bench: Bench, builder: Builder, given: Any, *, name: str = "app", **compiling: Any) -> tuple[Any, Spans]:
    spans = Spans()
    app = bench.app(builder, name=name, **compiling)
    bench.invoke(app, given, thread(callbacks=[spans], tags=["mine"], metadata={"owner": "Ann"}))
    return app, spans


def test_a_trace_has_the_spans_that_langgraphs_has(bench: Bench, plain_bench: Bench) -> None:
    found = []
    for side in (bench, plain_bench):
        app, spans = _traced(side, talkative(side), {"log": []})
        side.assert_started_early(app)
        _assert_whole(spans)
        found.append(_described(spans))
    assert found[0] == found[1]


def test_every_node_is_a_child_of_the_run(bench: Bench) -> None:
    app, spans = _traced(bench, uneven(bench), {"log": []})
    bench.assert_started_early(app)
    for name in UNEVEN_LOG:
        span = spans.one(name)
        assert spans.path(span) == ("app", name)
        assert span.metadata["owner"] == "Ann"
        assert set(span.tags) == {"mine", f"graph:step:{STEPS[name]}"}
        assert span.step == STEPS[name]


def test_an_early_node_is_seen_to_run_beside_the_slow_one(bench: Bench) -> None:
    app, spans = _traced(bench, uneven(bench), {"log": []})
    slow, after, last = (spans.one(name) for name in ("slow", "after", "last"))
    bench.assert_started_early(app)
    assert after.ended is not None
    assert slow.ended is not None
    assert after.ended < last.began, "a node begins after the node that it follows has ended"
    assert (last.began < slow.ended) == bench.starts_early


def test_the_output_of_a_span_is_what_the_node_returned(bench: Bench) -> None:
    _, spans = _traced(bench, uneven(bench), {"log": []})
    assert {name: spans.one(name).output for name in UNEVEN_LOG} == {name: {"log": [name]} for name in UNEVEN_LOG}
    assert spans.one("app").output == {"log": UNEVEN_LOG}


@tool
def shout(word: str) -> str:
    """Say a word loudly."""
    return word.upper()


def test_models_and_tools_are_children_of_their_node(bench: Bench) -> None:
    async def work(state: Log) -> dict[str, Any]:
        model = GenericFakeChatModel(messages=iter([AIMessage("hello")]))
        said = await model.ainvoke("go")
        return {"log": [await shout.ainvoke({"word": str(said.text)})]}

    def work_in_sync(state: Log) -> dict[str, Any]:
        model = GenericFakeChatModel(messages=iter([AIMessage("hello")]))
        said = model.invoke("go")
        return {"log": [shout.invoke({"word": str(said.text)})]}

    nodes = {"fast": bench.say("fast"), "slow": bench.slow(), "after": bench.overtakes("after")}
    builder = add_all(Log, {**nodes, "work": work if bench.colour == "async" else work_in_sync})
    connect(builder, (START, "fast"), (START, "slow"), ("fast", "after"), ("fast", "work"))
    app, spans = _traced(bench, builder, {"log": []})
    bench.assert_started_early(app)
    _assert_whole(spans)
    (model,) = (span for span in spans.found.values() if span.kind == "model")
    assert spans.path(model) == ("app", "work", model.name)
    assert spans.path(spans.one("shout")) == ("app", "work", "shout")
    assert spans.one("shout").node == "work"
    assert model.node == "work"
    assert model.step == 2


def _packets(bench: Bench) -> Builder:
    def spread(state: Log) -> list[Send]:
        return [Send("first", {"log": []}) for _ in range(3)]

    def first(state: Log) -> Command[Any]:
        return Command(update={"log": ["first"]}, goto=Send("second", {"log": []}))

    builder = add_all(Log, {"plan": bench.say("plan"), "slow": bench.slow(), "second": bench.overtakes("second")})
    builder.add_node("first", first, destinations=("second",))
    builder.add_conditional_edges("plan", spread, ["first"])
    return connect(builder, (START, "plan"), (START, "slow"))


def test_each_packet_is_a_span_of_its_own(bench: Bench, plain_bench: Bench) -> None:
    found = []
    for side in (bench, plain_bench):
        app, spans = _traced(side, _packets(side), {"log": []})
        side.assert_started_early(app)
        _assert_whole(spans)
        assert len(spans.named("first")) == len(spans.named("second")) == 3
        assert spans.path(spans.one("spread")) == ("app", "plan", "spread")
        found.append(_described(spans))
    assert found[0] == found[1]


def _failing(bench: Bench, *, slow_fails: bool) -> Builder:
    async def slow(state: Log) -> dict[str, Any]:
        await asyncio.sleep(1.0)
        raise ValueError("slow failed")

    hold = bench.hold

    def slow_in_sync(state: Log) -> dict[str, Any]:
        hold()
        raise ValueError("slow failed")

    def fail(state: Log) -> dict[str, Any]:
        raise ValueError("last failed")

    failing = slow if bench.colour == "async" else slow_in_sync
    nodes = {"fast": bench.say("fast"), "slow": failing if slow_fails else bench.slow()}
    builder = add_all(
        Log, {**nodes, "after": bench.overtakes("after"), "last": bench.say("last") if slow_fails else fail}
    )
    return connect(builder, (START, "fast"), (START, "slow"), ("fast", "after"), ("after", "last"))


def test_a_dropped_node_has_a_whole_span(bench: Bench) -> None:
    """The slow node fails, so LangGraph would not have run what started early: its spans end all the same."""
    spans = Spans()
    app = bench.app(_failing(bench, slow_fails=True), name="app")
    with pytest.raises(ValueError, match="slow failed"):
        bench.invoke(app, {"log": []}, {"callbacks": [spans]})
    _assert_whole(spans)
    assert spans.one("slow").error == spans.one("app").error == "ValueError"
    assert len(spans.named("after")) == (1 if bench.starts_early else 0)


def test_a_failed_early_node_has_its_error_in_its_span_once(bench: Bench, plain_bench: Bench) -> None:
    found = []
    for side in (bench, plain_bench):
        spans = Spans()
        app = side.app(_failing(side, slow_fails=False), name="app")
        with pytest.raises(ValueError, match="last failed"):
            side.invoke(app, {"log": []}, {"callbacks": [spans]})
        _assert_whole(spans)
        found.append(_described(spans))
    assert found[0] == found[1]
    assert spans.one("last").error == "ValueError"


def test_a_question_ends_its_span_each_time(bench: Bench, plain_bench: Bench) -> None:
    def ask(state: Log) -> dict[str, Any]:
        return {"log": [interrupt("name?")]}

    found = []
    for side in (bench, plain_bench):
        spans = Spans()
        nodes = {"fast": side.say("fast"), "slow": side.slow(), "after": side.overtakes("after"), "ask": ask}
        builder = connect(add_all(Log, nodes), (START, "fast"), (START, "slow"), ("fast", "after"), ("after", "ask"))
        app = side.app(builder, checkpointer=InMemorySaver(), name="app")
        side.invoke(app, {"log": []}, thread(callbacks=[spans]))
        side.invoke(app, Command(resume="Ann"), thread(callbacks=[spans]))
        _assert_whole(spans)
        assert [span.error for span in spans.named("ask")] == ["GraphInterrupt", None]
        found.append(_described(spans))
    assert found[0] == found[1]


def test_a_closed_stream_leaves_no_span_open(impl: Implementation) -> None:
    bench, spans = Bench(impl, "async", is_ours=impl is not plain_langgraph), Spans()
    app = bench.app(uneven(bench))

    async def main() -> None:
        events = app.astream({"log": []}, {"callbacks": [spans]}, stream_mode="updates")
        async for _ in events:
            await asyncio.sleep(0.15)
            await events.aclose()
            break

    run(main)
    assert spans.mistakes == []
    assert spans.open_spans() == []


def test_a_trace_policy_says_what_of_a_node_is_recorded(bench: Bench) -> None:
    builder = add_all(Log, {"fast": bench.say("fast"), "slow": bench.slow()})
    policy = TracePolicy(process_inputs=omit_payload, process_outputs=lambda value: {"kept": value["log"][0]})
    builder.add_node("after", bench.overtakes("after"), trace_policy=policy)
    app = bench.app(connect(builder, (START, "fast"), (START, "slow"), ("fast", "after")), name="app")
    collected = RunCollectorCallbackHandler()
    bench.invoke(app, {"log": []}, {"callbacks": [collected]})
    bench.assert_started_early(app)
    (root,) = collected.traced_runs
    recorded = {child.name: child for child in root.child_runs}
    assert sorted(recorded) == ["after", "fast", "slow"]
    assert recorded["after"].inputs == {}
    assert recorded["after"].outputs == {"kept": "after"}
    assert recorded["slow"].outputs == {"log": ["slow"]}


def test_metadata_of_a_node_is_in_its_span(bench: Bench) -> None:
    builder = add_all(Log, {"fast": bench.say("fast"), "slow": bench.slow()})
    builder.add_node("after", bench.overtakes("after"), metadata={"team": "blue"})
    app, spans = _traced(bench, connect(builder, (START, "fast"), (START, "slow"), ("fast", "after")), {"log": []})
    bench.assert_started_early(app)
    assert spans.one("after").metadata["team"] == "blue"
    assert "team" not in spans.one("slow").metadata
