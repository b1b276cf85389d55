"""Abstract values: what a name in the analysed code may stand for.

A value is a set of atoms: it may be any one of them. Always true:
  the empty value means "no run gets here"; joining values never loses an atom;
  two live objects are the same atom only if they are the same object, or equal built-in constants;
  an atom has the same hash in every process, so the atoms of a value come in the same order in every process. Near the
  limits of the walk that order decides what is given up.
"""

from __future__ import annotations

import enum
import zlib
from collections.abc import Iterable
from dataclasses import dataclass, field
from types import BuiltinFunctionType, FunctionType, MethodType, ModuleType

Site = tuple[object, ...]  # where something is made: the chain of calls that leads there, then the syntax node
Number = tuple[int]  # a site, by the order of first sight: a site has addresses in it, and no hash that stays


def steady_hash(text: str) -> int:
    """A hash of a text that is the same in every process."""
    return zlib.crc32(text.encode("utf-8", "surrogatepass"))


@dataclass(frozen=True, slots=True)
class Scalar:
    """A string, number, bool or None made here: it holds nothing and cannot be changed."""


@dataclass(frozen=True, slots=True)
class State:
    """The whole object that LangGraph hands to the node."""


@dataclass(frozen=True, slots=True)
class Part:
    """A value under a state key, or anything inside it; `key is None` means under some key."""

    key: str | None

    def __hash__(self) -> int:
        return 0 if self.key is None else steady_hash(self.key)


@dataclass(frozen=True, slots=True)
class Outside:
    """Something that was neither made here nor taken from the state."""


@dataclass(frozen=True, slots=True)
class Injected:
    """What LangGraph injects: "config", "runtime", "store" or "writer"."""

    role: str

    def __hash__(self) -> int:
        return steady_hash(self.role)


@dataclass(frozen=True, slots=True)
class Made:
    """An object made by the analysed code at one site; its contents are in the heap."""

    site: Number


@dataclass(frozen=True, slots=True)
class Closure:
    """A function made by the analysed code: a nested `def` or a lambda."""

    site: Number


@dataclass(frozen=True, slots=True)
class Method:
    """A method taken from a receiver and not called yet."""

    receiver: Atom
    name: str

    def __hash__(self) -> int:
        return hash((self.receiver, steady_hash(self.name)))


class Live:
    """A live object, reached through a global, a cell, a default or an attribute."""

    __slots__ = ("_hash", "identity", "value")

    def __init__(self, value: object) -> None:
        self.value = value
        plain = type(value) in (str, int, bool, float, bytes, type(None))
        # -0.0 == 0.0 and nan != nan, so floats go by their text.
        key = repr(value) if type(value) is float else value
        if plain:
            self.identity: tuple[object, ...] = (type(value).__name__, key)
        elif isinstance(value, MethodType):  # made anew by each look-up
            self.identity = ("method", id(value.__func__), id(value.__self__))
        else:
            self.identity = ("object", id(value))
        # Objects that share a name share a hash: in a set they then stand in the order in which they came.
        self._hash = hash(value) if type(value) in (int, bool) else steady_hash(_name_of(value))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Live) and self.identity == other.identity

    def __hash__(self) -> int:
        return self._hash

    def __repr__(self) -> str:
        return f"Live({self.value!r})"


_class_name = vars(type)["__qualname__"].__get__  # of any class, without running code of its metaclass


def _name_of(value: object) -> str:
    """What an object is called in every process: its text, the name of a definition, or else that of its class."""
    kind = type(value)
    if kind is str:
        return value  # type: ignore[return-value]
    if kind is MethodType:
        value = value.__func__  # type: ignore[attr-defined]
        kind = type(value)
    if kind is FunctionType or kind is BuiltinFunctionType:
        return value.__qualname__  # type: ignore[attr-defined, no-any-return]
    if kind is ModuleType:
        return str(vars(value).get("__name__"))
    if kind is float or kind is bytes:
        return repr(value)
    return _class_name(value if issubclass(kind, type) else kind)  # type: ignore[no-any-return]


Atom = Scalar | State | Part | Outside | Injected | Made | Closure | Method | Live
Value = frozenset[Atom]

NEVER: Value = frozenset()
SCALAR: Value = frozenset({Scalar()})
OUTSIDE: Value = frozenset({Outside()})
STATE: Value = frozenset({State()})
NONE: Value = frozenset({Live(None)})

