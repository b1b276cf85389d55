"""Calls: what is asked to run somewhere, and what is decided about it.

Owns the vocabulary between the scheduler, which decides, and whoever acts on it (a client pool, a simulation). Always
true: every call that was submitted and not taken back gets exactly one `Start` for each of its attempts, and after the
last one either ends or gets one `GiveUp`.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Any


class Status(Enum):
    """Where a call is: waiting for an endpoint, running on one, or ended, in whatever way."""

    NEW = "new"
    WAITING = "waiting"
    RUNNING = "running"
    ENDED = "ended"


@dataclass(slots=True, eq=False)
class Call:
    """One call; whoever submits it fills in what it asks for, and only the scheduler changes the rest.

    rank: who goes first when slots are short: the smallest. Ranks of one scheduler must be comparable; calls of the
        same rank go in the order in which they came.
    blocks: the prompt as a chain of hashes, one for each full block and all before it (`prefixes.chain`).
    templates: what prompts of its kind have in common, from the most to the least specific, by which the length of its
        output is learned.
    prompt_tokens: length of the prompt; an estimate will do.
    output_tokens_max: the most that it may be answered with, where that is known.

    work: of its output and its prompt, in output tokens; what it adds to its endpoint while it runs.
    hit_tokens: tokens of its prompt that its endpoint is expected to know already.
    """

    rank: Any = ()
    blocks: Sequence[int] = ()
    templates: Sequence[Hashable] = ()
    prompt_tokens: int = 0
    output_tokens_max: int | None = None

    status: Status = field(default=Status.NEW, init=False)
    endpoint: int | None = field(default=None, init=False)
    submitted_at: float = field(default=0.0, init=False)
    started_at: float = field(default=0.0, init=False)
    attempts: int = field(default=0, init=False)
    tried: int = field(default=0, init=False)  # a bit for each endpoint
    expected_tokens: int = field(default=0, init=False)
    work: int = field(default=0, init=False)
    prefill_work: int = field(default=0, init=False)
    hit_tokens: int = field(default=0, init=False)
    has_first_token: bool = field(default=False, init=False)
    is_probe: bool = field(default=False, init=False)
    number: int = field(default=-1, init=False)
    failures: list[tuple[str, Failure]] = field(default_factory=list, init=False)


@dataclass(frozen=True, slots=True)
class Failure:
    """How an attempt failed.

    reason: in words, for errors.
    retry: another attempt may succeed, here or elsewhere, if no token has left yet.
    counts: it speaks against the endpoint. A refused request does not: who refuses is there.
    retry_after_s: the endpoint asked to be left alone for so long; None if it did not say.
    rate_limited: it answered that there are too many requests, which is no illness.
    """

    reason: str
    retry: bool = True
    counts: bool = True
    retry_after_s: float | None = None
    rate_limited: bool = False


@dataclass(frozen=True, slots=True)
class Start:
    """Send this call to that endpoint now."""

    call: Call
    endpoint: str


@dataclass(frozen=True, slots=True)
class GiveUp:
    """This call ends without an answer. failure: of its last attempt; None if none was made."""

    call: Call
    failure: Failure | None


Decision = Start | GiveUp
