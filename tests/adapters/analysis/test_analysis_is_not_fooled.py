"""Code that tries to be proven falsely. Every row: a callable, and what its facts must at least contain.

A star stands for every key. Facts may claim more than is listed, never less.
"""

import copy
import functools
import importlib
import itertools
import operator
import random
import sys
import types
from collections import defaultdict, deque
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial

import pytest
from langchain_core.runnables import RunnableLambda, RunnablePassthrough
from langgraph.config import get_config, get_store
from langgraph.graph import message as message_module
from langgraph.graph.message import push_message
from langgraph.graph.ui import delete_ui_message, push_ui_message
from langgraph.types import Command, Send, interrupt
from pydantic import BaseModel, field_validator

from alto_lg.adapters.langgraph.analysis import node_facts, router_facts

KEYS = frozenset({"question", "docs", "draft", "messages", "count", "answer", "turn"})
KEPT = []
CACHE = {}
TABLE = {"answer": 1}
HANDLERS = {"x": lambda state: state["docs"].clear()}
client = importlib.import_module("json.decoder").JSONDecoder()


def spelled(fact):
    return {"*"} if fact.keys.is_every else set(fact.keys.names)


# Aliases.
def alias_through_a_tuple(state):
    pair = (state["docs"], 1)
    first, _ = pair
    first.append(1)


def alias_through_swapping(state):
    a, b = state["docs"], []
    a, b = b, a
    b.append(1)


def alias_through_a_list_of_lists(state):
    box = [[]]
    box[0].append(state["docs"])
    box[0][0].clear()


def alias_through_a_dict_value(state):
    box = {"x": state["docs"]}
    for _, value in box.items():
        value.sort()


def alias_through_a_starred_name(state):
    first, *rest = [1, state["docs"]]
    rest[0].append(first)


def alias_through_a_loop(state):
    previous = []
    for item in ([], state["docs"]):
        previous.append(1)
        previous = item
    previous.append(2)


def alias_through_while_and_break(state):
    target = []
    while True:
        if target:
            target.append(1)
            break
        target = state["docs"]


def alias_through_a_comprehension(state):
    [x.append(1) for x in [state["docs"]]]


def alias_through_a_generator(state):
    for found in (value for value in (state["docs"],)):
        found.append(1)


def alias_through_a_later_binding(state):
    values = (target.append(1) for _ in range(1))  # noqa: F821
    target = state["docs"]  # noqa: F841
    list(values)


def alias_through_walrus(state):
    if docs := state["docs"]:
        docs.append(1)


def alias_through_a_walrus_in_a_comprehension(state):
    last = []
    [last.append(1) or (last := item) for item in (state["docs"], [])]


def alias_through_a_default(state):
    def change(docs=state["docs"]):
        docs.append(1)

    change()


def alias_through_a_lambda_default(state):
    (lambda docs=state["docs"]: docs.append(1))()


def alias_through_a_lambda_in_a_comprehension(state):
    for function in [lambda: item.append(1) for item in [state["docs"]]]:  # noqa: B023
        function()


def alias_through_nonlocal(state):
    target = []

    def set_target():
        nonlocal target
        target = state["docs"]

    set_target()
    target.append(1)


def alias_through_nested_closures(state):
    def outer():
        def inner():
            state["docs"].append(1)

        return inner

    outer()()


def alias_through_another_key(state):
    state["answer"] = state["docs"]
    state["answer"].append(1)


def alias_through_the_inside_of_a_value(state):
    state["turn"]["x"] = state["docs"]
    state["turn"]["x"].append(1)


def alias_through_a_bound_method(state):
    add = state["docs"].append
    add(1)


def alias_through_a_method_of_a_helper_list(state):
    box = []
    add = box.append
    add(state["docs"])
    box[0].append(1)


def alias_through_setdefault(state):
    state.setdefault("docs", []).append(1)


def alias_through_defaultdict(state):
    groups = defaultdict(list)
    groups["a"].append(state["docs"])
    groups["a"][0].append(1)


def alias_through_deque_and_chain(state):
    queue = deque([state["docs"]])
    for item in itertools.chain(queue, []):
        item.append(1)


def alias_through_zip(state):
    for left, _right in zip([state["docs"]], [1], strict=True):
        left.append(1)


def alias_through_sorted_key(state):
    sorted([state["docs"]], key=lambda item: item.append(1) or 0)


