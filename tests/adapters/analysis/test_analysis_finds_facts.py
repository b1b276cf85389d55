"""What the analysis finds in the patterns of real code. Every row: a callable, its reads, writes, goto, mutates.

A star stands for every key.
"""

import asyncio
import copy
import dataclasses
import functools
import json
import logging
import operator
import re
import time
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from enum import Enum
from typing import Annotated, NamedTuple, TypedDict

import pytest
from langchain_core.messages import AIMessage, HumanMessage
from langgraph.config import get_stream_writer
from langgraph.graph import END
from langgraph.types import Command, Send
from pydantic import BaseModel

from alto_lg.adapters.langgraph.analysis import node_facts, router_facts

KEYS = frozenset({"question", "docs", "draft", "messages", "count", "answer", "turn"})
TARGET = "writer"
DOCS_KEY = "docs"
logger = logging.getLogger(__name__)


class Step(str, Enum):  # noqa: UP042
    WRITE = "writer"
    DOCS = "docs"


class Update(TypedDict, total=False):
    answer: str
    count: int


@dataclass
class Record:
    answer: str = ""
    notes: list[str] = field(default_factory=list)


class Model(BaseModel):
    answer: str
    count: int = 0


class Pair(NamedTuple):
    left: object
    right: object


def first_line(text):
    return text.splitlines()[0]


def pick(state, key):
    return state[key]


def question_of(state):
    return state["question"]


def make_update(value):
    return {"answer": value}


async def ask(prompt):
    await asyncio.sleep(0)
    return prompt.upper()


def reads_and_returns(state):
    return {"answer": state["question"]}


def reads_with_get(state):
    return {"answer": state.get("question", "") or state.get("draft")}


def reads_attributes(state):
    return {"answer": state.question + state.draft}


def reads_by_constant_name(state):
    return {"answer": state[DOCS_KEY], "count": state[Step.DOCS]}


def reads_in_a_loop_over_constants(state):
    return {"answer": "".join(str(state[key]) for key in ("question", "draft"))}


def looks_a_key_up(state):
    return {"answer": "yes" if "draft" in state else "no"}


def follows_a_helper(state):
    return make_update(pick(state, "draft") + question_of(state))


def builds_the_update_in_a_variable(state):
    update = {"answer": state["question"]}
    if state.get("count"):
        update["count"] = state["count"] + 1
    update.update(docs=[])
    update |= {"draft": ""}
    return update


def returns_in_branches(state):
    if state["count"] > 3:
        return {"answer": "stop"}
    elif state["draft"]:
        return None
    return dict(docs=[], answer="x")  # noqa: C408


def raises_or_falls_off(state):
    if not state["question"]:
        raise ValueError(state["draft"])


def returns_a_command(state):
    return Command(update={"answer": state["question"]}, goto="reader")


def goes_to_constants(state):
    if state["count"]:
        return Command(goto=[TARGET, "reader"])
    return Command(goto=END if state["draft"] else Step.WRITE)


def sends_from_a_command(state):
    return Command(goto=[Send("worker", {"doc": doc}) for doc in state["docs"]])


def returns_a_list_of_commands(state):
    return [Command(update={"answer": 1}), Command(goto="reader"), {"count": 1}]


def returns_a_typed_dict(state):
    return Update(answer=state["question"], count=1)


def returns_a_dataclass(state):
    return Record(answer=state["question"])


def returns_a_model(state):
    return Model(answer=state["question"])


def sets_keys_and_returns_the_state(state):
    state["answer"] = state["question"]
    return state


def spreads_the_state(state):
    return {**state, "answer": "x"}


def copies_the_state(state):
    new = state.copy()
    new["answer"] = "x"
    return new


def unites_with_the_state(state):
    return state | {"answer": "x"}


def logs_the_keys(state):
    logger.info("state has %s", list(state.keys()))
    print("keys", state.keys(), len(state), f"{sorted(state)}", ", ".join(state))
    logging.debug("all: " + ", ".join(list(state.keys())))
    return {"answer": state["question"]}


def logs_a_value(state):
    logger.info("question: %s", state["question"])
    return {"answer": "x"}


def prints_the_state(state):
    print(state)
    return {"answer": "x"}


def appends_to_a_value(state):
    state["docs"].append("x")
    return {"answer": "x"}


def changes_a_nested_field(state):
    state.turn.answer = "x"


def changes_an_item(state):
    state["turn"]["x"] = state["question"]


def changes_through_an_alias(state):
    docs = state["docs"]
    docs += ["x"]
    del docs[0]


def changes_a_fresh_copy(state):
    docs = list(state["docs"])
    docs.append("x")
    more = copy.deepcopy(state["turn"])
    more["x"]["y"] = 1
    other = dict(state["draft"])
    other["z"] = 1
    return {"docs": docs, "turn": more, "draft": other}


def calls_a_method_of_a_value(state):
    return {"answer": state["turn"].invoke("x")}


