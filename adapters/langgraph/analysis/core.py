"""Core: the state of one analysis, and the few effects that everything else is made of.

Always true:
  the walk is repeated until the heap no longer grows, so the last pass has seen every alias;
  code that was handed a value is taken to change it, to keep it, and to hand it back.
"""

from __future__ import annotations

import ast
import itertools
from abc import ABC, abstractmethod
from collections import Counter
from dataclasses import dataclass, field
from types import FunctionType, MethodType

from .findings import CannotTell, Findings, TooLarge
from .library import is_user_code, may_interrupt, name_of, reference_effect
from .scopes import Scope
from .source import line_of
from .values import (
    NEVER,
    OUTSIDE,
    SCALAR,
    Atom,
    Closure,
    Heap,
    Injected,
    Live,
    Made,
    Method,
    Outside,
    Part,
    Scalar,
    Site,
    State,
    Thing,
    Value,
    is_immutable,
    join,
)

MOST_STEPS = 6_000  # expressions evaluated for one function and its helpers, before no helper is followed any more
OWN_STEPS = 1_000  # kept for the function itself, which the helpers' last steps would else make too large
MOST_ATOMS = 400_000  # values gone over in search of what a call can reach
MOST_PASSES = 40
MOST_DEPTH = 6  # helpers followed inside helpers

_ITEMS_MOST = 1_000  # of a live collection, looked at one by one


@dataclass(frozen=True, slots=True)
class Arguments:
    """The arguments of a call; `rest` is what a `*` or `**` of unknown length may add."""

    positional: tuple[Value, ...] = ()
    keywords: dict[str, Value] = field(default_factory=dict)
    rest: Value = NEVER
    optional: frozenset[str] = frozenset()  # keywords that came out of a `**` and may be absent

    @property
    def all(self) -> Value:
        return join((*self.positional, *self.keywords.values(), self.rest))

    def at(self, index: int, name: str = "") -> Value:
        """The argument at a position, or under a name; empty when it is certainly absent."""
        if index < len(self.positional):
            return self.positional[index] | self.rest
        return self.keywords.get(name, NEVER) | self.rest