def alias_through_map(state):
    list(map(lambda item: item.append(1), [state["docs"]]))  # noqa: C417


def alias_through_reduce(state):
    functools.reduce(lambda a, b: a.append(b) or a, [1, 2], state["docs"])


def alias_through_partial(state):
    partial(list.append, state["docs"])(1)


def alias_through_min(state):
    max(state["docs"], []).append(1)


def alias_through_next(state):
    next(iter([state["docs"]])).append(1)


def alias_through_a_shallow_copy(state):
    copy.copy(state["docs"])[0].append(1)


def alias_through_a_dict_copy(state):
    dict(state)["docs"].append(1)


def alias_through_pop(state):
    state.pop("docs").append(1)


def alias_through_an_exception(state):
    try:
        raise ValueError(state["docs"])
    except ValueError as error:
        error.args[0].append(1)


def alias_through_finally(state):
    docs = []
    try:
        docs = state["docs"]
        raise KeyError
    except KeyError:
        pass
    finally:
        docs.append(1)


def alias_through_a_match(state):
    match {"a": state["docs"]}:
        case {"a": found}:
            found.append(1)


def alias_through_a_conditional(state):
    (state["docs"] if state["count"] else []).append(1)


def alias_through_or(state):
    (state.get("docs") or []).append(1)


def alias_through_a_global(state):
    KEPT.append(state["docs"])
    KEPT[-1].append(1)


def alias_through_with(state):
    with held(state["docs"]) as docs:
        docs.append(1)


@contextmanager
def held(value):
    yield value


class Box:
    def __init__(self, value):
        self.value = value

    @property
    def inner(self):
        return self.value

    def change(self):
        self.value.append(1)


class Spy:
    def __init__(self, state):
        self.state = state

    def __str__(self):
        self.state["docs"].append(1)
        return "spy"

    def __add__(self, other):
        other.append(1)
        return self

    def __getattr__(self, name):
        return self.state[name]

    def __iter__(self):
        self.state["docs"].append(1)
        return iter([])


@dataclass
class Cell:
    value: list = field(default_factory=list)

    def __post_init__(self):
        self.value.append(1)


class Checked(BaseModel):
    value: list

    @field_validator("value", mode="before")
    @classmethod
    def change(cls, value):
        value.append(1)
        return value


def alias_through_an_instance(state):
    Box(state["docs"]).change()


def alias_through_a_property(state):
    Box(state["docs"]).inner.append(1)


def alias_through_str_of_a_spy(state):
    return {"answer": f"{Spy(state)}"}


def alias_through_an_operator_of_a_spy(state):
    Spy({}) + state["docs"]


def alias_through_getattr_of_a_spy(state):
    Spy(state).docs.append(1)


def alias_through_iteration_of_a_spy(state):
    list(Spy(state))


def alias_through_post_init(state):
    Cell(state["docs"])


def alias_through_a_validator(state):
    Checked(value=state["docs"])


def alias_through_args(state):
    def change(*args, **kwargs):
        args[0].append(1)

    change(state["docs"])


def alias_through_keyword_args(state):
    def change(**kwargs):
        kwargs["x"].append(1)

    change(**{"x": state["docs"]})


def alias_through_a_yielding_helper(state):
    def each():
        yield state["docs"]

    for docs in each():
        docs.append(1)


def alias_through_a_slice_assignment(state):
    box = [0]
    box[:] = [state["docs"]]
    box[0].append(1)


def alias_through_operator_setitem(state):
    operator.setitem(state["docs"], 0, 1)


def alias_through_list_append(state):
    list.append(state["docs"], 1)


def alias_through_shuffle(state):
    random.shuffle(state["docs"])


def alias_through_iadd(state):
    operator.iadd(state["docs"], [1])


def alias_through_a_dispatch_table(state):
    HANDLERS["x"](state)


def alias_through_a_computed_name(state):
    getattr(state["docs"], "app" + "end")(1)


def alias_through_setattr(state):
    setattr(state["docs"], "x", 1)  # noqa: B010


def alias_through_the_type(state):
    type(state["docs"]).append(state["docs"], 1)


async def alias_through_an_async_comprehension(state):
    async def each():
        yield state["docs"]

    [docs.append(1) async for docs in each()]


class Holder:
    kept = None

    def node(self, state):
        self.kept = state["docs"]
        self.kept.append(1)


def alias_through_a_local_class(state):
    class Local:
        docs = state["docs"]

        def change(self):
            self.docs.append(1)

    Local().change()


