"""More code that tries to be proven falsely: library functions that hand back what they got, and special methods."""

import asyncio
import collections
import contextlib
import copy
import functools
import itertools
import json
import os
import secrets
import statistics
import sys

import pytest
from langgraph.types import interrupt

from alto_lg.adapters.langgraph.analysis import node_facts

KEYS = frozenset({"question", "docs", "draft", "messages", "count", "answer", "turn"})


def returned_by_getenv(state):
    os.environ.get("NOT_SET_ANYWHERE", state["docs"]).append(1)


def returned_by_secrets(state):
    secrets.choice([state["docs"]]).append(1)


def returned_by_mode(state):
    statistics.mode([state["docs"]]).append(1)


async def returned_by_sleep(state):
    (await asyncio.sleep(0, state["docs"])).append(1)


async def returned_by_wait_for(state):
    async def give():
        return state["docs"]

    (await asyncio.wait_for(give(), 1)).append(1)


async def returned_by_gather(state):
    async def give():
        return state["docs"]

    first, *_ = await asyncio.gather(give(), give())
    first.append(1)


async def returned_by_a_task(state):
    async def give():
        return state["docs"]

    task = asyncio.create_task(give())
    await task
    task.result().append(1)


async def returned_by_as_completed(state):
    async def give():
        return state["docs"]

    for future in asyncio.as_completed([give()]):
        (await future).append(1)


def written_through_a_chain_map(state):
    collections.ChainMap(state["docs"])["x"] = 1


def changed_as_a_memo(state):
    copy.deepcopy([], state["docs"])


def returned_by_accumulate(state):
    def step(total, _):
        if isinstance(total, list):
            total.append(1)
        return state["docs"]

    list(itertools.accumulate([1, 2, 3], step))


def returned_by_iter_of_a_function(state):
    for docs in iter(lambda: state["docs"], None):
        docs.append(1)


def returned_by_nullcontext(state):
    with contextlib.nullcontext(state["docs"]) as docs:
        docs.append(1)


def kept_in_a_deque_by_keyword(state):
    collections.deque(iterable=[state["docs"]])[0].append(1)


def returned_by_cycle(state):
    next(itertools.cycle([state["docs"]])).append(1)


def changed_in_a_format_spec(state):
    print(f"{1:{state['docs'].pop()}}")


def changed_by_a_json_default(state):
    json.dumps(Inner(state), default=lambda inner: inner.state["docs"].append(1))


class Inner:
    def __init__(self, state):
        self.state = state


class Waits(Inner):
    def __await__(self):
        self.state["docs"].append(1)
        yield


class Steps(Inner):
    def __aiter__(self):
        return self

    async def __anext__(self):
        return self.state["docs"]


class Counts(Inner):
    def __getitem__(self, index):
        return self.state["docs"]

    def __len__(self):
        self.state["docs"].append(1)
        return 1


class Changing:
    def __get__(self, owner, kind):
        owner.state["docs"].append(1)
        return 1


class Described(Inner):
    value = Changing()


class Cached(Inner):
    @functools.cached_property
    def docs(self):
        return self.state["docs"]


class Sets(Inner):
    def __setattr__(self, name, value):
        if name == "change":
            value.append(1)
        object.__setattr__(self, name, value)


class Writes(Inner):
    def write(self, text):
        self.state["docs"].append(text)


async def run_by_await(state):
    await Waits(state)


async def run_by_async_for(state):
    async for docs in Steps(state):
        docs.append(1)
        break


def run_by_old_iteration(state):
    for docs in Counts(state):
        docs.append(1)


def run_by_len(state):
    len(Counts(state))


def run_by_truth(state):
    return {"answer": 1} if Counts(state) else None


def run_by_a_descriptor(state):
    return {"answer": Described(state).value}


def run_by_a_cached_property(state):
    Cached(state).docs.append(1)


def run_by_setattr(state):
    Sets({}).change = state["docs"]


def run_by_print(state):
    print("x", file=Writes(state))


def run_by_a_default_argument_of_a_nested_call(state):
    def outer(inner=lambda s=state: s["docs"].append(1)):
        return inner()

    outer()


def run_by_a_decorator(state):
    def apply(function):
        return function()

    @apply
    def changed():
        state["docs"].append(1)


def run_by_an_annotation(state):
    def inner(x: state["docs"].append(1)):  # noqa: F821
        return x

    inner(1)


def run_by_a_class_keyword(state):
    class Local(Inner, x=state["docs"].append(1)):
        pass


