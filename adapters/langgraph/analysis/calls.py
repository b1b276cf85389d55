"""Calls: what a call does, by what is called.

Always true:
  a callable of the user's is followed, a known library function does what its rule says,
  and any other gets its arguments as code that cannot be seen.
An unseen callee counts as one that may interrupt only if it is a graph, a tool or a runnable that may run the
user's code, or a function of the user's that could not be followed. What unseen library code does to objects
outside the graph is not counted: nodes are assumed to talk through the state.
"""

from __future__ import annotations

import ast
import contextlib
import functools
from types import FunctionType, MethodType

from alto_lg.batching import Batching, batching_of

from .batches import outputs_of, own_function
from .core import MOST_STEPS, Arguments
from .findings import TooLarge
from .follow import Follow
from .known_calls import Rule, rule_of
from .library import code_name, is_generated_init, is_library_class, is_user_code, may_interrupt, name_of
from .mentions import may_run_own_code
from .scopes import Scope
from .source import Located
from .values import (
    NEVER,
    NONE,
    OUTSIDE,
    SCALAR,
    Atom,
    Closure,
    Injected,
    Live,
    Made,
    Method,
    Part,
    Scalar,
    Value,
    is_immutable,
    join,
)


@contextlib.contextmanager
def _plain_context():  # type: ignore[no-untyped-def]
    yield


@contextlib.asynccontextmanager
async def _async_context():  # type: ignore[no-untyped-def]
    yield


# The wrappers that the decorators make: they hold the user's generator function in a cell.
_CONTEXT_CODES = (_plain_context.__code__, _async_context.__code__)


_SELF_CALLS_MOST = 1


