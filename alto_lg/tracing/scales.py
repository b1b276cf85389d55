"""Scales: which round numbers an axis shows, and where a number lies on it. Pure."""

from __future__ import annotations

from math import floor, log10

_STEPS = (1.0, 2.0, 5.0, 10.0)


def ticks(end: float, *, start: float = 0.0, most: int = 8) -> list[float]:
    """Round numbers from `start` to `end`, at most so many of them; at least two, where five are allowed."""
    span = end - start
    if span <= 0:
        return [start]
    power = 10.0 ** floor(log10(span / most))
    step = next(power * factor for factor in (*_STEPS, 20.0) if span / (power * factor) <= most - 1)
    first = -(-start // step)  # rounded up
    found = [round((first + number) * step, 12) for number in range(most)]
    return [at for at in found if at <= end * (1 + 1e-9)]


def share(value: float, end: float, start: float = 0.0) -> float:
    """Where `value` lies between `start` and `end`, in percent."""
    return 100 * (value - start) / (end - start)
