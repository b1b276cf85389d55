"""Several inputs at once: each gets its own answer, in the order asked for or as each is ready."""

from __future__ import annotations

import asyncio
import operator
from typing import Annotated, Any

import pytest
from dropin.shapes.base import Builder, add_all, connect
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import START
from typing_extensions import TypedDict

from surface.bench import UNEVEN_LOG, Bench, thread, uneven

INPUTS = [{"log": [f"run {number}"]} for number in range(5)]
ANSWERS = [{"log": [f"run {number}", *UNEVEN_LOG]} for number in range(5)]


class Numbered(TypedDict):
    number: int
    log: Annotated[list[str], operator.add]


def test_each_input_gets_its_own_answer_in_order(bench: Bench) -> None:
    app = bench.app(uneven(bench))
    assert bench.batch(app, INPUTS) == ANSWERS
    bench.assert_started_early(app)


def test_each_run_of_a_batch_may_have_a_config_of_its_own(bench: Bench) -> None:
    app = bench.app(uneven(bench), checkpointer=InMemorySaver())
    configs = [thread(str(number)) for number in range(5)]
    assert bench.batch(app, INPUTS, configs) == ANSWERS
    assert [bench.state(app, config).values for config in configs] == ANSWERS


def test_a_limit_on_runs_at_once_changes_no_answer(bench: Bench) -> None:
    app = bench.app(uneven(bench))
    bench.overlapping = bench.colour == "async"  # with a limit of two threads the slow node would wait in vain
    assert bench.batch(app, INPUTS, {"max_concurrency": 2}) == ANSWERS
    bench.assert_started_early(app)


def _failing(bench: Bench) -> Builder:
    def check(state: Numbered) -> dict[str, Any]:
        if state["number"] == 1:
            raise ValueError("one is refused")
        return {"log": [f"checked {state['number']}"]}

    nodes = {"fast": bench.say("fast"), "slow": bench.say("slow", 1.0), "check": check}
    return connect(add_all(Numbered, nodes), (START, "fast"), (START, "slow"), ("fast", "check"))


def _given(number: int) -> dict[str, Any]:
    return {"number": number, "log": []}


def test_one_failed_run_fails_the_batch(bench: Bench) -> None:
    with pytest.raises(ValueError, match="one is refused"):
        bench.batch(bench.app(_failing(bench)), [_given(0), _given(1), _given(2)])


def test_one_failed_run_can_be_given_back_as_its_error(bench: Bench) -> None:
    app = bench.app(_failing(bench))
    first, second, third = bench.batch(app, [_given(0), _given(1), _given(2)], return_exceptions=True)
    assert first["log"] == ["fast", "slow", "checked 0"]
    assert isinstance(second, ValueError)
    assert third["log"] == ["fast", "slow", "checked 2"]


def _paced(bench: Bench) -> Builder:
    """How long the slow node takes depends on the input."""

    async def wait(state: Numbered) -> dict[str, Any]:
        await asyncio.sleep(1.0 - state["number"] / 10)
        return {"log": ["waited"]}

    def wait_no_time(state: Numbered) -> dict[str, Any]:
        return {"log": ["waited"]}

    slow = wait if bench.colour == "async" else wait_no_time
    nodes = {"fast": bench.say("fast"), "slow": slow, "after": bench.say("after")}
    return connect(add_all(Numbered, nodes), (START, "fast"), (START, "slow"), ("fast", "after"))


def test_answers_as_completed_come_with_the_place_of_their_input(bench: Bench) -> None:
    app = bench.app(_paced(bench))
    given = [_given(number) for number in range(4)]
    found = bench.call(app.abatch_as_completed, app.batch_as_completed, given)
    assert sorted(place for place, _ in found) == [0, 1, 2, 3]
    assert all(answer["number"] == place for place, answer in found)
    assert all(answer["log"] == ["fast", "waited", "after"] for _, answer in found)
    if bench.colour == "async":
        assert [place for place, _ in found] == [3, 2, 1, 0]
