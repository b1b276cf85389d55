"""Mentions: what a helper that is too large to follow could get at, by the names in its code.

Owns the quick look that takes the place of a walk. Always true:
  a name that leads to a graph, a runnable, `interrupt` or the store is found through functions, classes and objects
  of the user's, however deep; what is reached by no name (an attribute of a value that is not known) counts as the
  code of a library, as it does in a walk.
"""

from __future__ import annotations

import builtins
import contextlib
import functools
from collections.abc import Iterator
from types import CodeType, FunctionType, MemberDescriptorType, MethodType, ModuleType

from langgraph.types import interrupt

from alto_lg.batching import batched, batching_of

from .batches import own_function
from .library import is_library_class, is_user_code, may_interrupt, reference_effect

_OBJECTS_MOST = 2_000
_DATA_MOST = 200_000
_DATA = frozenset({str, bytes, int, float, complex, bool, type(None), list, tuple, set, frozenset, dict})
"""Types whose values lead nowhere by themselves: a corpus of thousands of passages is no large code."""
_MISSING = object()


def may_run_own_code(function: FunctionType, held: Iterator[object]) -> bool:
    """Whether the function, or an object that it holds, leads to something that runs in a node and can leave it."""
    pending: list[object] = [function, *held]
    seen: dict[int, object] = {}  # with the objects: the id of one that is gone would be given to another
    data = objects = 0
    while pending:
        thing = pending.pop()
        if id(thing) in seen:
            continue
        seen[id(thing)] = thing
        is_data = type(thing) in _DATA
        data, objects = data + is_data, objects + (not is_data)
        if objects > _OBJECTS_MOST or data > _DATA_MOST or reference_effect(thing) or may_interrupt(thing):
            return True
        pending.extend(_behind(thing))
    return False


def _behind(thing: object) -> Iterator[object]:
    """What an object of the user's leads to by name."""
    batching = batching_of(thing)
    if batching is not None:
        yield own_function(batching.function)
    elif thing is batched:  # it makes such functions, and calls none
        return
    elif isinstance(thing, FunctionType):
        if is_user_code(thing):
            yield from _named(thing)
    elif isinstance(thing, MethodType):
        yield thing.__func__
        yield thing.__self__
    elif isinstance(thing, functools.partial):
        yield from (thing.func, *thing.args, *thing.keywords.values())
    elif isinstance(thing, staticmethod | classmethod):
        yield thing.__func__
    elif isinstance(thing, property):
        yield from (thing.fget, thing.fset)
    elif isinstance(thing, type):
        if not is_library_class(thing):
            yield from (value for base in thing.__mro__ if base is not object for value in vars(base).values())
    elif isinstance(thing, list | tuple | set | frozenset):
        yield from thing
    elif isinstance(thing, dict):
        yield from thing.values()
    elif not is_library_class(type(thing)) and not isinstance(thing, ModuleType):
        yield type(thing)
        yield from _kept_by(thing)


def _kept_by(thing: object) -> Iterator[object]:
    """What an object keeps, in its dictionary and in its slots, without running any code of its own."""
    with contextlib.suppress(AttributeError):
        yield from object.__getattribute__(thing, "__dict__").values()
    for base in type(thing).__mro__:
        for slot in vars(base).values():
            if isinstance(slot, MemberDescriptorType):
                try:
                    yield slot.__get__(thing)
                except AttributeError:  # not filled yet
                    continue


def _named(function: FunctionType) -> Iterator[object]:
    """The objects that a function's code names: globals, attributes of modules, cells and defaults."""
    names = dict.fromkeys(names_in(function.__code__))
    for name in names:
        if name.startswith("langgraph"):  # imported inside the function
            yield interrupt
        value = function.__globals__.get(name, getattr(builtins, name, _MISSING))
        if isinstance(value, ModuleType):
            yield from (getattr(value, attribute) for attribute in names if hasattr(value, attribute))
        elif value is not _MISSING:
            yield value
    yield from held_by(function)


def held_by(function: FunctionType) -> Iterator[object]:
    """What a function keeps itself: the contents of its cells, and its defaults."""
    for cell in function.__closure__ or ():
        try:
            yield cell.cell_contents
        except ValueError:  # not filled yet
            continue
    yield from (*(function.__defaults__ or ()), *(function.__kwdefaults__ or {}).values())


def names_in(code: CodeType) -> Iterator[str]:
    """The global names and attributes in code, and in that of functions inside it."""
    yield from code.co_names
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from names_in(constant)