def adds_lists(state):
    return {"docs": state["docs"] + ["x"], "count": len(state["docs"])}


def uses_known_functions(state):
    words = re.findall(r"\w+", state["question"])
    ranked = sorted(enumerate(words), key=lambda pair: -len(pair[1]))
    time.perf_counter()
    return {"answer": json.dumps(ranked), "count": sum(len(w) for w in words), "draft": max(words, default="")}


def makes_messages(state):
    return {"messages": [HumanMessage(content=state["question"]), AIMessage(state["draft"])]}


def groups_with_defaultdict(state):
    groups = defaultdict(list)
    for doc in state["docs"]:
        groups[doc["k"]].append(doc["v"])
    return {"answer": dict(groups)}


async def awaits_a_helper(state):
    return {"answer": await ask(state["question"])}


async def gathers(state):
    left, right = await asyncio.gather(ask(state["question"]), ask(state["draft"]))
    third = await asyncio.wait_for(ask("x"), 3)
    fourth = await asyncio.to_thread(first_line, state["answer"])
    return {"answer": left + right + third + fourth}


def runs_threads(state):
    with ThreadPoolExecutor(2) as pool:
        found = list(pool.map(first_line, state["docs"]))
        more = pool.submit(first_line, state["question"]).result()
    return {"docs": [*found, more]}


def writes_to_the_stream(state):
    writer = get_stream_writer()
    writer({"progress": 1})
    return {"answer": state["question"]}


def binds_with_walrus(state):
    if (question := state["question"]) and (n := len(question)) > 3:
        return {"count": n}
    return {"count": 0}


def uses_try_and_with(state):
    try:
        with open(state["question"]) as file:  # noqa: PTH123
            text = file.read()
    except OSError as error:
        text = str(error)
    finally:
        print("done")
    return {"answer": text}


def unpacks(state):
    (question, *docs), count = (state["question"], *state["docs"]), state["count"]
    return {"answer": [question, docs, count]}


def matches(state):
    match state["count"]:
        case 0:
            return {"answer": "none"}
        case int(n) if n > 3:
            return {"answer": n}
        case _:
            return {"draft": "x"}


def yields_updates(state):
    yield {"answer": state["question"]}
    yield {"count": 1}


def recurses(state):
    def down(n):
        return 0 if n == 0 else down(n - 1)

    return {"count": down(state["count"])}


def uses_reduce_and_map(state):
    total = functools.reduce(operator.add, map(int, state["docs"]), 0)
    return {"count": total}


def replaces_a_record(state):
    record = Record(answer=state["question"])
    record.notes.append("x")
    return {"answer": dataclasses.asdict(record), "turn": Pair(state["draft"], 1).left}


def lists_keys_of_a_value(state):
    return {"answer": [k for k, v in state["turn"].items() if v]}


def imports_inside(state):
    import math
    from textwrap import shorten

    return {"count": math.floor(state["count"]), "answer": shorten(state["draft"], 10)}


class Node:
    key = "draft"

    def __init__(self):
        self.target = "answer"

    def __call__(self, state):
        return self.helper(state)

    def helper(self, state):
        return {self.target: state[self.key]}

    @staticmethod
    def fixed(state):
        return {"answer": state["question"]}

    @classmethod
    def made(cls, state):
        return {"answer": state[cls.key]}

    def __private(self, state):
        return {"answer": state["question"]}

    def calls_private(self, state):
        return self.__private(state)


def make_node(key, function):
    def node(state):
        return {key: function(state)}

    return node


def logged(function):
    @functools.wraps(function)
    def wrapper(*args, **kwargs):
        print("start")
        return function(*args, **kwargs)

    return wrapper


@logged
def is_wrapped(state):
    return {"answer": state["question"]}


def with_key(key, state, *, out="answer"):
    return {out: state[key]}


