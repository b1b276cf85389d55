"""Methods: what calling a method of each kind of value does.

Always true:
  a method of a value of the state changes that value, unless its name is one that only looks;
  a method of a container made here is known by its name, and any other name makes the container unknown.
"""

from __future__ import annotations

import ast
from types import FunctionType, MethodType, ModuleType

from .attributes import static_attribute
from .constructors import Constructors
from .core import Arguments, Core
from .known_calls import COPYING_METHODS, LOGGER_LOOKS, LOGGER_METHODS, READING_METHODS, TEXT_METHODS, Rule, is_logger
from .known_calls import rule_of as known_rule
from .library import is_user_code
from .scopes import Scope
from .values import (
    NEVER,
    NONE,
    SCALAR,
    Atom,
    Injected,
    Live,
    Made,
    Method,
    Part,
    Scalar,
    State,
    Thing,
    Value,
    is_immutable,
    join,
    texts_of,
)

_ADDING = frozenset(["append", "add", "insert", "appendleft", "push", "put", "put_nowait"])
_EXTENDING = frozenset(["extend", "update", "extendleft", "difference_update", "intersection_update"])
_REMOVING = frozenset(["remove", "discard", "clear", "sort", "reverse", "rotate"])
_TAKING = frozenset(["pop", "popleft", "popitem"])
_SETTING = frozenset(["setdefault", "__setitem__", "__delitem__", "__iadd__", "symmetric_difference_update"])
_LISTS_OF_TEXT = frozenset(["split", "rsplit", "splitlines", "partition", "rpartition"])
_CONTAINERS = frozenset({"dict", "list", "set", "tuple", "generator"})
_TEXT_TYPES = (str, bytes, int, float)
_RUNTIME_LOOKS = frozenset({"heartbeat"})


def quiet_call(core: Core, receiver: Value, name: str, node: ast.Call, scope: Scope) -> bool:
    """True for `logger.info(...)`, `logging.info(...)` and their like."""
    if not receiver or any(keyword.arg in (None, "file") for keyword in node.keywords):
        return False
    for atom in receiver:
        if not isinstance(atom, Live):
            return False
        if is_logger(atom.value) and name in LOGGER_METHODS:
            continue
        if isinstance(atom.value, ModuleType) and known_rule(vars(atom.value).get(name)) is Rule.LOG:
            continue
        return False
    return True


