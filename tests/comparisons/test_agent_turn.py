"""The agent turn is what its table says: three calls of 60 tokens each, and the limit of the longest of them."""

from __future__ import annotations

import json

import pytest

from alto_lg.comparisons import agent_rules
from alto_lg.comparisons.agent_turn import Measured, Turn, turn_table
from alto_lg.comparisons.sim import tokens
from alto_lg.comparisons.sim.tool_calls import Offer, calls_in

OFFER = Offer(({"type": "function", "function": {"name": "look_up"}},), "auto")
ASKED = [{"role": "system", "content": agent_rules.SYSTEM}, {"role": "user", "content": "?"}]


def test_each_of_three_calls_has_sixty_tokens_of_arguments() -> None:
    content, calls = calls_in(agent_rules.reply(ASKED, 0) or "", OFFER, "")
    assert content == ""
    assert [call.name for call in calls] == ["look_up"] * 3
    assert [tokens.count(call.arguments) for call in calls] == [60] * 3
    assert [json.loads(call.arguments)["question"].split()[0] for call in calls] == list(agent_rules.SUBJECTS)


def test_results_are_what_the_answer_is_made_of() -> None:
    given = [*ASKED, {"role": "tool", "content": "one"}, {"role": "tool", "content": "two"}]
    assert agent_rules.reply(given, 0) == "That is what I found. one two"


def test_other_prompts_are_others() -> None:
    assert agent_rules.reply([{"role": "user", "content": "?"}], 0) is None


def _turn(wall_s: float, *complete_s: float) -> Turn:
    return Turn(wall_s, complete_s, complete_s[0], (), 0)


def test_the_limit_is_the_end_of_the_longest_call() -> None:
    turn = _turn(2.0, 0.6, 1.2, 1.8)
    assert Measured((300, 300, 300), (turn,), (turn,)).limit_s == pytest.approx(2.1)
    assert Measured((1500, 900, 300), (turn,), (turn,)).limit_s == pytest.approx(2.1)
    assert Measured((2000, 900, 300), (turn,), (turn,)).limit_s == pytest.approx(2.6)


def test_a_turn_above_three_percent_is_said_to_be() -> None:
    plain, fast = _turn(2.5, 0.6, 1.2, 1.8), _turn(2.15, 0.6, 1.2, 1.8)
    table = turn_table([Measured((300, 300, 300), (plain,), (fast,))])
    assert list(table.columns[7].cells) == ["no", "yes"]
