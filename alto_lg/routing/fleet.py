"""Fleet: the endpoints of one scheduler, what is outstanding on each, and which can take one more call.

Owns those counts. Always true:
  an endpoint's work is the sum of that of its running calls, in whole tokens, so that nothing drifts;
  `available` and `available_set` are the endpoints that may have one more call, `well_set` those that are in service,
  with a free slot or not;
  numbers of endpoints are never given twice.

`available` is a sorted list of numbers, which at a thousand endpoints is changed by one short memory move; the least
loaded one is found by a heap whose outdated entries are thrown away when they come up.
"""

from __future__ import annotations

import heapq
from bisect import bisect_left, insort
from collections.abc import Iterator
from random import Random

from alto_lg.routing.health import Circuit, HealthRules


class Endpoint:
    """One server or replica. capacity: calls that it may have at a time; None for any number."""

    __slots__ = (
        "capacity",
        "circuit",
        "ended",
        "failed",
        "hit_tokens",
        "index",
        "name",
        "output_tokens",
        "prompt_tokens",
        "removed",
        "running",
        "started",
        "work",
    )

    def __init__(self, index: int, name: str, capacity: int | None, rules: HealthRules) -> None:
        if capacity is not None and capacity < 1:
            raise ValueError(f"The capacity of endpoint {name!r} must be at least 1, or None, not {capacity}.")
        self.index, self.name, self.capacity = index, name, capacity
        self.circuit = Circuit(rules)
        self.removed = False
        self.running = self.work = 0
        self.started = self.ended = self.failed = 0
        self.prompt_tokens = self.hit_tokens = self.output_tokens = 0

    def has_room(self, now: float) -> bool:
        return not self.removed and (self.capacity is None or self.running < self.capacity) and self.circuit.admits(now)

    def is_well(self, now: float) -> bool:
        """In service, with a free slot or not."""
        return not self.removed and self.circuit.is_well(now)


class Fleet:
    """All of them. by_load: `least` will be asked for, which costs a push at every change."""

    def __init__(self, random: Random, *, by_load: bool) -> None:
        self.endpoints: list[Endpoint] = []
        self.available: list[int] = []
        self.available_set = self.well_set = 0
        self.work = self.running = 0
        self._random = random
        self._keeps_by_load = by_load
        self._by_load: list[tuple[int, int, float, int]] = []

    def add(self, name: str, capacity: int | None, rules: HealthRules) -> Endpoint:
        if any(one.name == name and not one.removed for one in self.endpoints):
            raise ValueError(f"Endpoint {name!r} is there already; give each endpoint once.")
        endpoint = Endpoint(len(self.endpoints), name, capacity, rules)
        self.endpoints.append(endpoint)
        return endpoint

    def begin(self, endpoint: Endpoint, work: int, now: float) -> None:
        """An endpoint was given a call of so much work."""
        endpoint.running += 1
        endpoint.started += 1
        self.running += 1
        self._weigh(endpoint, work, now)

    def end(self, endpoint: Endpoint, work: int, now: float) -> None:
        """A call has left its endpoint, and what was left of its work with it."""
        endpoint.running -= 1
        self.running -= 1
        self._weigh(endpoint, -work, now)

    def lighten(self, endpoint: Endpoint, work: int, now: float) -> None:
        """So much of what an endpoint has to do is done."""
        self._weigh(endpoint, -work, now)

    def refresh(self, endpoint: Endpoint, now: float) -> None:
        """See whether an endpoint can take one more call."""
        index, bit = endpoint.index, 1 << endpoint.index
        has_room = endpoint.has_room(now)
        if endpoint.is_well(now) != bool(self.well_set & bit):
            self.well_set ^= bit
        if has_room == bool(self.available_set & bit):
            return
        self.available_set ^= bit
        if has_room:
            insort(self.available, index)
            if self._keeps_by_load:
                self._enter(endpoint)
        else:
            del self.available[bisect_left(self.available, index)]

    def mean_work(self) -> float:
        """Outstanding work of an endpoint that is in service, on average."""
        return self.work / max(1, self.well_set.bit_count())

    def least(self) -> Endpoint:
        """The available endpoint with the least outstanding work; there must be one."""
        while True:
            work, running, _, index = self._by_load[0]
            endpoint = self.endpoints[index]
            if self.available_set >> index & 1 and (work, running) == (endpoint.work, endpoint.running):
                return endpoint
            heapq.heappop(self._by_load)

    def drawn(self) -> Endpoint:
        """Any available one."""
        return self.endpoints[self.available[int(self._random.random() * len(self.available))]]

    def drawn_of(self, bits: int) -> Endpoint:
        """Any one of a set that is not empty: the next one from a random place on, so gaps make a difference."""
        place = int(self._random.random() * len(self.endpoints))
        above = bits >> place
        if above:
            return self.endpoints[place + (above & -above).bit_length() - 1]
        return self.endpoints[(bits & -bits).bit_length() - 1]

    def _weigh(self, endpoint: Endpoint, work: int, now: float) -> None:
        endpoint.work += work
        self.work += work
        self.refresh(endpoint, now)
        if self._keeps_by_load and self.available_set >> endpoint.index & 1:
            self._enter(endpoint)

    def _enter(self, endpoint: Endpoint) -> None:
        # Ties are broken by a draw: several processes with the same endpoints should not all begin with the first.
        heapq.heappush(self._by_load, (endpoint.work, endpoint.running, self._random.random(), endpoint.index))
        if len(self._by_load) > 64 + 8 * len(self.endpoints):
            entries = ((self.endpoints[index], index) for index in self.available)
            self._by_load = [(one.work, one.running, self._random.random(), index) for one, index in entries]
            heapq.heapify(self._by_load)


def members(bits: int) -> Iterator[int]:
    """The numbers in a set."""
    while bits:
        yield (bits & -bits).bit_length() - 1
        bits &= bits - 1
