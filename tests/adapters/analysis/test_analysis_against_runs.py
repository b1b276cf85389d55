"""Random small nodes are run on a state that watches: what they did must be among what their facts say."""

import copy
import linecache
import random
import re
import sys
import warnings

import pytest

from alto_lg.adapters.langgraph.analysis import node_facts

KEYS = ("a", "b", "c", "d")
MOST_LINES = 200
MOST_ITEMS = 40
NAMES = ("x", "y", "z", "box", "pair")


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


class Program:
    """Writes one random node: its statements use its names, the state's keys, and each other's values."""

    def __init__(self, seed):
        self.random = random.Random(seed)

    def key(self):
        return self.random.choice(KEYS)

    def name(self):
        return self.random.choice(NAMES)

    def atom(self):
        return self.random.choice(ATOMS)(self)

    def expression(self, depth=2):
        if depth == 0 or self.random.random() < 0.5:
            return self.atom()
        return self.fill(self.random.choice(EXPRESSIONS), depth - 1)

    def fill(self, template, depth):
        """`E` stands for an expression, `N` and `M` for names, `K` for a key."""
        parts = {"E": lambda: self.expression(depth), "N": self.name, "M": self.name, "K": self.key}
        return re.sub(r"\b[ENMK]\b", lambda found: parts[found[0]](), template)

    def simple(self):
        line = self.fill(self.random.choice(SIMPLE), 1)
        # Most statements fail on values of the wrong kind; the next ones shall run nevertheless.
        return [line] if self.random.random() < 0.2 else ["try:", f"    {line}", "except Exception: pass"]

    def body(self, depth):
        return [line for _ in range(self.random.randint(1, 3)) for line in self.statement(depth)]

    def statement(self, depth=2):
        if depth == 0 or self.random.random() < 0.65:
            return self.simple()
        lines = []
        for line in self.random.choice(BLOCKS):
            if line.strip() == "...":
                lines += [line[: -len("...")] + inner for inner in self.body(depth - 1)]
            else:
                lines.append(self.fill(line, 1))
        return lines

    def lines(self):
        return [line for _ in range(self.random.randint(3, 6)) for line in self.statement()]


# Every expression is a list of lists of lists, so that most programs run to their end.
ATOMS = [
    *[lambda p: f"state[{p.key()!r}]"] * 2,
    lambda p: f"state.get({p.key()!r}, [])",
    *[lambda p: p.name()] * 7,
    lambda p: p.random.choice(["[[[]]]", "kept"]),
    lambda p: p.random.choice(["list(dict(state).values())", "list(state.values())", *["[[[[]]]]"] * 40]),
]
EXPRESSIONS = """[E, E]
[E, E]
list((E, E))
[E, *E]
{'a': E, 'k': E}['a']
{**{'a': E}, 'k': E}['a']
dict(a=E)['a']
(E or E)
(E + E)
(E if E else E)
(N := E)
[N for N in E if N]
list({N: E for N in ['a', 'k']}.values())
list(N for N in E)
[lambda: N for N in [E, E]][0]()
put(E, E)
first(E, other=E)
collect(*E, other=E)
collect(*[E], **{'other': E})
(lambda N=E: N)()
(lambda v: E)(E)
list((lambda *v: v)(E, E))
(E, E)[0]
(E, E)[1]
E[0]
E[0]
E[0]
E[-1]
E[0:]
list(E)
list(tuple(E))
max([E], key=id)
Box(E).value
Box(E).inner
Box(E).get()
[E, E].pop()
E.copy()
next(iter([E]))
list(zip(E, E))[0][1]
sorted(E, key=id)
sorted([E, E], key=lambda v: put([], v) and 0)
list(map(first, [E]))
list(map(lambda v: E, [E]))
list(filter(None, E))
reduce(put, [E, E], E)
reduce(lambda v, w: v[0] or w, E, E)
copy(E)
deepcopy(E)
list(enumerate(E))[0][1]
list({'a': E}.items())[0][1]
{'a': E}.get('k', E)
{'a': E}.setdefault('k', E)
getattr(Box(E), 'value')
partial(first, E)()
list(chain([E], E))
list(each(E))""".splitlines()
SIMPLE = """N = E
N = E
N = E
N = E
N = M = E
N, M = E, E
N, *M = E
(N, M), box = (E, E), E
N, M = M, N
N = Box(E)
N = N.value
state['K'] = E
N = state['K']
fn = lambda: E
N = fn()
N += E
N.append(E)
N.append([[]])
E.append([[]])
E.append([[]])
N.insert(0, E)
E.clear()
N[0] = E
N[0:0] = E
N[0] += E
state['K'] += E
state.update(K=E)
del N[0]
return {'K': E}""".splitlines()
BLOCKS = [
    ["if E:", "    ...", "else:", "    ..."],
    ["for N in E:", "    ..."],
    ["for N in [E, E]:", "    ...", "    if first(E) == 1: continue", "    if len(E) > 3: break", "    ..."],
    ["try:", "    ...", "    raise ValueError(E)", "except ValueError as err:", "    N = err.args[0]", "    ..."],
    ["try:", "    ...", "    N = {}['a']", "except KeyError:", "    ...", "finally:", "    ..."],
    ["def fn(M=E):", "    ...", "    return M", "N = fn()"],
    ["def fn():", "    nonlocal x, y", "    ...", "    x = E", "    y = E", "    return x", "N = fn()"],
    ["def fn():", "    yield E", "    ...", "N = list(fn())", "def fn(): return N"],
    ["with Box(E) as N:", "    ..."],
    ["match E:", "    case [N, *M]:", "        ..."],
    ["match {'a': E}:", "    case {'a': N}:", "        ..."],
    ["held = Box(E)", "...", "held.value = E", "...", "N = held.value"],
    ["kept.append(E)", "...", "N = kept[-1]"],
    ["N = state['K']", "N[0] = E", "...", "N = state['K'][0]"],
]


