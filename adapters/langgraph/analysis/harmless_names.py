"""Names that a function may use and stay harmless: what they stand for does not wait, and cannot tell where it runs.

Owns the lists. Always true:
  objects are known by identity, so that another one of the same name is not taken for them;
  powers and factorials are not on them, which a number of the state, that may be any, makes last for ever.
"""

from __future__ import annotations

import builtins
import math
import operator
import string
from types import ModuleType

from langchain_core.messages import BaseMessage
from langgraph.prebuilt import tools_condition
from langgraph.types import Command, Overwrite, Send

_BUILTINS = (
    *(abs, all, any, ascii, bin, bool, bytes, callable, chr, complex, dict, divmod, enumerate, float, format),
    *(frozenset, hash, hex, id, int, len, list, max, min, next, oct, ord, repr),
    *(reversed, round, set, slice, sorted, str, sum, tuple, zip),
)
_EXCEPTIONS = [one for one in vars(builtins).values() if isinstance(one, type) and issubclass(one, Exception)]
_REACHING = {"attrgetter", "methodcaller", "call"}
"""They read attributes, and call, by names that are not seen."""
_LARGE = {"comb", "factorial", "ilshift", "ipow", "lshift", "perm", "pow"}

MODULES: tuple[ModuleType, ...] = (math, operator)
"""Every other public function of theirs is harmless."""

_CALLED = (
    *_BUILTINS,
    *_EXCEPTIONS,
    *(
        getattr(module, name)
        for module in MODULES
        for name in dir(module)
        if name[0] != "_" and name not in _REACHING | _LARGE
    ),
    Command,
    Overwrite,
    Send,
    tools_condition,
)
_called = {id(one): one for one in _CALLED if callable(one)}

METHODS = frozenset(
    name for kind in (str, bytes, list, tuple, dict, set, int, float) for name in dir(kind) if name[0] != "_"
) - {"format", "format_map"}
"""What may be called on a value that is inert (`inert.py`). Formats read whatever attributes their text names."""

_OPEN = {"response_metadata"}
"""The field of messages that `inert.py` does not look into: providers write much into it."""
_ABOUT = {"__name__", "__class__"}
_RUNNING = ("gi_", "f_", "tb_")
"""How the attributes of generators and frames begin, which lead to whoever called."""


def may_be_called(value: object) -> bool:
    """Whether it is a function or class on the list."""
    return id(value) in _called or (isinstance(value, type) and is_message(value))


def is_simple_format(text: object) -> bool:
    """Whether it is a text whose fields are filled in as they are given, and not with parts of what is given."""
    try:
        fields = list(string.Formatter().parse(text)) if type(text) is str else None
    except ValueError:  # of no known form
        return False
    return fields is not None and not any(
        set(name or "") & set(".[") or "{" in (how or "") for _, name, how, _ in fields
    )


def is_message(kind: type) -> bool:
    """Whether it is a class of messages of LangChain's own: most are not loaded before somebody uses them."""
    return issubclass(kind, BaseMessage) and kind.__module__.startswith("langchain_core.messages.")


def may_be_read(name: str) -> bool:
    """Whether an attribute of this name may be read of an inert value."""
    return name in _ABOUT or not (name.startswith(("_", *_RUNNING)) or name in _OPEN)
