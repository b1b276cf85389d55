"""Continuous batching as a pure model of time: jobs and the time now go in, due tokens come out.

Owns who runs, who waits and how far each stream is. No clock, no event loop, no randomness: every draw is in the
job. A stream waits for a slot, has its prompt prefilled, which gives its first token, and then gets one token for
each unit of work of its decoding, where a second does `1 / (inter-token time at this load)` units.

Always true: at most `slots` streams run; a free slot and a waiting stream never exist together; a stream holds its
slot from admission until its last token, its cancellation or its cut; results do not depend on how often or how
late `advance` is called.

Left out, knowingly: prefills do not slow each other down (except where the profile says that load slows prefill),
prefill does not delay the decoding of others, and running streams take no room in the prefix cache.
"""

from __future__ import annotations

import heapq
from collections.abc import Hashable, Sequence
from dataclasses import dataclass, fields
from typing import Literal

from alto_lg.comparisons.sim.paced import PacedQueue
from alto_lg.comparisons.sim.prefix_cache import BLOCK_TOKENS, PrefixCache, block_hashes
from alto_lg.comparisons.sim.profiles import Profile

QueueOrder = Literal["fifo", "priority"]


@dataclass(frozen=True, slots=True)
class Stall:
    """A stream that stops for a while and keeps its slot. after_tokens: 0 is before the first token."""

    after_tokens: int
    seconds: float


