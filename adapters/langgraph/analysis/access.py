"""Access: loading from and storing into every kind of value.

Always true:
  what was stored somewhere comes out again of every load that may find it;
  a load from the state is a read of the key, or of every key when the key cannot be told.
"""

from __future__ import annotations

import ast
from enum import EnumType
from types import FunctionType, GenericAlias

from .attributes import class_attribute, implicit_methods, static_attribute, user_method
from .core import Arguments
from .expressions import Expressions
from .library import is_user_code
from .scopes import Scope
from .values import (
    NEVER,
    OUTSIDE,
    SCALAR,
    Atom,
    Injected,
    Live,
    Made,
    Method,
    Outside,
    Part,
    Scalar,
    State,
    Thing,
    Value,
    is_immutable,
    join,
    texts_of,
)
from .words import words

DICT_METHODS = words("get items keys values copy pop popitem update setdefault clear __getitem__ __setitem__")
STATE_METHODS = DICT_METHODS | {"model_dump", "model_dump_json", "model_copy", "__contains__"}
_ITERATION = ("__iter__", "__aiter__", "__next__", "__anext__", "__getitem__")
MOST_ITEMS = 64  # live constants listed one by one


class Access(Expressions):
    """Loads and stores."""

    # Items.
    def load_item(self, value: Value, keys: Value, scope: Scope, node: ast.AST) -> Value:
        return join(self._load_item(atom, keys, scope, node) for atom in value)

    def _load_item(self, atom: Atom, keys: Value, scope: Scope, node: ast.AST) -> Value:
        if isinstance(atom, Scalar):
            return SCALAR
        if isinstance(atom, State):
            return self._load_state_item(keys, scope, node)
        if isinstance(atom, Part):
            return self.part_values(atom.key)
        if isinstance(atom, Made):
            return self._load_made_item(atom, keys, scope, node)
        if isinstance(atom, Live):
            return self._load_live_item(atom, keys, scope, node)
        if isinstance(atom, Injected):
            return self._load_injected_item(atom, keys)
        return self.outside_values()

    def _load_state_item(self, keys: Value, scope: Scope, node: ast.AST) -> Value:
        names = texts_of(keys)
        if names is None:
            self.findings.reads.add_every(f"reads the state under a computed key ({self.line(scope, node)})")
            return self.part_values(None) | self.heap.contents(self.state_thing)
        return join(self.load_key(name, scope, node) for name in names)

    def load_key(self, name: str, scope: Scope, node: ast.AST) -> Value:
        """One key of the state: what LangGraph gave, or what the code has assigned since."""
        self.read(name, self.line(scope, node))
        thing = self.state_thing
        # What was put inside this value comes out of loads from it, and not of this one.
        return frozenset({Part(name)}) | thing.fields.get(name, NEVER) | thing.elements

    def _load_made_item(self, atom: Made, keys: Value, scope: Scope, node: ast.AST) -> Value:
        thing = self.heap.things[atom.site]
        if thing.type_ is not None and user_method(thing.type_, "__getitem__") is not None:
            return self.call_method(frozenset({atom}), "__getitem__", Arguments((keys,)), scope, node)
        names = texts_of(keys)
        if thing.kind == "tuple" and len(keys) == 1:
            (key,) = keys
            if isinstance(key, Live) and type(key.value) is int and str(key.value) in thing.fields:
                return thing.fields[str(key.value)] | thing.elements
        if names is None or thing.kind != "dict":
            found = self.heap.contents(thing)
            # A slice of a container is a container again.
            return found | {atom} if isinstance(getattr(node, "slice", None), ast.Slice) else found
        return join(thing.fields.get(name, NEVER) for name in names) | thing.elements

    def _load_live_item(self, atom: Live, keys: Value, scope: Scope, node: ast.AST) -> Value:
        value = atom.value
        if is_immutable(atom):
            return SCALAR
        if isinstance(value, EnumType):
            return self.elements(frozenset({atom}), scope, node)
        if isinstance(value, type | GenericAlias):
            return frozenset({atom})
        if type(value) is tuple:
            (key, *more) = keys or {Scalar()}
            if not more and isinstance(key, Live) and type(key.value) is int and -len(value) <= key.value < len(value):
                return frozenset({self.live(value[key.value], scope, node)})
            return self.elements(frozenset({atom}), scope, node) | {atom}
        if user_method(type(value), "__getitem__") is not None:
            return self.call_method(frozenset({atom}), "__getitem__", Arguments((keys,)), scope, node)
        self.note_graphs_in(value, scope, node)
        return self.outside_values()

    def _load_injected_item(self, atom: Injected, keys: Value) -> Value:
        names = texts_of(keys)
        if atom.role == "config" and (
            names is None or any(n == "configurable" or n.startswith("__pregel") for n in names)
        ):
            return frozenset({atom})
        if atom.role in ("store", "runtime"):
            self._use_store("uses the store")
        return self.outside_values()

    def store_item(self, target: Value, keys: Value, value: Value, scope: Scope, node: ast.AST) -> None:
        names = texts_of(keys)
        for atom in target:
            if isinstance(atom, State):
                self.assign_state(scope, node)
                self._store_names(self.state_thing, names, keys | value, value)
            elif isinstance(atom, Made):
                self._store_made_item(atom, names, keys, value, scope, node)
            else:
                if isinstance(atom, Live) and user_method(type(atom.value), "__setitem__") is not None:
                    arguments = Arguments((keys, value))
                    self.call_method(frozenset({atom}), "__setitem__", arguments, scope, node)
                what = f"assigns inside {self.name_in(node)} in place"
                self.change(frozenset({atom}), value | keys, scope, node, what)

    def _store_made_item(
        self, atom: Made, names: tuple[str, ...] | None, keys: Value, value: Value, scope: Scope, node: ast.AST
    ) -> None:
        thing = self.heap.things[atom.site]
        if thing.type_ is not None and user_method(thing.type_, "__setitem__") is not None:
            self.call_method(frozenset({atom}), "__setitem__", Arguments((keys, value)), scope, node)
            self.heap.add_elements(thing, value)
        elif thing.kind == "dict":
            self._store_names(thing, names, keys | value, value)
        else:
            # A slice takes over the elements of what is assigned to it.
            self.heap.add_elements(thing, value | self.elements_of_made(value))

    def _store_names(self, thing: Thing, names: tuple[str, ...] | None, anywhere: Value, value: Value) -> None:
        if names is None:
            self.heap.widen(thing)
            self.heap.add_elements(thing, anywhere)
        for name in names or ():
            self.heap.set_field(thing, name, value)

    @staticmethod
    def name_in(node: ast.AST) -> str:
        """The text of the changed expression, for a message."""
        try:
            text = ast.unparse(node)
        except (AttributeError, ValueError, RecursionError):
            return "a value"
        return text if len(text) <= 60 else text[:57] + "..."

    # Attributes.
    def load_attribute(self, value: Value, name: str, scope: Scope, node: ast.AST) -> Value:
        return join(self._load_attribute(atom, name, scope, node) for atom in value)

    def _load_attribute(self, atom: Atom, name: str, scope: Scope, node: ast.AST) -> Value:
        if isinstance(atom, Scalar):
            return frozenset({Method(atom, name)}) | SCALAR
        if isinstance(atom, State):
            return self._load_state_attribute(name, scope, node)
        if isinstance(atom, Part):
            return self.part_values(atom.key)
        if isinstance(atom, Made):
            return self._load_made_attribute(atom, name, scope, node)
        if isinstance(atom, Live):
            return self._load_live_attribute(atom, name, scope, node)
        if isinstance(atom, Injected):
            return self._load_injected_attribute(atom, name)
        return self.outside_values()

    def _load_state_attribute(self, name: str, scope: Scope, node: ast.AST) -> Value:
        found: Value = NEVER
        if name in self.schema_keys:
            found = self.load_key(name, scope, node)
        if name in STATE_METHODS:
            return found | {Method(State(), name)}
        if name in self.schema_keys:
            return found
        if name == "__class__":
            return OUTSIDE
        where = self.line(scope, node)
        why = f"uses the state's attribute {name!r}, which is no key of its schema ({where})"
        self.findings.reads.add_every(why)
        if name == "__dict__":
            return frozenset({State()}) | self.part_values(None)
        self.findings.mutates.add_every(why)
        thing = self.state_thing
        return self.part_values(None) | self.heap.contents(thing) | {Method(State(), name)}

    def _load_made_attribute(self, atom: Made, name: str, scope: Scope, node: ast.AST) -> Value:
        thing = self.heap.things[atom.site]
        if thing.kind not in ("instance", "command", "send"):
            if thing.kind == "any":  # something of it, and whatever it is, to call it is to call unseen code
                return self.heap.contents(thing) | {atom}
            return frozenset({Method(atom, name)})
        found = thing.fields.get(name, NEVER) | thing.elements
        if name == "__dict__":
            self.heap.widen(thing)
            return self.heap.contents(thing) | {atom}
        if thing.type_ is None:
            return found | {Method(atom, name)}
        if user_method(thing.type_, "__getattr__") or user_method(thing.type_, "__getattribute__"):
            for hook in ("__getattr__", "__getattribute__"):
                if user_method(thing.type_, hook) is not None:
                    found |= self.call_method(frozenset({atom}), hook, Arguments((SCALAR,)), scope, node)
        attribute = static_attribute(thing.type_, name)
        if attribute is None:
            # A descriptor of unknown kind, or a name that only unseen code sets.
            return found if name in thing.fields else found | self.escape(frozenset({atom}), repr(name), scope, node)
        if isinstance(attribute.value, property):
            getter = attribute.value.fget
            called = self.call(frozenset({Live(getter)}), Arguments((frozenset({atom}),)), scope, node)
            return found | called
        if attribute.is_method:
            return found | {Method(atom, name)}
        return found | {self.live(attribute.value, scope, node)}

    def _load_live_attribute(self, atom: Live, name: str, scope: Scope, node: ast.AST) -> Value:
        stored = self.heap.slot(("outside",))
        value = atom.value
        if is_immutable(atom) and not isinstance(value, str):
            return SCALAR | {Method(atom, name)}
        if type(value) is str:
            return frozenset({Method(atom, name)})
        attribute = static_attribute(value, name)
        if attribute is None:
            hooks = [h for h in ("__getattr__", "__getattribute__") if user_method(type(value), h) is not None]
            for hook in hooks:
                arguments = Arguments((frozenset({Live(name)}),))
                stored |= self.call_method(frozenset({atom}), hook, arguments, scope, node)
            return OUTSIDE | stored | {Method(atom, name)}
        if isinstance(attribute.value, property):
            getter = attribute.value.fget
            if isinstance(getter, FunctionType) and is_user_code(getter):
                return stored | self.call(frozenset({Live(getter)}), Arguments((frozenset({atom}),)), scope, node)
            return OUTSIDE | stored
        if attribute.is_method:
            return stored | {Method(atom, name)}
        return stored | {self.live(attribute.value, scope, node)}

    def _load_injected_attribute(self, atom: Injected, name: str) -> Value:
        if atom.role == "runtime":
            if name == "stream_writer":
                return frozenset({Injected("writer")})
            if name not in ("context", "previous", "execution_info", "server_info", "heartbeat", "control"):
                self._use_store(f"uses runtime.{name}")
            return self.outside_values()
        return frozenset({Method(atom, name)})

    def store_attribute(self, target: Value, name: str, value: Value, scope: Scope, node: ast.AST) -> None:
        for atom in target:
            if isinstance(atom, State):
                self.assign_state(scope, node)
                self.heap.set_field(self.state_thing, name, value)
                continue
            if isinstance(atom, Made):
                self._store_made_attribute(atom, name, value, scope, node)
                continue
            if isinstance(atom, Live):
                self._run_setter(atom, type(atom.value), name, value, scope, node)
            what = f"assigns {self.name_in(node)} in place"
            self.change(frozenset({atom}), value, scope, node, what)

    def _store_made_attribute(self, atom: Made, name: str, value: Value, scope: Scope, node: ast.AST) -> None:
        thing = self.heap.things[atom.site]
        if thing.type_ is not None:
            self._run_setter(atom, thing.type_, name, value, scope, node)
        if thing.kind in ("instance", "command", "send") and not name.startswith("__"):
            self.heap.set_field(thing, name, value)
        else:
            self.heap.widen(thing)
            self.heap.add_elements(thing, value)

    def _run_setter(self, atom: Atom, type_: type, name: str, value: Value, scope: Scope, node: ast.AST) -> None:
        attribute = static_attribute(type_, name)
        if attribute is not None and isinstance(attribute.value, property):
            setter = frozenset({Live(attribute.value.fset)})
            self.call(setter, Arguments((frozenset({atom}), value)), scope, node)
        descriptor = class_attribute(type_, name)
        if descriptor is not None and user_method(type(descriptor), "__set__") is not None:
            self.escape(frozenset({atom}) | value, repr(name), scope, node)
        if user_method(type_, "__setattr__") is not None:
            arguments = Arguments((frozenset({Live(name)}), value))
            self.call_method(frozenset({atom}), "__setattr__", arguments, scope, node)

    # Elements.
    def elements(self, value: Value, scope: Scope, node: ast.AST) -> Value:
        """What iterating over a value gives."""
        return join(self._elements(atom, scope, node) for atom in value)

    def _elements(self, atom: Atom, scope: Scope, node: ast.AST) -> Value:
        if isinstance(atom, Scalar):
            return SCALAR
        if isinstance(atom, State):
            self.findings.reads.add_every(f"goes over all of the state ({self.line(scope, node)})")
            return SCALAR | self.part_values(None)
        if isinstance(atom, Part):
            return self.part_values(atom.key)
        if isinstance(atom, Made):
            thing = self.heap.things[atom.site]
            if thing.type_ is not None and any(user_method(thing.type_, hook) for hook in _ITERATION):
                return self._iterate_instance(atom, thing.type_, scope, node) | thing.elements
            return self._made_elements(thing)
        if isinstance(atom, Live):
            return self._live_elements(atom, scope, node)
        return self.outside_values()

    def _iterate_instance(self, atom: Atom, type_: type, scope: Scope, node: ast.AST) -> Value:
        items: Value = OUTSIDE
        iterator: Value = NEVER
        for hook in _ITERATION:
            if user_method(type_, hook) is not None:
                called = self.call_method(frozenset({atom}), hook, Arguments(rest=SCALAR), scope, node)
                called = self.awaited(called, scope, node)
                items |= called
                iterator |= called if hook in ("__iter__", "__aiter__") else NEVER
        for found in iterator:
            if isinstance(found, Made) and (made_by := self.heap.things[found.site].type_) is not None:
                for hook in ("__next__", "__anext__"):
                    if user_method(made_by, hook) is not None:
                        called = self.call_method(frozenset({found}), hook, Arguments(), scope, node)
                        items |= self.awaited(called, scope, node)
            elif found != atom:
                items |= self._elements(found, scope, node)
        return items

    def _made_elements(self, thing: Thing) -> Value:
        if thing.kind != "dict":
            return self.heap.contents(thing)
        names: Value = frozenset(Live(name) for name in thing.fields)
        return names | (thing.elements | SCALAR if thing.open else NEVER)

    def elements_of_made(self, value: Value) -> Value:
        return join(
            self._made_elements(self.heap.things[atom.site]) if isinstance(atom, Made) else frozenset({atom})
            for atom in value
        )

    def _live_elements(self, atom: Live, scope: Scope, node: ast.AST) -> Value:
        value = atom.value
        if is_immutable(atom):
            return SCALAR
        if isinstance(value, EnumType):
            return frozenset(self.live(member, scope, node) for member in _members(value))
        if type(value) in (tuple, frozenset) and isinstance(value, tuple | frozenset):
            if len(value) > MOST_ITEMS:
                return self.outside_values() | SCALAR
            steady = value if type(value) is tuple else sorted(value, key=lambda item: hash(Live(item)))
            return frozenset(self.live(item, scope, node) for item in steady)
        if any(user_method(type(value), hook) for hook in _ITERATION):
            return self._iterate_instance(atom, type(value), scope, node) | self.outside_values()
        self.note_graphs_in(value, scope, node)
        return self.outside_values() | SCALAR

    def mapping_values(self, value: Value, scope: Scope, node: ast.AST) -> Value:
        """Everything inside a value, under whatever key."""
        found: Value = NEVER
        for atom in value:
            if isinstance(atom, State):
                self.findings.reads.add_every(f"takes all of the state ({self.line(scope, node)})")
                found |= self.part_values(None) | self.heap.contents(self.state_thing)
            elif isinstance(atom, Part):
                found |= self.part_values(atom.key)
            elif isinstance(atom, Made):
                found |= self.heap.contents(self.heap.things[atom.site])
            elif isinstance(atom, Scalar):
                found |= SCALAR
            else:
                found |= self.outside_values()
        return found

    def merge_into(self, target: Value, source: Value, scope: Scope, node: ast.AST) -> None:
        """`{**source}`, `update(source)`, `extend(source)`: the contents of one go into another."""
        for into in target:
            if not isinstance(into, Made | State):
                inside = self.mapping_values(source, scope, node) | self.elements(source, scope, node)
                what = f"changes {self.name_in(node)} in place"
                self.change(frozenset({into}), inside, scope, node, what)
                continue
            if isinstance(into, State):
                self.assign_state(scope, node)
            thing = self.state_thing if isinstance(into, State) else self.heap.things[into.site]
            for atom in source:
                self._merge(thing, atom, scope, node)

    def _merge(self, thing: Thing, atom: Atom, scope: Scope, node: ast.AST) -> None:
        one = frozenset({atom})
        if isinstance(atom, Made):
            other = self.heap.things[atom.site]
            if other.kind == "dict" and thing.kind == "dict":
                for name, value in list(other.fields.items()):
                    self.heap.set_field(thing, name, value)
                self.heap.add_elements(thing, other.elements)
                if other.open:
                    self.heap.widen(thing)
                return
        if thing.kind == "dict":
            self.heap.widen(thing)
            inside = self.mapping_values(one, scope, node)
            inside |= self.heap.reach(inside) if not isinstance(atom, State | Part) else NEVER
            self.heap.add_elements(thing, inside)
        else:
            self.heap.add_elements(thing, self.elements(one, scope, node))

    # Calls with `*` and `**`.
    def exact_items(self, value: Value) -> list[Value] | None:
        """The items of a tuple whose length is known."""
        if len(value) != 1:
            return None
        (atom,) = value
        if not isinstance(atom, Made):
            return None
        thing = self.heap.things[atom.site]
        if thing.kind != "tuple" or thing.open or thing.elements:
            return None
        return [thing.fields[str(i)] for i in range(len(thing.fields)) if str(i) in thing.fields]

    def exact_fields(self, value: Value) -> dict[str, Value] | None:
        """The names and values of a dict that certainly has no others."""
        if len(value) != 1:
            return None
        (atom,) = value
        if not isinstance(atom, Made):
            return None
        thing = self.heap.things[atom.site]
        return None if thing.kind != "dict" or thing.open or thing.elements else dict(thing.fields)

    # Other.
    def awaited(self, value: Value, scope: Scope, node: ast.AST) -> Value:
        """What awaiting gives."""
        self.implicit(value, NEVER, scope, node)
        result: Value = NEVER
        for atom in value:
            if isinstance(atom, Made) and self.heap.things[atom.site].kind == "awaitable":
                result |= self.heap.things[atom.site].elements
            elif isinstance(atom, Part):
                why = f"awaits {self.name_in(node)}"
                self.change(frozenset({atom}), NEVER, scope, node, why)
                result |= self.part_values(atom.key)
            elif isinstance(atom, Outside):
                result |= self.outside_values()
            elif isinstance(atom, Live) and not is_immutable(atom):
                result |= self.outside_values() | {atom}
            else:
                result |= {atom}
        return result

    def implicit(self, value: Value, others: Value, scope: Scope, node: ast.AST) -> None:
        """Operators, formatting and hashing run the special methods that a user's class defines."""
        for atom in value:
            type_ = None
            if isinstance(atom, Made):
                type_ = self.heap.things[atom.site].type_
            elif isinstance(atom, Live) and not is_immutable(atom):
                type_ = type(atom.value)
            for name in implicit_methods(type_) if type_ is not None else ():
                self.call_method(frozenset({atom}), name, Arguments(rest=others | OUTSIDE | SCALAR), scope, node)


def _members(enumeration: EnumType) -> list[object]:
    return list(enumeration.__members__.values())
