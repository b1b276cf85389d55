"""What is proven of a batched function, whose list holds the states of many firings, and what must not be.

Always true: every proof here has the false proof next to it that is not made.
"""

from __future__ import annotations

import asyncio
import functools
from typing import Any

import pytest
from langgraph.types import Command, Send

import alto_lg
from alto_lg.adapters.langgraph.analysis import node_facts
from alto_lg.engine.facts import CodeFacts

KEYS = frozenset({"question", "docs", "draft", "count", "answer"})
KEPT: list[Any] = []
MODEL: Any = object()


def _embedded(texts: list[str]) -> list[int]:
    return [len(text) for text in texts]


def _facts(function: Any) -> CodeFacts:
    return node_facts(function, schema_keys=KEYS)


def _keys(fact: Any) -> Any:
    keys = getattr(fact, "keys", fact)
    return "*" if keys.is_every else set(keys.names)


@alto_lg.batched(max_size=4)
def in_a_comprehension(states):
    return [{"answer": length} for length in _embedded([state["question"] for state in states])]


@alto_lg.batched(max_size=4)
async def in_a_loop(states):
    outputs = []
    for place, state in enumerate(states):
        await asyncio.sleep(0)
        outputs.append({"answer": f"{place} {state['question']}"})
    return outputs


@alto_lg.batched(max_size=4)
def by_zip(states):
    numbers = _embedded([state["question"] for state in states])
    return [{"answer": number} for state, number in zip(states, numbers, strict=True)]


@alto_lg.batched(max_size=4)
def as_a_tuple(states):
    return tuple({"answer": state["question"]} for state in states)


@alto_lg.batched(max_size=4)
def one_of_them_fails(states):
    return [{"answer": state["question"]} if state["question"] else ValueError("no question") for state in states]


@alto_lg.node(writes=["answer"])
@alto_lg.batched(max_size=4)
@alto_lg.repeatable
def repeatable(states):
    return [{"answer": state["question"]} for state in states]


class Service:
    def embed(self, states):
        return [{"answer": state["question"]} for state in states]


bound_method = alto_lg.batched(max_size=4)(Service().embed)


@pytest.mark.parametrize(
    "function",
    [in_a_comprehension, in_a_loop, by_zip, as_a_tuple, one_of_them_fails, repeatable, bound_method],
    ids=lambda function: function.__name__,
)
def test_the_state_is_each_item_of_the_list(function: Any) -> None:
    facts = _facts(function)
    assert (_keys(facts.reads), _keys(facts.writes), _keys(facts.goto)) == ({"question"}, {"answer"}, set())
    assert _keys(facts.mutates) == set()
    assert not facts.store
    assert not facts.interrupts


@alto_lg.batched(max_size=4)
def that_sends(states):
    return [Command(goto=[Send("writer", {"docs": state["docs"]})]) for state in states]


def test_where_it_goes_is_where_one_of_its_outputs_goes() -> None:
    facts = _facts(that_sends)
    assert (_keys(facts.reads), _keys(facts.writes), _keys(facts.goto)) == ({"docs"}, set(), {"writer"})


# ── what must not be proven ─────────────────────────────────────────────────────────────────────────────────────


@alto_lg.batched(max_size=4)
def reads_one_by_place(states):
    return [{"answer": states[0]["docs"]} for _ in states]


@alto_lg.batched(max_size=4)
def reads_the_last_in_a_helper(states):
    return [{"answer": _docs_of(states)} for _ in states]


def _docs_of(states):
    return states[-1]["docs"]


@alto_lg.batched(max_size=4)
def pops_one(states):
    found = states.pop()["docs"]
    return [{"answer": found}]


@alto_lg.batched(max_size=4)
def sorts_them(states):
    return [{"answer": 1} for _ in sorted(states, key=lambda state: state["docs"])]


