"""Known calls: what library functions do with their arguments, by the identity of the live object.

Owns the tables. Always true:
  a function is listed only if it changes no argument and keeps none after it has returned,
  apart from holding them in its result; functions that call back are listed with how they do it.
"""

from __future__ import annotations

import asyncio
import base64
import builtins
import calendar
import collections
import concurrent.futures
import contextlib
import copy
import dataclasses
import datetime
import decimal
import enum
import fractions
import functools
import hashlib
import html
import itertools
import json
import logging
import math
import operator
import os
import os.path
import pathlib
import pprint
import random
import re
import secrets
import statistics
import string
import sys
import textwrap
import time
import typing
import unicodedata
import urllib.parse
import uuid
import warnings
import zlib
from enum import Enum, auto
from types import ModuleType

import langchain_core.documents
import langchain_core.messages
import langgraph.config
import langgraph.runtime
import langgraph.types

from .words import words


class Rule(Enum):
    """How to treat a call of a known function."""

    TEXT = auto()  # looks at its arguments, gives a number, a string or None
    LOOK = auto()  # looks only at what kind of object it got
    FRESH = auto()  # gives a new object that may hold its arguments, and may call back
    HOLDER = auto()  # gives a new container of its arguments' elements, and may call back
    PICK = auto()  # gives one of its arguments or of their elements, and may call back
    DEEP = auto()  # gives a new object that shares nothing with its arguments
    LOG = auto()
    GETATTR = auto()
    HASATTR = auto()
    SETATTR = auto()
    DICT = auto()
    ENUMERATE = auto()
    ZIP = auto()
    MAP = auto()
    FILTER = auto()
    REDUCE = auto()
    PARTIAL = auto()
    COPY = auto()
    GATHER = auto()
    TASK = auto()
    AWAIT = auto()
    COMPLETED = auto()
    TO_THREAD = auto()
    CAST = auto()
    SUPER = auto()
    COMMAND = auto()
    SEND = auto()
    MESSAGE = auto()
    EXECUTOR = auto()
    WRITER = auto()
    CONFIG = auto()
    RUNTIME = auto()
    INTERRUPT = auto()
    TYPE = auto()
    SLEEP = auto()


_TEXT_BUILTINS = (
    "len str int float bool complex bytes repr ascii format abs round hash ord chr hex oct bin divmod pow any all input"
)
_HOLDER_BUILTINS = "sorted list tuple set frozenset reversed iter aiter range slice bytearray"
_LOOK_BUILTINS = "isinstance issubclass id callable"

# Whole modules of functions that only compute. Names that change an argument, or write somewhere, are left out.
_COMPUTING: tuple[tuple[ModuleType, frozenset[str]], ...] = (
    (math, frozenset()),
    (time, frozenset()),
    (random, frozenset({"shuffle"})),
    (re, frozenset()),
    (datetime, frozenset()),
    (uuid, frozenset()),
    (hashlib, frozenset({"file_digest"})),
    (base64, frozenset({"encode", "decode", "main", "test"})),
    (calendar, frozenset({"main"})),
    (decimal, frozenset({"setcontext", "localcontext"})),
    (fractions, frozenset()),
    (html, frozenset()),
    (itertools, frozenset()),
    (secrets, frozenset()),
    (statistics, frozenset()),
    (string, frozenset()),
    (textwrap, frozenset()),
    (unicodedata, frozenset()),
    (urllib.parse, frozenset({"clear_cache"})),
    (zlib, frozenset()),
    (os.path, frozenset()),
)

_OPERATOR_CHANGES = frozenset({"setitem", "delitem", "call", "attrgetter", "itemgetter", "methodcaller"})


# Functions of these modules give numbers, or may give one of the elements themselves.
_MODULE_RULES = {"math": Rule.TEXT, "secrets": Rule.PICK, "statistics": Rule.PICK}


