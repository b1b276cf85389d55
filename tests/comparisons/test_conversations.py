"""A request of several turns: all of them on one thread, in every kind of arm, and the whole of them measured."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

import pytest
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import START, StateGraph

import alto_lg
from alto_lg.apps.base import Request
from alto_lg.apps.wikichat import WIKICHAT, build, program
from alto_lg.apps.wikichat.local_chat import LocalChat
from alto_lg.apps.wikichat.state import Conversation
from alto_lg.comparisons.measure import Measurement, Runner, measure
from alto_lg.comparisons.runners import GraphRunner, ProgramRunner, ThreadRunner

REQUEST = Request("a", {"question": "Who was Einstein?"}, {}, [{"question": "And which prize did he get?"}])


def _graph() -> Any:
    return build("flat", chat=LocalChat(), checkpointer=InMemorySaver())


def _measured(runner: Runner, request: Request = REQUEST) -> Measurement:
    return asyncio.run(measure(runner, WIKICHAT, request, arm="one", position=0))


def test_every_kind_of_arm_takes_the_turns_of_one_conversation() -> None:
    runners = [
        GraphRunner(_graph(), False),
        GraphRunner(alto_lg.accelerate(_graph()), True),
        ProgramRunner(program(chat=LocalChat())),
    ]
    answers = [_measured(runner).answer for runner in runners]
    asked = [turn["user"] for turn in answers[0]["history"]]
    assert asked == ["Who was Einstein?", "And which prize did he get?"]
    assert answers[0]["references"]
    assert answers[0] == answers[1] == answers[2]


def test_a_thread_is_forgotten_with_its_last_turn() -> None:
    graph = _graph()
    _measured(GraphRunner(graph, False))
    assert list(graph.checkpointer.list(None)) == []


def test_both_turns_count_and_the_first_result_is_that_of_the_first() -> None:
    measured = _measured(GraphRunner(alto_lg.accelerate(_graph()), True))
    cited = [span for span in measured.spans if span.stage == "cite"]
    assert len(cited) == 2
    assert measured.first_result_s is not None
    assert measured.first_result_s < cited[0].ended
    assert measured.latency_s >= measured.limit_s > cited[0].ended - cited[0].started
    alone = _measured(GraphRunner(alto_lg.accelerate(_graph()), True), replace(REQUEST, then=()))
    assert measured.early is not None
    assert alone.early is not None
    assert measured.early.firings > alone.early.firings


def test_a_graph_of_plain_functions_keeps_its_thread_too() -> None:
    def say(state: Conversation) -> dict[str, Any]:
        return {"history": [{"user": state["question"], "agent": str(len(state.get("history", [])))}]}

    graph = StateGraph(Conversation)
    graph.add_node("say", say)
    graph.add_edge(START, "say")
    runner = ThreadRunner(graph.compile(checkpointer=InMemorySaver()), False)

    async def talk() -> Any:
        first = await runner.run(REQUEST.input, "say")
        return (await runner.run(REQUEST.then[0], "say", first)).state

    assert [turn["agent"] for turn in asyncio.run(talk())["history"]] == ["0", "1"]


@pytest.mark.parametrize("version", WIKICHAT.versions)
def test_a_version_takes_both_turns(version: str) -> None:
    graph = build(version, chat=LocalChat(), checkpointer=InMemorySaver())
    assert len(_measured(GraphRunner(graph, False)).answer["history"]) == 2
