"""What a user may declare about a node; plain LangGraph ignores all of it."""

from __future__ import annotations

import functools
import types
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, TypeVar, overload

NodeFunction = TypeVar("NodeFunction", bound=Callable[..., Any])

_ATTRIBUTE = "__alto_hint__"

REPEATABLE = "__alto_repeatable__"
"""Where the function that `alto_lg.repeatable` returns has the user's, which is also its `__wrapped__`.

A decorator above copies the mark, as `functools.wraps` does, and wraps another function.
"""

STREAMING = "__alto_streaming__"
"""Where the function that `alto_lg.streaming` returns has the generator function."""

READINGS = "__alto_readings__"
"""Where the function that `alto_lg.reading` returns has what was declared."""

BATCHED = "__alto_batched__"
"""Where the function that `alto_lg.batched` returns has what forms its batches."""


@dataclass(frozen=True, slots=True)
class Hint:
    """What is declared about one node.

    reads: all state keys that the node, conditional edges apart, reads; None leaves it to the analysis. A path such
        as "data.result" names a part of a key: nodes that keep to different parts do not wait for each other.
    writes: all state keys (or paths) that the node may write; a run in which it writes another one raises
        `UndeclaredWrite`.
    barrier: it has an effect outside the graph that must stay in order: it starts when all earlier steps have ended,
        and nothing of a later step starts before it has ended.
    pure: it has no effect outside the state, so it may start before its predecessor in a chain has ended, if it
        reads nothing that the predecessor may write.
    """

    reads: tuple[str, ...] | None = None
    writes: tuple[str, ...] | None = None
    barrier: bool = False
    pure: bool = False

    def __post_init__(self) -> None:
        if self.barrier and self.pure:
            raise ValueError("a node cannot be both barrier=True (its effects are ordered) and pure=True (it has none)")


@overload
def node(function: NodeFunction) -> NodeFunction: ...


@overload
def node(
    *,
    reads: Iterable[str] | None = None,
    writes: Iterable[str] | None = None,
    barrier: bool = False,
    pure: bool = False,
) -> Callable[[NodeFunction], NodeFunction]: ...


def node(
    function: NodeFunction | None = None,
    *,
    reads: Iterable[str] | None = None,
    writes: Iterable[str] | None = None,
    barrier: bool = False,
    pure: bool = False,
) -> NodeFunction | Callable[[NodeFunction], NodeFunction]:
    """Declare what a node function reads and writes; the function itself is returned, unchanged.

        @alto_lg.node(reads=["question"], writes=["summary"])
        def summarize(state): ...

    The arguments are those of `Hint`. For a node whose function cannot be decorated, pass
    `accelerate(graph, hints={"summarize": alto_lg.Hint(reads=("question",))})`.

    Raises:
        TypeError: reads or writes is a single string.
        ValueError: both barrier and pure.
    """
    hint = Hint(_names("reads", reads), _names("writes", writes), barrier, pure)

    def declare(declared: NodeFunction) -> NodeFunction:
        setattr(declared, _ATTRIBUTE, hint)
        return declared

    return declare if function is None else declare(function)


def hint_of(function: object) -> Hint | None:
    """What was declared on a function with `node`, looking through `functools.partial` and bound methods."""
    while True:
        found = getattr(function, "__dict__", {}).get(_ATTRIBUTE)
        if isinstance(found, Hint):
            return found
        # By type only: an object with an inventive __getattr__ would have a `func` for ever.
        if isinstance(function, functools.partial):
            function = function.func
        elif isinstance(function, types.MethodType):
            function = function.__func__
        else:
            return None


def _names(argument: str, names: Iterable[str] | None) -> tuple[str, ...] | None:
    if isinstance(names, str):
        raise TypeError(f"{argument}={names!r} is a single string; write {argument}=[{names!r}]")
    return None if names is None else tuple(names)