class Core(ABC):
    """One analysis: heap, findings and the places where the walk stands."""

    def __init__(self, schema_keys: frozenset[str]) -> None:
        self.schema_keys = schema_keys
        self.heap = Heap()
        self.findings = Findings()
        self.steps = 0
        self.steps_most = MOST_STEPS + OWN_STEPS
        self.too_large: set[FunctionType] = set()  # services that were given up on
        self.own_code: dict[tuple[FunctionType, frozenset[Live]], bool] = {}  # whether such a one may leave the node
        self.active: list[tuple[object, Site]] = []  # the functions being walked, outermost first
        self.closures: dict[Site, tuple[ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda, Scope]] = {}
        self.escaping: set[Atom] = set()
        self.handed_back: dict[tuple[frozenset[Atom], int, int], Value] = {}  # by value, place and heap version
        self.calling: Counter[Atom] = Counter()  # how often each made object's call is being followed now
        self.alive: list[object] = []  # keeps live objects whose id stands in a site
        self.function_nodes: dict[int, tuple[ast.AST, str]] = {}

    # The parts of the walk that the modules beside this one fill in.
    @abstractmethod
    def evaluate(self, node: ast.expr, scope: Scope, *, quiet: bool = False) -> Value: ...

    @abstractmethod
    def execute(self, body: list[ast.stmt], scope: Scope) -> bool: ...

    @abstractmethod
    def call(self, callee: Value, arguments: Arguments, scope: Scope, node: ast.AST) -> Value: ...

    @abstractmethod
    def call_method(self, receiver: Value, name: str, arguments: Arguments, scope: Scope, node: ast.AST) -> Value: ...

    @abstractmethod
    def load_attribute(self, value: Value, name: str, scope: Scope, node: ast.AST) -> Value: ...

    @abstractmethod
    def load_item(self, value: Value, keys: Value, scope: Scope, node: ast.AST) -> Value: ...

    @abstractmethod
    def elements(self, value: Value, scope: Scope, node: ast.AST) -> Value: ...

    @abstractmethod
    def bind(self, name: str, value: Value, scope: Scope, node: ast.AST) -> None: ...

    @abstractmethod
    def assign(self, target: ast.expr, value: Value, scope: Scope) -> None: ...

    # Places.
    def line(self, scope: Scope, node: ast.AST) -> str:
        return line_of(scope.filename, node)

    def site(self, scope: Scope, node: ast.AST, role: str = "") -> Site:
        return (*scope.site, id(node), role)

    def step(self) -> None:
        self.steps += 1
        if self.steps > self.steps_most or self.heap.cost > MOST_ATOMS:
            raise TooLarge("the code is too large to analyse; declare its reads and writes")

    def make(
        self, kind: str, scope: Scope, node: ast.AST, role: str = "", type_: type | None = None
    ) -> tuple[Made, Thing]:
        made = self.heap.make((*self.site(scope, node, role), kind), kind, self.line(scope, node), type_)
        return made, self.heap.things[made.site]

    def holder(self, kind: str, elements: Value, scope: Scope, node: ast.AST, role: str = "") -> Value:
        """A new container with these values somewhere inside."""
        made, thing = self.make(kind, scope, node, role)
        self.heap.add_elements(thing, elements)
        return frozenset({made})

    def anything_fresh(self, held: Value, scope: Scope, node: ast.AST, role: str = "") -> Value:
        """A new object of unknown shape, as deep as need be, that may hold these values."""
        made, thing = self.make("any", scope, node, f"any{role}")
        self.heap.add_elements(thing, held | SCALAR | frozenset({made}))
        return frozenset({made})

    # State.
    def read(self, key: str | None, reason: str) -> None:
        self.findings.reads.add(key, reason)

    def read_whole(self, value: Value, what: str, scope: Scope, node: ast.AST) -> None:
        """The value as a whole is looked at: it reads every key if the value is the state."""
        if State() in value:
            self.findings.reads.add_every(f"{what} ({self.line(scope, node)})")

    @property
    def state_thing(self) -> Thing:
        """What the code has assigned to the state object, by key."""
        return self.heap.things[self.heap.make(("state",), "dict", "").site]

    def part_values(self, key: str | None) -> Value:
        """What a value under a state key may be, with what the code has put inside it."""
        inside = self.heap.slot(("inside", key)) | self.heap.slot(("inside", None))
        if key is None:
            known = [slot for slot in self.heap.slots if slot[0] == "inside"]
            inside |= join(self.heap.slots[slot] for slot in known)
        return frozenset({Part(key)}) | inside

    def outside_values(self) -> Value:
        """What an object from outside may hand out."""
        return OUTSIDE | self.heap.slot(("outside",))

    # Effects.
    def change(self, value: Value, stored: Value, scope: Scope, node: ast.AST, what: str) -> None:
        """Objects are changed in place, and `stored` is now somewhere inside them."""
        for atom in value:
            if isinstance(atom, Part):
                self.findings.mutates.add(atom.key, f"{what} ({self.line(scope, node)})")
                self.heap.grow_slot(("inside", atom.key), stored)
            elif isinstance(atom, Made):
                self.heap.add_elements(self.heap.things[atom.site], stored)
            elif isinstance(atom, State):
                self.assign_state(scope, node)
                self.heap.add_elements(self.state_thing, stored)
            elif isinstance(atom, Method):
                self.change(frozenset({atom.receiver}), stored, scope, node, what)
            elif not is_immutable(atom):
                self.change_outside(what, scope, node)
                self.keep(stored, scope, node)

    def assign_state(self, scope: Scope, node: ast.AST) -> None:
        """The state object itself gets, or loses, a key."""
        if not self.findings.assigns:
            self.findings.assigns = self.line(scope, node)

    def change_outside(self, what: str, scope: Scope, node: ast.AST) -> None:
        if not self.findings.changes_outside:
            self.findings.changes_outside = f"{what} ({self.line(scope, node)})"

    def keep(self, value: Value, scope: Scope, node: ast.AST) -> None:
        """A value is stored where code outside can find it."""
        self.heap.grow_slot(("outside",), frozenset(a for a in value if not is_immutable(a)))
        where = self.line(scope, node)
        for atom in self.heap.reach(value):
            if isinstance(atom, State):
                self.findings.reads.add_every(f"keeps the whole state outside the node ({where})")
            if isinstance(atom, State):
                self.findings.leaks.add_every(where)
            elif isinstance(atom, Part):
                self.findings.leaks.add(atom.key, where)
            if isinstance(atom, Made):
                self.heap.widen(self.heap.things[atom.site])
                self.heap.add_elements(self.heap.things[atom.site], OUTSIDE)
            self._escape_injected(atom, where)
        self._escape_functions(self.heap.reach(value), NEVER, scope, node)

    def escape(self, value: Value, whom: str, scope: Scope, node: ast.AST) -> Value:
        """Code that cannot be seen gets a value; the answer is what it may hand back."""
        reached = self.heap.reach(value)
        key = (reached, id(node), self.heap.version)
        known = self.handed_back.get(key)
        if known is not None:
            return known
        result = self._escape(reached, whom, scope, node)
        # If the heap has grown on the way, the callbacks that ran first have not seen all of it.
        if self.heap.version == key[2]:
            self.handed_back[key] = result
        return result

    def _escape(self, reached: frozenset[Atom], whom: str, scope: Scope, node: ast.AST) -> Value:
        where = self.line(scope, node)
        given = frozenset(atom for atom in reached if not is_immutable(atom)) | OUTSIDE
        if not self.findings.unseen:
            self.findings.unseen = f"calls {whom} ({where})"
        for atom in reached:
            if isinstance(atom, State):
                why = f"passes the whole state to {whom}, which could not be followed ({where})"
                self.findings.reads.add_every(why)
                self.findings.mutates.add_every(why)
                self.assign_state(scope, node)
                self.heap.widen(self.state_thing)
                self.heap.add_elements(self.state_thing, given)
                self.findings.leaks.add_every(where)
                given |= self.part_values(None)
            elif isinstance(atom, Part):
                why = f"passes a value of it to {whom}, which could not be followed ({where})"
                self.findings.mutates.add(atom.key, why)
                self.heap.grow_slot(("inside", atom.key), given)
                self.findings.leaks.add(atom.key, where)
            elif isinstance(atom, Made):
                thing = self.heap.things[atom.site]
                self.heap.widen(thing)
                self.heap.add_elements(thing, given)
            self._escape_injected(atom, where)
        self._escape_functions(reached, given, scope, node)
        return given | self.outside_values()

    def _escape_injected(self, atom: Atom, where: str) -> None:
        if isinstance(atom, Injected) and atom.role != "writer":
            self._use_store(f"hands the {atom.role} on ({where})")

    def run_own_code(self, why: str) -> None:
        """Code of the user's, perhaps a graph, runs unseen: it may pause the run, or leave the node by a Command."""
        self.findings.interrupts = self.findings.interrupts or why
        self.findings.leaves = self.findings.leaves or why

    def note_graphs_in(self, held: object, scope: Scope, node: ast.AST) -> None:
        """Something is taken from a live collection: what it holds may be run under a name that says nothing."""
        items = held.values() if isinstance(held, dict) else held if isinstance(held, list | tuple | set) else ()
        if any(may_interrupt(item) for item in itertools.islice(items, _ITEMS_MOST)):
            self.run_own_code(f"takes from a collection of graphs, tools or functions ({self.line(scope, node)})")

    def _use_store(self, why: str) -> None:
        if not self.findings.store:
            self.findings.store = why

    def _escape_functions(self, reached: frozenset[Atom], given: Value, scope: Scope, node: ast.AST) -> None:
        """Unseen code may call what it was given, with whatever it was given."""
        for atom in reached:
            if isinstance(atom, Closure | Method) or (isinstance(atom, Live) and self._is_callback(atom.value)):
                if atom in self.escaping:
                    continue
                self.escaping.add(atom)
                try:
                    result = self.call(frozenset({atom}), Arguments(rest=given | OUTSIDE | SCALAR), scope, node)
                    self.keep_result(result, scope, node)
                finally:
                    self.escaping.discard(atom)

    def keep_result(self, result: Value, scope: Scope, node: ast.AST) -> None:
        """What a callback returned is in the hands of the code that called it."""
        if any(not is_immutable(atom) and not isinstance(atom, Outside) for atom in result):
            self.heap.grow_slot(("outside",), result)
            where = self.line(scope, node)
            for atom in self.heap.reach(result):
                if isinstance(atom, State):
                    why = f"a callback hands the whole state to code that was not seen ({where})"
                    self.findings.reads.add_every(why)
                    self.findings.mutates.add_every(why)
                    self.assign_state(scope, node)
                    self.findings.leaks.add_every(where)
                elif isinstance(atom, Part):
                    why = f"a callback hands a value of it to code that was not seen ({where})"
                    self.findings.mutates.add(atom.key, why)
                    self.findings.leaks.add(atom.key, where)
                elif isinstance(atom, Made):
                    self.heap.widen(self.heap.things[atom.site])
                    self.heap.add_elements(self.heap.things[atom.site], OUTSIDE)

    def _is_callback(self, live: object) -> bool:
        if may_interrupt(live):
            self.run_own_code("hands on a graph or runnable")
        if isinstance(live, MethodType):
            live = live.__func__
        return isinstance(live, FunctionType) and is_user_code(live)

    def live(self, value: object, scope: Scope, node: ast.AST) -> Atom:
        """A live object that the code mentions."""
        effect = reference_effect(value)
        if not effect:
            return Live(value)
        where = self.line(scope, node)
        if effect == "interrupt" and not self.findings.interrupts:
            self.findings.interrupts = f"uses interrupt() ({where})"
        elif effect == "graph":
            self.run_own_code(f"makes a graph ({where})")
        elif effect == "sends":
            self.findings.sends = self.findings.sends or f"writes to the state by {name_of(value)} ({where})"
        elif effect == "store":
            self._use_store(f"uses get_store() ({where})")
        elif effect == "everything":
            raise CannotTell(f"uses {getattr(value, '__name__', value)!r}, which reaches any name ({where})")
        return Live(value)

    def plain(self, value: Value) -> bool:
        """True when a value certainly holds nothing."""
        return all(isinstance(atom, Scalar) or is_immutable(atom) for atom in value)