def run_in_an_else_of_a_loop(state):
    target = []
    for _ in range(2):
        target = state["docs"]
    else:
        target.append(1)


def run_after_a_continue(state):
    target = []
    for n in range(3):
        if n == 0:
            target = state["docs"]
            continue
        target.append(1)


def run_after_a_handler(state):
    target = []
    try:
        int("x")
        return None
    except ValueError:
        target = state["docs"]
    except TypeError:
        return None
    target.append(1)


def run_by_a_star_target(state):
    *rest, _ = (state["docs"], 1)
    rest[0].append(1)


def run_by_a_nested_target(state):
    ((a, b), c) = ((state["docs"], 1), 2)
    a.append(b + c)


def run_by_an_attribute_target(state):
    box = Inner(None)
    for box.state in [state["docs"]]:
        box.state.append(1)


def run_by_a_subscript_target(state):
    box = {}
    for box["x"] in [state["docs"]]:
        box["x"].append(1)


def run_by_a_with_target(state):
    box = Inner(None)
    with contextlib.nullcontext(state["docs"]) as box.state:
        box.state.append(1)


def kept_in_a_copy_of_a_list(state):
    box = [state["docs"]]
    box.copy()[0].append(1)


def kept_in_a_copied_dict(state):
    box = {"x": state["docs"]}
    copy.copy(box)["x"].append(1)


KEY_NAMES = ("question", "docs")


def run_over_live_names(state):
    for name in KEY_NAMES:
        state[name].append(1)


def run_by_a_fifth_helper(state):
    one(state["docs"])


def one(x):
    two(x)


def two(x):
    three(x)


def three(x):
    four(x)


def four(x):
    five(x)


def five(x):
    six(x)


def six(x):
    seven(x)


def seven(x):
    eight(x)


def eight(x):
    x.append(1)


NAMES = ("returned_by_", "run_", "written_", "changed_", "kept_")
FOOLING = [value for name, value in list(globals().items()) if name.startswith(NAMES)]


@pytest.mark.parametrize("function", FOOLING, ids=lambda f: f.__name__)
def test_a_change_that_is_hidden_well_is_seen(function):
    facts = node_facts(function, schema_keys=KEYS)
    assert "docs" in facts.mutates.keys, facts
    assert "docs" in facts.reads.keys, facts


def library_wrapped():
    @functools.singledispatch
    def ask(value):
        return interrupt(value)

    return ask


DISPATCH = library_wrapped()


def interrupts_behind_a_library_wrapper(state):
    return {"answer": DISPATCH("x")}


def test_a_function_inside_a_library_wrapper_is_followed():
    assert node_facts(interrupts_behind_a_library_wrapper, schema_keys=KEYS).interrupts


def imports_builtins(state):
    import builtins

    return {"answer": builtins.eval("state")}


def looks_modules_up(state):
    return {"answer": sys.modules["builtins"].eval("state")}


def imports_by_name(state):
    return {"answer": __import__("built" + "ins").eval("state")}


@pytest.mark.parametrize("function", [imports_builtins, looks_modules_up, imports_by_name])
def test_reaching_for_the_interpreter_makes_every_fact_unknown(function):
    facts = node_facts(function, schema_keys=KEYS)
    assert facts.reads.keys.is_every and facts.writes.keys.is_every and facts.mutates.keys.is_every


def assigns_a_key(state):
    state["answer"] = 1


def assigns_by_update(state):
    state.update(answer=1)


def assigns_an_attribute(state):
    state.answer = 1


def assigns_by_pop(state):
    state.pop("answer")


def assigns_by_delete(state):
    del state["answer"]


def assigns_by_in_place_union(state):
    state |= {"answer": 1}


def assigns_by_setattr(state):
    setattr(state, "answer", 1)  # noqa: B010


def assigns_by_a_bound_method(state):
    put = state.__setitem__
    put("answer", 1)


def assigns_in_a_helper(state):
    assigns_a_key(state)


def assigns_as_a_list(state):
    state.append(1)


@pytest.mark.parametrize(
    "function",
    [value for name, value in list(globals().items()) if name.startswith("assigns_")],
    ids=lambda f: f.__name__,
)
def test_an_assignment_to_the_input_object_is_seen(function):
    assert node_facts(function, schema_keys=KEYS).assigns


def only_looks(state):
    return {"answer": state["docs"], **({"count": 1} if "count" in state else {})}


def test_a_node_that_only_looks_assigns_nothing():
    facts = node_facts(only_looks, schema_keys=KEYS)
    assert not facts.assigns and facts.writes.keys.names == {"answer", "count"}
