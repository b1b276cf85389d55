"""Acceleration: what an accelerated graph carries, and the class that carries it.

The class is a subclass of the graph's own with the same name, made once per class, so that `isinstance`, `copy`,
`with_config` and everything that LangGraph does by type go on working.
"""

from __future__ import annotations

import functools
import threading
from collections.abc import AsyncIterator, Callable
from functools import cache
from typing import Any

from alto_lg.adapters.langgraph.internals import Pregel, with_loop
from alto_lg.adapters.langgraph.loop import AltoLoop, AltoRunner
from alto_lg.adapters.langgraph.wired import WiredPlan
from alto_lg.engine.statistics import RunStatistics
from alto_lg.options import Options


class Acceleration:
    """Shared by an accelerated graph and all copies of it.

    statistics: of the run that ended last; None before the first.
    """

    def __init__(self, original: Pregel, options: Options) -> None:
        self.options = options
        self.statistics: RunStatistics | None = None
        self._original = original
        self._wired: WiredPlan | None = None
        self._planning = threading.Lock()
        self._streams: dict[tuple[type[Pregel], float | None], Callable[..., Any]] = {}

    @property
    def is_planned(self) -> bool:
        return self._wired is not None

    @property
    def wired(self) -> WiredPlan:
        """The plan, made when the first run (or `explain`) needs it."""
        self.plan()
        assert self._wired is not None
        return self._wired

    def plan(self) -> None:
        """Make the plan, if there is none: reads the code of every node, a few milliseconds each."""
        with self._planning:
            if self._wired is None:
                self._wired = WiredPlan(self._original, self.options.hints)

    def stream_of(self, base: type[Pregel], step_timeout: float | None) -> Callable[..., Any]:
        """LangGraph's `astream` of a graph class with this acceleration's loop in it, made once for all runs."""
        key = (base, step_timeout)
        if key not in self._streams:
            self._streams[key] = with_loop(base.astream, functools.partial(AltoLoop, self, step_timeout), AltoRunner)
        return self._streams[key]


def acceleration_of(graph: object) -> Acceleration | None:
    """What an accelerated graph carries; None for any other object."""
    found = getattr(graph, "_alto", None)
    return found if isinstance(found, Acceleration) else None


@cache
def accelerated_class(base: type[Pregel]) -> type[Pregel]:
    """The accelerated twin of a graph class."""

    def __init__(self: Any, *, _alto: Acceleration, **attributes: Any) -> None:
        base.__init__(self, **attributes)
        self._alto = _alto

    @functools.wraps(base.astream)
    def astream(self: Any, *args: Any, **kwargs: Any) -> AsyncIterator[Any]:
        events: AsyncIterator[Any] = self._alto.stream_of(base, self.step_timeout)(self, *args, **kwargs)
        return events

    return type(
        base.__name__,
        (base,),
        {
            "__init__": __init__,
            "astream": astream,
            "__module__": base.__module__,
            "__qualname__": base.__qualname__,
            "__doc__": base.__doc__,
        },
    )