def indent(lines):
    return [f"    {line}" for line in lines]


HEADER = """\
from copy import copy, deepcopy
from functools import partial, reduce
from itertools import chain

key = 'a'
kept = []

class Box:
    def __init__(self, value):
        self.value = value

    def __enter__(self):
        return self.value

    def __exit__(self, *error):
        return None

    @property
    def inner(self):
        return self.value

    def get(self):
        return self.value

def put(value, into):
    into.append(value)
    return into

def first(value, *, other=None):
    return value[0] if value else other or [[[]]]

def collect(*values, other):
    return [*values, other]

def each(values):
    for value in values:
        yield value

def node(state):
    x, y, z, box, pair = ([[[[]]]] for _ in range(5))
    fn = lambda: x
"""
counter = iter(range(10**9))


def compiled(lines):
    """The node of a program, with its source where the analysis looks for it; None if it does not compile."""
    text = HEADER + "\n".join(indent(lines)) + "\n"
    filename = f"<random node {next(counter)}>"
    module = {"__name__": "random_node"}
    try:
        with warnings.catch_warnings(action="ignore"):  # `[]()` and the like
            exec(compile(text, filename, "exec"), module)
    except SyntaxError:
        return None
    linecache.cache[filename] = (len(text), None, text.splitlines(keepends=True), filename)
    return module["node"]


def start_values():
    return {name: tree(4) for name in KEYS}


def tree(depth):
    return [tree(depth - 1), tree(depth - 1)] if depth else []


def frozen(value, depth=0):
    """A value as text, deep enough to see a change and shallow enough for cycles."""
    if depth > 6:
        return "..."
    if isinstance(value, dict):
        return {k: frozen(v, depth + 1) for k, v in dict.items(value)}
    if isinstance(value, list | tuple):
        return [frozen(v, depth + 1) for v in value]
    return value if isinstance(value, int | str | None) else type(value).__name__


@pytest.mark.skipif(
    sys.version_info[:3] == (3, 13, 0), reason="CPython 3.13.0 crashes when a trace function reads f_locals here"
)
@pytest.mark.parametrize("start", range(0, 300, 50))
def test_a_node_does_nothing_that_its_facts_do_not_say(start):
    for seed in range(start, start + 50):
        check(Program(seed).lines())


class Endless(BaseException):
    """The program has run for long enough: no `except` of its own stops this one."""


def run(node, state):
    """What the node returns, or None if it fails, or grows or runs without end."""
    left = iter(range(MOST_LINES))

    def watch(frame, event, _):
        sizes = [size(value) for value in (*frame.f_locals.values(), *dict.values(state))]
        if event == "line" and (next(left, None) is None or max(sizes, default=0) > MOST_ITEMS):
            raise Endless
        return watch

    previous = sys.gettrace()
    sys.settrace(watch)
    try:
        return node(state)
    except (Exception, Endless):
        return None
    finally:
        sys.settrace(previous)


def size(value, depth=3):
    if depth == 0 or not isinstance(value, list | dict | tuple) or isinstance(value, Watched):
        return 0
    inner = dict.values(value) if isinstance(value, dict) else value[:MOST_ITEMS]
    return max(len(value), *(size(item, depth - 1) for item in inner), 0)


def check(lines):
    node = compiled(lines)
    if node is None:
        return
    facts = node_facts(node, schema_keys=frozenset(KEYS))
    values = start_values()
    before = {name: frozen(copy.deepcopy(value)) for name, value in values.items()}
    state = Watched(values)
    result = run(node, state)
    program = "\n".join(lines)
    assert all(name in facts.reads.keys for name in state.read if name in KEYS), (program, state.read, facts)
    changed = {name for name in KEYS if frozen(values[name]) != before[name]}
    assert all(name in facts.mutates.keys for name in changed), (program, changed, facts)
    assert facts.assigns or not state.assigned, (program, facts)
    if isinstance(result, dict):
        written = set(dict.keys(result))
        assert all(name in facts.writes.keys for name in written), (program, written, facts)
    assert facts.mutates_outside or not node.__globals__["kept"], (program, facts)
