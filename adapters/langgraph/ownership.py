"""Ownership: whether a packet's payload can be seen by anyone but the firing that it is for.

A payload that nobody else holds may be changed at will by its receiver, and by nobody else. CPython's reference
counts answer that without a search: a container that only its packet refers to has exactly one reference.
"""

from __future__ import annotations

import sys
from typing import Any

from langgraph.types import Send

from alto_lg.adapters.langgraph.freezing import is_frozen

_CONTAINERS = (dict, list, set, tuple)
_ITEMS_MAX = 10_000


def is_owned(packet: Send) -> bool:
    """True if every changeable part of the payload is a plain container that nothing else refers to."""
    # The payload is referred to by the packet, and by the argument of getrefcount.
    return sys.getrefcount(packet.arg) <= _DIRECT and _parts_are_owned([packet.arg])


def copied(value: Any) -> Any:
    """A copy of an owned payload: its containers are new, what cannot be changed is shared."""
    kind = type(value)
    if kind is dict:
        return {key: copied(item) for key, item in value.items()}
    if kind is list or kind is tuple or kind is set:
        return kind(copied(item) for item in value)
    return value


def _parts_are_owned(pending: list[Any]) -> bool:
    seen = 0
    while pending:
        container = pending.pop()
        if type(container) not in _CONTAINERS:
            if is_frozen(container):
                continue
            return False
        for item in container.values() if type(container) is dict else container:
            seen += 1
            if seen > _ITEMS_MAX:
                return False
            if is_frozen(item):
                continue
            # By its container, by the loop variable, and by the argument of getrefcount.
            if sys.getrefcount(item) > _DIRECT + 1:
                return False
            pending.append(item)
            del item
    return True


def _direct_references() -> int:
    """References that getrefcount reports for a value that only one attribute holds, on this interpreter."""
    return sys.getrefcount(Send("", []).arg)


_DIRECT = max(_direct_references(), 2)
