"""Supersteps: the same programs, run the way LangGraph runs them, and nothing else.

Owns the other side of the comparison; it knows no machine and no frontier. Always true:
  every firing of a step reads the state as it was before the step;
  writes are applied triggered stages first, by name, then packets, in the order in which they were sent.
"""

from __future__ import annotations

from typing import Any

from alto_lg.engine.plan import Plan
from engine.driver import Committed, Parcel, Program

Work = tuple[str, Parcel | None]


def supersteps(program: Program, last_step: int) -> tuple[list[Committed], dict[str, tuple[Any, ...]]]:
    """The firings in LangGraph's order, and the final state."""
    state: dict[str, tuple[Any, ...]] = dict.fromkeys(program.plan.keys, ())
    seen: dict[str, frozenset[str]] = {join.channel: frozenset() for join in program.plan.joins}
    work: list[Work] = [(program.first, None)]
    done: list[Committed] = []
    step = 0
    while work and step <= last_step:
        step_done = [_fire(program, state, step, name, parcel) for name, parcel in work]
        done += [committed for committed, _ in step_done]
        for committed, _ in step_done:
            for key, value in committed.writes:
                state[key] = (*state[key], value)
        _consume(program.plan, seen)
        work = _next(program, seen, step_done)
        step += 1
    return done, state


def _fire(
    program: Program, state: dict[str, tuple[Any, ...]], step: int, name: str, parcel: Parcel | None
) -> tuple[Committed, list[str | Parcel]]:
    stage, keys = program.plan.stages[name], program.plan.keys
    given = {key: state[key] for key in sorted(stage.reads.keys.within(keys))} if parcel is None else parcel.payload
    deed = program.body(name, given)
    own = {key: (*state[key], *([deed.writes[key]] if key in deed.writes else [])) for key in state}
    route = program.routes.get(name)
    seen = {key: own[key] for key in stage.route_reads.keys.within(keys)}
    targets = [*stage.certain, *deed.goto, *(route(seen) if route is not None else ())]
    goes = (
        *sorted({target for target in targets if isinstance(target, str)}),
        *(target.stage for target in targets if isinstance(target, Parcel)),
    )
    return Committed(step, name, given, tuple(sorted(deed.writes.items())), goes), targets


def _consume(plan: Plan, seen: dict[str, frozenset[str]]) -> None:
    for join in plan.joins:
        if seen[join.channel] == join.sources:
            seen[join.channel] = frozenset()


def _next(
    program: Program, seen: dict[str, frozenset[str]], done: list[tuple[Committed, list[str | Parcel]]]
) -> list[Work]:
    triggered: set[str] = set()
    sent: list[Work] = []
    for committed, targets in done:
        triggered.update(target for target in targets if isinstance(target, str))
        sent.extend((target.stage, target) for target in targets if isinstance(target, Parcel))
        for join in program.plan.joins:
            if committed.stage in join.sources:
                seen[join.channel] |= {committed.stage}
    triggered.update(join.target for join in program.plan.joins if seen[join.channel] == join.sources)
    return [*((name, None) for name in sorted(triggered)), *sent]
