"""From a recorded request to what a simulation replays: jobs of few tokens, and who waits for what. Pure.

A server model gives every running stream its tokens at one rate, so a stream may be moved on by many tokens at once
without any other noticing: a job has a token for each mark of its answer. Always true: it takes as long as a job with a
token for every token, on any server and under any load.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from alto_lg.comparisons.replicas.call_graph import Answer, Call, CallGraph, Trigger
from alto_lg.comparisons.sim.batching import Job

END = -1
"""Stands for the end of a request where calls are told by their places."""


@dataclass(frozen=True, slots=True)
class Plan:
    """A request made ready to be replayed.

    needs: how many triggers each call, and the end, waits for; the first of several counts as one.
    begins: who waits for a trigger, and whether it is one of several that would do.
    """

    graph: CallGraph
    needs: Mapping[int, int]
    begins: Mapping[Trigger, tuple[tuple[int, bool], ...]]


def plan_of(graph: CallGraph) -> Plan:
    """Everything of a request that does not depend on its arrival."""
    begins: dict[Trigger, tuple[tuple[int, bool], ...]] = {}
    waits = {**{at: call.after for at, call in enumerate(graph.calls)}, END: graph.end}
    for at, one in waits.items():
        for trigger in one.all:
            begins[trigger] = (*begins.get(trigger, ()), (at, False))
        for trigger in one.first_of:
            begins[trigger] = (*begins.get(trigger, ()), (at, True))
    return Plan(graph, {at: len(one.all) + bool(one.first_of) for at, one in waits.items()}, begins)


def job_of(call: Call, answer: Answer, *, priority: int, blocks: Sequence[int]) -> Job:
    """The job of one answer. blocks: of prompt and answer, as the server is to know them."""
    return Job(
        prompt=range(call.prompt_tokens),
        output=answer.marks,
        token_work=answer.work,
        blocks=blocks,
        prefill_factor=answer.prefill_factor,
        first_token_s=answer.first_token_s,
        priority=priority,
    )


def shared_blocks(graphs: Sequence[CallGraph]) -> frozenset[int]:
    """Numbers of the cache blocks that prompts of more than one request have: those of templates."""
    owner: dict[int, str] = {}
    shared = set[int]()
    for graph in graphs:
        for call in graph.calls:
            for block in {*call.route, *(one for answer in call.answers for one in answer.blocks)}:
                if owner.setdefault(block, graph.request) != graph.request:
                    shared.add(block)
    return frozenset(shared)