def _of_module(module: ModuleType, without: frozenset[str]) -> dict[int, tuple[object, Rule]]:
    found: dict[int, tuple[object, Rule]] = {}
    for name, value in vars(module).items():
        if name.startswith("_") or name in without or not callable(value):
            continue
        if isinstance(value, type) and (issubclass(value, Exception | Enum)):
            continue
        owner = getattr(value, "__module__", None) or module.__name__
        # Names that a module merely imported are judged where they belong.
        if isinstance(owner, str) and owner.split(".")[0].lstrip("_") not in _owners(module):
            continue
        found[id(value)] = (value, _MODULE_RULES.get(module.__name__, Rule.FRESH))
    return found


def _owners(module: ModuleType) -> frozenset[str]:
    root = module.__name__.split(".")[0].lstrip("_")
    more = {"posixpath": {"genericpath", "posix", "os"}, "ntpath": {"genericpath", "nt", "os"}}
    return frozenset({root, f"py{root}", *more.get(root, set())})


def _build() -> dict[int, tuple[object, Rule]]:
    table: dict[int, tuple[object, Rule]] = {}
    for module, without in _COMPUTING:
        table.update(_of_module(module, without))
    for rule, functions in _SINGLE.items():
        table.update({id(function): (function, rule) for function in functions})
    for names, rule in (
        (_TEXT_BUILTINS, Rule.TEXT),
        (_HOLDER_BUILTINS, Rule.HOLDER),
        (_LOOK_BUILTINS, Rule.LOOK),
    ):
        table.update({id(vars(builtins)[n]): (vars(builtins)[n], rule) for n in names.split()})
    for name, function in vars(operator).items():
        in_place = name.startswith("i") and name not in ("index", "inv", "invert", "indexOf", "is_", "is_not")
        if callable(function) and not name.startswith("_") and not in_place and name not in _OPERATOR_CHANGES:
            table[id(function)] = (function, Rule.PICK if name == "getitem" else Rule.FRESH)
    for module in (langchain_core.messages, langchain_core.documents):
        for name in module.__all__:
            value = getattr(module, name)
            if isinstance(value, type) and name != "RemoveMessage":
                table[id(value)] = (value, Rule.MESSAGE)
    table[id(langchain_core.messages.RemoveMessage)] = (langchain_core.messages.RemoveMessage, Rule.MESSAGE)
    return table


_SINGLE: dict[Rule, tuple[object, ...]] = {
    Rule.LOG: (
        print,
        logging.debug,
        logging.info,
        logging.warning,
        logging.error,
        logging.critical,
        logging.exception,
        logging.log,
        warnings.warn,
        pprint.pprint,
    ),
    Rule.TEXT: (
        json.dumps,
        pprint.pformat,
        os.getcwd,
        os.getpid,
        os.urandom,
        os.fspath,
        os.cpu_count,
        sys.getsizeof,
        sys.intern,
        asyncio.iscoroutinefunction,
        time.sleep,
        time.time,
        time.monotonic,
        time.perf_counter,
        dataclasses.is_dataclass,
        logging.getLevelName,
    ),
    Rule.DEEP: (copy.deepcopy, json.loads),
    Rule.FRESH: (
        object,
        collections.Counter,
        asyncio.Semaphore,
        asyncio.Lock,
        asyncio.Event,
        asyncio.timeout,
        contextlib.suppress,
        contextlib.nullcontext,
        pathlib.Path,
        pathlib.PurePath,
        dataclasses.fields,
        enum.auto,
    ),
    Rule.HOLDER: (collections.deque, itertools.chain, itertools.islice),
    Rule.PICK: (min, max, next, anext, sum, random.choice, os.getenv),
    Rule.SLEEP: (asyncio.sleep,),
    Rule.GETATTR: (getattr,),
    Rule.HASATTR: (hasattr,),
    Rule.SETATTR: (setattr, delattr),
    Rule.DICT: (dict, collections.OrderedDict, collections.defaultdict),
    Rule.ENUMERATE: (enumerate,),
    Rule.ZIP: (zip, itertools.zip_longest),
    Rule.MAP: (map, itertools.starmap),
    Rule.FILTER: (filter, itertools.filterfalse, itertools.takewhile, itertools.dropwhile),
    Rule.REDUCE: (functools.reduce,),
    Rule.PARTIAL: (functools.partial,),
    Rule.COPY: (copy.copy, dataclasses.asdict, dataclasses.astuple, dataclasses.replace),
    Rule.GATHER: (asyncio.gather,),
    Rule.TASK: (asyncio.create_task, asyncio.ensure_future),
    Rule.AWAIT: (asyncio.wait_for, asyncio.shield, asyncio.run),
    Rule.COMPLETED: (asyncio.as_completed, concurrent.futures.as_completed),
    Rule.TO_THREAD: (asyncio.to_thread,),
    Rule.CAST: (typing.cast,),
    Rule.SUPER: (super,),
    Rule.COMMAND: (langgraph.types.Command,),
    Rule.SEND: (langgraph.types.Send,),
    Rule.EXECUTOR: (concurrent.futures.ThreadPoolExecutor,),
    Rule.WRITER: (langgraph.config.get_stream_writer,),
    Rule.CONFIG: (langgraph.config.get_config,),
    Rule.RUNTIME: (langgraph.runtime.get_runtime,),
    Rule.INTERRUPT: (langgraph.types.interrupt,),
    Rule.TYPE: (type,),
}

