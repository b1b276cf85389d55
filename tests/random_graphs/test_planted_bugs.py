"""Each planted bug is found: a generator that misses one has a hole."""

from __future__ import annotations

import pytest

from random_graphs.differ import compared
from random_graphs.draw import draw
from random_graphs.left_over import LEFT_BY_LANGGRAPH
from random_graphs.planted import BUGS, Bug

pytestmark = pytest.mark.filterwarnings(LEFT_BY_LANGGRAPH)

WITHIN = 2000
NEAR = 5


def found_after(bug: Bug, seeds: range) -> int | None:
    """How many graphs it took to find a bug."""
    with bug.planted():
        for place, seed in enumerate(seeds):
            if compared(draw(seed), rotation=seed % 7).differences:
                return place + 1
    return None


@pytest.mark.timeout(1200)
@pytest.mark.parametrize("bug", BUGS, ids=str)
def test_a_planted_bug_is_found(bug: Bug, release: bool) -> None:
    """On every change only by the graphs that are known to find it; with --release from the first seed on."""
    seeds = range(WITHIN) if release else range(bug.near, bug.near + NEAR)
    graphs = found_after(bug, seeds)
    print(f"{bug}: found after {graphs} graphs from seed {seeds.start}")
    assert graphs is not None


def test_a_planted_bug_is_gone_afterwards() -> None:
    for bug in BUGS:
        before = [vars(owner)[name] for owner, name, _ in bug.changes]
        with bug.planted():
            assert all(vars(owner)[name] is not was for (owner, name, _), was in zip(bug.changes, before, strict=True))
        assert [vars(owner)[name] for owner, name, _ in bug.changes] == before
