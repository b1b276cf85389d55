"""The programs written by hand: the states of the graphs, as soon as any arm, and as soon as their limit."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

import pytest
from sim.loop import run
from slow_chat import SlowChat

import alto_lg
from alto_lg.apps import factool, ircot, llmcompiler, tot, wikichat
from alto_lg.apps.base import Application, ModelEndpoint, Program
from alto_lg.apps.chat import Messages
from alto_lg.apps.factool.rules import reply as factool_reply
from alto_lg.apps.ircot.rules import reply as ircot_reply
from alto_lg.apps.llmcompiler.rules import reply as llmcompiler_reply
from alto_lg.apps.rules_chat import Reply, RulesChat
from alto_lg.apps.spans import record_spans
from alto_lg.apps.together import Pipe, together
from alto_lg.apps.tot.rules import reply as tot_reply
from alto_lg.apps.wikichat.rules import reply as wikichat_reply

APPS: Mapping[str, tuple[Any, Application, Reply]] = {
    "factool": (factool, factool.FACTOOL, factool_reply),
    "ircot": (ircot, ircot.IRCOT, ircot_reply),
    "llmcompiler": (llmcompiler, llmcompiler.LLMCOMPILER, llmcompiler_reply),
    "tot": (tot, tot.TOT, tot_reply),
    "wikichat": (wikichat, wikichat.WIKICHAT, wikichat_reply),
}


def _inputs(name: str, count: int) -> list[Mapping[str, Any]]:
    requests = APPS[name][1].workload(corpus=None, questions=None)
    return [request.input for request in requests[:: len(requests) // count]][:count]


async def _by_hand(program: Program, given: Mapping[str, Any]) -> dict[str, Any]:
    return {**await program.run(given, lambda node: None), "run": None}


async def _by_graph(graph: Any, given: Mapping[str, Any]) -> dict[str, Any]:
    return {**await graph.ainvoke(dict(given)), "run": None}


@pytest.mark.parametrize("name", APPS)
def test_the_final_state_is_that_of_the_flat_graph(name: str) -> None:
    app, _, reply = APPS[name]
    program, graph = app.program(chat=RulesChat(reply)), app.build("flat", chat=RulesChat(reply))
    for given in _inputs(name, 8):
        assert asyncio.run(_by_hand(program, given)) == asyncio.run(_by_graph(graph, given))


@pytest.mark.parametrize("name", APPS)
def test_it_is_as_soon_as_its_limit_and_no_graph_is_sooner(name: str) -> None:
    """On a machine that takes no time itself; with the calls of the graph that starts soonest."""
    app, application, reply = APPS[name]
    by_hand, by_graph = SlowChat(reply), SlowChat(reply)
    graph = alto_lg.accelerate(app.build("streaming", chat=by_graph))
    given = _inputs(name, 3)[-1]
    program = app.program(chat=by_hand)

    async def follow() -> float:
        with record_spans() as spans:
            await program.run(given, lambda node: None)
        return application.limit_s(spans)

    outcome = run(follow)
    assert outcome.elapsed_s == pytest.approx(outcome.result)
    assert outcome.elapsed_s <= run(lambda: graph.ainvoke(dict(given))).elapsed_s + 1e-6
    assert sorted(by_hand.asked) == sorted(by_graph.asked)


@pytest.mark.parametrize("name", APPS)
def test_every_node_of_the_flat_graph_is_told_of_and_the_first_result_before_the_end(name: str) -> None:
    app, application, reply = APPS[name]
    heard: list[str] = []
    asyncio.run(app.program(chat=RulesChat(reply)).run(_inputs(name, 1)[0], heard.append))
    assert set(heard) == set(app.build("flat", chat=RulesChat(reply)).nodes) - {"__start__"}
    assert application.first_result_node in heard[:-2]


@pytest.mark.parametrize("name", APPS)
def test_the_model_s_own_error_ends_the_run_and_nothing_goes_on(name: str) -> None:
    app, _, reply = APPS[name]
    calls = 0

    def breaking(messages: Sequence[Mapping[str, str]], seed: int) -> str | None:
        nonlocal calls
        calls += 1
        if calls == 4:
            raise ConnectionError("the model is gone")
        return reply(messages, seed)

    chat = SlowChat(breaking)

    async def ask() -> int:
        with pytest.raises(ConnectionError, match="the model is gone"):
            await app.program(chat=chat).run(_inputs(name, 1)[0], lambda node: None)
        asked = len(chat.asked)
        await asyncio.sleep(3600)
        return len(chat.asked) - asked

    outcome = run(ask)
    assert outcome.result == 0
    assert outcome.tasks_left == ()


@pytest.mark.parametrize("name", APPS)
def test_every_application_offers_it_at_an_endpoint(name: str) -> None:
    assert callable(APPS[name][1].by_hand(ModelEndpoint("http://127.0.0.1:9/v1", "m"), corpus=None).run)


def test_a_model_that_cannot_stream_is_refused() -> None:
    class Whole:
        async def complete(self, messages: Messages, *, max_tokens: int = 1024) -> str:
            return ""

    for app, _, _ in APPS.values():
        with pytest.raises(TypeError, match="Whole cannot stream"):
            app.program(chat=Whole())


def test_a_claim_that_is_taken_back_is_checked_no_further() -> None:
    """What began as a claim was prose before a list."""
    listed = 'These are all the claims\n["The Nile is long.", "Bees fly."]'

    def reply(messages: Sequence[Mapping[str, str]], seed: int) -> str | None:
        is_extraction = messages[0]["content"] == factool.prompts.EXTRACT_SYSTEM
        return listed if is_extraction else factool_reply(messages, seed)

    chat = SlowChat(reply)
    state = run(lambda: factool.program(chat=chat).run({"question": "Q?"}, lambda node: None)).result
    assert [verdict["claim"] for verdict in state["verdicts"]] == ["The Nile is long.", "Bees fly."]
    assert [verdict["index"] for verdict in state["verdicts"]] == [0, 1]
    assert any("These are all the claims" in asked for asked in chat.asked)
    assert not any("These are all the claims" in asked and "Evidence" in asked for asked in chat.asked)


def test_of_two_tasks_together_the_error_of_one_ends_the_other() -> None:
    async def fail() -> None:
        raise LookupError("gone")

    async def both() -> bool:
        with pytest.raises(LookupError, match="gone"):
            async with together() as group:
                other = group.create_task(asyncio.sleep(3600))
                group.create_task(fail())
        return other.cancelled()

    outcome = run(both)
    assert outcome.result
    assert outcome.elapsed_s == 0


def test_what_comes_out_of_a_pipe_is_what_was_put_in_even_nothing() -> None:
    async def through() -> list[str | None]:
        pipe = Pipe[str | None]()
        for item in ("a", None, "b"):
            pipe.put(item)
        pipe.close()
        return [item async for item in pipe]

    assert run(through).result == ["a", None, "b"]
