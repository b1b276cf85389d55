"""Batches: a batched function takes a list of what its callers bring, and each gets one item of the list it returns.

Always true: every item of the list is taken to be what each caller brought, and every output to be what each gets. So
an output that is made of another caller's input is none the less known for what it is.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from alto_lg.hints import REPEATABLE

from .core import Core
from .values import NEVER, OUTSIDE, Made, Thing, Value


def own_function(function: Callable[..., Any]) -> Callable[..., Any]:
    """The user's own function behind one that `alto_lg.repeatable` has made; any other as it is."""
    wrapped: Callable[..., Any] = getattr(function, "__wrapped__", function)
    return wrapped if getattr(function, REPEATABLE, None) is wrapped else function


def outputs_of(core: Core, returned: Value) -> Value:
    """What the callers may get of what the function may return."""
    found = NEVER
    for atom in returned:
        thing = core.heap.things[atom.site] if isinstance(atom, Made) else None
        if thing is None:
            found |= OUTSIDE
        elif thing.kind == "awaitable":
            found |= outputs_of(core, thing.elements)
        elif thing.kind in ("list", "tuple"):
            found |= frozenset(one for one in core.heap.contents(thing) if not _is_raised(core, one))
        else:
            found |= OUTSIDE | core.heap.contents(thing)
    return found


def _is_raised(core: Core, output: object) -> bool:
    """Whether an output is an exception, which its caller gets raised."""
    thing: Thing | None = core.heap.things[output.site] if isinstance(output, Made) else None
    return thing is not None and thing.type_ is not None and issubclass(thing.type_, BaseException)