class Methods(Constructors):
    """Calls of methods."""

    def call_method(self, receiver: Value, name: str, arguments: Arguments, scope: Scope, node: ast.AST) -> Value:
        self.step()
        return join(self._method_of(atom, name, arguments, scope, node) for atom in receiver)

    def _method_of(self, atom: Atom, name: str, arguments: Arguments, scope: Scope, node: ast.AST) -> Value:
        if isinstance(atom, Scalar):
            return self._text_method(name, arguments, scope, node)
        if isinstance(atom, State):
            return self._state_method(name, arguments, scope, node)
        if isinstance(atom, Part):
            return self._part_method(atom, name, arguments, scope, node)
        if isinstance(atom, Made):
            return self._made_method(atom, name, arguments, scope, node)
        if isinstance(atom, Live):
            return self._live_method(atom, name, arguments, scope, node)
        if isinstance(atom, Injected):
            return self._injected_method(atom, name, arguments, scope, node)
        if isinstance(atom, Method):
            if name == "__call__":
                return self.call(frozenset({atom}), arguments, scope, node)
            self.escape(frozenset({atom}), "a method", scope, node)
        if name in _ADDING | _EXTENDING | _REMOVING | _TAKING | _SETTING:
            # Of an object that is not known, whose method is then most likely that of a list, dict or set.
            self.change_outside(f"calls {self.name_in(getattr(node, 'func', node))}", scope, node)
        given = self.escape(arguments.all | {atom}, repr(self.name_in(getattr(node, "func", node))), scope, node)
        return given | self.outside_values()

    def _text_method(self, name: str, arguments: Arguments, scope: Scope, node: ast.AST) -> Value:
        self.look_inside(arguments.all, scope, node)
        if name in _LISTS_OF_TEXT:
            return self.holder("list", SCALAR, scope, node, "texts")
        return SCALAR

    # The state.
    def _state_method(self, name: str, arguments: Arguments, scope: Scope, node: ast.AST) -> Value:
        found: Value = NEVER
        if name in self.schema_keys:
            value = self.load_key(name, scope, node)
            found = self.call(value, arguments, scope, node)
        handler = getattr(self, f"_state_{name.strip('_')}", None)
        if handler is not None:
            taken: Value = handler(arguments, scope, node)
            return found | taken
        if name in self.schema_keys:
            return found
        state = frozenset({State()})
        return found | self.escape(state | arguments.all, f"the state's method {name!r}", scope, node)

    def _state_get(self, arguments: Arguments, scope: Scope, node: ast.AST) -> Value:
        default = arguments.at(1, "default") if len(arguments.positional) > 1 else NONE
        return self.load_item(frozenset({State()}), arguments.at(0, "key"), scope, node) | default

    def _state_getitem(self, arguments: Arguments, scope: Scope, node: ast.AST) -> Value:
        return self.load_item(frozenset({State()}), arguments.at(0), scope, node)

    def _state_pop(self, arguments: Arguments, scope: Scope, node: ast.AST) -> Value:
        self.assign_state(scope, node)
        return self.load_item(frozenset({State()}), arguments.at(0), scope, node) | arguments.at(1)

    def _state_setdefault(self, arguments: Arguments, scope: Scope, node: ast.AST) -> Value:
        default = arguments.at(1) or NONE
        found = self.load_item(frozenset({State()}), arguments.at(0), scope, node)
        self.store_item(frozenset({State()}), arguments.at(0), default, scope, node)
        return found | default

    def _state_setitem(self, arguments: Arguments, scope: Scope, node: ast.AST) -> Value:
        self.store_item(frozenset({State()}), arguments.at(0), arguments.at(1), scope, node)
        return NONE

    def _state_update(self, arguments: Arguments, scope: Scope, node: ast.AST) -> Value:
        return self._update(frozenset({State()}), arguments, scope, node)

    def _state_clear(self, arguments: Arguments, scope: Scope, node: ast.AST) -> Value:
        self.assign_state(scope, node)
        return NONE

    def _state_contains(self, arguments: Arguments, scope: Scope, node: ast.AST) -> Value:
        self._membership(arguments.at(0), frozenset({State()}), scope, node)
        return SCALAR

    def _state_whole(self, arguments: Arguments, scope: Scope, node: ast.AST) -> Value:
        where = self.line(scope, node)
        self.findings.reads.add_every(f"takes all of the state ({where})")
        inside = self.part_values(None) | self.heap.contents(self.state_thing)
        return self.anything_fresh(inside | self.held(arguments), scope, node, "state")

    def _state_popitem(self, arguments: Arguments, scope: Scope, node: ast.AST) -> Value:
        self.assign_state(scope, node)
        return self._state_whole(arguments, scope, node)

    _state_items = _state_values = _state_keys = _state_whole
    _state_model_dump = _state_model_dump_json = _state_model_copy = _state_whole

    def _state_copy(self, arguments: Arguments, scope: Scope, node: ast.AST) -> Value:
        return self.make_dict(Arguments((frozenset({State()}),)), scope, node)

    # Values of the state.
    def _part_method(self, atom: Part, name: str, arguments: Arguments, scope: Scope, node: ast.AST) -> Value:
        if name not in READING_METHODS:
            what = f"calls {self.name_in(getattr(node, 'func', node))}"
            given = self.escape(arguments.all, f"a method {name!r} of a value", scope, node)
            self.change(frozenset({atom}), given | arguments.all, scope, node, what)
            return self.part_values(atom.key) | given
        self.look_inside(arguments.all, scope, node)
        if name in TEXT_METHODS:
            return SCALAR
        if name in COPYING_METHODS:
            return self.anything_fresh(self.part_values(atom.key) | self.held(arguments), scope, node)
        return self.part_values(atom.key) | arguments.all | SCALAR

    # Objects made here.
    def _made_method(self, atom: Made, name: str, arguments: Arguments, scope: Scope, node: ast.AST) -> Value:
        thing = self.heap.things[atom.site]
        if thing.kind in ("instance", "command", "send"):
            return self._instance_method(atom, thing, name, arguments, scope, node)
        if thing.kind == "awaitable":
            return self._awaitable_method(thing, arguments, scope, node)
        if thing.kind == "executor":
            return self._executor_method(name, arguments, scope, node)
        if thing.kind in _CONTAINERS:
            return self._container_method(atom, thing, name, arguments, scope, node)
        # An object of a known library: it may keep what it is given, and give out what it holds.
        inside = self.heap.contents(thing)
        returned = self.run_callbacks(arguments, inside | self.held(arguments), scope, node)
        self.heap.add_elements(thing, self.held(arguments) | returned)
        if name in ("update", "setdefault", "__setitem__"):
            self.heap.widen(thing)
        called = self.call(frozenset(a for a in inside if isinstance(a, Method)), arguments, scope, node)
        return self.heap.contents(thing) | called | SCALAR

    def _awaitable_method(self, thing: Thing, arguments: Arguments, scope: Scope, node: ast.AST) -> Value:
        self.run_callbacks(arguments, thing.elements, scope, node)
        return thing.elements | SCALAR

    def _executor_method(self, name: str, arguments: Arguments, scope: Scope, node: ast.AST) -> Value:
        if name == "submit":
            rest = Arguments(arguments.positional[1:], arguments.keywords, arguments.rest, arguments.optional)
            result = self.call(arguments.at(0), rest, scope, node)
            return self.holder("awaitable", result, scope, node, "submitted")
        if name == "map":
            return self.map_over(arguments, scope, node)
        if name in ("__enter__", "__exit__", "shutdown"):
            return self.holder("executor", NEVER, scope, node, "entered")
        return self.escape(arguments.all, f"the executor's method {name!r}", scope, node)

    def _instance_method(
        self, atom: Made, thing: Thing, name: str, arguments: Arguments, scope: Scope, node: ast.AST
    ) -> Value:
        bound = Arguments(
            (frozenset({atom}), *arguments.positional),
            arguments.keywords,
            arguments.rest,
            arguments.optional,
        )
        found: Value = NEVER
        held = thing.fields.get(name, NEVER)
        found |= self.call(frozenset(a for a in held if not is_immutable(a)), arguments, scope, node)
        if thing.open or thing.elements:  # any of what it holds may have been put in the method's place
            found |= self.escape(
                arguments.all | {atom}, f"a method {name!r} that could have been replaced", scope, node
            )
        attribute = static_attribute(thing.type_, name) if thing.type_ is not None else None
        if attribute is not None and isinstance(attribute.value, FunctionType) and attribute.is_method:
            return found | self.call(frozenset({Live(attribute.value)}), bound, scope, node)
        if attribute is not None and not isinstance(attribute.value, property):
            return found | self.call(frozenset({Live(attribute.value)}), arguments, scope, node)
        if attribute is not None:
            value = self.load_attribute(frozenset({atom}), name, scope, node)
            return found | self.call(value, arguments, scope, node)
        if name in thing.fields and not thing.open:
            return found
        return found | self.escape(arguments.all | {atom}, f"a method {name!r}", scope, node)

    def _container_method(
        self, atom: Made, thing: Thing, name: str, arguments: Arguments, scope: Scope, node: ast.AST
    ) -> Value:
        one = frozenset({atom})
        if name in _ADDING:
            self.heap.add_elements(thing, arguments.all)
            return NONE
        if name in _EXTENDING:
            return self._update(one, arguments, scope, node)
        if name in _REMOVING or name in _TAKING or name in ("__enter__", "__exit__", "close", "aclose"):
            inside = self.heap.contents(thing)
            self.run_callbacks(arguments, inside, scope, node)
            keys = self._made_elements(thing)
            return NONE if name in _REMOVING else inside | keys | arguments.all | NONE
        if name == "__setitem__":
            self.store_item(one, arguments.at(0), arguments.at(1), scope, node)
            return NONE
        if name in ("get", "setdefault", "__getitem__") and thing.kind == "dict":
            return self._look_up_in(one, name, arguments, scope, node)
        if name in ("items", "values", "keys"):
            return self._view(atom, thing, name, scope, node)
        if name in TEXT_METHODS:
            self.look_inside(arguments.all, scope, node)
            return SCALAR
        if name in COPYING_METHODS:
            return self._copied(atom, thing, arguments, scope, node)
        return self.escape(arguments.all | one, f"a method {name!r}", scope, node)

    def _update(self, target: Value, arguments: Arguments, scope: Scope, node: ast.AST) -> Value:
        for value in arguments.positional:
            self.merge_into(target, value, scope, node)
        for name, value in arguments.keywords.items():
            self.store_item(target, frozenset({Live(name)}), value, scope, node)
        if arguments.rest:
            self.store_item(target, SCALAR, arguments.rest, scope, node)
        return NONE

    def _look_up_in(self, one: Value, name: str, arguments: Arguments, scope: Scope, node: ast.AST) -> Value:
        default = (arguments.at(1, "default") or NONE) | arguments.rest
        if name == "setdefault":
            self.store_item(one, arguments.at(0), default, scope, node)
        found = self.load_item(one, arguments.at(0, "key"), scope, node)
        return found | (NEVER if name == "__getitem__" else default)

    def _view(self, atom: Made, thing: Thing, name: str, scope: Scope, node: ast.AST) -> Value:
        keys, values = self._made_elements(thing), self.heap.contents(thing)
        if name == "keys":
            return self.holder("list", keys, scope, node, "keys")
        if name == "values":
            return self.holder("list", values, scope, node, "values")
        made, pair = self.make("tuple", scope, node, "pair")
        self.heap.set_field(pair, "0", keys)
        self.heap.set_field(pair, "1", values)
        return self.holder("list", frozenset({made}), scope, node, "items")

    def _copied(self, atom: Made, thing: Thing, arguments: Arguments, scope: Scope, node: ast.AST) -> Value:
        made, copy = self.make(thing.kind, scope, node, f"copy {thing.kind} {id(thing.type_)}", thing.type_)
        for name, value in list(thing.fields.items()):
            self.heap.set_field(copy, name, value)
        self.heap.add_elements(copy, thing.elements)
        if thing.open:
            self.heap.widen(copy)
        for value in arguments.positional:
            self.heap.add_elements(copy, self.elements(value, scope, node))
        self.heap.add_elements(copy, join(arguments.keywords.values()) | arguments.rest)
        return frozenset({made})

    # Live objects.
    def _live_method(self, atom: Live, name: str, arguments: Arguments, scope: Scope, node: ast.AST) -> Value:
        value = atom.value
        if is_immutable(atom):
            return self._text_method(name, arguments, scope, node)
        if is_logger(value) and name in LOGGER_METHODS | LOGGER_LOOKS:
            self.look_inside(arguments.all, scope, node)
            return SCALAR
        if type(value) in (list, dict, set, tuple, frozenset):
            self.note_graphs_in(value, scope, node)
            return self._live_container_method(atom, name, arguments, scope, node)
        if value in _TEXT_TYPES if isinstance(value, type) else False:
            return self._text_method(name, arguments, scope, node)
        attribute = static_attribute(value, name)
        if attribute is None or isinstance(attribute.value, property):
            loaded = self.load_attribute(frozenset({atom}), name, scope, node) - {Method(atom, name)}
            if attribute is not None or self._has_hook(value):
                return self.call(loaded, arguments, scope, node)
            return self._unseen_method(atom, name, arguments, scope, node)
        if attribute.is_method and not isinstance(value, type | ModuleType):
            function = attribute.value
            assert isinstance(function, FunctionType)
            if not is_user_code(function):
                return self._unseen_method(atom, name, arguments, scope, node)
            bound = frozenset({Live(MethodType(function, value))})
            return self.call(bound, arguments, scope, node)
        stored = self.heap.slot(("outside",)) if not isinstance(value, type | ModuleType) else NEVER
        callee = frozenset({self.live(attribute.value, scope, node)})
        return self.call(callee, arguments, scope, node) | (
            self.call(stored, arguments, scope, node) if stored else NEVER
        )

    @staticmethod
    def _has_hook(value: object) -> bool:
        return any(
            isinstance(f, FunctionType) and is_user_code(f)
            for base in type(value).__mro__
            for hook, f in vars(base).items()
            if hook in ("__getattr__", "__getattribute__")
        )

    def _unseen_method(self, atom: Live, name: str, arguments: Arguments, scope: Scope, node: ast.AST) -> Value:
        self._note_interrupt(atom.value, scope, node)
        owner = atom.value if isinstance(atom.value, type) else type(atom.value)
        return self.escape(arguments.all, repr(f"{owner.__name__}.{name}"), scope, node)

    def _live_container_method(self, atom: Live, name: str, arguments: Arguments, scope: Scope, node: ast.AST) -> Value:
        if name not in READING_METHODS:
            self.change_outside(f"calls {self.name_in(getattr(node, 'func', node))}", scope, node)
            self.run_callbacks(arguments, self.outside_values(), scope, node)
            self.keep(arguments.all, scope, node)
            return self.outside_values() | arguments.all
        self.look_inside(arguments.all, scope, node)
        if name in TEXT_METHODS:
            return SCALAR
        if type(atom.value) in (tuple, frozenset):
            return self.holder("list", self.elements(frozenset({atom}), scope, node), scope, node)
        if name in COPYING_METHODS:
            return self.anything_fresh(self.outside_values() | arguments.all, scope, node)
        return self.outside_values() | arguments.all

    # What LangGraph injects.
    def _injected_method(self, atom: Injected, name: str, arguments: Arguments, scope: Scope, node: ast.AST) -> Value:
        if atom.role == "config" and name in ("get", "__getitem__") and texts_of(arguments.at(0)) is not None:
            return self._load_injected_item(atom, arguments.at(0)) | arguments.at(1)
        if atom.role == "runtime" and name == "stream_writer":
            return self.hand_to_stream(arguments, scope, node)
        if atom.role != "writer" and name not in _RUNTIME_LOOKS:
            self._use_store(f"calls {name!r} of the {atom.role} ({self.line(scope, node)})")
        return self.escape(arguments.all, f"the {atom.role}'s method {name!r}", scope, node)

    def map_over(self, arguments: Arguments, scope: Scope, node: ast.AST) -> Value:
        """`map(function, *iterables)`."""
        items = tuple(self.elements(value, scope, node) for value in arguments.positional[1:])
        rest = self.elements(arguments.rest, scope, node) | arguments.rest
        result = self.call(arguments.at(0), Arguments(items, rest=rest), scope, node)
        return self.holder("list", result, scope, node, "mapped")
