"""What routing decisions cost, and what placements of groups move: `python -m alto_lg.comparisons.decisions`.

Owns three tables, all without any server. The first is the processor time of the scheduler's decisions, by policy and
number of endpoints, while half of the slots are taken, and while all are. The second is that of the leases of a placed
stage with groups, by the number of its workers, with half as many firings under way as they have room for, and twice as
many. The third places groups by the package's table and by the hashes that it was compared with, which are written out
here because nothing else uses them:
  rendezvous    D. G. Thaler and C. V. Ravishankar, Using Name-Based Mappings to Increase Hit Rates, 1998
  jump          J. Lamping and E. Veach, A Fast, Minimal Memory, Consistent Hash Algorithm, 2014
  bounded ring  V. Mirrokni, M. Thorup and M. Zadimoghaddam, Consistent Hashing with Bounded Loads, 2018: 100 points a
                replica, at most 1.25 times the mean
"""

from __future__ import annotations

import hashlib
import math
import time
from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from random import Random

from alto_lg.adapters.placement.group_leases import GroupLeases
from alto_lg.adapters.placement.leases import Group
from alto_lg.routing import POLICIES, Call, GroupTable, PolicyName, Rules, Scheduler, Start

ENDPOINTS = (4, 32, 1000)
SLOTS = 4
_DECISIONS = 6_000
_PROMPT_BLOCKS = 20  # about 1,300 tokens, most of them shared with others of the same kind
_KINDS = 100
_REPLICAS, _GROUPS = 16, 2_000


@dataclass(frozen=True, slots=True)
class Cost:
    """Seconds of processor time of each kind of decision, in order of size."""

    submit: Sequence[float]
    end: Sequence[float]


