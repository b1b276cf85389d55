"""Known: carries out the rules of the known library functions."""

from __future__ import annotations

import ast
import asyncio
import collections

from .core import Arguments
from .known_calls import Rule, is_unsteady
from .scopes import Scope
from .supers import Supers
from .values import (
    NEVER,
    NONE,
    OUTSIDE,
    SCALAR,
    Injected,
    Live,
    Made,
    State,
    Value,
    is_immutable,
    join,
    texts_of,
)


class Interpreter(Supers):
    """The whole walk."""

    def call_known(self, rule: Rule, atom: Live, arguments: Arguments, scope: Scope, node: ast.AST) -> Value:
        if is_unsteady(atom.value) and not self.findings.unsteady:
            self.findings.unsteady = f"gives something else each time ({self.line(scope, node)})"
        handler = getattr(self, f"_rule_{rule.name.lower()}")
        result: Value = handler(atom, arguments, scope, node)
        return result

    def _rule_sleep(self, atom: Live, arguments: Arguments, scope: Scope, node: ast.AST) -> Value:
        return self.holder("awaitable", arguments.all | NONE, scope, node, "slept")

    def _look(self, arguments: Arguments, scope: Scope, node: ast.AST) -> None:
        self.look_inside(arguments.all, scope, node)

    def _rule_text(self, atom: Live, arguments: Arguments, scope: Scope, node: ast.AST) -> Value:
        self._look(arguments, scope, node)
        self.run_callbacks(arguments, self.held(arguments), scope, node)
        return SCALAR

    def _rule_log(self, atom: Live, arguments: Arguments, scope: Scope, node: ast.AST) -> Value:
        self._look(arguments, scope, node)
        stream = arguments.keywords.get("file", NEVER) | arguments.rest
        if stream:
            self.call_method(stream, "write", Arguments((SCALAR,)), scope, node)
        return NONE

    def _rule_look(self, atom: Live, arguments: Arguments, scope: Scope, node: ast.AST) -> Value:
        return SCALAR

    def _rule_type(self, atom: Live, arguments: Arguments, scope: Scope, node: ast.AST) -> Value:
        if len(arguments.positional) == 1 and not arguments.rest:
            return OUTSIDE
        return self.escape(arguments.all, "'type'", scope, node)

    def _rule_fresh(self, atom: Live, arguments: Arguments, scope: Scope, node: ast.AST) -> Value:
        self._look(arguments, scope, node)
        held = self.held(arguments)
        inside = held | join(self.elements(frozenset({a}), scope, node) for a in held if _is_container(a))
        returned = self.run_callbacks(arguments, inside, scope, node)
        return self.anything_fresh(inside | frozenset(self.heap.reach(returned)), scope, node, "fresh")

    def _rule_holder(self, atom: Live, arguments: Arguments, scope: Scope, node: ast.AST) -> Value:
        inside = join(self.elements(value, scope, node) for value in arguments.positional)
        inside |= arguments.rest | self.elements(arguments.rest, scope, node)
        inside |= self.elements(join(arguments.keywords.values()), scope, node)
        self.implicit(frozenset(self.heap.reach(inside)), NEVER, scope, node)
        inside |= self.run_callbacks(arguments, inside, scope, node)
        kinds: dict[object, str] = {set: "set", frozenset: "set", tuple: "list"}
        kind = kinds.get(atom.value, "list") if isinstance(atom.value, type) else "list"
        return self.holder(kind, inside, scope, node, "holder")

    def _rule_pick(self, atom: Live, arguments: Arguments, scope: Scope, node: ast.AST) -> Value:
        positional = join(arguments.positional) | arguments.rest
        inside = positional | self.elements(positional, scope, node)
        self.implicit(frozenset(self.heap.reach(inside)), inside, scope, node)
        self.run_callbacks(Arguments(keywords=arguments.keywords, rest=arguments.rest), inside, scope, node)
        return inside | join(arguments.keywords.values()) | SCALAR

    def _rule_deep(self, atom: Live, arguments: Arguments, scope: Scope, node: ast.AST) -> Value:
        self._look(arguments, scope, node)
        if len(arguments.positional) > 1 or arguments.rest or "memo" in arguments.keywords:
            return self.escape(arguments.all, "a copier", scope, node)
        returned = self.run_callbacks(arguments, OUTSIDE, scope, node)
        return self.anything_fresh(returned, scope, node, "deep")

    def _rule_copy(self, atom: Live, arguments: Arguments, scope: Scope, node: ast.AST) -> Value:
        value = arguments.at(0, "obj")
        if State() in value or len(arguments.all) != len(value) or not all(isinstance(a, Made) for a in value):
            inside = self.mapping_values(arguments.all, scope, node) | self.held(arguments)
            self.run_callbacks(arguments, inside, scope, node)
            return self.anything_fresh(inside - {State()}, scope, node, "copy")
        thing_values: Value = NEVER
        for made in value:
            assert isinstance(made, Made)
            thing = self.heap.things[made.site]
            thing_values |= self._copied(made, thing, Arguments(), scope, node)
        return thing_values

    # Attributes by name.
    def _rule_getattr(self, atom: Live, arguments: Arguments, scope: Scope, node: ast.AST) -> Value:
        value, names = arguments.at(0), texts_of(arguments.at(1))
        default = arguments.at(2)
        if names is not None:
            return default | join(self.load_attribute(value, name, scope, node) for name in names)
        if State() in value:
            where = self.line(scope, node)
            self.findings.reads.add_every(f"reads a computed attribute of the state ({where})")
            return default | self.part_values(None) | self.escape(value, "a computed attribute", scope, node)
        self.escape(frozenset(a for a in value if isinstance(a, Made)), "a computed attribute", scope, node)
        return default | self.mapping_values(value, scope, node) | value | OUTSIDE

    def _rule_hasattr(self, atom: Live, arguments: Arguments, scope: Scope, node: ast.AST) -> Value:
        self._rule_getattr(atom, Arguments(arguments.positional, {}, arguments.rest), scope, node)
        return SCALAR

    def _rule_setattr(self, atom: Live, arguments: Arguments, scope: Scope, node: ast.AST) -> Value:
        target, names, value = arguments.at(0), texts_of(arguments.at(1)), arguments.at(2)
        if names is None or arguments.rest:
            self.escape(arguments.all, "a computed attribute", scope, node)
            self.change(target, value, scope, node, "sets a computed attribute")
            return NONE
        for name in names:
            self.store_attribute(target, name, value, scope, node)
        return NONE

    # Containers.
    def _rule_dict(self, atom: Live, arguments: Arguments, scope: Scope, node: ast.AST) -> Value:
        if atom.value is not collections.defaultdict:
            return self.make_dict(arguments, scope, node)
        rest = Arguments(arguments.positional[1:], arguments.keywords, arguments.rest)
        made = self.make_dict(rest, scope, node)
        missing = self.call(arguments.at(0) - NONE, Arguments(), scope, node)
        for target in made:
            assert isinstance(target, Made)
            self.heap.add_elements(self.heap.things[target.site], missing)
        # A look-up adds its key, so any key may be there.
        self.heap.widen(self.heap.things[next(iter(made)).site])  # type: ignore[union-attr]
        return made

    def _rule_enumerate(self, atom: Live, arguments: Arguments, scope: Scope, node: ast.AST) -> Value:
        return self._pairs([SCALAR, self.elements(arguments.at(0, "iterable"), scope, node)], scope, node)

    def _rule_zip(self, atom: Live, arguments: Arguments, scope: Scope, node: ast.AST) -> Value:
        columns = [self.elements(value, scope, node) for value in arguments.positional]
        if arguments.rest or arguments.keywords.keys() - {"strict"}:
            rest = arguments.rest | join(arguments.keywords.values())
            inside = join(columns) | rest | self.elements(rest, scope, node)
            inner = self.holder("list", inside, scope, node, "row")
            return self.holder("list", inner, scope, node, "rows")
        return self._pairs(columns, scope, node)

    def _pairs(self, columns: list[Value], scope: Scope, node: ast.AST) -> Value:
        made, thing = self.make("tuple", scope, node, "pair")
        for position, column in enumerate(columns):
            self.heap.set_field(thing, str(position), column)
        return self.holder("list", frozenset({made}), scope, node, "pairs")

    # Functions of functions.
    def _rule_map(self, atom: Live, arguments: Arguments, scope: Scope, node: ast.AST) -> Value:
        if atom.value is map:
            return self.map_over(arguments, scope, node)
        inside = join(self.elements(value, scope, node) for value in arguments.positional[1:])
        spread = Arguments(rest=inside | self.elements(inside, scope, node))
        return self.holder("list", self.call(arguments.at(0), spread, scope, node), scope, node, "mapped")

    def _rule_filter(self, atom: Live, arguments: Arguments, scope: Scope, node: ast.AST) -> Value:
        inside = self.elements(arguments.at(1), scope, node)
        self.call(arguments.at(0) - NONE, Arguments((inside,)), scope, node)
        return self.holder("list", inside, scope, node, "filtered")

    def _rule_reduce(self, atom: Live, arguments: Arguments, scope: Scope, node: ast.AST) -> Value:
        inside = self.elements(arguments.at(1), scope, node)
        slot = self.site(scope, node, "reduced")
        self.heap.grow_slot(slot, inside | arguments.at(2, "initial"))
        result = self.call(arguments.at(0), Arguments((self.heap.slot(slot), inside)), scope, node)
        self.heap.grow_slot(slot, result)
        return self.heap.slot(slot)

    def _rule_partial(self, atom: Live, arguments: Arguments, scope: Scope, node: ast.AST) -> Value:
        made, thing = self.make("partial", scope, node, "partial")
        self.heap.set_field(thing, "callee", arguments.at(0))
        for position, value in enumerate(arguments.positional[1:]):
            self.heap.set_field(thing, f"#{position:03}", value)
        for name, value in arguments.keywords.items():
            if name == "callee":
                return self.escape(arguments.all, "'partial'", scope, node)
            self.heap.set_field(thing, name, value)
        self.heap.add_elements(thing, arguments.rest)
        return frozenset({made})

    # Coroutines.
    def _rule_gather(self, atom: Live, arguments: Arguments, scope: Scope, node: ast.AST) -> Value:
        results = join(self.awaited(value, scope, node) for value in (*arguments.positional, arguments.rest))
        results |= OUTSIDE if arguments.rest else NEVER
        gathered = self.holder("list", results, scope, node, "results")
        return self.holder("awaitable", gathered, scope, node, "gathered")

    def _rule_task(self, atom: Live, arguments: Arguments, scope: Scope, node: ast.AST) -> Value:
        result = self.awaited(arguments.at(0, "coro"), scope, node)
        return self.holder("awaitable", result, scope, node, "task")

    def _rule_await(self, atom: Live, arguments: Arguments, scope: Scope, node: ast.AST) -> Value:
        given = arguments.at(0, "fut") | arguments.at(0, "arg") | arguments.at(0, "main")
        result = self.awaited(given, scope, node)
        return result if atom.value is asyncio.run else self.holder("awaitable", result, scope, node, "waiting")

    def _rule_completed(self, atom: Live, arguments: Arguments, scope: Scope, node: ast.AST) -> Value:
        inside = self.elements(arguments.at(0, "fs"), scope, node)
        return self.holder("list", inside, scope, node, "completed")

    def _rule_to_thread(self, atom: Live, arguments: Arguments, scope: Scope, node: ast.AST) -> Value:
        rest = Arguments(arguments.positional[1:], arguments.keywords, arguments.rest, arguments.optional)
        return self.holder("awaitable", self.call(arguments.at(0, "func"), rest, scope, node), scope, node, "thread")

    def _rule_executor(self, atom: Live, arguments: Arguments, scope: Scope, node: ast.AST) -> Value:
        self.run_callbacks(arguments, OUTSIDE, scope, node)
        return self.holder("executor", NEVER, scope, node, "executor")

    def _rule_cast(self, atom: Live, arguments: Arguments, scope: Scope, node: ast.AST) -> Value:
        return arguments.at(1, "val")

    def _rule_super(self, atom: Live, arguments: Arguments, scope: Scope, node: ast.AST) -> Value:
        # It hands the first parameter of the method to code of a base class.
        current = self.function_scope(scope)
        own = join(current.env.values()) | arguments.all
        names = (self.heap.slot((*current.site, "name", name)) for name in sorted(current.shape.shared))
        return self.escape(own | join(names), "'super()'", scope, node)

    # LangGraph and LangChain.
    def _rule_command(self, atom: Live, arguments: Arguments, scope: Scope, node: ast.AST) -> Value:
        return self.make_command(arguments, scope, node)

    def _rule_send(self, atom: Live, arguments: Arguments, scope: Scope, node: ast.AST) -> Value:
        return self.make_send(arguments, scope, node)

    def _rule_message(self, atom: Live, arguments: Arguments, scope: Scope, node: ast.AST) -> Value:
        # No class: its methods are the library's, and an unknown one hands it on.
        made, thing = self.make("instance", scope, node, f"message{id(atom.value)}", None)
        if arguments.positional:
            self.heap.set_field(thing, "content", join(arguments.positional))
        for name, value in arguments.keywords.items():
            self.heap.set_field(thing, name, value)
        self.heap.add_elements(thing, arguments.rest | SCALAR)
        return frozenset({made})

    def _rule_interrupt(self, atom: Live, arguments: Arguments, scope: Scope, node: ast.AST) -> Value:
        self.look_inside(arguments.all, scope, node)
        self.keep(arguments.all, scope, node)
        return OUTSIDE

    def _rule_writer(self, atom: Live, arguments: Arguments, scope: Scope, node: ast.AST) -> Value:
        return frozenset({Injected("writer")})

    def _rule_config(self, atom: Live, arguments: Arguments, scope: Scope, node: ast.AST) -> Value:
        return frozenset({Injected("config")})

    def _rule_runtime(self, atom: Live, arguments: Arguments, scope: Scope, node: ast.AST) -> Value:
        return frozenset({Injected("runtime")})


def _is_container(atom: object) -> bool:
    return not isinstance(atom, State) and not (isinstance(atom, Live) and is_immutable(atom))
