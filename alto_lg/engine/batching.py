"""Batching: who goes into the next call of a batched function, and when.

Owns the line of items that wait. An item waits only while another call is under way, for that call to end or for
others to share its own call with; so nothing waits when nothing is going on. It is the rule of Triton's dynamic
batcher without a queue delay (an instance that is free takes what is there), with one more: where calls may overlap,
the wait has a bound. There is no clock here: whoever acts says what time it is.

Always true:
  items go in the order in which they came, each into one batch, or they leave;
  a batch is never empty and never larger than `max_size`, and no more than `max_calls` are under way;
  with no call under way, or `max_size` waiting, a batch is due as soon as there is a call to be had.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Generic, TypeVar

Item = TypeVar("Item", bound=Hashable)


@dataclass(frozen=True, slots=True)
class BatchLimits:
    """What a user declares of a batched function.

    max_size: items in one call.
    max_wait_s: seconds that an item waits for others while another call is under way; infinity waits for its end.
    max_calls: calls under way at a time; None for any number.
    """

    max_size: int
    max_wait_s: float
    max_calls: int | None


class Line(Generic[Item]):
    """The items that wait for a call, longest first, and how many calls are under way."""

    def __init__(self, limits: BatchLimits) -> None:
        self._limits = limits
        self._came_s: OrderedDict[Item, float] = OrderedDict()
        self._calls = 0

    def __len__(self) -> int:
        return len(self._came_s)

    def join(self, item: Item, now_s: float) -> None:
        """One more item waits."""
        self._came_s[item] = now_s

    def leave(self, item: Item) -> bool:
        """An item does not want to wait any more; False if it is in a batch already."""
        return self._came_s.pop(item, None) is not None

    def __iter__(self) -> Iterator[Item]:
        return iter(self._came_s)

    def due_s(self) -> float | None:
        """From when on a batch is due, if nothing else happens before; None if that will never be."""
        if not self._came_s or self._calls == self._limits.max_calls:
            return None
        oldest_s = next(iter(self._came_s.values()))
        if self._calls == 0 or len(self) >= self._limits.max_size:
            return oldest_s
        return oldest_s + self._limits.max_wait_s

    def take(self, now_s: float) -> list[Item]:
        """The items of the batch that is due now, whose call is under way from here on; none if no batch is due."""
        due_s = self.due_s()
        if due_s is None or now_s < due_s:
            return []
        batch = list(islice(self._came_s, self._limits.max_size))
        for item in batch:
            del self._came_s[item]
        self._calls += 1
        return batch

    def ended(self) -> None:
        """A call has ended, however it did."""
        assert self._calls > 0, "a call has ended that was not under way"
        self._calls -= 1