NODES = [
    (reads_and_returns, "question", "answer", "", ""),
    (reads_with_get, "question draft", "answer", "", ""),
    (reads_attributes, "question draft", "answer", "", ""),
    (reads_by_constant_name, "docs", "answer count", "", ""),
    (reads_in_a_loop_over_constants, "question draft", "answer", "", ""),
    (looks_a_key_up, "draft", "answer", "", ""),
    (follows_a_helper, "draft question", "answer", "", ""),
    (builds_the_update_in_a_variable, "question count", "answer count docs draft", "", ""),
    (returns_in_branches, "count draft", "docs answer", "", ""),
    (raises_or_falls_off, "question draft", "", "", ""),
    (returns_a_command, "question", "answer", "reader", ""),
    (goes_to_constants, "count draft", "", "writer reader", ""),
    (sends_from_a_command, "docs", "", "worker", ""),
    (returns_a_list_of_commands, "", "answer count", "reader", ""),
    (returns_a_typed_dict, "question", "answer count", "", ""),
    (returns_a_dataclass, "question", "answer notes", "", ""),
    (returns_a_model, "question", "answer count", "", ""),
    (sets_keys_and_returns_the_state, "*", "*", "", ""),
    (spreads_the_state, "*", "*", "", ""),
    (copies_the_state, "*", "*", "", ""),
    (unites_with_the_state, "*", "*", "", ""),
    (logs_the_keys, "question", "answer", "", ""),
    (logs_a_value, "question", "answer", "", ""),
    (prints_the_state, "*", "answer", "", ""),
    (appends_to_a_value, "docs", "answer", "", "docs"),
    (changes_a_nested_field, "turn", "", "", "turn"),
    (changes_an_item, "turn question", "", "", "turn"),
    (changes_through_an_alias, "docs", "", "", "docs"),
    (changes_a_fresh_copy, "docs turn draft", "docs turn draft", "", ""),
    (calls_a_method_of_a_value, "turn", "answer", "", "turn"),
    (adds_lists, "docs", "docs count", "", ""),
    (uses_known_functions, "question", "answer count draft", "", ""),
    (makes_messages, "question draft", "messages", "", ""),
    (groups_with_defaultdict, "docs", "answer", "", ""),
    (awaits_a_helper, "question", "answer", "", ""),
    (gathers, "question draft answer", "answer", "", ""),
    (runs_threads, "docs question", "docs", "", ""),
    (writes_to_the_stream, "question", "answer", "", ""),
    (binds_with_walrus, "question", "count", "", ""),
    (uses_try_and_with, "question", "answer", "", "question"),
    (unpacks, "question docs count", "answer", "", ""),
    (matches, "count", "answer draft", "", ""),
    (yields_updates, "question", "answer count", "", ""),
    (recurses, "count", "count", "", ""),
    (uses_reduce_and_map, "docs", "count", "", ""),
    (replaces_a_record, "question draft", "answer turn", "", ""),
    (lists_keys_of_a_value, "turn", "answer", "", ""),
    (imports_inside, "count draft", "count answer", "", ""),
    (Node(), "draft", "answer", "", ""),
    (Node().helper, "draft", "answer", "", ""),
    (Node.fixed, "question", "answer", "", ""),
    (Node.made, "draft", "answer", "", ""),
    (Node().calls_private, "question", "answer", "", ""),
    (make_node("answer", lambda s: s["draft"]), "draft", "answer", "", ""),
    (make_node("docs", question_of), "question", "docs", "", ""),
    (is_wrapped, "question", "answer", "", ""),
    (functools.partial(with_key, "docs", out="count"), "docs", "count", "", ""),
    (lambda s: {"answer": s["draft"]}, "draft", "answer", "", ""),
]


@pytest.mark.parametrize(
    ("function", "reads", "writes", "goto", "mutates"), NODES, ids=lambda v: getattr(v, "__qualname__", "")
)
def test_a_node_is_known_by_its_code(function, reads, writes, goto, mutates):
    facts = node_facts(function, schema_keys=KEYS)
    found = [spelled(fact) for fact in (facts.reads, facts.writes, facts.goto, facts.mutates)]
    assert found == [set(names.split()) for names in (reads, writes, goto, mutates)], facts
    assert facts.visible


def spelled(fact):
    return {"*"} if fact.keys.is_every else set(fact.keys.names)


TWO = [lambda s: {"answer": s["draft"]}, lambda s: {"count": s["docs"]}]


def test_lambdas_on_one_line_are_told_apart():
    found = [node_facts(f, schema_keys=KEYS) for f in TWO]
    assert [(spelled(f.reads), spelled(f.writes)) for f in found] == [
        ({"draft"}, {"answer"}),
        ({"docs"}, {"count"}),
    ]


def routes_by_constants(state):
    return "writer" if state["count"] > 2 else END


def routes_with_sends(state):
    return [Send("worker", {"doc": doc}) for doc in state["docs"]]


def routes_to_a_list(state):
    if state["draft"]:
        return ["reader", TARGET]
    return Step.WRITE


def routes_by_bool(state):
    return bool(state["draft"])


def routes_by_state(state):
    return state["answer"]


def routes_to_the_state(state):
    return Send("worker", state)


ROUTERS = [
    (routes_by_constants, "count", "writer __end__"),
    (routes_with_sends, "docs", "worker"),
    (routes_to_a_list, "draft", "reader writer"),
    (routes_by_bool, "draft", "*"),
    (routes_by_state, "answer", "*"),
    (routes_to_the_state, "*", "worker"),
    (lambda s: ["reader"], "", "reader"),
]


@pytest.mark.parametrize(("function", "reads", "goto"), ROUTERS, ids=lambda v: getattr(v, "__name__", ""))
def test_a_router_is_known_by_its_code(function, reads, goto):
    facts = router_facts(function, schema_keys=KEYS)
    assert (spelled(facts.reads), spelled(facts.goto)) == (set(reads.split()), set(goto.split())), facts
    assert spelled(facts.writes) == set()


_ = Annotated
