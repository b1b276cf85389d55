"""Policies: which of the endpoints that have room gets a call.

Owns four ways to choose, all pure but for the draws of the seeded generator they are given:
  round-robin        the next one in turn, whatever it has to do
  least-outstanding  the one with the least outstanding work
  two-choices        of two drawn at random the one with less of it: nearly as even (M. Mitzenmacher, The Power of Two
                     Choices in Randomized Load Balancing, 2001), and it goes on working where several clients share
                     the endpoints and each sees only its own calls, which send all of them to the same least loaded one
  prefix             of a few, the one on which the call costs least: what it has not cached of the prompt, and what is
                     outstanding there above what all have on average
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from random import Random
from typing import Literal, get_args

from alto_lg.routing.calls import Call
from alto_lg.routing.fleet import Endpoint, Fleet
from alto_lg.routing.prefixes import BLOCK_CHARACTERS, PrefixIndex

PolicyName = Literal["round-robin", "least-outstanding", "two-choices", "prefix"]
POLICIES: tuple[PolicyName, ...] = get_args(PolicyName)

CHARACTERS_PER_TOKEN = 4
BLOCK_TOKENS = BLOCK_CHARACTERS // CHARACTERS_PER_TOKEN

_FEW = 4
"""So many endpoints are all looked at; of more, two that have the longest match, and two drawn from all."""


@dataclass(frozen=True, slots=True)
class PrefixRules:
    """When a cached prefix is worth an uneven load.

    prompt_weight: what a token of a prompt costs that is not cached, in output tokens.
    slack: outstanding work up to this share above the average counts as even.
    slack_calls: so does this many calls of usual length above the average.
    """

    prompt_weight: float = 0.1
    slack: float = 0.15
    slack_calls: float = 1.0

    def __post_init__(self) -> None:
        if min(self.prompt_weight, self.slack, self.slack_calls) < 0:
            raise ValueError(f"prompt_weight, slack and slack_calls must be 0 or more: {self}.")


class Policy:
    """One way to choose, over one fleet."""

    def __init__(
        self, name: PolicyName, fleet: Fleet, prefixes: PrefixIndex, random: Random, rules: PrefixRules
    ) -> None:
        self._fleet = fleet
        self._prefixes = prefixes
        self._random = random
        self._rules = rules
        self._turn = 0
        ways: dict[PolicyName, Callable[[Call], Endpoint]] = {
            "round-robin": self._next_in_turn,
            "least-outstanding": lambda call: fleet.least(),
            "two-choices": self._two_choices,
            "prefix": self._cheapest,
        }
        if name not in ways:
            raise ValueError(f"Unknown policy {name!r}; use one of {', '.join(map(repr, ways))}.")
        self._choose = ways[name]

    def choose(self, call: Call) -> Endpoint:
        """One of the available endpoints, of which there must be one; one that the call has not tried, if there is."""
        if call.tried and (untried := self._fleet.available_set & ~call.tried):
            return min(self._endpoints(untried), key=_load)
        return self._choose(call)

    def _next_in_turn(self, call: Call) -> Endpoint:
        fleet = self._fleet
        ahead = fleet.available_set >> self._turn
        bits = ahead or fleet.available_set
        index = (bits & -bits).bit_length() - 1 + (self._turn if ahead else 0)
        self._turn = index + 1
        return fleet.endpoints[index]

    def _two_choices(self, call: Call) -> Endpoint:
        fleet = self._fleet
        return min(fleet.drawn(fleet.available), fleet.drawn(fleet.available), key=_load)

    def _cheapest(self, call: Call) -> Endpoint:
        if not call.blocks:
            return self._two_choices(call)
        fleet, rules = self._fleet, self._rules
        running = max(1, fleet.running)
        even = fleet.mean_work() * (1 + rules.slack) + rules.slack_calls * fleet.work / running
        per_block = rules.prompt_weight * BLOCK_TOKENS
        cheapest: tuple[tuple[float, int, int, float], Endpoint] | None = None
        for endpoint, held in self._candidates(call):
            cost = max(0.0, endpoint.work - even) + per_block * (len(call.blocks) - held)
            rank = (cost, endpoint.work, endpoint.running, self._random.random())
            if cheapest is None or rank < cheapest[0]:
                cheapest = rank, endpoint
        assert cheapest is not None, "a choice among no endpoints"
        return cheapest[1]

    def _candidates(self, call: Call) -> Iterable[tuple[Endpoint, int]]:
        """Endpoints, each with the blocks of the prompt that it has."""
        fleet, match = self._fleet, self._prefixes.match
        if len(fleet.available) <= _FEW:
            for index in fleet.available:
                yield fleet.endpoints[index], match(call.blocks, index)
            return
        held, holders = self._prefixes.holders(call.blocks, fleet.available_set)
        if held:
            for _ in range(2):
                yield fleet.drawn_of(holders), held
        for _ in range(2):
            drawn = fleet.drawn(fleet.available)
            yield drawn, match(call.blocks, drawn.index)

    def _endpoints(self, bits: int) -> Iterable[Endpoint]:
        return (self._fleet.endpoints[index] for index in self._fleet.available if bits >> index & 1)


def _load(endpoint: Endpoint) -> tuple[int, int]:
    return endpoint.work, endpoint.running
