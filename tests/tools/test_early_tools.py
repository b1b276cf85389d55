"""Tools of an agent start while the model writes; every test runs on plain LangGraph, too, and must agree."""

from __future__ import annotations

from typing import Any

import pytest
from dropin.watch import Implementation, plain_langgraph
from sim.loop import run
from watching.scripted import results

import alto_lg
from tools.agents import AGENTS, GO, THREE, Agent, Log, model, sync_worker, worker

EXPECTED = [("work", f"call_{n}", f"worked on {n}") for n in range(3)]


def statistics(app: Any) -> alto_lg.RunStatistics:
    found = alto_lg.statistics(app)
    assert found is not None
    return found


@pytest.fixture(params=tuple(AGENTS))
def agent(request: pytest.FixtureRequest) -> Agent:
    return AGENTS[request.param]


def test_each_tool_begins_when_its_own_arguments_end(impl: Implementation, agent: Agent) -> None:
    log = Log()
    app = impl(agent(model(), [worker(log)]))
    outcome = run(lambda: app.ainvoke(GO))
    messages = outcome.result["messages"]
    assert results(messages) == EXPECTED
    assert [message.type for message in messages] == ["human", "ai", "tool", "tool", "tool", "ai"]
    assert log.numbers == [0, 1, 2]
    if impl is plain_langgraph:
        assert log.began == [(n, pytest.approx(3.0)) for n in range(3)]
        assert outcome.elapsed_s == pytest.approx(4.0)
    else:
        assert log.began == [(0, pytest.approx(1.0)), (1, pytest.approx(2.0)), (2, pytest.approx(3.0))]
        assert outcome.elapsed_s == pytest.approx(4.0), "the last call is complete after three seconds"
        assert (statistics(app).early_tools, statistics(app).dropped_tools) == (3, 0)


def test_plain_functions_as_tools_start_early_on_threads(impl: Implementation, agent: Agent) -> None:
    log = Log()
    app = impl(agent(model(), [sync_worker(log)]))
    messages = run(lambda: app.ainvoke(GO)).result["messages"]
    assert results(messages) == EXPECTED
    assert sorted(log.numbers) == [0, 1, 2]
    if impl is not plain_langgraph:
        assert statistics(app).early_tools >= 2
        assert statistics(app).dropped_tools == 0


def test_the_sync_api_does_the_same(impl: Implementation, agent: Agent) -> None:
    log = Log()
    app = impl(agent(model(), [sync_worker(log)]))
    messages = app.invoke(GO)["messages"]
    assert results(messages) == EXPECTED
    assert sorted(log.numbers) == [0, 1, 2]
    if impl is not plain_langgraph:
        assert statistics(app).early_tools >= 2
        assert statistics(app).dropped_tools == 0


def test_a_tool_that_nobody_declared_waits_for_its_step(impl: Implementation, agent: Agent) -> None:
    log, chat = Log(), model()
    app = impl(agent(chat, [worker(log, declare=False)]))
    messages = run(lambda: app.ainvoke(GO)).result["messages"]
    assert results(messages) == EXPECTED
    assert log.began == [(n, pytest.approx(3.0)) for n in range(3)]
    assert set(chat.asked) == {"whole"}, "nothing needs the model to stream"


def test_events_are_those_of_langgraph(agent: Agent) -> None:
    def seen(app: Any) -> list[Any]:
        async def drive() -> list[Any]:
            found = []
            async for event in app.astream_events(GO, version="v2"):
                data = event["data"]
                name = event["event"]
                if name.startswith("on_tool"):
                    found.append((name, event["name"], data.get("input"), getattr(data.get("output"), "content", None)))
            return found

        return run(drive).result

    plain = seen(agent(model(), [worker(Log())]))
    assert seen(alto_lg.accelerate(agent(model(), [worker(Log())]))) == plain
    assert len(plain) == 6


def test_updates_and_messages_are_those_of_langgraph(agent: Agent) -> None:
    """In each of the two modes; which of two tools ends first is a matter of the clock, also across the modes."""

    def seen(app: Any) -> dict[str, list[Any]]:
        async def drive() -> dict[str, list[Any]]:
            found: dict[str, list[Any]] = {"updates": [], "messages": []}
            async for mode, event in app.astream(GO, stream_mode=["updates", "messages"]):
                if mode == "updates":
                    (update,) = event.values()
                    found[mode].append((list(event), [(one.type, one.content) for one in update["messages"]]))
                else:
                    found[mode].append((event[0].type, event[0].content, event[1]["langgraph_node"]))
            return found

        return run(drive).result

    plain = seen(agent(model(), [worker(Log())]))
    assert seen(alto_lg.accelerate(agent(model(), [worker(Log())]))) == plain
    assert len(plain["messages"]) > len(THREE)
