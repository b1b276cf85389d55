"""When a save goes wrong the caller hears of it as LangGraph would say it, and the thread can be taken up."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import pytest
from dropin.watch import Durability

from crashes.faults import Told, Trouble, try_fault
from crashes.points import CONTROL, MODES, WAYS, Case, Way, undisturbed
from crashes.saver import Fault, Kind
from crashes.shapes import CASES

SEED = 3
NAMES = (
    "four_hops",
    "ladders",
    "rounds_beside_a_slow_node",
    "asks_far_ahead",
    "uneven_diamond",
    "early_packets_to_subgraph",
)
FAULTS: tuple[Fault, ...] = ("fail", "locked", "apply and fail", "hang")
EVERY = {"put": 5, "put_writes": 13}
"""On every change only each fifth, or thirteenth, operation goes wrong."""


def _numbers(kind: Kind, operations: int, release: bool) -> Iterator[int]:
    yield from range(1, operations + 1, 1 if release else EVERY[kind])


def _operations(case: Case, implementation: str, durability: Durability) -> Counter[str]:
    undisturbed(case, implementation, durability, SEED)
    return Counter(case.saver.ledger.operations)


@pytest.mark.timeout(1800)
@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("name", NAMES)
def test_a_save_that_goes_wrong_is_told_and_the_thread_can_be_taken_up(name: str, fault: Fault, release: bool) -> None:
    (shape,) = (item for item in CASES if item.name == name)
    case = Case(shape)
    wanted = undisturbed(case, "langgraph", "sync", SEED)
    kinds: tuple[Kind, ...] = ("put", "put_writes")
    struck = 0
    for durability in MODES:
        for way in WAYS:
            operations = _operations(case, way.begins, durability)
            for kind in kinds:
                for number in _numbers(kind, operations[kind], release):
                    told = try_fault(case, Trouble(shape.name, durability, way, SEED, kind, number, fault), wanted)
                    assert told.struck
                    assert told.error in _what_langgraph_says(fault)
                    struck += 1
    assert struck > 0


def _what_langgraph_says(fault: Fault) -> set[str]:
    return {"hang": {"TimeoutError"}, "locked": {"DatabaseLocked"}}.get(fault, {"SaveFailed"})


@pytest.mark.parametrize("fault", FAULTS)
def test_langgraph_tells_the_same(fault: Fault) -> None:
    """The control: what the test above asks for is what LangGraph does by itself."""
    (shape,) = (item for item in CASES if item.name == "ladders")
    case = Case(shape)
    wanted = undisturbed(case, "langgraph", "sync", SEED)
    for durability in MODES:
        operations = _operations(case, "langgraph", durability)
        for number in range(1, operations["put"] + 1, 2):
            trouble = Trouble(shape.name, durability, CONTROL, SEED, "put", number, fault)
            assert try_fault(case, trouble, wanted) == Told(True, *_what_langgraph_says(fault))


def test_a_fault_that_never_comes_is_not_counted() -> None:
    (shape,) = (item for item in CASES if item.name == "ladders")
    case = Case(shape)
    wanted = undisturbed(case, "langgraph", "sync", SEED)
    trouble = Trouble(shape.name, "async", Way("alto", "langgraph"), SEED, "put", 1000, "fail")
    assert try_fault(case, trouble, wanted) == Told(False, "")