class Calls(Follow):
    """Dispatches calls."""

    def call(self, callee: Value, arguments: Arguments, scope: Scope, node: ast.AST) -> Value:
        self.step()
        return join(self._call_guarded(atom, arguments, scope, node) for atom in callee)

    def _call_guarded(self, atom: Atom, arguments: Arguments, scope: Scope, node: ast.AST) -> Value:
        """An object of unknown contents may hold itself, so that following its call would lead to its call again."""
        if not isinstance(atom, Made | Method):
            return self._call_one(atom, arguments, scope, node)
        if self.calling[atom] >= _SELF_CALLS_MOST:
            return self.escape(arguments.all | {atom}, self.name_in(getattr(node, "func", node)), scope, node)
        self.calling[atom] += 1
        try:
            return self._call_one(atom, arguments, scope, node)
        finally:
            self.calling[atom] -= 1

    def _call_one(self, atom: Atom, arguments: Arguments, scope: Scope, node: ast.AST) -> Value:
        if isinstance(atom, Live):
            return self.call_live(atom, arguments, scope, node)
        if isinstance(atom, Closure):
            return self._followed(self.follow_closure(atom, arguments, scope, node), arguments, scope, node)
        if isinstance(atom, Method):
            return self.call_method(frozenset({atom.receiver}), atom.name, arguments, scope, node)
        if isinstance(atom, Part):
            what = f"calls {self.name_in(node)}, a value of the state"
            self.change(frozenset({atom}), arguments.all, scope, node, what)
            return self.escape(arguments.all, "a value of the state", scope, node) | self.part_values(atom.key)
        if isinstance(atom, Made):
            return self._call_made(atom, arguments, scope, node)
        if isinstance(atom, Injected) and atom.role == "writer":
            return self.hand_to_stream(arguments, scope, node)
        if isinstance(atom, Scalar):  # a method of a string or number
            return SCALAR | self.anything_fresh(self.held(arguments), scope, node)
        return self.escape(arguments.all, self.name_in(getattr(node, "func", node)), scope, node)

    def held(self, arguments: Arguments) -> Value:
        """What a result may hold of the arguments, at any depth."""
        return frozenset(a for a in self.heap.reach(arguments.all) if not isinstance(a, Scalar))

    def hand_to_stream(self, arguments: Arguments, scope: Scope, node: ast.AST) -> Value:
        """A stream writer: the caller of the graph gets the value, to look at."""
        self.look_inside(arguments.all, scope, node)
        self.keep(arguments.all, scope, node)
        return NONE

    def _call_made(self, atom: Made, arguments: Arguments, scope: Scope, node: ast.AST) -> Value:
        thing = self.heap.things[atom.site]
        if thing.kind == "partial":
            stored = [thing.fields[name] for name in sorted(thing.fields) if name.startswith("#")]
            named = {n: v for n, v in thing.fields.items() if not n.startswith("#") and n != "callee"}
            merged = Arguments(
                (*stored, *arguments.positional),
                {**named, **arguments.keywords},
                arguments.rest | thing.elements,
                arguments.optional,
            )
            return self.call(thing.fields.get("callee", NEVER), merged, scope, node)
        if thing.type_ is not None and thing.kind == "instance":
            return self.call_method(frozenset({atom}), "__call__", arguments, scope, node)
        return self.escape(arguments.all | {atom}, self.name_in(getattr(node, "func", node)), scope, node)

    # Live callables.
    def call_live(self, atom: Live, arguments: Arguments, scope: Scope, node: ast.AST) -> Value:
        value = atom.value
        rule = rule_of(value)
        if rule is not None:
            return self.call_known(rule, atom, arguments, scope, node)
        if isinstance(value, FunctionType):
            return self._call_function(value, arguments, scope, node)
        if isinstance(value, MethodType):
            bound = Arguments(
                (frozenset({Live(value.__self__)}), *arguments.positional),
                arguments.keywords,
                arguments.rest,
                arguments.optional,
            )
            if isinstance(value.__func__, FunctionType) and is_user_code(value.__func__):
                return self._call_function(value.__func__, bound, scope, node)
            self._note_interrupt(value.__self__, scope, node)
            return self.escape(arguments.all, name_of(value), scope, node)
        if isinstance(value, functools.partial):
            return self._call_partial(value, arguments, scope, node)
        if isinstance(value, type):
            return self.construct(value, arguments, scope, node)
        return self._call_object(value, arguments, scope, node)

    def _call_function(self, function: FunctionType, arguments: Arguments, scope: Scope, node: ast.AST) -> Value:
        batching = batching_of(function)
        if batching is not None:
            return self._call_batched(batching, arguments, scope, node)
        own = own_function(function)
        if own is not function:  # it is answered by what the user's own function gave
            return self.call(frozenset({Live(own)}), arguments, scope, node)
        if function.__code__ in _CONTEXT_CODES:
            inner = [c.cell_contents for c in function.__closure__ or () if isinstance(c.cell_contents, FunctionType)]
            return join(self._call_function(f, arguments, scope, node) for f in inner)
        if is_generated_init(function):
            self.change(arguments.at(0), self.held(arguments), scope, node, "fills in the fields of an object")
            return NONE
        if not is_user_code(function):
            self._note_interrupt(function, scope, node)
            inner = self._wrapped_functions(function)
            given = Arguments(rest=arguments.all | OUTSIDE | SCALAR)
            results = join(self._call_function(f, given, scope, node) for f in inner)
            return results | self.escape(arguments.all | results, name_of(function), scope, node)
        result = self._follow_within_budget(function, arguments, scope, node)
        if not isinstance(result, str):
            return result
        name, where = code_name(function.__code__), self.line(scope, node)
        held = frozenset(atom for atom in self.heap.reach(arguments.all) if isinstance(atom, Live))
        is_readable = isinstance(self.locate_function(function), Located)  # else it was not even looked at
        if not is_readable or self._may_run_own_code(function, held):
            return self.unfollowed(repr(name), result, arguments, scope, node)
        self.change_outside(f"calls {name!r}: {result}", scope, node)
        if any(isinstance(atom, Injected) for atom in self.heap.reach(arguments.all)):
            self._use_store(f"calls {name!r}: {result} ({where})")
        return self.escape(arguments.all, repr(name), scope, node)

    def _call_batched(self, batching: Batching, arguments: Arguments, scope: Scope, node: ast.AST) -> Value:
        """It is called with what others bring as well."""
        inputs = self.holder("list", arguments.all | OUTSIDE, scope, node, "inputs")
        function = frozenset({Live(own_function(batching.function))})
        outputs = outputs_of(self, self.call(function, Arguments((inputs,)), scope, node))
        return self.holder("awaitable", outputs, scope, node, "output") if batching.is_async else outputs

    def _may_run_own_code(self, function: FunctionType, held: frozenset[Live]) -> bool:
        # Asked again for every use: a retriever's `__len__` 1,159 times in one graph, 12 ms each for 210 passages.
        key = (function, held)
        if key not in self.own_code:
            self.own_code[key] = may_run_own_code(function, (atom.value for atom in held))
        return self.own_code[key]

    def _follow_within_budget(
        self, function: FunctionType, arguments: Arguments, scope: Scope, node: ast.AST
    ) -> Value | str:
        """No helper is worth more than half of the steps that are left; past them it counts as code not seen."""
        name = code_name(function.__code__)
        if function in self.too_large:
            return f"{name!r} is too large to follow"
        limit = self.steps_most
        self.steps_most = self.steps + max(0, min(limit, MOST_STEPS) - self.steps) // 2
        try:
            return self.follow_function(function, arguments, scope, node)
        except (TooLarge, RecursionError):
            if self.steps > limit:
                raise
            self.too_large.add(function)
            return f"{name!r} is too large to follow"
        finally:
            self.steps_most = limit

    @staticmethod
    def _wrapped_functions(function: FunctionType) -> list[FunctionType]:
        """The user's functions that a wrapper of a library holds."""
        held: list[object] = [getattr(function, "__wrapped__", None)]
        for cell in function.__closure__ or ():
            with contextlib.suppress(ValueError):  # a cell that is not filled yet
                held.append(cell.cell_contents)
        return list({id(f): f for f in held if isinstance(f, FunctionType) and is_user_code(f)}.values())

    def _followed(
        self, result: Value | str, arguments: Arguments, scope: Scope, node: ast.AST, name: str = "a function"
    ) -> Value:
        if not isinstance(result, str):
            return result
        return self.unfollowed(repr(name), result, arguments, scope, node)

    def unfollowed(self, name: str, why: str, arguments: Arguments, scope: Scope, node: ast.AST) -> Value:
        """Code of the user's that could not be read: it may do whatever a node may do."""
        where = self.line(scope, node)
        self.change_outside(f"calls {name}: {why}", scope, node)
        self.run_own_code(f"calls {name}: {why} ({where})")
        self._use_store(f"calls {name}: {why} ({where})")
        return self.escape(arguments.all, name, scope, node)

    def _call_partial(
        self, value: functools.partial[object], arguments: Arguments, scope: Scope, node: ast.AST
    ) -> Value:
        given = tuple(frozenset({self.live(item, scope, node)}) for item in value.args)
        named = {name: frozenset({self.live(item, scope, node)}) for name, item in value.keywords.items()}
        merged = Arguments(
            (*given, *arguments.positional),
            {**named, **arguments.keywords},
            arguments.rest,
            arguments.optional,
        )
        return self.call(frozenset({Live(value.func)}), merged, scope, node)

    def _call_object(self, value: object, arguments: Arguments, scope: Scope, node: ast.AST) -> Value:
        wrapped = getattr(value, "__wrapped__", None) if isinstance(value, _CACHED) else None
        if isinstance(wrapped, FunctionType):
            # What a cache holds is shared by all of its callers.
            result = self._call_function(wrapped, arguments, scope, node)
            self.keep(arguments.all | result, scope, node)
            return result | OUTSIDE
        method = self._own_call(value)
        if method is not None:
            bound = Arguments(
                (frozenset({Live(value)}), *arguments.positional),
                arguments.keywords,
                arguments.rest,
                arguments.optional,
            )
            return self._call_function(method, bound, scope, node)
        self._note_interrupt(value, scope, node)
        return self.escape(arguments.all, name_of(value), scope, node)

    @staticmethod
    def _own_call(value: object) -> FunctionType | None:
        for base in type(value).__mro__:
            if "__call__" in vars(base):
                found = vars(base)["__call__"]
                return found if isinstance(found, FunctionType) and is_user_code(found) else None
        return None

    def _note_interrupt(self, value: object, scope: Scope, node: ast.AST) -> None:
        if may_interrupt(value):
            self.run_own_code(f"calls {name_of(value)} ({self.line(scope, node)})")

    # Filled in beside.
    def call_known(self, rule: Rule, atom: Live, arguments: Arguments, scope: Scope, node: ast.AST) -> Value:
        raise NotImplementedError

    def construct(self, type_: type, arguments: Arguments, scope: Scope, node: ast.AST) -> Value:
        raise NotImplementedError

    def run_callbacks(self, arguments: Arguments, given: Value, scope: Scope, node: ast.AST) -> Value:
        """Functions among the arguments are called with some of these values; what they may return."""
        # What one call returned may be given to the next.
        slot = self.site(scope, node, "called back")
        for atom in arguments.all:
            if isinstance(atom, Closure | Method | Made) or (
                isinstance(atom, Live) and not is_immutable(atom) and callable(atom.value)
            ):
                if isinstance(atom, Made) and self.heap.things[atom.site].kind not in ("partial", "instance"):
                    continue
                if isinstance(atom, Made) and not self._is_callable_thing(atom):
                    continue
                given_now = Arguments(rest=given | SCALAR | self.heap.slot(slot))
                if isinstance(atom, Live) and isinstance(atom.value, type):
                    if not is_library_class(atom.value):
                        self.escape(given_now.rest, name_of(atom.value), scope, node)
                    continue
                self.heap.grow_slot(slot, self.call(frozenset({atom}), given_now, scope, node))
        return self.heap.slot(slot)

    def _is_callable_thing(self, atom: Made) -> bool:
        thing = self.heap.things[atom.site]
        return thing.kind == "partial" or (thing.type_ is not None and hasattr(thing.type_, "__call__"))  # noqa: B004


_CACHED = (functools._lru_cache_wrapper,)
