"""A graph's answer does not change with what must not matter."""

from __future__ import annotations

import functools
import itertools
import random
from collections.abc import Iterator

import pytest
from random_graphs.spec import Spec
from stateful.differences import Differs, same
from stateful.pair import LIMIT_REACHED

from metamorphic.answers import Answer, Variant, answer, chance
from metamorphic.graphs import steady
from metamorphic.relations import RELATIONS, Relation, has_fixed_edges, renamed

GRAPHS, GRAPHS_OF_A_RELEASE = 40, 2_000


def check(name: str, seed: int) -> int:
    """Compare all variants that the relation draws for a graph; how many firings started early in them.

    Raises:
        Differs: one of them has another answer.
    """
    spec = steady(seed)
    assert spec is not None, f"graph {seed} has more than one answer"
    return compared(RELATIONS[name], name, seed, spec)


def compared(relation: Relation, name: str, seed: int, spec: Spec) -> int:
    early = 0
    wanted: Answer | None = None
    for variant in relation(spec, chance(seed, name)):
        wanted = wanted or original(seed)
        if variant.pauses and wanted.error == LIMIT_REACHED:
            continue  # each call may take that many steps
        found = answer(variant)
        early += found.early
        try:
            same(f"graph {seed}, {variant.name}: error", wanted.error, found.error)
            if wanted.values is not None and not variant.pauses:
                same(f"graph {seed}, {variant.name}: answer", wanted.values, found.values)
            same(f"graph {seed}, {variant.name}: saved", wanted.saved, found.saved)
        except Differs as error:
            line = f'python -c "from metamorphic.test_relations import check; check({name!r}, {seed})"'
            error.add_note(f"replay, in tests/: {line}")
            raise
    return early


@functools.lru_cache(maxsize=256)
def original(seed: int) -> Answer:
    spec = steady(seed)
    assert spec is not None
    return answer(Variant(spec))


def seeds(count: int, name: str) -> Iterator[int]:
    """So many graphs that the relation has something to say of."""

    def fits(seed: int) -> bool:
        spec = steady(seed)
        return spec is not None and next(RELATIONS[name](spec, chance(seed, name)), None) is not None

    return itertools.islice(filter(fits, itertools.count()), count)


@pytest.mark.timeout(3600)
@pytest.mark.parametrize("name", RELATIONS)
def test_the_answer_stays_the_same(name: str, release: bool) -> None:
    early = [check(name, seed) for seed in seeds(GRAPHS_OF_A_RELEASE if release else GRAPHS, name)]
    lively = sum(count > 0 for count in early)
    assert lively >= len(early) // 5, f"something started early in {lively} of {len(early)} graphs only"


def upside_down(spec: Spec, _: random.Random) -> Iterator[Variant]:
    """Nodes have other names, in the opposite order: LangGraph applies what they write in that order."""
    names = sorted((node.name for node in spec.nodes), reverse=True)
    yield Variant(spec, "upside down", build=lambda one: renamed({n: f"n_{p}" for p, n in enumerate(names)}, one))


def more_input(spec: Spec, _: random.Random) -> Iterator[Variant]:
    """A node that others do read is told something else."""
    yield Variant(spec, "other functions", back=lambda value: value and {**value, "log": []})


@pytest.mark.parametrize("relation", [upside_down, more_input])
def test_what_does_matter_is_noticed(relation: Relation) -> None:
    noticed = 0
    for seed in seeds(25, "renamed_nodes"):
        spec = steady(seed)
        assert spec is not None and has_fixed_edges(spec)
        try:
            compared(relation, relation.__name__, seed, spec)
        except Differs:
            noticed += 1
    assert noticed >= 5
