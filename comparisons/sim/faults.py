"""Faults on request: what can go wrong with a model server, by name.

Owns the names, their grammar and the seeded choice. Always true: a fault happens because a request asked for it
(header `x-sim-fault`, or `sim_fault` in the body or in its `metadata`) or because a plan of the server drew it, and
the draw depends on the seed, the prompt, and how often that prompt has come, so a retry is drawn anew.

Grammar: NAME, or NAME=VALUE, then optionally `;times=N` for only the first N arrivals of the prompt. A plan of the
server adds `:RATE`, the share of requests that it hits, as in `rate-limit=0.5:0.1`.
"""

from __future__ import annotations

import random
from collections import Counter, OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias, cast, get_args

FaultName: TypeAlias = Literal["refuse", "unavailable", "rate-limit", "error", "stall-first", "stall-middle", "cut"]

FAULTS: dict[FaultName, str] = {
    "refuse": "close the connection without an answer",
    "unavailable": "503",
    "rate-limit": "429 with Retry-After; VALUE is its seconds (1), of real time",
    "error": "500",
    "stall-first": "nothing for VALUE simulated seconds (30) before the first token, slot held",
    "stall-middle": "nothing for VALUE simulated seconds (30) after half of the tokens, slot held",
    "cut": "close the connection after VALUE tokens (half of them), without finish_reason",
}
DEFAULT_STALL_S = 30.0
DEFAULT_RETRY_AFTER_S = 1.0
_PROMPTS_REMEMBERED = 65_536


class FaultError(ValueError):
    """A fault that cannot be read; the message says what can be written instead."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One kind of trouble. value: seconds or tokens, by name. times: only the first so many arrivals of a prompt."""

    name: FaultName
    value: float | None = None
    times: int | None = None


@dataclass(frozen=True, slots=True)
class FaultPlan:
    """A fault that the server makes by itself, for a share of its requests."""

    fault: Fault
    rate: float


def parse_fault(text: str) -> Fault:
    """A fault as a request names it."""
    head, _, times_text = text.strip().partition(";")
    name, has_value, value_text = head.strip().partition("=")
    if name not in get_args(FaultName):
        raise FaultError(f"fault {name!r} is not known: use one of {', '.join(FAULTS)}.")
    value = _number(value_text, f"the value of fault {text!r}") if has_value else None
    return Fault(cast(FaultName, name), value, _times(times_text, text))


def parse_plan(text: str) -> FaultPlan:
    """A fault with its rate, as the command line names it."""
    head, colon, rate_text = text.rpartition(":")
    if not colon:
        raise FaultError(f"fault {text!r} has no rate: write NAME:RATE, for example rate-limit:0.1.")
    rate = _number(rate_text, f"the rate of fault {text!r}")
    if rate > 1:
        raise FaultError(f"the rate of fault {text!r} is above 1: it is the share of requests that it hits.")
    return FaultPlan(parse_fault(head), rate)


def plan_text(plan: FaultPlan) -> str:
    """What `parse_plan` reads back as the same plan."""
    value = "" if plan.fault.value is None else f"={plan.fault.value}"
    times = "" if plan.fault.times is None else f";times={plan.fault.times}"
    return f"{plan.fault.name}{value}{times}:{plan.rate}"


def _times(text: str, whole: str) -> int | None:
    if not text:
        return None
    name, _, number = text.partition("=")
    if name.strip() != "times" or not number.strip().isdigit():
        raise FaultError(f"fault {whole!r}: after ';' only times=N can stand.")
    return int(number)


def _number(text: str, what: str) -> float:
    try:
        number = float(text)
    except ValueError:
        raise FaultError(f"{what} is not a number: {text!r}.") from None
    if not 0 <= number < float("inf"):
        raise FaultError(f"{what} must be zero or more, and finite: {text!r}.")
    return number


class FaultChooser:
    """Which fault, if any, hits the next arrival of a prompt; counts what it chose."""

    def __init__(self, plans: Sequence[FaultPlan], seed: int) -> None:
        self.chosen: Counter[str] = Counter()
        self._plans = tuple(plans)
        self._seed = seed
        self._arrivals: OrderedDict[str, int] = OrderedDict()

    def choose(self, digest: str, wanted: Fault | None) -> Fault | None:
        """What a request asks for goes before what the server would draw."""
        arrival = self._arrivals.pop(digest, 0)
        self._arrivals[digest] = arrival + 1
        if len(self._arrivals) > _PROMPTS_REMEMBERED:
            self._arrivals.popitem(last=False)
        fault = self._pick(digest, arrival, wanted)
        if fault is not None:
            self.chosen[fault.name] += 1
        return fault

    def _pick(self, digest: str, arrival: int, wanted: Fault | None) -> Fault | None:
        if wanted is not None:
            return wanted if _applies(wanted, arrival) else None
        for index, plan in enumerate(self._plans):
            draw = random.Random(f"{self._seed}/fault/{index}/{digest}/{arrival}").random()
            if draw < plan.rate and _applies(plan.fault, arrival):
                return plan.fault
        return None


def _applies(fault: Fault, arrival: int) -> bool:
    return fault.times is None or arrival < fault.times
