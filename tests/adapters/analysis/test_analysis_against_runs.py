"""Random small nodes are run on a state that watches: what they did must be among what their facts say."""

import copy
import linecache

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from alto_lg.adapters.langgraph.analysis import node_facts

KEYS = ("a", "b", "c", "d")
NAMES = ("x", "y", "z", "box", "pair", "fn")


class Watched(dict):
    """A state that notes which keys were looked at."""

    def __init__(self, values):
        super().__init__(values)
        self.read = set()
        self.assigned = False

    def __getitem__(self, key):
        self.read.add(key)
        return super().__getitem__(key)

    def get(self, key, default=None):
        self.read.add(key)
        return super().get(key, default)

    def __contains__(self, key):
        self.read.add(key)
        return super().__contains__(key)

    def pop(self, key, *default):
        self.read.add(key)
        self.assigned = True
        return super().pop(key, *default)

    def setdefault(self, key, default=None):
        self.read.add(key)
        self.assigned = True
        return super().setdefault(key, default)

    def _whole(self):
        self.read |= set(KEYS)

    def __iter__(self):
        self._whole()
        return super().__iter__()

    def keys(self):
        self._whole()
        return super().keys()

    def items(self):
        self._whole()
        return super().items()

    def values(self):
        self._whole()
        return super().values()

    def __setitem__(self, key, value):
        self.assigned = True
        super().__setitem__(key, value)


key = st.sampled_from(KEYS)
name = st.sampled_from(NAMES)


def atoms():
    return st.one_of(
        key.map(lambda k: f"state[{k!r}]"),
        key.map(lambda k: f"state.get({k!r}, [])"),
        name,
        name,
        st.sampled_from(["[]", "{}", "1", "'a'", "KEY", "GLOBAL", "state", "dict(state)", "list(state.values())"]),
    )


def grown(inner):
    return st.one_of(
        st.tuples(inner, inner).map(lambda p: f"[{p[0]}, {p[1]}]"),
        st.tuples(inner, inner).map(lambda p: f"({p[0]}, {p[1]})"),
        st.tuples(inner, inner).map(lambda p: f"{{'a': {p[0]}, 'k': {p[1]}}}"),
        st.tuples(inner, inner).map(lambda p: f"({p[0]} or {p[1]})"),
        st.tuples(inner, inner).map(lambda p: f"({p[0]} + {p[1]})"),
        st.tuples(inner, inner, inner).map(lambda p: f"({p[0]} if {p[1]} else {p[2]})"),
        st.tuples(name, inner).map(lambda p: f"({p[0]} := {p[1]})"),
        st.tuples(name, inner, inner).map(lambda p: f"[{p[0]} for {p[0]} in {p[1]} if {p[2]}]"),
        st.tuples(inner, inner).map(lambda p: f"keep({p[0]}, {p[1]})"),
        st.tuples(inner, inner).map(lambda p: f"first({p[0]}, other={p[1]})"),
        st.tuples(name, inner).map(lambda p: f"(lambda {p[0]}={p[1]}: {p[0]})"),
        st.tuples(inner, inner).map(lambda p: f"(lambda v: {p[0]})({p[1]})"),
        inner.map(lambda e: f"{e}[0]"),
        inner.map(lambda e: f"{e}['a']"),
        inner.map(lambda e: f"{e}.get('a')"),
        inner.map(lambda e: f"list({e})"),
        inner.map(lambda e: f"dict({e})"),
        inner.map(lambda e: f"max({e}, key=id)"),
        inner.map(lambda e: f"Box({e})"),
        inner.map(lambda e: f"{e}.value"),
        inner.map(lambda e: f"{e}.pop()"),
        inner.map(lambda e: f"{e}()"),
        inner.map(lambda e: f"{e}.copy()"),
        inner.map(lambda e: f"next(iter({e}))"),
        inner.map(lambda e: f"list(zip({e}, {e}))"),
        inner.map(lambda e: f"sorted({e}, key=id)"),
    )


expressions = st.recursive(atoms(), grown, max_leaves=5)


def simple():
    return st.one_of(
        st.tuples(name, expressions).map(lambda p: f"{p[0]} = {p[1]}"),
        st.tuples(name, name, expressions).map(lambda p: f"{p[0]}, {p[1]} = {p[2]}"),
        st.tuples(name, name, expressions).map(lambda p: f"{p[0]}, *{p[1]} = {p[2]}"),
        st.tuples(name, expressions).map(lambda p: f"{p[0]} += {p[1]}"),
        st.tuples(expressions, expressions).map(lambda p: f"{p[0]}.append({p[1]})"),
        st.tuples(expressions, expressions).map(lambda p: f"{p[0]}.extend({p[1]})"),
        st.tuples(expressions, expressions).map(lambda p: f"{p[0]}.update({p[1]})"),
        st.tuples(atoms(), expressions).map(lambda p: f"{p[0]}[0] = {p[1]}" if p[0] not in ("1",) else "pass"),
        st.tuples(name, key, expressions).map(lambda p: f"{p[0]}[{p[1]!r}] = {p[2]}"),
        st.tuples(name, expressions).map(lambda p: f"{p[0]}.value = {p[1]}"),
        st.tuples(key, expressions).map(lambda p: f"state[{p[0]!r}] = {p[1]}"),
        atoms().map(lambda e: f"del {e}[0]" if e in NAMES else "pass"),
        name.map(lambda n: f"{n}.setdefault('a', []).append(state)"),
        expressions.map(lambda e: f"return {e}"),
        st.tuples(key, expressions).map(lambda p: f"return {{{p[0]!r}: {p[1]}}}"),
    )


