"""Sentinels: LangGraph compares with plain objects of its modules by identity, so their pickles must lead back to them.

Without this, a compiled graph that is sent to a worker, in a closure or as a node, is another one there. Always true:
any other plain object is pickled as ever.
"""

from __future__ import annotations

import copyreg
import importlib
import sys
from typing import Any


def keep_sentinels() -> None:
    """From now on, pickles that this process makes have LangGraph's sentinels by name."""
    copyreg.pickle(object, _reduce)


def _reduce(plain: object) -> tuple[Any, ...]:
    for name, module in list(sys.modules.items()):
        if name.startswith("langgraph.") and module is not None:
            for attribute, value in vars(module).items():
                if value is plain:
                    return sentinel, (name, attribute)
    return object, ()


def sentinel(module: str, name: str) -> object:
    """The sentinel of that name."""
    return getattr(importlib.import_module(module), name)