ALIASES = [value for name, value in list(globals().items()) if name.startswith("alias_through_")]
ALIASES.append(Holder().node)


@pytest.mark.parametrize("function", ALIASES, ids=lambda f: f.__qualname__)
def test_a_change_through_an_alias_is_seen(function):
    facts = node_facts(function, schema_keys=KEYS)
    assert "docs" in facts.mutates.keys, facts
    assert "docs" in facts.reads.keys, facts


# Reads of more than meets the eye.
def unseen_gets_the_state(state):
    return {"answer": client.decode(state)}


def locals_are_taken(state):
    return {"answer": locals()["state"]["docs"]}


def eval_is_used(state):
    return {"answer": eval("state['docs']")}


def eval_by_another_name(state):
    run = eval
    return {"answer": run("state['docs']")}


def frame_is_taken(state):
    return {"answer": sys._getframe().f_locals["state"]["docs"]}


def dict_attribute(state):
    return {"answer": state.__dict__["docs"]}


def computed_key(state):
    return {"answer": state["do" + "cs"]}


def computed_attribute(state):
    return {"answer": getattr(state, "do" + "cs")}


def computed_membership(state):
    return {"answer": state["question"] in state}


def iterates(state):
    return {"answer": [state[key] for key in state]}


def values(state):
    return {"answer": list(state.values())}


def compares(state):
    return {"answer": state == {}}


def truth(state):
    return {"answer": "x" if state else "y"}


def formats(state):
    return {"answer": f"{state}"}


def formats_percent(state):
    return {"answer": "%s" % state}  # noqa: UP031


def keeps_the_keys_of_a_log_line(state):
    print(keys := list(state.keys()))
    return {"answer": keys}


def length(state):
    return {"answer": len(state)}


def lists_keys_outside_a_log_line(state):
    return {"answer": list(state.keys())}


def spreads_into_a_call(state):
    return {"answer": dict(**state)}


def nests_the_state(state):
    return {"answer": {"all": [state]}}


def sends_the_state(state):
    return Command(goto=Send("x", state))


def unknown_attribute(state):
    return {"answer": state.summary}


def unknown_method(state):
    return {"answer": state.summarise()}


def returns_a_runnable(state):
    return RunnableLambda(lambda s: {"answer": s["docs"]})


def returns_the_unseen(state):
    return client.decode("{}")


def matches_the_state(state):
    match state:
        case {"docs": docs}:
            return {"answer": docs}


def keeps_the_state(state):
    CACHE["x"] = state
    return {"answer": 1}


def pattern_through_a_partial_helper(state):
    return {"answer": RunnablePassthrough().invoke(state)}


def hides_in_print_file(state):
    import io

    buffer = io.StringIO()
    print(list(state.keys()), file=buffer)
    return {"answer": buffer.getvalue()}


WHOLE = [
    unseen_gets_the_state,
    locals_are_taken,
    eval_is_used,
    eval_by_another_name,
    frame_is_taken,
    dict_attribute,
    computed_key,
    computed_attribute,
    computed_membership,
    iterates,
    values,
    compares,
    truth,
    formats,
    formats_percent,
    keeps_the_keys_of_a_log_line,
    length,
    lists_keys_outside_a_log_line,
    spreads_into_a_call,
    nests_the_state,
    sends_the_state,
    unknown_attribute,
    unknown_method,
    returns_a_runnable,
    returns_the_unseen,
    matches_the_state,
    keeps_the_state,
    pattern_through_a_partial_helper,
    hides_in_print_file,
]


@pytest.mark.parametrize("function", WHOLE, ids=lambda f: f.__name__)
def test_a_use_of_the_whole_state_reads_every_key(function):
    assert node_facts(function, schema_keys=KEYS).reads.keys.is_every


# Writes that hide.
def computed_write(state):
    return {state["question"]: 1}


def merged_write(state):
    update = {}
    update.update(state["turn"])
    return update


def write_changed_by_unseen_code(state):
    update = {"answer": 1}
    random.shuffle(update)
    return update


def write_changed_by_a_closure(state):
    update = {"answer": 1}

    def more():
        update["do" + "cs"] = 1

    more()
    return update


def write_of_a_global_dict(state):
    return TABLE


def write_of_a_part(state):
    return state["turn"]


def write_through_setitem(state):
    update = {}
    put = update.__setitem__
    put(state["question"], 1)
    return update


