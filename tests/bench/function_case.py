"""Function cases: two plain functions, for what is no run of a graph on both sides."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from bench.case import Exact, Figure, Sides, check_equal
from bench.counting import count_calls
from bench.verdict import WORSE_MAX


@dataclass(frozen=True, slots=True)
class FunctionCase:
    """sides: makes both, with all that they need; what it makes is not measured."""

    name: str
    sides: Callable[[], Sides]
    figures: tuple[Figure, ...] = ("cpu",)
    cpu_worse_max: float = WORSE_MAX

    @contextmanager
    def opened(self) -> Iterator[Sides]:
        yield self.sides()

    def counted(self) -> tuple[Exact, Exact]:
        """Calls alone: a function has no virtual clock."""
        assert set(self.figures) <= {"cpu", "calls"}, f"{self.name}: of a function, only calls are counted"
        sides = self.sides()
        expected, found = sides.plain(), sides.ours()
        check_equal(self.name, expected, found)
        plain, ours = (count_calls(side)[1] for side in (sides.plain, sides.ours))
        return Exact(expected, plain, 0, 0.0), Exact(found, ours, 0, 0.0)
