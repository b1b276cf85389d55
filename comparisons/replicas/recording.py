"""Records the call graphs of an arm: runs each request several times on an idle server, with other times each time.

Always true: a recorded answer is what the server would have written at its plain settings; the runs differ in how long
each token takes and in nothing else.
"""

from __future__ import annotations

import asyncio
import math
import random
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from alto_lg.apps.base import Application, ModelEndpoint, Request
from alto_lg.comparisons.arms import Arm
from alto_lg.comparisons.replicas.call_graph import CallGraph, Run, TracedAnswer, TracedCall, call_graph
from alto_lg.comparisons.replicas.pools import client_of
from alto_lg.comparisons.runners import build_runner
from alto_lg.comparisons.sim.batching import BatchModel, Job, Progress
from alto_lg.comparisons.sim.options import SimOptions
from alto_lg.comparisons.sim.pacer import Pacer, Sink
from alto_lg.comparisons.sim.prefix_cache import block_hashes
from alto_lg.comparisons.sim.serving import served_here
from alto_lg.comparisons.sim.text import task_models
from alto_lg.comparisons.virtual_time import VirtualTimeLoop
from alto_lg.routing import chain

RUNS = 8
"""Of each request: a join of several calls is known by the calls that were last in one of them."""
_SPREAD = 0.7
"""Standard deviation of the logarithm of the factor by which a stream is slower or faster than it would be."""


class Recorder:
    """What the server is asked in the run that is under way."""

    def __init__(self) -> None:
        self._variant = 0
        self._calls: list[TracedCall] = []
        self._by_task: dict[Any, TracedCall] = {}
        self._asked: dict[int, int] = {}
        self._numbers: dict[int, int] = {}

    def begin(self, variant: int) -> None:
        """A run begins; variant 0 has the plain times."""
        self._variant, self._calls, self._by_task, self._asked = variant, [], {}, {}

    def calls(self) -> tuple[TracedCall, ...]:
        """Those of the run that has ended, in the order in which they began."""
        return tuple(self._calls)

    def call(self, job: Job, now: float) -> TracedCall:
        """The call that a job belongs to: the several answers to one call are begun by one task of the server."""
        task = asyncio.current_task()
        if task not in self._by_task:
            asked = hash(tuple(job.prompt))
            self._asked[asked] = again = self._asked.get(asked, -1) + 1
            route = tuple(map(self._number, chain(map(str, job.prompt))))
            self._by_task[task] = TracedCall((asked, again), now, len(job.prompt), route, [])
            self._calls.append(self._by_task[task])
        return self._by_task[task]

    def answer(self, job: Job, tokens: int) -> TracedAnswer:
        """What was written of a job."""
        written = [*job.prompt, *job.output[:tokens]]
        blocks = tuple(map(self._number, block_hashes(written)))
        work = tuple(job.token_work[: max(tokens - 1, 0)])
        return TracedAnswer(tokens, work, job.prefill_factor, job.first_token_s, blocks)

    def _number(self, block: int) -> int:
        """A number of its own for each block, which says nothing of the process in which it was hashed."""
        return self._numbers.setdefault(block, len(self._numbers))

    def varied(self, job: Job) -> Job:
        """The same job with the times of this run."""
        if self._variant == 0:
            return job
        source = random.Random(f"{self._variant}/{hash(tuple(job.prompt))}")
        factor = math.exp(source.gauss(0.0, _SPREAD))
        return replace(
            job, token_work=[work * factor for work in job.token_work], prefill_factor=job.prefill_factor * factor
        )


class RecordingPacer(Pacer):
    """A pacer that tells a recorder when each stream begins, gains tokens and ends."""

    tick_s = 1e-6
    """Tokens of two streams hardly ever come at the same wake-up."""

    def __init__(
        self, recorder: Recorder, model: BatchModel, time_scale: float, loop: asyncio.AbstractEventLoop
    ) -> None:
        super().__init__(model, time_scale, loop)
        self._recorder, self._clock = recorder, loop.time
        self._open: dict[int, tuple[TracedCall, int, Job, int]] = {}

    def start(self, job: Job, sink: Sink) -> int:
        """As a pacer, and told."""
        call = self._recorder.call(job, self._clock())
        choice = len(call.answers)
        call.answers.append(self._recorder.answer(job, 0))
        stream = super().start(self._recorder.varied(job), lambda progress: self._heard(progress, sink))
        self._open[stream] = (call, choice, job, 0)
        return stream

    def cancel(self, stream: int) -> None:
        """The client has left, or the stream has ended."""
        self._open.pop(stream, None)
        super().cancel(stream)

    def _heard(self, progress: Progress, sink: Sink) -> None:
        call, choice, job, before = self._open[progress.stream]
        tokens = before + progress.tokens
        self._open[progress.stream] = (call, choice, job, tokens)
        if choice == 0:
            call.token_times += [self._clock()] * progress.tokens
        if progress.ended or choice == 0:
            call.answers[choice] = self._recorder.answer(job, tokens)
        if progress.ended:
            del self._open[progress.stream]
            others = [one for one, *_ in self._open.values() if one is call]
            call.ended = None if others else self._clock()
        sink(progress)


def record(
    application: Application, arm: Arm, requests: Sequence[Request], options: SimOptions, *, runs: int = RUNS
) -> tuple[CallGraph, ...]:
    """The call graph of each request as this arm makes its calls; on an event loop of its own."""
    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        return runner.run(_record(application, arm, requests, options, runs))


async def _record(
    application: Application, arm: Arm, requests: Sequence[Request], options: SimOptions, runs: int
) -> tuple[CallGraph, ...]:
    recorder = Recorder()
    loop = asyncio.get_running_loop()
    assert isinstance(loop, VirtualTimeLoop)

    def pacer(model: BatchModel, time_scale: float, loop: asyncio.AbstractEventLoop) -> Pacer:
        return RecordingPacer(recorder, model, time_scale, loop)

    async with served_here(options, task_models(), pacer) as server, client_of(server.base_url) as client:
        endpoint = ModelEndpoint(server.base_url, options.model, client=client)
        runner = build_runner(arm, application, endpoint, corpus=None)

        async def one_run(request: Request, variant: int) -> Run:
            server.simulated.forget(options.seed)
            recorder.begin(variant)
            started = loop.time()
            outcome = await runner.run(request.input, application.first_result_node)
            for given in request.then:
                outcome = await runner.run(given, application.first_result_node, outcome)
            ended = loop.time()
            await runner.tidy(outcome)
            return Run(started, ended, recorder.calls())

        graphs = []
        with loop.patience():
            for request in requests:
                seen = [await one_run(request, variant) for variant in range(runs)]
                graphs.append(call_graph(request.id, seen))
        return tuple(graphs)
