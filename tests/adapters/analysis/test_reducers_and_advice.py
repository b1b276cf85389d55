"""Reducers that may be run twice, advice about loops of awaits, and the words of the reasons."""

import operator
import random
import uuid
from types import SimpleNamespace

import pytest
from langchain_core.runnables import RunnableLambda
from langgraph._internal._runnable import RunnableCallable
from langgraph.graph.message import add_messages

from alto_lg.adapters.langgraph.analysis import node_facts, reducer_is_pure

KEYS = frozenset({"question", "docs", "answer"})
SEEN = []
client = SimpleNamespace()


def merges(left, right):
    return {**(left or {}), **right}


def keeps_ten(left, right):
    return (left + right)[-10:]


def takes_the_last(left, right):
    return right if right is not None else left


def unites(left, right):
    merged = dict(left)
    merged.update(right)
    return merged


def sorts(left, right):
    return sorted({item["id"]: item for item in [*left, *right]}.values(), key=lambda item: item["id"])


def appends(left, right):
    left.append(right)
    return left


def extends_in_place(left, right):
    left += right
    return left


def updates(left, right):
    left.update(right)
    return left


def changes_deep(left, right):
    new = list(left)
    new[0]["seen"] = True
    return new + right


def remembers(left, right):
    SEEN.append(right)
    return left


def calls_the_unseen(left, right):
    return client.merge(left, right)


def shuffles(left, right):
    return random.sample(left + right, 2)


def names_anew(left, right):
    return {**left, str(uuid.uuid4()): right}


@pytest.mark.parametrize(
    "function",
    [
        operator.add,
        operator.or_,
        max,
        min,
        add_messages,
        merges,
        keeps_ten,
        takes_the_last,
        unites,
        sorts,
        lambda a, b: a + b,
    ],
)
def test_a_reducer_that_changes_nothing_is_pure(function):
    pure, why = reducer_is_pure(function)
    assert pure, why


@pytest.mark.parametrize(
    "function",
    [
        operator.iadd,
        appends,
        extends_in_place,
        updates,
        changes_deep,
        remembers,
        calls_the_unseen,
        shuffles,
        names_anew,
        list.extend,
        SimpleNamespace,
    ],
)
def test_a_reducer_that_may_change_something_is_not_pure(function):
    pure, why = reducer_is_pure(function)
    assert not pure
    assert why


async def ask(text):
    return text


async def asks_in_a_loop(state):
    answers = []
    for doc in state["docs"]:
        answer = await ask(doc)
        answers.append(answer)
    return {"answer": answers}


async def asks_in_a_comprehension(state):
    return {"answer": [await ask(doc) for doc in state["docs"]]}


async def asks_about_the_last_answer(state):
    answer = ""
    for doc in state["docs"]:
        answer = await ask(doc + answer)
    return {"answer": answer}


async def asks_about_all_answers(state):
    answers = []
    for doc in state["docs"]:
        answers.append(await ask(f"{doc} {answers}"))
    return {"answer": answers}


async def stops_at_the_first(state):
    for doc in state["docs"]:
        if await ask(doc):
            return {"answer": doc}


@pytest.mark.parametrize("function", [asks_in_a_loop, asks_in_a_comprehension])
def test_a_loop_of_independent_awaits_is_advised_on(function):
    (advice,) = node_facts(function, schema_keys=KEYS).advice
    assert "one after another" in advice.message and "Send" in advice.message
    assert advice.line.startswith("test_reducers_and_advice.py:")


@pytest.mark.parametrize("function", [asks_about_the_last_answer, asks_about_all_answers, stops_at_the_first, ask])
def test_a_loop_whose_turns_need_each_other_is_left_alone(function):
    assert node_facts(function, schema_keys=KEYS).advice == ()


def hands_over(state):
    return {"answer": client.run(state)}


def assigns(state):
    state["answer"] = 1
    return state


def logs(state):
    print(list(state.keys()))


def changes(state):
    state["docs"].append(1)


@pytest.mark.parametrize(
    ("function", "fact", "said"),
    [
        (hands_over, "reads", "could not be followed (test_reducers_and_advice.py:"),
        (assigns, "writes", "return {'answer': ...} instead"),
        (assigns, "reads", "assigns 'answer' and returns the whole state"),
        (logs, "reads", "only logs"),
        (changes, "mutates", "state['docs'].append"),
    ],
)
def test_a_reason_names_the_construct_and_the_line(function, fact, said):
    found = getattr(node_facts(function, schema_keys=KEYS), fact)
    assert said in found.why


def sync_node(state):
    return {"answer": state["question"]}


async def async_node(state):
    return {"docs": state["docs"]}


def test_both_functions_of_a_runnable_count():
    facts = node_facts(RunnableCallable(sync_node, async_node), schema_keys=KEYS)
    assert facts.reads.keys.names == {"question", "docs"} and facts.writes.keys.names == {"answer", "docs"}
    assert node_facts(RunnableLambda(sync_node), schema_keys=KEYS).writes.keys.names == {"answer"}


def test_many_nodes_are_analysed_from_one_parsed_file():
    def make(n):
        def node(state):
            return {"answer": state["question"] + str(n)}

        return node

    for n in range(300):
        facts = node_facts(make(n), schema_keys=KEYS)
        assert facts.reads.keys.names == {"question"} and facts.writes.keys.names == {"answer"}