def write_from_a_comprehension(state):
    return dict.fromkeys(state["docs"], 1)


def write_from_json(state):
    import json

    return json.loads(state["question"])


def write_from_a_deep_copy(state):
    return copy.deepcopy(state["turn"])


def write_in_a_command(state):
    return Command(update=state["turn"])


def write_of_pairs(state):
    return Command(update=[("docs", 1)])


def write_to_the_parent(state):
    return Command(graph=Command.PARENT, update={"answer": 1})


def write_of_a_union(state):
    return {"answer": 1} | state["turn"]


def write_of_an_escaped_dict(state):
    update = {"answer": 1}
    KEPT.append(update)
    return update


def write_through_fromkeys(state):
    return dict.fromkeys(state["docs"])


def write_through_a_counter(state):
    return dict(zip(state["docs"], state["docs"], strict=True))


def write_of_a_yield(state):
    yield {"answer": 1}
    yield state["turn"]


def write_by_exec(state):
    exec("x = 1")
    return {"answer": 1}


def write_through_vars(state):
    box = types.SimpleNamespace(**state["turn"])
    return vars(box)


def write_through_default_dict(state):
    update = defaultdict(int)
    update[state["question"]] += 1
    return update


HIDDEN_WRITES = [value for name, value in list(globals().items()) if name.startswith("write_")]
HIDDEN_WRITES += [computed_write, merged_write, returns_the_unseen, returns_a_runnable]


@pytest.mark.parametrize("function", HIDDEN_WRITES, ids=lambda f: f.__name__)
def test_an_update_that_cannot_be_told_writes_every_key(function):
    assert node_facts(function, schema_keys=KEYS).writes.keys.is_every


def write_loop_joins(state):
    update = {}
    for key in ("answer", "count"):
        update[key] = 1
    return update


def test_conditional_and_looped_keys_are_all_written():
    assert node_facts(write_loop_joins, schema_keys=KEYS).writes.keys.names == {"answer", "count"}


# Goto.
def goes_by_state(state):
    return Command(goto=state["answer"])


def goes_by_text(state):
    return Command(goto="wri" + "ter")


def goes_by_a_list(state):
    targets = []
    targets.append(state["answer"])
    return Command(goto=targets)


def sends_by_state(state):
    return Command(goto=[Send(name, {}) for name in state["docs"]])


def goes_by_the_unseen(state):
    return client.decode("x")


@pytest.mark.parametrize("function", [goes_by_state, goes_by_text, goes_by_a_list, sends_by_state, goes_by_the_unseen])
def test_a_target_that_cannot_be_told_is_every_node(function):
    assert node_facts(function, schema_keys=KEYS).goto.keys.is_every


def routes_by_text(state):
    return f"to_{state['answer']}"


def routes_by_none(state):
    if state["count"]:
        return "writer"


@pytest.mark.parametrize("function", [routes_by_text, routes_by_none, goes_by_the_unseen])
def test_a_router_that_cannot_be_told_goes_anywhere(function):
    assert router_facts(function, schema_keys=KEYS).goto.keys.is_every


# Outside.
COUNTER = 0


def counts_globally(state):
    global COUNTER
    COUNTER += 1
    return {"answer": 1}


def counts_in_a_cell():
    n = 0

    def node(state):
        nonlocal n
        n += 1
        return {"answer": n}

    return node


class Counting:
    n = 0

    def __call__(self, state):
        self.n += 1
        return {"answer": 1}


def remembers(state):
    CACHE.setdefault("x", 1)
    return {"answer": 1}


def remembers_in_a_default(state, seen=[]):  # noqa: B006
    seen.append(1)
    return {"answer": 1}


def remembers_in_a_helper(state):
    remembers(state)
    return {"answer": 1}


@pytest.mark.parametrize(
    "function",
    [counts_globally, counts_in_a_cell(), Counting(), remembers, remembers_in_a_default, remembers_in_a_helper],
    ids=lambda f: getattr(f, "__name__", ""),
)
def test_a_change_of_an_outside_object_is_seen(function):
    assert node_facts(function, schema_keys=KEYS).mutates_outside


def leaks_to_a_global(state):
    KEPT.append(state["docs"])


def leaks_in_a_closure(state):
    docs = state["docs"]
    KEPT.append(lambda: docs)


def leaks_in_a_box(state):
    CACHE["x"] = {"deep": [state["docs"]]}


def leaks_to_unseen_code(state):
    client.decode([state["docs"]])


