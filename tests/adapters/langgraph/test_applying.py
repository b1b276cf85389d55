"""The commit that walks through few channels, beside LangGraph's, on random channels, tasks and steps."""

from __future__ import annotations

import operator
import random
from dataclasses import dataclass
from typing import Any

import pytest
from langgraph.channels import (
    AnyValue,
    BinaryOperatorAggregate,
    EphemeralValue,
    LastValue,
    NamedBarrierValue,
    Topic,
    UntrackedValue,
)
from langgraph.channels.last_value import LastValueAfterFinish
from langgraph.pregel._algo import apply_writes, increment

from alto_lg.adapters.langgraph.applying import commit
from alto_lg.adapters.langgraph.stepping import RunChannels

STEPS = 12


class Restless(LastValue[Any]):
    """A channel of the user's: by itself it changes at every second step."""

    def update(self, values: Any) -> bool:
        if not values and isinstance(self.value, int) and self.value % 2:
            self.value += 1
            return True
        return super().update(values)

    @property
    def UpdateType(self) -> Any:
        return int


@dataclass(frozen=True)
class Task:
    """What a commit looks at."""

    name: str
    path: tuple[Any, ...]
    triggers: tuple[str, ...]
    writes: tuple[tuple[str, Any], ...]


def _channels(source: random.Random) -> dict[str, Any]:
    kinds: dict[str, Any] = {
        "last": lambda: LastValue(int),
        "sum": lambda: BinaryOperatorAggregate(int, operator.add),
        "gone": lambda: EphemeralValue(int, guard=False),
        "any": lambda: AnyValue(int),
        "untracked": lambda: UntrackedValue(int, guard=False),
        "topic": lambda: Topic(int, accumulate=False),
        "late": lambda: LastValueAfterFinish(int),
        "join": lambda: NamedBarrierValue(str, {"a", "b"}),
        "own": lambda: Restless(int),
    }
    made = {}
    for kind, make in kinds.items():
        for number in range(source.randint(1, 4)):
            made[f"{kind}{number}"] = make()
            made[f"{kind}{number}"].key = f"{kind}{number}"
    return made


def _tasks(source: random.Random, channels: dict[str, Any], step: int) -> list[Task]:
    """A step's; each channel that takes one value is written by one of them."""
    names = list(channels)
    written: set[str] = set()
    tasks = []
    for number in range(source.randint(1, 3)):
        writes = []
        for name in source.sample(names, source.randint(0, 5)):
            if name in written and name.startswith(("last", "own")):
                continue
            written.add(name)
            writes.append((name, source.choice("ab") if name.startswith("join") else source.randint(0, 9)))
        tasks.append(Task(f"n{number}", ("__pregel_pull", f"n{number}"), tuple(source.sample(names, 2)), tuple(writes)))
    return tasks


def _values(channels: Any) -> dict[str, Any]:
    return {name: one.checkpoint() for name, one in channels.items()}


@pytest.mark.parametrize("seed", range(60))
def test_every_step_leaves_the_same_channels_and_versions(seed: int) -> None:
    source = random.Random(seed)
    plain, ours = _channels(random.Random(seed)), RunChannels(_channels(random.Random(seed)))
    checkpoints: list[Any] = [{"channel_versions": {}, "versions_seen": {}} for _ in range(2)]
    triggers = {name: ["n0"] for name in source.sample(list(plain), len(plain) // 2)}
    for step in range(STEPS):
        tasks = _tasks(source, plain, step)
        left = apply_writes(checkpoints[0], plain, tasks, increment, triggers)
        right = commit(checkpoints[1], ours, tasks, increment, triggers)
        assert left == right
        assert checkpoints[0] == checkpoints[1]
        assert _values(plain) == _values(ours)


def test_few_channels_are_walked_through_in_a_long_chain() -> None:
    names = [f"branch:to:n{number}" for number in range(1000)]
    channels = RunChannels({name: EphemeralValue(int, guard=False) for name in names} | {"state": LastValue(int)})
    checkpoint: Any = {"channel_versions": {}, "versions_seen": {}}
    for number in range(3):
        task = Task(
            f"n{number}", ("__pregel_pull", f"n{number}"), (names[number],), ((names[number + 1], 0), ("state", number))
        )
        commit(checkpoint, channels, [task], increment, {name: ["n"] for name in names})
    assert channels.walked() == [names[3]]
    assert len(channels) == 1001