def indent(lines):
    return [f"    {line}" for line in lines]


def blocks(inner):
    body = st.lists(inner, min_size=1, max_size=3).map(lambda parts: indent([line for part in parts for line in part]))
    return st.one_of(
        st.tuples(expressions, body, body).map(lambda p: [f"if {p[0]}:", *p[1], "else:", *p[2]]),
        st.tuples(name, expressions, body).map(lambda p: [f"for {p[0]} in {p[1]}:", *p[2]]),
        st.tuples(body, name, body, body).map(
            lambda p: ["try:", *p[0], f"except (KeyError, TypeError) as {p[1]}:", *p[2], "finally:", *p[3]]
        ),
        st.tuples(name, name, body).map(lambda p: [f"def {p[0]}({p[1]}=[]):", *p[2]]),
        st.tuples(body).map(lambda p: ["def fn():", "    nonlocal x, y", *p[0]]),
        st.tuples(name, expressions, body).map(lambda p: [f"with Box({p[1]}) as {p[0]}:", *p[2]]),
        st.tuples(expressions, name, body).map(
            lambda p: [
                f"match {p[0]}:",
                f"    case [{p[1]}, *z]:",
                *indent(p[2]),
                f"    case {{'a': {p[1]}}}:",
                *indent(p[2]),
            ]
        ),
    )


statements = st.recursive(simple().map(lambda line: [line]), blocks, max_leaves=6)
programs = st.lists(statements, min_size=1, max_size=6).map(lambda parts: [line for part in parts for line in part])

HEADER = """\
KEY = 'a'
GLOBAL = []

class Box:
    def __init__(self, value):
        self.value = value

    def __enter__(self):
        return self.value

    def __exit__(self, *error):
        return None

def keep(value, into):
    into.append(value)
    return into

def first(value, *, other=None):
    return value[0] if value else other

def node(state):
    x, y, z, box, pair = [], {}, [[]], {'a': []}, ([], {})
    fn = lambda: x
"""
counter = iter(range(10**9))


def compiled(lines):
    """The node of a program, with its source where the analysis looks for it; None if it does not compile."""
    text = HEADER + "\n".join(indent(lines)) + "\n"
    filename = f"<random node {next(counter)}>"
    module = {"__name__": "random_node"}
    try:
        exec(compile(text, filename, "exec"), module)
    except SyntaxError:
        return None
    linecache.cache[filename] = (len(text), None, text.splitlines(keepends=True), filename)
    return module["node"]


def start_values():
    shared = []
    return {"a": [[1], {"a": [2]}], "b": {"a": [3], "k": {"a": []}}, "c": [[], [shared]], "d": {"a": {}}}


def frozen(value, depth=0):
    """A value as text, deep enough to see a change and shallow enough for cycles."""
    if depth > 6:
        return "..."
    if isinstance(value, dict):
        return {k: frozen(v, depth + 1) for k, v in dict.items(value)}
    if isinstance(value, list | tuple):
        return [frozen(v, depth + 1) for v in value]
    return value if isinstance(value, int | str | None) else type(value).__name__


@settings(max_examples=400, deadline=None, suppress_health_check=list(HealthCheck))
@given(programs)
def test_a_node_does_nothing_that_its_facts_do_not_say(lines):
    check(lines)


def check(lines):
    node = compiled(lines)
    if node is None:
        return
    facts = node_facts(node, schema_keys=frozenset(KEYS))
    values = start_values()
    before = {name: frozen(copy.deepcopy(value)) for name, value in values.items()}
    state = Watched(values)
    try:
        result = node(state)
    except (Exception, RecursionError):
        result = None
    program = "\n".join(lines)
    assert all(name in facts.reads.keys for name in state.read if name in KEYS), (program, state.read, facts)
    changed = {name for name in KEYS if frozen(values[name]) != before[name]}
    assert all(name in facts.mutates.keys for name in changed), (program, changed, facts)
    assert facts.assigns or not state.assigned, (program, facts)
    if isinstance(result, dict):
        written = set(dict.keys(result))
        assert all(name in facts.writes.keys for name in written), (program, written, facts)
    assert facts.mutates_outside or not node.__globals__["GLOBAL"], (program, facts)