IMMUTABLE_TYPES = (str, int, bool, float, complex, bytes, type(None), type(...), range, slice)


def join(values: Iterable[Value]) -> Value:
    return frozenset().union(*values)


def text_of(atom: Atom) -> str | None:
    """The string that an atom certainly is, if it is one."""
    if not isinstance(atom, Live):
        return None
    value = atom.value
    if type(value) is str:
        return value
    # A member of a string enumeration hashes and compares as its text unless its class says otherwise.
    kind = type(value)
    if (
        isinstance(value, str)
        and isinstance(value, enum.Enum)
        and kind.__hash__ is str.__hash__
        and kind.__eq__ is str.__eq__
    ):
        return str.__str__(value)
    return None


def texts_of(value: Value) -> tuple[str, ...] | None:
    """The strings that a value may be, each once, or None when it may be something else."""
    found: dict[str, None] = {}
    for atom in value:
        text = text_of(atom)
        if text is None:
            return None
        found[text] = None
    return tuple(found)


def is_immutable(atom: Atom) -> bool:
    """True for what certainly holds nothing that can change."""
    if isinstance(atom, Scalar):
        return True
    return isinstance(atom, Live) and (type(atom.value) in IMMUTABLE_TYPES or text_of(atom) is not None)


@dataclass(slots=True)
class Thing:
    """The contents of an object made here, joined over all runs: they only grow.

    fields: values under constant keys, positions or attribute names; elements: values anywhere else inside it.
    open: it may hold names that `fields` does not list.
    """

    kind: str  # dict, list, tuple, set, instance, any, generator, awaitable, partial, command, send
    line: str
    type_: type | None = None
    fields: dict[str, Value] = field(default_factory=dict)
    elements: Value = NEVER
    open: bool = False


@dataclass(slots=True)
class Heap:
    """Everything that is joined over all passes; `changed` says that another pass is needed."""

    things: dict[Number, Thing] = field(default_factory=dict)
    numbers: dict[Site, Number] = field(default_factory=dict)
    slots: dict[Site, Value] = field(default_factory=dict)
    changed: bool = False
    version: int = 0  # grows with the contents
    cost: int = 0  # atoms gone over, a measure of the work done
    _reached: dict[Value, frozenset[Atom]] = field(default_factory=dict)  # of this version

    def _grew(self) -> None:
        self._reached.clear()
        self.changed = True
        self.version += 1

    def number(self, site: Site) -> Number:
        """A site as one number: sites are hashed all the time."""
        return self.numbers.setdefault(site, (len(self.numbers),))

    def make(self, site: Site, kind: str, line: str, type_: type | None = None) -> Made:
        number = self.number(site)
        if number not in self.things:
            self.things[number] = Thing(kind, line, type_)
            self._grew()
        return Made(number)

    def slot(self, site: Site) -> Value:
        return self.slots.get(site, NEVER)

    def grow_slot(self, site: Site, value: Value) -> None:
        old = self.slots.get(site, NEVER)
        if site not in self.slots or not value <= old:
            self.slots[site] = old | value
            self._grew()

    def set_field(self, thing: Thing, name: str, value: Value) -> None:
        old = thing.fields.get(name)
        if old is None or not value <= old:
            thing.fields[name] = value if old is None else old | value
            self._grew()

    def add_elements(self, thing: Thing, value: Value) -> None:
        if not value <= thing.elements:
            thing.elements |= value
            self._grew()

    def widen(self, thing: Thing) -> None:
        if not thing.open:
            thing.open = True
            self._grew()

    def contents(self, thing: Thing) -> Value:
        """Every value that it may hold."""
        return join((*thing.fields.values(), thing.elements))

    def reach(self, value: Value) -> frozenset[Atom]:
        """Every atom that can be got at through a value."""
        known = self._reached.get(value)
        if known is None:
            known = self._reached[value] = self._reach(value)
        self.cost += len(known)  # also of what was known: the limit is on what is asked
        return known

    def _reach(self, value: Value) -> frozenset[Atom]:
        seen = set(value)
        todo: list[Atom] = list(value)
        while todo:
            atom = todo.pop()
            if isinstance(atom, Made):
                inside = self.contents(self.things[atom.site])
            elif isinstance(atom, Method):
                inside = frozenset({atom.receiver})
            else:
                continue
            new = inside - seen
            seen |= new
            todo.extend(new)
        return frozenset(seen)