@lambda f: functools.lru_cache(f)
def remember(docs):
    return 1


def leaks_to_a_cache(state):
    remember(state["docs"])


@pytest.mark.parametrize(
    "function", [leaks_to_a_global, leaks_in_a_closure, leaks_in_a_box, leaks_to_unseen_code, leaks_to_a_cache]
)
def test_a_value_left_behind_is_a_leak(function):
    assert node_facts(function, schema_keys=KEYS).leaks


def deep_interrupt():
    return [interrupt("x")]


def interrupts_in_a_helper(state):
    return {"answer": deep_interrupt()}


def interrupts_by_another_name(state):
    ask = interrupt
    return {"answer": ask("x")}


def interrupts_in_a_callback(state):
    return {"answer": list(map(lambda x: interrupt(x), [1]))}  # noqa: C417


def interrupts_in_a_runnable(state):
    return {"answer": RunnableLambda(lambda x: interrupt(x)).invoke("x")}


SUB = RunnableLambda(lambda x: interrupt(x))


def interrupts_in_a_live_runnable(state):
    return {"answer": SUB.invoke("x")}


@pytest.mark.parametrize(
    "function",
    [
        interrupts_in_a_helper,
        interrupts_by_another_name,
        interrupts_in_a_callback,
        interrupts_in_a_runnable,
        interrupts_in_a_live_runnable,
    ],
)
def test_an_interrupt_is_seen(function):
    assert node_facts(function, schema_keys=KEYS).interrupts


def pushes_a_message(state):
    push_message(("ai", "text"))


def pushes_from_a_helper(state):
    pushes_a_message(state)


def pushes_what_it_imports(state):
    from langgraph.graph.message import push_message as push

    push(("ai", "text"))


def pushes_through_its_module(state):
    message_module.push_message(("ai", "text"))


def pushes_from_a_partial(state):
    functools.partial(push_message, state_key="answer")(("ai", "text"))


def pushes_an_element(state):
    push_ui_message("card", {})


def takes_an_element_away(state):
    delete_ui_message("card")


def sends_by_the_config(state, config):
    config["configurable"]["__pregel_send"]([("answer", 1)])


def sends_by_the_config_it_asks_for(state):
    get_config()["configurable"]["__pregel_send"]([("answer", 1)])


@pytest.mark.parametrize(
    "function",
    [
        pushes_a_message,
        pushes_from_a_helper,
        pushes_what_it_imports,
        pushes_through_its_module,
        pushes_from_a_partial,
        pushes_an_element,
        takes_an_element_away,
        sends_by_the_config,
        sends_by_the_config_it_asks_for,
    ],
)
def test_what_a_node_sends_to_the_state_is_a_write(function):
    assert node_facts(function, schema_keys=KEYS).writes.keys.is_every
    assert router_facts(function, schema_keys=KEYS).writes.keys.is_every


def takes_the_store(state, *, store):
    return {"answer": store.get(("a",), "b")}


def takes_the_runtime_store(state, runtime):
    return {"answer": runtime.store.get(("a",), "b")}


def asks_for_the_store(state):
    return {"answer": get_store().get(("a",), "b")}


def hands_the_config_on(state, config):
    return {"answer": client.decode(config)}


def asks_for_the_config(state):
    return {"answer": client.decode(get_config())}


@pytest.mark.parametrize(
    "function",
    [takes_the_store, takes_the_runtime_store, asks_for_the_store, hands_the_config_on, asks_for_the_config],
)
def test_a_use_of_the_store_is_seen(function):
    assert node_facts(function, schema_keys=KEYS).store


def reads_the_context(state, runtime, config):
    return {"answer": runtime.context.user, "count": config["configurable"]["thread_id"]}


def test_context_and_configuration_are_not_the_store():
    facts = node_facts(reads_the_context, schema_keys=KEYS)
    assert not facts.store
    assert facts.reads.keys.names == frozenset()


# Source that is not what runs.
def test_code_without_source_is_opaque():
    names = {}
    exec("def node(state):\n    return {'answer': 1}", names)
    facts = node_facts(names["node"], schema_keys=KEYS)
    assert not facts.visible
    assert facts.reads.keys.is_every
    assert facts.interrupts and facts.store and facts.leaks and facts.mutates_outside


