"""When each request is sent, and in which order the arms take their turns. Pure.

Always true: the same seed gives the same trace, and every arm is given the same one.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

Item = TypeVar("Item")

BLOCKS = 8
"""Under load, blocks are what is drawn for an interval: with fewer, intervals are rough."""
# A block must be long beside one request, or most of it is an idle server filling up.
_BLOCK_S = 30.0
_BLOCK_LEAST = 6
_BLOCK_ASKED_FOR = 10
_LEAD_IN = 4
"""One request in so many is let run at the start of a block before any is counted."""


@dataclass(frozen=True, slots=True)
class TraceShape:
    """How many requests in all, how many in a block, and how many at the start of each block are not counted."""

    requests: int
    block: int
    lead_in: int


def trace_shape(rate: float, wanted: int | None, blocks: int | None = None) -> TraceShape:
    """Eight blocks of half a minute; of as many requests as are asked for, blocks of at least ten, and two of them.

    blocks: so many in place of these.
    """
    if wanted is None:
        block = max(_BLOCK_LEAST, round(rate * _BLOCK_S))
        return TraceShape((blocks or BLOCKS) * block, block, block // _LEAD_IN)
    block = -(-wanted // (blocks or min(BLOCKS, max(2, wanted // _BLOCK_ASKED_FOR))))
    return TraceShape(wanted, block, block // _LEAD_IN)


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