def cost(policy: PolicyName, endpoints: int, *, saturated: bool, decisions: int = _DECISIONS, seed: int = 0) -> Cost:
    """Time decisions while about half of all slots are taken, or all are and as many calls wait."""
    random = Random(seed)
    scheduler = Scheduler([f"e{number}" for number in range(endpoints)], Rules(policy=policy), capacity=SLOTS)
    running: list[Call] = []
    submits: list[float] = []
    ends: list[float] = []
    outstanding = endpoints * SLOTS * (2 if saturated else 0.5)
    prompts = [[random.getrandbits(60) for _ in range(_PROMPT_BLOCKS)] for _ in range(_KINDS)]
    while len(ends) < decisions:
        if len(running) + scheduler.waiting < outstanding:
            kind = random.randrange(_KINDS)
            blocks = [*prompts[kind][:-3], *(random.getrandbits(60) for _ in range(3))]
            rank = (len(submits) // 10, random.random())
            call = Call(rank=rank, blocks=blocks, templates=((kind,), ()), prompt_tokens=1_300)
            begun = time.thread_time()
            decided = scheduler.submit(call, float(len(ends)))
            submits.append(time.thread_time() - begun)
        else:
            place = random.randrange(len(running))
            running[place], running[-1] = running[-1], running[place]
            call, tokens = running.pop(), random.randrange(50, 200)
            begun = time.thread_time()
            scheduler.first_token(call, float(len(ends)))
            decided = scheduler.ended(call, float(len(ends)), tokens)
            ends.append(time.thread_time() - begun)
        running += (one.call for one in decided if isinstance(one, Start))
    half = len(ends) // 2  # the first half fills the slots and the prefix index
    return Cost(sorted(submits[-half:]), sorted(ends[-half:]))


@dataclass(frozen=True, slots=True)
class LeaseCost:
    """Seconds of processor time, in order of size: of the question where a firing goes, and of an end with whom that
    lets begin."""

    ask: Sequence[float]
    end: Sequence[float]


def cost_of_leases(workers: int, *, saturated: bool, decisions: int = _DECISIONS, seed: int = 0) -> LeaseCost:
    """Time the leases of a stage whose groups have ten firings each, a hundred groups at a time."""
    random = Random(seed)
    leases: GroupLeases[int, int] = GroupLeases(SLOTS, starts_anew=True)
    for number in range(workers):
        leases.join(number)
    running: list[int] = []
    asks: list[float] = []
    ends: list[float] = []
    outstanding = workers * SLOTS * (2 if saturated else 0.5)
    while len(ends) < decisions:
        ticket = len(asks)
        group = Group("run", (ticket // 1000, random.randrange(100)))
        if len(running) + len(leases.waiting) < outstanding:
            begun = time.thread_time()
            worker = leases.free(group)
            if worker is None:
                leases.wait(ticket, group)
            else:
                leases.begin(worker, group)
            asks.append(time.thread_time() - begun)
            running += [] if worker is None else [worker]
        else:
            place = random.randrange(len(running))
            running[place], running[-1] = running[-1], running[place]
            begun = time.thread_time()
            granted = leases.end(running.pop())
            ends.append(time.thread_time() - begun)
            running += [worker for _, worker in granted if worker is not None]
    half = len(ends) // 2
    return LeaseCost(sorted(asks[-half:]), sorted(ends[-half:]))


# ── groups ──────────────────────────────────────────────────────────────────────────────────────────────────────────

Placement = Callable[[Sequence[str], Sequence[str]], dict[str, str]]
"""Replicas and groups to the replica of each group."""


def rendezvous(replicas: Sequence[str], groups: Sequence[str]) -> dict[str, str]:
    """The replica whose hash together with the group is the largest."""
    return {group: max(replicas, key=lambda replica: _hash(f"{replica}/{group}")) for group in groups}


def jump(replicas: Sequence[str], groups: Sequence[str]) -> dict[str, str]:
    """Knows replicas by their number only: the last one alone can be lost."""
    return {group: replicas[_jump(_hash(group), len(replicas))] for group in groups}


def bounded_ring(replicas: Sequence[str], groups: Sequence[str]) -> dict[str, str]:
    """The next point on a ring whose replica has room."""
    ring = sorted((_hash(f"{replica}#{point}"), replica) for replica in replicas for point in range(100))
    bound = math.ceil(1.25 * len(groups) / len(replicas))
    loads: Counter[str] = Counter()
    placed = {}
    for group in groups:
        at = bisect_left(ring, (_hash(group), ""))
        while loads[ring[at % len(ring)][1]] >= bound:
            at += 1
        placed[group] = ring[at % len(ring)][1]
        loads[placed[group]] += 1
    return placed


HASHES: dict[str, Placement] = {"rendezvous": rendezvous, "jump": jump, "bounded ring": bounded_ring}


@dataclass(frozen=True, slots=True)
class Moves:
    """imbalance: groups of the fullest replica over the mean. added, lost: share of the groups that had to move when a
    replica was added to them, and when one was lost beyond its own. seconds: of one placement."""

    imbalance: float
    added: float
    lost: float
    seconds: float


def moves_of_hash(place: Placement, replicas: int = _REPLICAS, groups: int = _GROUPS) -> Moves:
    """What a hash does when nothing is remembered."""
    names, keys = _names(replicas, groups)
    begun = time.thread_time()
    before = place(names, keys)
    seconds = (time.thread_time() - begun) / len(keys)
    more, fewer = place([*names, "new"], keys), place(names[:-1], keys)
    added = sum(before[key] != more[key] for key in keys)
    lost = sum(before[key] != fewer[key] for key in keys if before[key] != names[-1])
    return Moves(_imbalance(before, replicas), added / groups, lost / groups, seconds)


def moves_of_table(replicas: int = _REPLICAS, groups: int = _GROUPS) -> Moves:
    """What the table of live groups does."""
    names, keys = _names(replicas, groups)
    table = GroupTable(names)
    begun = time.thread_time()
    before = {key: table.replica_of(key) for key in keys}
    seconds = (time.thread_time() - begun) / len(keys)
    table.add("new")
    added = sum(table.replica_of(key) != before[key] for key in keys)
    table.lose(names[-1])
    lost = sum(table.replica_of(key) != before[key] for key in keys if before[key] != names[-1])
    return Moves(_imbalance(before, replicas), added / groups, lost / groups, seconds)


def _names(replicas: int, groups: int) -> tuple[list[str], list[str]]:
    return [f"replica{number}" for number in range(replicas)], [f"group{number}" for number in range(groups)]


def _imbalance(placed: dict[str, str], replicas: int) -> float:
    return max(Counter(placed.values()).values()) * replicas / len(placed)


def _hash(text: str) -> int:
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest())


def _jump(key: int, buckets: int) -> int:
    bucket, following = -1, 0
    while following < buckets:
        bucket = following
        key = (key * 2862933555777941757 + 1) % 2**64
        following = int((bucket + 1) * (2**31 / ((key >> 33) + 1)))
    return bucket


def main() -> None:
    """Print the tables."""
    print("| policy | endpoints | submit, µs: median, p99 | end, µs: median, p99 | full: submit | full: end |")
    print("| --- | --- | --- | --- | --- | --- |")
    for policy in POLICIES:
        for endpoints in ENDPOINTS:
            found = [cost(policy, endpoints, saturated=saturated) for saturated in (False, True)]
            cells = [_microseconds(seconds) for one in found for seconds in (one.submit, one.end)]
            print(f"| {policy} | {endpoints} | {' | '.join(cells)} |")
    print()
    print("| leases with groups | ask, µs: median, p99 | end, µs: median, p99 | full: ask | full: end |")
    print("| --- | --- | --- | --- | --- |")
    for workers in ENDPOINTS:
        costs = [cost_of_leases(workers, saturated=saturated) for saturated in (False, True)]
        cells = [_microseconds(seconds) for one in costs for seconds in (one.ask, one.end)]
        print(f"| {workers} workers | {' | '.join(cells)} |")
    print()
    print("| groups by | fullest / mean | moved when one is added | moved in vain when one is lost | µs each |")
    print("| --- | --- | --- | --- | --- |")
    for name, moves in [("table", moves_of_table()), *((name, moves_of_hash(place)) for name, place in HASHES.items())]:
        shares = f"{moves.imbalance:.3f} | {moves.added:.1%} | {moves.lost:.1%}"
        print(f"| {name} | {shares} | {moves.seconds * 1e6:.1f} |")


def _microseconds(seconds: Sequence[float]) -> str:
    return ", ".join(f"{seconds[int(len(seconds) * share)] * 1e6:.1f}" for share in (0.5, 0.99))


if __name__ == "__main__":
    main()
