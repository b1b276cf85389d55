"""Seeded draws: the part of a job that chance decides.

Owns every random number of the simulation. Always true: a draw depends on the seed, the prompt, and the number of
the choice, never on the order of arrival, so two runs that send the same prompts get the same numbers however they
schedule them (common random numbers), and a new seed gives a new sample.
"""

from __future__ import annotations

import hashlib
import json
import math
import random
from collections.abc import Mapping, Sequence

from alto_lg.comparisons.sim.batching import Job, Stall
from alto_lg.comparisons.sim.profiles import Profile


def prompt_digest(messages: Sequence[Mapping[str, str]]) -> str:
    """A short name for a prompt."""
    return hashlib.blake2b(json.dumps(messages, sort_keys=True).encode(), digest_size=12).hexdigest()


def make_job(
    profile: Profile,
    *,
    prompt: Sequence[str],
    output: Sequence[str],
    jitter: float,
    key: str,
    priority: int = 0,
    stall: Stall | None = None,
) -> Job:
    """The job of one stream. jitter: coefficient of variation of a token's time; key: what the draws depend on."""
    source = random.Random(key)
    sigma = math.sqrt(math.log1p(jitter * jitter))
    first_token_s = profile.first_token.at(source.gauss(0.0, 1.0)) if profile.first_token else None
    return Job(
        prompt=prompt,
        output=output,
        token_work=_lognormal_ones(source, sigma, max(len(output) - 1, 0)),
        prefill_factor=_lognormal_ones(source, sigma, 1)[0],
        first_token_s=first_token_s,
        priority=priority,
        stall=stall,
    )


def _lognormal_ones(source: random.Random, sigma: float, count: int) -> tuple[float, ...]:
    """Positive draws whose mean is exactly one."""
    if sigma == 0.0:
        return (1.0,) * count
    mean = -sigma * sigma / 2.0
    return tuple(math.exp(source.gauss(mean, sigma)) for _ in range(count))