# The objects are kept beside their rules, so that their ids stay theirs.
_RULES = _build()

# Methods that look and do not change, whatever standard type they belong to.
READING_METHODS = words(
    "get items keys values count index join split rsplit splitlines strip lstrip rstrip lower upper "
    "title capitalize casefold swapcase startswith endswith format format_map replace find rfind "
    "rindex encode decode partition rpartition zfill ljust rjust center expandtabs translate "
    "removeprefix removesuffix isdigit isalpha isalnum isnumeric isdecimal isspace isupper islower "
    "istitle isidentifier union intersection difference symmetric_difference issubset issuperset "
    "isdisjoint copy most_common model_dump model_dump_json model_copy isoformat strftime timestamp "
    "total_seconds date bit_length is_integer as_integer_ratio hex pretty_repr __len__ __contains__ "
    "__getitem__ __iter__ __str__ __repr__"
)
# Of those, the ones whose result is a new container with the old elements.
COPYING_METHODS = frozenset(
    ["copy", "union", "intersection", "difference", "symmetric_difference", "model_copy", "model_dump", "most_common"]
)
TEXT_METHODS = words(
    "count index find rfind rindex startswith endswith isdigit isalpha isalnum isnumeric isdecimal "
    "isspace isupper islower istitle isidentifier issubset issuperset isdisjoint model_dump_json "
    "isoformat strftime timestamp total_seconds bit_length is_integer __len__ __contains__ __str__ "
    "__repr__"
)

LOGGER_METHODS = frozenset(["debug", "info", "warning", "warn", "error", "critical", "exception", "log"])
LOGGER_LOOKS = frozenset(["isEnabledFor", "getEffectiveLevel", "hasHandlers"])


def rule_of(value: object) -> Rule | None:
    """How to treat a call of this live object, if it is known."""
    found = _RULES.get(id(value))
    if found is not None and found[0] is value:
        return found[1]
    owner = getattr(value, "__self__", None)
    # Methods of shared library objects are made anew by each look-up: `os.environ.get`, `random.choice`.
    name = getattr(value, "__name__", "")
    if owner is os.environ and name in ("get", "keys", "items", "values"):
        return Rule.PICK
    if isinstance(owner, random.Random) and type(owner) in (random.Random, random.SystemRandom):
        return _random_rule(name)
    if owner is dict or owner is datetime.datetime or owner is datetime.date or owner is itertools.chain:
        return Rule.FRESH
    return None


def _random_rule(name: str) -> Rule | None:
    if name == "shuffle":
        return None
    return {"choice": Rule.PICK, "choices": Rule.HOLDER, "sample": Rule.HOLDER}.get(name, Rule.TEXT)


def is_unsteady(value: object) -> bool:
    """True for functions that give something else each time."""
    name = getattr(value, "__name__", "")
    if isinstance(getattr(value, "__self__", None), random.Random) or value is os.urandom or value is input:
        return True
    return getattr(value, "__module__", "") in ("time", "random", "secrets", "uuid") or name in (
        "now",
        "utcnow",
        "today",
    )


def is_logger(value: object) -> bool:
    """True for a standard logger, whose methods only write a line."""
    return type(value) in (logging.Logger, logging.RootLogger, logging.LoggerAdapter)