@pytest.mark.parametrize("function", [reads_one_by_place, reads_the_last_in_a_helper, pops_one, sorts_them])
def test_what_is_read_of_any_item_is_read(function: Any) -> None:
    facts = _facts(function)
    assert facts.reads.keys.is_every or "docs" in _keys(facts.reads)


@alto_lg.batched(max_size=4)
def returns_them(states):
    return states


@alto_lg.batched(max_size=4)
def returns_the_states_of_unseen_code(states):
    return MODEL.run(states)


@alto_lg.batched(max_size=4)
def returns_what_it_did_not_make(states):
    return KEPT


@alto_lg.batched(max_size=4)
def returns_a_copy_of_each(states):
    return [{**state, "answer": 1} for state in states]


@pytest.mark.parametrize(
    "function",
    [returns_them, returns_the_states_of_unseen_code, returns_what_it_did_not_make, returns_a_copy_of_each],
)
def test_what_may_be_a_whole_state_writes_every_key(function: Any) -> None:
    assert _facts(function).writes.keys.is_every


@alto_lg.batched(max_size=4)
def changes_each(states):
    for state in states:
        state["docs"].append(1)
    return [{"answer": 1} for _ in states]


@alto_lg.batched(max_size=4)
def changes_in_a_lambda(states):
    list(map(lambda state: state["docs"].clear(), states))  # noqa: C417
    return [None for _ in states]


@alto_lg.batched(max_size=4)
def hands_them_to_unseen_code(states):
    MODEL.run([state["docs"] for state in states])
    return [None for _ in states]


@pytest.mark.parametrize("function", [changes_each, changes_in_a_lambda, hands_them_to_unseen_code])
def test_a_change_in_place_of_any_item_is_one(function: Any) -> None:
    facts = _facts(function)
    assert facts.mutates.keys.is_every or "docs" in _keys(facts.mutates)


@alto_lg.batched(max_size=4)
def keeps_them(states):
    KEPT.extend(state["docs"] for state in states)
    return [{"answer": 1} for _ in states]


@alto_lg.batched(max_size=4)
def keeps_its_outputs(states):
    outputs = [{"docs": [1]} for _ in states]
    KEPT.append(outputs)
    return outputs


@pytest.mark.parametrize("function", [keeps_them, keeps_its_outputs])
def test_what_is_kept_of_any_item_leaks(function: Any) -> None:
    facts = _facts(function)
    assert facts.leaks.is_every or "docs" in _keys(facts.leaks)
    assert facts.mutates_outside


@alto_lg.batched(max_size=4)
async def score(texts):
    return [len(text) for text in texts]


@alto_lg.batched(max_size=4)
async def grown(lists):
    for one in lists:
        one.append(1)
    return lists


async def awaits_a_batched_one(state):
    return {"answer": await score(state["question"])}


async def awaits_one_that_changes_its_input(state):
    return {"answer": await grown(state["docs"])}


def test_a_node_that_calls_a_batched_function_is_seen_through() -> None:
    facts = _facts(awaits_a_batched_one)
    assert (_keys(facts.reads), _keys(facts.writes), _keys(facts.mutates)) == ({"question"}, {"answer"}, set())
    facts = _facts(awaits_one_that_changes_its_input)
    assert "docs" in _keys(facts.mutates)


@functools.wraps(in_a_comprehension)
def above_batched(state):
    state["docs"].append(1)
    return in_a_comprehension(state)


@alto_lg.repeatable
def below(states):
    return [{"answer": state["question"]} for state in states]


@alto_lg.batched(max_size=4)
@functools.wraps(below)
def between_both(states):
    for state in states:
        state["docs"].append(1)
    return below(states)


@pytest.mark.parametrize("function", [above_batched, between_both])
def test_a_decorator_that_copies_a_mark_is_seen_as_what_it_is(function: Any) -> None:
    """As `functools.wraps` does; its own code counts."""
    facts = _facts(function)
    assert facts.reads.keys.is_every or {"docs", "question"} <= _keys(facts.reads)
    assert facts.mutates.keys.is_every or "docs" in _keys(facts.mutates)
