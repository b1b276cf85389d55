"""Library: what kind of code a live object belongs to.

Owns the line between the user's code, which is followed, and installed code, which is known or unseen.
"""

from __future__ import annotations

import builtins
import functools
import gc
import importlib
import inspect
import operator
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from types import CodeType, FunctionType, MethodType
from typing import Any

from langchain_core.language_models import BaseLanguageModel
from langchain_core.output_parsers import BaseOutputParser
from langchain_core.prompts import BasePromptTemplate
from langchain_core.retrievers import BaseRetriever
from langchain_core.runnables import (
    Runnable,
    RunnableAssign,
    RunnableLambda,
    RunnableParallel,
    RunnableSequence,
    RunnableWithFallbacks,
)
from langchain_core.runnables.base import RunnableBindingBase
from langchain_core.runnables.passthrough import RunnablePassthrough
from langgraph.config import get_store
from langgraph.func import entrypoint
from langgraph.graph import StateGraph
from langgraph.graph.message import push_message
from langgraph.graph.ui import delete_ui_message, push_ui_message
from langgraph.types import interrupt

from alto_lg.adapters.langgraph.internals import CONFIG_KEY_SEND

from .source import is_library

# Runnables of installed packages that run a model or format text, and no node of the user's.
_LEAVES = (BaseLanguageModel, BasePromptTemplate, BaseOutputParser, BaseRetriever, RunnablePassthrough)

_REACH_EVERYTHING: tuple[object, ...] = (
    builtins,
    builtins.__dict__,
    eval,
    __import__,
    importlib.import_module,
    sys.modules,
    exec,
    globals,
    locals,
    vars,
    gc.get_objects,
    gc.get_referrers,
    gc.get_referents,
    inspect.currentframe,
    inspect.getcallargs,
    inspect.stack,
    inspect.trace,
    getattr(sys, "_getframe", None),
    getattr(sys, "_current_frames", None),
    sys.settrace,
    sys.setprofile,
    sys.exc_info,
    sys.exception,
)
_effects: dict[int, str] = {id(thing): "everything" for thing in _REACH_EVERYTHING if thing is not None}
_effects[id(interrupt)] = "interrupt"
_effects[id(get_store)] = "store"
for _sender in (push_message, push_ui_message, delete_ui_message):
    _effects[id(_sender)] = "sends"
_effects[id(StateGraph)] = _effects[id(entrypoint)] = "graph"

_GRAPH_MAKERS = ("create_react_agent", "create_agent")  # of packages that take long to import


def reference_effect(value: object) -> str:
    """What naming this object alone may mean: "interrupt", "store", "graph", "sends", "everything" or nothing."""
    # `CONFIG_KEY_SEND` is where a node's config holds the function that writes to the state.
    known = "sends" if isinstance(value, str) and value == CONFIG_KEY_SEND else _effects.get(id(value), "")
    if not known and isinstance(value, FunctionType) and value.__name__ in _GRAPH_MAKERS:
        known = "graph" if value.__module__.startswith(("langgraph.prebuilt", "langchain.agents")) else ""
    return known


_own_package: ContextVar[str] = ContextVar("alto_lg_own_package", default="")
"""The package that the analysed node comes from: its code is the user's, also where it is installed."""


@contextmanager
def own_package_of(function: object) -> Iterator[None]:
    """Count the code of the package that `function` is from as the user's."""
    module = getattr(inspect.unwrap(_innermost(function)), "__module__", None) or ""
    package = module.split(".", 1)[0]
    known = package in sys.stdlib_module_names or package.startswith(("langgraph", "langchain"))
    token = _own_package.set("" if known else package)
    try:
        yield
    finally:
        _own_package.reset(token)


def _innermost(function: object) -> Callable[..., object]:
    while isinstance(function, functools.partial):
        function = function.func
    if isinstance(function, MethodType):
        function = function.__func__
    return function if isinstance(function, FunctionType) else type(function)


def _is_own(module: str | None) -> bool:
    package = _own_package.get()
    return bool(package) and (module or "").split(".", 1)[0] == package


def is_user_code(function: FunctionType) -> bool:
    """True for a function that is not part of the standard library or another installed package."""
    # By its globals: a wrapper made by a library shows the module of what it wraps.
    return not is_library(function.__code__.co_filename) or _is_own(function.__globals__.get("__name__"))


def code_name(code: CodeType) -> str:
    """A function's name for a message."""
    return getattr(code, "co_qualname", code.co_name)


def is_library_class(type_: type) -> bool:
    """True for a class of the standard library or of another installed package."""
    return _is_installed_class(type_) and not _is_own(type_.__module__)


@cache
def _is_installed_class(type_: type) -> bool:
    module = sys.modules.get(type_.__module__)
    filename = getattr(module, "__file__", None)
    if filename is None:
        return type_.__module__ in sys.builtin_module_names or type_.__module__ == "builtins"
    return is_library(filename)


def is_generated_init(function: FunctionType) -> bool:
    """The `__init__` that `dataclass` writes, if all that it does is to store its arguments."""
    code = function.__code__
    names = {*code.co_names, *code.co_freevars}
    return (
        code.co_filename == "<string>"
        and code.co_qualname == "__create_fn__.<locals>.__init__"
        and not any(name == "__post_init__" or "DEFAULT_FACTORY" in name.upper() for name in names)
    )


def may_interrupt(value: object) -> bool:
    """True for a runnable that may run a graph, a tool or a function of the user's."""
    if isinstance(value, type):
        return False
    if isinstance(value, StateGraph):
        return True
    if type(value).__module__.startswith("langgraph.") and callable(value):
        return not isinstance(value, FunctionType)
    if not isinstance(value, Runnable):
        return False
    if isinstance(value, RunnableSequence):
        return any(may_interrupt(step) for step in value.steps)
    if isinstance(value, RunnableBindingBase):
        return may_interrupt(value.bound)
    if isinstance(value, RunnableLambda):
        return not _is_of_library(value)
    if isinstance(value, RunnableParallel):
        return any(may_interrupt(step) for step in value.steps__.values())
    if isinstance(value, RunnableAssign):
        return may_interrupt(value.mapper)
    if isinstance(value, RunnableWithFallbacks):
        return any(may_interrupt(one) for one in (value.runnable, *value.fallbacks))
    return not (isinstance(value, _LEAVES) and is_library_class(type(value)))


def _is_of_library(runnable: RunnableLambda[Any, Any]) -> bool:
    """Whether it runs a function of a library that was given no code of the user's, as parsers of a provider do."""
    function = getattr(runnable, "func", None)
    held: list[object] = []
    while isinstance(function, functools.partial):
        held += [*function.args, *function.keywords.values()]
        function = function.func
    if isinstance(function, operator.itemgetter):
        return True
    if not isinstance(function, FunctionType) or is_user_code(function):
        return False
    return all(isinstance(one, type) or not callable(one) for one in held) and not any(map(may_interrupt, held))


def name_of(value: object) -> str:
    """What to call a live object in a message."""
    name = getattr(value, "__qualname__", None) or getattr(value, "__name__", None)
    return repr(name) if isinstance(name, str) else f"an object of type {type(value).__name__!r}"
