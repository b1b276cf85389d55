"""Watching: a recorder sees all that graphs do in this process, for as long as a context lasts.

Owns how it gets to see it. Always true: when the context ends, nothing is left of it.
"""

from __future__ import annotations

import functools
import sys
import warnings
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any, TypeVar

from alto_lg.adapters.langgraph.acceleration import Acceleration, observers
from alto_lg.adapters.langgraph.internals import Pregel
from alto_lg.engine.statistics import RunStatistics
from alto_lg.errors import AltoWarning
from alto_lg.installing import graph_observers
from alto_lg.suite import Recorder

Observer = TypeVar("Observer", bound=Callable[..., None])

_MAKES = "__init__"


@contextmanager
def watched(recorder: Recorder) -> Iterator[None]:
    """Tell `recorder` of every graph that is made, of every run that ends, and of every AltoWarning, which goes there
    and nowhere else: suites count warnings, or make errors of them."""

    def run_ended(acceleration: Acceleration, statistics: RunStatistics) -> None:
        recorder.run_ended(acceleration.original.get_name(), statistics)

    def graph_made(graph: object) -> None:
        recorder.graph_made()

    with ExitStack() as stack:
        stack.enter_context(_listening(observers, run_ended))
        stack.enter_context(_listening(graph_observers, graph_made))
        stack.enter_context(_graphs_by_hand(recorder))
        stack.enter_context(_warnings_to(recorder))
        yield


@contextmanager
def _listening(listeners: list[Observer], one: Observer) -> Iterator[None]:
    listeners.append(one)
    try:
        yield
    finally:
        listeners.remove(one)


@contextmanager
def _graphs_by_hand(recorder: Recorder) -> Iterator[None]:
    """LangGraph itself makes its graphs by `Pregel.__init__`, too; what others make so is made by hand."""
    original: Any = vars(Pregel)[_MAKES]

    @functools.wraps(original)
    def watched_init(graph: Any, *args: Any, **kwargs: Any) -> None:
        maker = sys._getframe(1).f_globals.get("__name__", "")
        if maker.partition(".")[0] not in ("langgraph", "alto_lg"):
            recorder.built_by_hand(type(graph).__name__)
        original(graph, *args, **kwargs)

    setattr(Pregel, _MAKES, watched_init)
    try:
        yield
    finally:
        if vars(Pregel)[_MAKES] is watched_init:
            setattr(Pregel, _MAKES, original)


@contextmanager
def _warnings_to(recorder: Recorder) -> Iterator[None]:
    """Modules of ours that use the module `warnings` get one that keeps an AltoWarning to itself."""
    ours = [
        module
        for name, module in list(sys.modules.items())
        if name.startswith("alto_lg.") and name != __name__ and vars(module).get("warnings") is warnings
    ]
    for module in ours:
        vars(module)["warnings"] = _Warnings(recorder)
    try:
        yield
    finally:
        for module in ours:
            vars(module)["warnings"] = warnings


class _Warnings:
    """The module `warnings`, but for what we warn of."""

    def __init__(self, recorder: Recorder) -> None:
        self._recorder = recorder

    def __getattr__(self, name: str) -> Any:
        return getattr(warnings, name)

    def warn(self, message: Any, category: type[Warning] | None = None, stacklevel: int = 1, **rest: Any) -> None:
        if isinstance(message, AltoWarning) or (category is not None and issubclass(category, AltoWarning)):
            self._recorder.warned(str(message))
        else:
            warnings.warn(message, category, stacklevel + 1, **rest)
