"""Functions: the code of a node where that is a function, and what its author declared about it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from alto_lg.adapters.langgraph.internals import PregelNode, RunnableCallable
from alto_lg.hints import Hint, hint_of


def function_of(bound: object) -> Any | None:
    """The live function of a node or router that is one; None for any other runnable."""
    if isinstance(bound, RunnableCallable):
        return bound.func if bound.func is not None else bound.afunc
    function = getattr(bound, "func", None) or getattr(bound, "afunc", None)
    return function if type(bound).__name__ == "RunnableLambda" else None


def declared(name: str, node: PregelNode, hints: Mapping[str, Hint]) -> Hint | None:
    """What the user declared about a node: by `accelerate(hints=…)`, else on its function."""
    return hints.get(name) or hint_of(function_of(node.bound))