@dataclass(frozen=True, slots=True)
class Job:
    """Everything that decides how long one stream takes."""

    prompt: Sequence[Hashable]
    output: Sequence[Hashable]
    token_work: Sequence[float]
    """Work of the second and each later output token; 1 is a token without jitter."""
    blocks: Sequence[int] | None = None
    """Numbers of the full cache blocks of prompt and output together; None: made from their tokens."""
    prefill_factor: float = 1.0
    first_token_s: float | None = None
    """Replaces the prefill formula."""
    priority: int = 0
    """Lower goes first, when the queue is ordered by priority."""
    stall: Stall | None = None

    def blocks_of(self, tokens: Sequence[Hashable]) -> Sequence[int]:
        """Of the leading tokens of prompt and output."""
        return block_hashes(tokens) if self.blocks is None else self.blocks[: len(tokens) // BLOCK_TOKENS]


@dataclass(frozen=True, slots=True)
class Progress:
    """What one stream has gained since the last call."""

    stream: int
    tokens: int
    ended: bool
    cached_tokens: int
    """Prompt tokens that the prefix cache held."""


@dataclass(frozen=True, slots=True)
class BatchStatistics:
    """Counts since the start; seconds are model time, summed over streams where that makes sense."""

    submitted: int = 0
    running: int = 0
    waiting: int = 0
    finished: int = 0
    cancelled: int = 0
    running_peak: int = 0
    waiting_peak: int = 0
    prompt_tokens: int = 0
    cached_tokens: int = 0
    completion_tokens: int = 0
    cache_blocks: int = 0
    busy_s: float = 0.0
    """Seconds in which at least one stream ran."""
    running_stream_s: float = 0.0
    """Seconds in a slot, added over all streams: divided by busy_s it is the mean batch."""
    waiting_stream_s: float = 0.0

    def as_json(self) -> dict[str, float]:
        return {field.name: getattr(self, field.name) for field in fields(self)}


class _Stream:
    __slots__ = ("arrived_at", "cached_tokens", "emitted", "ended", "id", "job", "running", "stalled")

    def __init__(self, id: int, job: Job, now: float) -> None:
        self.id = id
        self.job = job
        self.arrived_at = now
        self.cached_tokens = 0
        self.emitted = 0
        self.running = False
        self.stalled = False
        self.ended = False


class BatchModel:
    """The state of one server."""

    def __init__(
        self, profile: Profile, *, slots: int | None = None, order: QueueOrder = "fifo", now: float = 0.0
    ) -> None:
        self.slots = profile.slots if slots is None else slots
        self.cache = PrefixCache(profile.cache_blocks)
        self._profile = profile
        self._order = order
        self._multipliers = [profile.multiplier(count, self.slots) for count in range(self.slots + 1)]
        self._now = now
        self._streams: dict[int, _Stream] = {}
        self._waiting: list[tuple[int, int, _Stream]] = []
        self._waiting_count = 0
        self._running_count = 0
        self._prefilling: PacedQueue[_Stream] = PacedQueue(now)
        self._decoding: PacedQueue[_Stream] = PacedQueue(now, 1.0 / profile.inter_token_s)
        self._stalled: PacedQueue[_Stream] = PacedQueue(now)
        self._gained: dict[_Stream, int] = {}
        self._submitted = self._finished = self._cancelled = 0
        self._prompt_tokens = self._cached_tokens = self._completion_tokens = 0
        self._running_peak = self._waiting_peak = 0
        self._busy_s = self._running_stream_s = self._waiting_stream_s = 0.0

    def submit(self, job: Job, now: float) -> int:
        """A request arrives. The number that stands for its stream from now on."""
        self._run_until(now)
        self._submitted += 1
        stream = _Stream(self._submitted, job, self._now)
        self._streams[stream.id] = stream
        rank = job.priority if self._order == "priority" else 0
        heapq.heappush(self._waiting, (rank, stream.id, stream))
        self._waiting_count += 1
        self._admit()
        self._waiting_peak = max(self._waiting_peak, self._waiting_count)
        return stream.id

    def cancel(self, stream_id: int, now: float) -> None:
        """The client has left: its slot is free at once. Harmless after the end."""
        self._run_until(now)
        stream = self._streams.pop(stream_id, None)
        if stream is None:
            return
        self._gained.pop(stream, None)
        self._cancelled += 1
        for queue in self._queues():
            queue.discard(stream)
        self._leave(stream)

    def has_room(self, streams: int, waiting_limit: int) -> bool:
        """Whether that many more streams find a slot, or a place among at most `waiting_limit` that wait."""
        free_slots = self.slots - self._running_count
        return self._waiting_count + max(0, streams - free_slots) <= waiting_limit

    @property
    def has_undelivered(self) -> bool:
        """True when `submit` or `cancel` has run into something that `advance` would give out."""
        return bool(self._gained)

    def due(self) -> float | None:
        """When something happens next, or None when only an arrival can change anything."""
        dues = [due for queue in self._queues() if (due := queue.due()) is not None]
        return min(dues) if dues else None

    def advance(self, now: float) -> list[Progress]:
        """Everything that has fallen due until now and was not given out yet."""
        self._run_until(now)
        gained, self._gained = self._gained, {}
        return [Progress(stream.id, tokens, stream.ended, stream.cached_tokens) for stream, tokens in gained.items()]

    def statistics(self) -> BatchStatistics:
        return BatchStatistics(
            submitted=self._submitted,
            running=self._running_count,
            waiting=self._waiting_count,
            finished=self._finished,
            cancelled=self._cancelled,
            running_peak=self._running_peak,
            waiting_peak=self._waiting_peak,
            prompt_tokens=self._prompt_tokens,
            cached_tokens=self._cached_tokens,
            completion_tokens=self._completion_tokens,
            cache_blocks=len(self.cache),
            busy_s=self._busy_s,
            running_stream_s=self._running_stream_s,
            waiting_stream_s=self._waiting_stream_s,
        )

    def _queues(self) -> tuple[PacedQueue[_Stream], PacedQueue[_Stream], PacedQueue[_Stream]]:
        return self._prefilling, self._decoding, self._stalled

    def _run_until(self, now: float) -> None:
        while (due := self.due()) is not None and due <= now:
            queue = min((queue for queue in self._queues() if queue), key=_due_of)
            self._pass_time(due)
            stream = queue.pop()
            self._act(stream, came_from_stall=queue is self._stalled)
        self._pass_time(now)

    def _pass_time(self, now: float) -> None:
        passed = now - self._now
        if passed <= 0:
            return
        self._now = now
        self._running_stream_s += passed * self._running_count
        self._waiting_stream_s += passed * self._waiting_count
        if self._running_count:
            self._busy_s += passed

    def _act(self, stream: _Stream, *, came_from_stall: bool) -> None:
        """A stream has reached the end of its prefill, of a token's work, or of a stall."""
        if came_from_stall and stream.emitted:
            self._decode_next(stream)
        elif not self._stall_if_wanted(stream):
            self._emit(stream)

    def _stall_if_wanted(self, stream: _Stream) -> bool:
        stall = stream.job.stall
        if stall is None or stream.stalled or stall.after_tokens != stream.emitted:
            return False
        stream.stalled = True
        self._stalled.add(stall.seconds, stream, self._now)
        return True

    def _emit(self, stream: _Stream) -> None:
        has_token = bool(stream.job.output)
        stream.emitted += has_token
        self._completion_tokens += has_token
        self._gained[stream] = self._gained.get(stream, 0) + has_token
        if stream.emitted == len(stream.job.output):
            self._finish(stream)
        elif not self._stall_if_wanted(stream):
            self._decode_next(stream)

    def _decode_next(self, stream: _Stream) -> None:
        self._decoding.add(stream.job.token_work[stream.emitted - 1], stream, self._now)

    def _finish(self, stream: _Stream) -> None:
        self._finished += 1
        del self._streams[stream.id]
        job = stream.job
        written = block_hashes([*job.prompt, *job.output]) if job.blocks is None else job.blocks
        self.cache.add_blocks(written)
        self._leave(stream)

    def _leave(self, stream: _Stream) -> None:
        stream.ended = True
        if stream.running:
            self._running_count -= 1
        else:
            self._waiting_count -= 1
        self._admit()

    def _admit(self) -> None:
        while self._running_count < self.slots and self._waiting_count:
            stream = heapq.heappop(self._waiting)[2]
            if stream.ended:
                continue
            self._waiting_count -= 1
            self._running_count += 1
            stream.running = True
            self._start_prefill(stream)
        self._running_peak = max(self._running_peak, self._running_count)
        self._retune()

    def _start_prefill(self, stream: _Stream) -> None:
        job, profile = stream.job, self._profile
        # At least the last token is always computed: its logits are needed.
        known = self.cache.hit_blocks(job.blocks_of(job.prompt[:-1]))
        stream.cached_tokens = known * BLOCK_TOKENS
        # vLLM registers the blocks of a prompt when it schedules them, so a burst of prompts with one prefix
        # pays for that prefix once.
        self.cache.add_blocks(job.blocks_of(job.prompt))
        self._prompt_tokens += len(job.prompt)
        self._cached_tokens += stream.cached_tokens
        fresh = len(job.prompt) - stream.cached_tokens
        work = job.first_token_s
        if work is None:
            work = (profile.prefill_base_s + profile.prefill_s_per_token * fresh) * job.prefill_factor
        self._prefilling.add(work, stream, self._now)

    def _retune(self) -> None:
        multiplier = self._multipliers[self._running_count]
        self._decoding.set_rate(1.0 / (self._profile.inter_token_s * multiplier), self._now)
        if self._profile.load_slows_prefill:
            self._prefilling.set_rate(1.0 / multiplier, self._now)


def _due_of(queue: PacedQueue[_Stream]) -> float:
    due = queue.due()
    assert due is not None, "only queues that hold something are compared"
    return due
