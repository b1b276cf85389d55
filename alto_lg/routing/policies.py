"""Policies: which of the endpoints that have room gets a call.

Owns four ways to choose, all pure but for the draws of the seeded generator they are given:
  round-robin        the next one in turn, whatever it has to do
  least-outstanding  the one with the least outstanding work
  two-choices        of two drawn at random the one with less of it: nearly as even (M. Mitzenmacher, The Power of Two
                     Choices in Randomized Load Balancing, 2001), and it goes on working where several clients share
                     the endpoints and each sees only its own calls, which send all of them to the same least loaded one
  prefix             of a few, the one on which the call costs least: what it has not cached of the prompt, and what is
                     outstanding there above what all have on average; a prompt that nobody knows goes, of equals, to
                     the one that knows least, so that prompts of different kinds do not push each other out
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from typing import Literal, get_args

from alto_lg.routing.calls import Call
from alto_lg.routing.fleet import Endpoint, Fleet, members
from alto_lg.routing.prefixes import BLOCK_CHARACTERS, PrefixIndex

PolicyName = Literal["round-robin", "least-outstanding", "two-choices", "prefix"]
POLICIES: tuple[PolicyName, ...] = get_args(PolicyName)

CHARACTERS_PER_TOKEN = 4
BLOCK_TOKENS = BLOCK_CHARACTERS // CHARACTERS_PER_TOKEN

_FEW = 4
"""So many endpoints are all looked at; of more, two that have the longest match, and two of all."""


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
        ways: dict[PolicyName, Callable[[], Endpoint]] = {
            "round-robin": self._next_in_turn,
            "least-outstanding": fleet.least,
            "two-choices": self._two_choices,
            "prefix": self._two_choices,
        }
        if name not in ways:
            raise ValueError(f"Unknown policy {name!r}; use one of {', '.join(map(repr, ways))}.")
        self._way = ways[name]
        self._follows_prefixes = name == "prefix"

    def choose(self, call: Call) -> tuple[Endpoint, int]:
        """One of the available endpoints, of which there must be one, and how many blocks of the prompt it has.

        One that the call has not tried, if there is.
        """
        if call.tried and (untried := self._fleet.available_set & ~call.tried):
            endpoint = min((self._fleet.endpoints[index] for index in members(untried)), key=_load)
            return endpoint, self._prefixes.match(call.blocks, endpoint.index)
        if self._follows_prefixes and call.blocks:
            return self._cheapest(call)
        return self._way(), 0

    def _next_in_turn(self) -> Endpoint:
        fleet = self._fleet
        ahead = fleet.available_set >> self._turn
        bits = ahead or fleet.available_set
        index = (bits & -bits).bit_length() - 1 + (self._turn if ahead else 0)
        self._turn = index + 1
        return fleet.endpoints[index]

    def _two_choices(self) -> Endpoint:
        return _lighter(self._fleet.drawn(), self._fleet.drawn())

    def _cheapest(self, call: Call) -> tuple[Endpoint, int]:
        fleet, rules = self._fleet, self._rules
        even = fleet.mean_work() * (1 + rules.slack) + rules.slack_calls * fleet.work / max(1, fleet.running)
        per_block = rules.prompt_weight * BLOCK_TOKENS
        cheapest, lowest = None, 0.0
        for candidate in self._all(call) if len(fleet.available) <= _FEW else self._some(call):
            endpoint, held = candidate
            cost = max(0.0, endpoint.work - even) - per_block * held
            if cheapest is None or cost < lowest or (cost == lowest and self._is_before(endpoint, cheapest[0])):
                cheapest, lowest = candidate, cost
        assert cheapest is not None, "a choice among no endpoints"
        return cheapest

    def _is_before(self, endpoint: Endpoint, other: Endpoint) -> bool:
        """Of two that cost the same; where nothing else tells them apart, by a draw."""
        mine, theirs = ((*_load(one), self._prefixes.size(one.index)) for one in (endpoint, other))
        return mine < theirs or (mine == theirs and self._random.random() < 0.5)

    def _all(self, call: Call) -> list[tuple[Endpoint, int]]:
        """Each available endpoint."""
        match = self._prefixes.match
        return [(self._fleet.endpoints[index], match(call.blocks, index)) for index in self._fleet.available]

    def _some(self, call: Call) -> list[tuple[Endpoint, int]]:
        """The less loaded of two with the longest match, and of two drawn from all."""
        fleet = self._fleet
        held, holders = self._prefixes.holders(call.blocks, fleet.available_set)
        drawn = self._two_choices()
        if not held:
            return [(drawn, 0), (fleet.drawn(), 0)]
        holder = _lighter(fleet.drawn_of(holders), fleet.drawn_of(holders))
        return [(holder, held), (drawn, self._prefixes.match(call.blocks, drawn.index))]


def _load(endpoint: Endpoint) -> tuple[int, int]:
    return endpoint.work, endpoint.running


def _lighter(one: Endpoint, other: Endpoint) -> Endpoint:
    return one if one.work < other.work or (one.work == other.work and one.running <= other.running) else other
