"""Synchronous: the same specs through `stream` and `invoke`, on real threads with tiny rests.

Owns the sync colour. Threads are scheduled by the machine, so each side runs a few times, and where LangGraph differs
from itself ours must be among its answers.
"""

from __future__ import annotations

import copy
import time
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from dropin import compare

from random_graphs.differ import Oracle, Verdict, hurried
from random_graphs.effects import noting
from random_graphs.spec import Spec
from random_graphs.watching import (
    OVER,
    RESUMES_MAX,
    Bench,
    Found,
    Implementation,
    Watched,
    caught_warnings,
    continuation,
    error_of,
    ours,
    plain,
    seen,
    statistics_of,
)

STRETCHES = (1, 2)
MORE_STRETCHES = (3, 4, 5, 0, 1, 2, 3, 4)


def on_threads(spec: Spec) -> Spec | None:
    """The spec with every node synchronous; None where LangGraph has no such thing, or its own answer is a race."""
    nodes = list(spec.every_node())
    if spec.changes_in_place or any(node.timeout or node.keeps or node.caches or node.store for node in nodes):
        return None
    pauses = any(node.asks for node in nodes) or bool(spec.run.stops_before or spec.run.stops_after)
    # LangGraph 1.2.22 saves a join in one thread while another changes it.
    saver = spec.run.saver and not spec.has_joins
    if pauses and not saver:
        return None
    # With one thread LangGraph's `stream` waits for ever: its wait for events takes the thread that nodes need.
    at_once = 2 if spec.run.at_once == 1 else spec.run.at_once
    run = replace(spec.run, saver=saver, at_once=at_once)
    return replace(spec.with_nodes(lambda node: replace(node, is_async=False)), run=run)


def compared_on_threads(spec: Spec) -> Verdict:
    """Run a spec on both sides, on threads."""
    made = on_threads(spec)
    assert made is not None, "ask on_threads first"
    bench = Bench(made)
    oracle = Oracle(
        bench,
        [watch_on_threads(bench, plain, stretch) for stretch in STRETCHES],
        lambda: _more(bench),
    )
    found = [watch_on_threads(bench, ours, stretch) for stretch in STRETCHES]
    lines = [f"threads {place}: {line}" for place, one in enumerate(found) for line in oracle.against(one)]
    return Verdict(tuple(lines), oracle.asked_more, False, found[0].firings, found[0].early, found[0].plain)


def _more(bench: Bench) -> list[Watched]:
    seen = [watch_on_threads(bench, plain, stretch) for stretch in MORE_STRETCHES]
    return seen + [watch_on_threads(Bench(spec), plain, 0) for spec in hurried(bench.spec)]


def watch_on_threads(bench: Bench, implementation: Implementation, stretch: int) -> Watched:
    """Run a spec with the synchronous API."""
    found = Found()
    with caught_warnings(found), noting(time.monotonic, stretch, threads=True) as notes:
        _look(bench, implementation, found)
    return found.watched(notes)


def _look(bench: Bench, implementation: Implementation, found: Found) -> None:
    spec, config = bench.spec, bench.config()
    graph, app = bench.graphs(implementation)
    given: Any = bench.input()
    for place in range(RESUMES_MAX):
        current = graph if spec.run.handed_over and place % 2 else app
        found.runs.append(_once(current, spec, given, config))
        found.statistics.append(statistics_of(current))
        if not spec.run.saver or found.runs[-1][1] is not None:
            break
        given = continuation(graph.get_state(config))
        if given is OVER:
            break
    if spec.run.saver:
        _saved(graph, found, config)


def _saved(graph: Any, found: Found, config: Any) -> None:
    try:
        found.history = compare.history(list(graph.get_state_history(config)))
        found.state = compare.snapshot(graph.get_state(config, subgraphs=True))
    except Exception as raised:
        found.history = compare.error(raised)


def _once(app: Any, spec: Spec, given: Any, config: Any) -> tuple[Any, ...]:
    settings: Mapping[str, Any] = {"durability": spec.run.durability} if spec.run.saver else {}
    try:
        if not spec.run.modes:
            return compare.plain(app.invoke(given, config, **settings)), None, [], [], None
    except Exception as raised:
        return None, error_of(raised), [], [], None
    events: list[compare.Event] = []
    failure: Exception | None = None
    try:
        for event in app.stream(given, config, stream_mode=list(spec.run.modes), subgraphs=True, **settings):
            events.append(copy.copy(event))
    except Exception as raised:
        failure = raised
    return seen(events, [], failure)