def test_a_function_whose_code_was_replaced_is_opaque():
    def node(state):
        return {"answer": 1}

    names = {}
    exec("def node(state):\n    return {'docs': 2}", names)
    node.__code__ = names["node"].__code__.replace(co_filename=__file__, co_firstlineno=node.__code__.co_firstlineno)
    assert not node_facts(node, schema_keys=KEYS).visible


def test_a_runnable_is_opaque_with_a_reason():
    facts = node_facts(RunnablePassthrough(), schema_keys=KEYS)
    assert not facts.visible
    assert "RunnablePassthrough" in facts.reads.why


def test_a_helper_without_source_makes_every_key_read():
    names = {}
    exec("def helper(state):\n    return state['docs']", names)
    helper = names["helper"]

    def node(state):
        return {"answer": helper(state)}

    facts = node_facts(node, schema_keys=KEYS)
    assert facts.reads.keys.is_every and facts.interrupts
    assert "helper" in facts.reads.why and ".py:" in facts.reads.why


def _module(text, tmp_path, name):
    path = tmp_path / f"{name}.py"
    path.write_text(text)
    spec = importlib.util.spec_from_file_location(name, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_a_module_that_redefines_len_is_believed(tmp_path):
    module = _module(
        "def len(x):\n    x.append(1)\n\ndef node(state):\n    return {'answer': len(state['docs'])}\n",
        tmp_path,
        "shadowing_len",
    )
    assert "docs" in node_facts(module.node, schema_keys=KEYS).mutates.keys


def test_a_helper_that_was_patched_is_the_one_that_counts(tmp_path):
    module = _module(
        "def helper(state):\n    return 1\n\ndef node(state):\n    return {'answer': helper(state)}\n",
        tmp_path,
        "patched_helper",
    )
    assert node_facts(module.node, schema_keys=KEYS).reads.keys.names == frozenset()
    module.helper = lambda state: state["docs"].append(1)
    facts = node_facts(module.node, schema_keys=KEYS)
    assert "docs" in facts.mutates.keys and "docs" in facts.reads.keys


def test_a_file_that_changed_since_it_was_imported_is_opaque(tmp_path):
    module = _module("def node(state):\n    return {'answer': state['docs']}\n", tmp_path, "changed_since")
    (tmp_path / "changed_since.py").write_text("def node(state):\n    return {'answer': 1}\n")
    assert not node_facts(module.node, schema_keys=KEYS).visible


class Text(str):
    def __hash__(self):
        return hash("docs")

    def __eq__(self, other):
        return other == "docs"


TRICKY = Text("question")


def reads_by_a_text_that_lies(state):
    return {"answer": state[TRICKY]}


def test_a_string_of_a_user_class_is_no_constant():
    assert node_facts(reads_by_a_text_that_lies, schema_keys=KEYS).reads.keys.is_every


def imports_conditionally(state):
    if state["count"]:
        from json import dumps as act
    else:
        from random import shuffle as act
    return {"answer": act(state["docs"])}


def test_every_branch_of_a_conditional_import_counts():
    assert "docs" in node_facts(imports_conditionally, schema_keys=KEYS).mutates.keys


def deep_recursion(state, n=0):
    if n:
        return state["docs"]
    return {"answer": deep_recursion(state, n + 1)}


def mutual_a(state, n):
    return mutual_b(state, n - 1) if n else state["draft"]


def mutual_b(state, n):
    state["docs"].append(n)
    return mutual_a(state, n)


def mutual(state):
    return {"answer": mutual_a(state, 3)}


def test_recursion_ends_and_is_seen_whole():
    facts = node_facts(mutual, schema_keys=KEYS)
    assert facts.mutates.keys.names == {"docs"} and facts.reads.keys.names == {"docs", "draft"}
    assert "docs" in node_facts(deep_recursion, schema_keys=KEYS).reads.keys


def rebinding_decorator(function):
    def wrapper(state):
        state["docs"].append(1)
        return function(state)

    wrapper.__wrapped__ = function
    return wrapper


@rebinding_decorator
def decorated(state):
    return {"answer": 1}


def test_the_wrapper_counts_and_not_what_it_claims_to_wrap():
    assert "docs" in node_facts(decorated, schema_keys=KEYS).mutates.keys


def takes_star_args(*args, **kwargs):
    args[0]["docs"].append(1)
    return {"answer": 1}


def test_the_state_in_star_args_is_the_state():
    facts = node_facts(takes_star_args, schema_keys=KEYS)
    assert facts.mutates.keys.names == {"docs"} and facts.writes.keys.names == {"answer"}
