"""Function cases: two plain functions, for what is no run of a graph on both sides."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from bench.case import Exact, Figure, Sides


@dataclass(frozen=True, slots=True)
class FunctionCase:
    """sides: makes both, with all that they need; what it makes is not measured."""

    name: str
    sides: Callable[[], Sides]
    figures: tuple[Figure, ...] = ("cpu",)

    @contextmanager
    def opened(self) -> Iterator[Sides]:
        yield self.sides()

    def counted(self) -> tuple[Exact, Exact]:
        raise AssertionError(f"{self.name}: only processor time is measured of it")
