"""When each request is sent, and in which order the arms take their turns. Pure.

Always true: the same seed gives the same trace, and every arm is given the same one.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import TypeVar

Item = TypeVar("Item")


def poisson_arrivals_s(rate: float, count: int, seed: int) -> tuple[float, ...]:
    """Seconds from the start at which `count` requests arrive at `rate` a second, the first of them at once.

    Rate 0 means one at a time, which has no arrival times: it is refused here.
    """
    if rate <= 0:
        raise ValueError(f"rate must be above 0 requests a second to draw arrivals, got {rate!r}")
    source = random.Random(seed)
    arrivals, now = [], 0.0
    for _ in range(count):
        arrivals.append(now)
        now += source.expovariate(rate)
    return tuple(arrivals)


def spread(total: int, wanted: int) -> tuple[int, ...]:
    """`wanted` positions out of `total`, evenly spaced; from the beginning again when more are wanted."""
    if total < 1 or wanted < 1:
        raise ValueError(f"cannot take {wanted} of {total} requests: both must be at least 1")
    if wanted >= total:
        return tuple(position % total for position in range(wanted))
    return tuple(position * total // wanted for position in range(wanted))


def rotated(items: Sequence[Item], turn: int) -> tuple[Item, ...]:
    """The items in cyclic order beginning with the one whose turn it is, so that none is always first."""
    first = turn % len(items)
    return (*items[first:], *items[:first])


def blocks(count: int, size: int) -> tuple[range, ...]:
    """Consecutive ranges of at most `size` positions that cover `count` positions."""
    if size < 1:
        raise ValueError(f"a block holds at least 1 request, got {size}")
    return tuple(range(start, min(start + size, count)) for start in range(0, count, size))
