"""Random programs: driven by the machine in any order of completion, they commit what supersteps commit."""

from __future__ import annotations

import random
from collections.abc import Iterator

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from alto_lg.engine.firing import Firing
from alto_lg.engine.messages import Conditions
from engine.driver import Parcel, Program, Run
from engine.plans import Known, conditions
from engine.programs import KEYS, programs
from engine.supersteps import supersteps

LAST_STEP = 7
FIRINGS_MAX = 150

allowed = st.builds(
    conditions,
    last_step=st.just(LAST_STEP),
    max_steps_ahead=st.sampled_from((100, 100, 0, 1, 2)),
    chains=st.booleans(),
    has_store=st.booleans(),
    can_pause=st.booleans(),
    gate_at_start=st.sampled_from((False, False, True)),
)
values = st.builds(
    Known,
    opaque=st.sampled_from((frozenset(), frozenset(), frozenset({"r"}))),
    changeable_keys=st.frozensets(st.sampled_from(KEYS), max_size=2),
)
thorough = settings(max_examples=250, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])


def _driven(program: Program, seed: int, conditions: Conditions, known: Known) -> Run:
    """A run in which what ends next is drawn, with a liking for what was started early."""
    run = Run(program, conditions, known)
    draw = random.Random(seed)
    late = draw.random()
    while not run.over:
        running = run.running()
        ahead = [firing for firing in running if firing.step > run.step]
        run.advance(draw.choice(ahead if ahead and draw.random() < late else running))
    return run


def _is_small(program: Program) -> bool:
    return len(supersteps(program, LAST_STEP)[0]) <= FIRINGS_MAX


def test_a_program_commits_the_same_firings_in_the_same_order_whatever_ends_first() -> None:
    early_starts: list[int] = []

    @thorough
    @given(programs().filter(_is_small), st.integers(0, 1000), allowed, values)
    def check(program: Program, seed: int, conditions: Conditions, known: Known) -> None:
        run = _driven(program, seed, conditions, known)
        committed, state = supersteps(program, LAST_STEP)
        assert run.committed == committed
        assert run.state == state
        assert run.dropped == []
        assert run.machine.broken is None
        assert sorted(run.adopted) == sorted(run.early)
        early_starts.append(len(run.early))

    check()
    assert sum(early_starts) > len(early_starts), "hardly anything was started early, so little was tested"


def _promising(program: Program, seed: int, conditions: Conditions, known: Known) -> Run:
    """The same, and whoever runs may promise what it will send, or something else."""
    run = Run(program, conditions, known)
    draw = random.Random(seed)
    late = draw.random()
    while not run.over:
        running = run.running()
        for firing in running:
            for index, parcel in enumerate(run.packets_to_come(firing) if firing in run.jobs else ()):
                if draw.random() < 0.3:
                    stage = parcel.stage if draw.random() < 0.8 else draw.choice(sorted(firing.stage.successors))
                    run.promise(firing, index, Parcel(stage, parcel.payload if draw.random() < 0.8 else "wrong"))
        running = run.running()
        ahead = [firing for firing in running if firing.step > run.step]
        run.advance(draw.choice(ahead if ahead and draw.random() < late else running))
    return run


def test_a_program_commits_the_same_whatever_was_promised() -> None:
    kept: list[int] = []
    dropped: list[int] = []

    @thorough
    @given(programs().filter(_is_small), st.integers(0, 1000), allowed, values)
    def check(program: Program, seed: int, conditions: Conditions, known: Known) -> None:
        run = _promising(program, seed, conditions, known)
        committed, state = supersteps(program, LAST_STEP)
        assert run.committed == committed
        assert run.state == state
        assert run.machine.broken is None
        assert all(drop.why.endswith("did not give out what it promised") for drop in run.dropped)
        assert len(run.adopted) == len(run.early) - len(run.dropped)
        kept.append(len(run.adopted))
        dropped.append(len(run.dropped))

    check()
    assert sum(kept) > len(kept)
    assert sum(dropped) > len(dropped) // 4


def test_firings_that_conflict_keep_their_order_on_the_clock() -> None:
    conflicts: list[int] = []

    @thorough
    @given(programs().filter(_is_small), st.integers(0, 1000), allowed, values)
    def check(program: Program, seed: int, conditions: Conditions, known: Known) -> None:
        run = _driven(program, seed, conditions, known)
        pairs = list(_conflicts(run))
        for earlier, later, why in pairs:
            ended = run.jobs[earlier].ended
            assert ended is not None
            assert ended <= run.jobs[later].started, f"{later!r} did not wait for {earlier!r}: {why}"
        conflicts.append(len(pairs))

    check()
    assert sum(conflicts) > len(conflicts), "hardly anything conflicted, so little was tested"


def _conflicts(run: Run) -> Iterator[tuple[Firing, Firing, str]]:
    """Pairs of firings, of an earlier and a later step, that must not run beside each other."""
    for earlier in run.jobs:
        for later in run.jobs:
            if earlier.step < later.step:
                why = _conflict(run, earlier, later)
                if why:
                    yield earlier, later, why


def _conflict(run: Run, earlier: Firing, later: Firing) -> str | None:
    for one in (earlier.stage, later.stage):
        if one.barrier or (one.may_interrupt and run.machine.conditions.can_pause):
            return f"{one.name} is a barrier"
    if earlier.stage.touches_store and later.stage.touches_store and run.machine.conditions.has_store:
        return "both touch the store"
    for key in run.values.changeable_keys & _reads(earlier) & _reads(later):
        if key in _mutates(earlier) | _mutates(later):
            return f"one changes {key} in place, which both have"
    return None


def _reads(firing: Firing) -> frozenset[str]:
    return frozenset() if firing.is_push else firing.stage.reads.keys.within(KEYS)


def _mutates(firing: Firing) -> frozenset[str]:
    return _reads(firing) & firing.stage.mutates.keys.within(KEYS)
