"""Latency profiles: how long a model server of one kind takes, as data, with the source of every figure.

Owns the numbers and the interpolation of the load curve; nothing here knows of a request. Always true: a
multiplier is 1 at one stream and never falls as streams are added, and no curve is extrapolated, because by
default a server has as many slots as the last point that was measured.

Profiles are fits by eye to published figures. A gain that shows only on a slow profile is a weak one, so report
more than one of them.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from types import MappingProxyType

# The standard normal's 95th percentile, to turn a published p95 into a spread.
_P95_Z = 1.6448536269514722


@dataclass(frozen=True, slots=True)
class LognormalTime:
    """A time drawn once a stream."""

    median_s: float
    p95_s: float

    @property
    def sigma(self) -> float:
        return math.log(self.p95_s / self.median_s) / _P95_Z

    def at(self, z: float) -> float:
        """The time at `z` standard deviations of its logarithm from the median."""
        return self.median_s * math.exp(self.sigma * z)


@dataclass(frozen=True, slots=True)
class Profile:
    """One kind of server."""

    name: str
    summary: str
    inter_token_s: float
    """Seconds from one token to the next when a single stream runs."""
    slots: int
    """Streams that run at the same time; the rest wait."""
    load: tuple[tuple[int, float], ...] = ()
    """Points (running streams, multiplier of the inter-token time); straight lines between them."""
    full_load_multiplier: float | None = None
    """Instead of `load`: the multiplier when every slot is busy, in a straight line from 1 at one stream."""
    prefill_base_s: float = 0.0
    prefill_s_per_token: float = 0.0
    """Seconds for each prompt token that the prefix cache does not hold."""
    load_slows_prefill: bool = False
    first_token: LognormalTime | None = None
    """Instead of the prefill formula: a draw that does not depend on the prompt."""
    cache_blocks: int = 0
    """Prefix cache, in blocks of 16 tokens; 0 for none."""

    def multiplier(self, running: int, slots: int) -> float:
        """How much slower a token is than with one stream."""
        if self.full_load_multiplier is not None:
            return _between(((1, 1.0), (slots, self.full_load_multiplier)), running) if slots > 1 else 1.0
        return _between(self.load, running) if self.load else 1.0


def _between(points: Sequence[tuple[int, float]], running: int) -> float:
    if running <= points[0][0]:
        return points[0][1]
    for (low, low_value), (high, high_value) in pairwise(points):
        if running <= high:
            return low_value + (high_value - low_value) * (running - low) / (high - low)
    return points[-1][1]


# Sizes of the prefix cache follow from the model and the card: 32 layers, 8 key-value heads of 128, two bytes, keys
# and values give 128 KiB a token and 2 MiB a block of 16; nine tenths of the memory less 16 GB of weights and 2 GB
# of activations leave about 54 GB on an 80 GB card and 18 GB on a 40 GB card.
_BLOCKS_80_GB = 25_000
_BLOCKS_40_GB = 8_500

_H100_8B = Profile(
    name="h100-8b",
    summary="an 8B model on one H100",
    # Inter-token: vLLM's CI on one H100 (Llama-3.1-8B, 32 tokens in, 128 out, batch 8): at most 7.8 ms; one H200:
    # 6.5 ms. Curve: NVIDIA NIM's benchmark page, Llama-3.1-8B v1.8.0 (hardware header not seen; the sibling tables
    # are H100 FP8): 4.63, 5.19, 5.91, 7.57, 9.81, 16.1 ms a token at concurrency 1, 25, 50, 100, 150, 250.
    inter_token_s=0.0075,
    load=((1, 1.0), (25, 1.2), (50, 1.3), (150, 2.0), (250, 3.5)),
    slots=250,
    # Prefill: the same page, first token 10.3 ms at concurrency 1. Its first token at higher concurrency (36, 67,
    # 120, 347, 606 ms) includes waiting for other prompts' prefill, which this model leaves out.
    prefill_base_s=0.012,
    prefill_s_per_token=0.00003,
    cache_blocks=_BLOCKS_80_GB,
)

_A100_8B = Profile(
    name="a100-8b",
    summary="an 8B model on one A100",
    # johnmusgrave.com, vLLM 0.23 on an A100-40GB, BF16, 1,024 tokens in, 128 out: about 75 tokens/s at one stream,
    # 6.6 times the throughput at 8, knee at 8.
    inter_token_s=0.0135,
    load=((1, 1.0), (8, 1.2), (32, 2.0), (64, 3.5)),
    slots=64,
    # NIM Nemotron-Safety-Guard-8B on an A100-80GB, 500 tokens in: first token 48 ms.
    prefill_base_s=0.020,
    prefill_s_per_token=0.00006,
    cache_blocks=_BLOCKS_40_GB,
)

_API_MINI = Profile(
    name="api-mini",
    summary="a hosted small model",
    # Published spot measurements: Haiku 4.5 first token 0.60 s; GPT-5 minimal 0.89 s and 80 tokens/s, and on
    # another host 1.70 s and 155 tokens/s.
    inter_token_s=0.010,
    first_token=LognormalTime(median_s=0.6, p95_s=2.0),
    # No bound that one client would see; a figure all the same, because every queue here has one.
    slots=1_024,
)

_LLM_D = Profile(
    name="llm-d",
    summary="the shipped 8b-h100-balanced profile of llm-d-inference-sim, for comparability",
    # About 1.5 times slower a token than the measured figures above. Its 16 slots, and a load factor that slows
    # prefill as well, are the shipped configuration's.
    inter_token_s=0.012,
    full_load_multiplier=2.0,
    slots=16,
    prefill_base_s=0.100,
    prefill_s_per_token=0.00025,
    load_slows_prefill=True,
    cache_blocks=_BLOCKS_80_GB,
)

PROFILES: Mapping[str, Profile] = MappingProxyType(
    {profile.name: profile for profile in (_H100_8B, _A100_8B, _API_MINI, _LLM_D)}
)
