"""A simulated saver: LangGraph's in-memory saver at the far end of a slow and faulty line.

Owns what is durable, and the record of what was promised. Always true:
  an operation takes virtual time; it is durable from one moment within that time on, and promised when it returns;
  what is saved passes through the real serializer, so nothing that is loaded is shared with the run that saved it;
  a fault is chosen by the number of the operation, so that a plan of faults means the same on every run.
"""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.base import ChannelVersions, Checkpoint, CheckpointMetadata, CheckpointTuple
from langgraph.checkpoint.memory import InMemorySaver

from crashes.record import Place, Promise, sends_of

Fault = Literal["fail", "hang", "apply and fail", "locked"]
Kind = Literal["put", "put_writes"]

DELAYS_S = (0.0, 0.0, 0.01, 0.03, 0.12, 0.3)
"""Some saves take longer than some nodes, so that saves of several steps are under way at once."""


class SaveFailed(RuntimeError):
    """The saver could not save, or says so."""


class DatabaseLocked(RuntimeError):
    """Another process holds the database."""


@dataclass(slots=True)
class Ledger:
    """What the saver was asked and what it promised, over all runs since `SimulatedSaver.reset`."""

    places: dict[tuple[str, str], Place] = field(default_factory=dict)
    """By namespace and id: each checkpoint that was handed to `aput`, whether or not it ever became durable."""
    promises: list[Promise] = field(default_factory=list)
    """Writes of tasks whose `aput_writes` has returned."""
    operations: Counter[str] = field(default_factory=Counter)
    faults: Counter[str] = field(default_factory=Counter)
    under_way: Counter[str] = field(default_factory=Counter)
    writing: Counter[tuple[str, str]] = field(default_factory=Counter)
    """By checkpoint: saves of writes that were begun and have not returned."""
    overtaken: int = 0
    """Checkpoints that became durable before all the writes that they contain, as LangGraph allows (its issue 8039)."""

    changed_by: Counter[str] = field(default_factory=Counter)
    """By implementation: checkpoints whose values were changed between the call of `aput` and the moment of saving.

    LangGraph 1.2.22 does that to the set of a list join, where a task of the next step has its writes already: what is
    saved is the step and half of the next one, and nobody can end such a thread.
    """

    def process_died(self) -> None:
        """What it was saving is not under way any more."""
        self.under_way.clear()
        self.writing.clear()


class SimulatedSaver(InMemorySaver):
    """Slow, recorded, and faulty on demand.

    used_by: the implementation that runs now, to be set by whoever runs it.
    """

    def __init__(self, delays_s: Sequence[float] = DELAYS_S) -> None:
        super().__init__()
        self._delays_s = delays_s
        self.reset()

    def reset(self, seed: int = 0, faults: Mapping[tuple[Kind, int], Fault] | None = None) -> None:
        """Forget everything; the delays to come are drawn from the seed."""
        self.storage.clear()
        self.writes.clear()
        self.blobs.clear()
        self.ledger = Ledger()
        self.faults = dict(faults or {})
        self.used_by = ""
        self._random = random.Random(f"saver:{seed}")

    def is_durable(self, namespace: str, checkpoint_id: str) -> bool:
        """Whether a checkpoint is saved, and every one above it, without which nobody would find it again."""
        if not any(checkpoint_id in spaces.get(namespace, {}) for spaces in self.storage.values()):
            return False
        place = self.ledger.places[namespace, checkpoint_id]
        return all(self.is_durable(*parent) for parent in place.parents)

    async def aget_tuple(self, config: RunnableConfig) -> CheckpointTuple | None:
        await self._travel()
        return super().get_tuple(config)

    async def alist(self, config: RunnableConfig | None, **settings: Any) -> AsyncIterator[CheckpointTuple]:
        await self._travel()
        for item in super().list(config, **settings):
            yield item

    async def aput(
        self,
        config: RunnableConfig,
        checkpoint: Checkpoint,
        metadata: CheckpointMetadata,
        new_versions: ChannelVersions,
    ) -> RunnableConfig:
        namespace = config["configurable"].get("checkpoint_ns", "")
        self.ledger.places[namespace, checkpoint["id"]] = Place(
            metadata["step"] + 1, sends_of(checkpoint), tuple(metadata.get("parents", {}).items())
        )
        handed_over = self.serde.dumps_typed(checkpoint["channel_values"])
        fault = await self._begin("put")
        try:
            await self._travel()
            self.ledger.changed_by[self.used_by] += handed_over != self.serde.dumps_typed(checkpoint["channel_values"])
            parent = (namespace, config["configurable"].get("checkpoint_id", ""))
            self.ledger.overtaken += self.ledger.writing[parent] > 0
            saved = self.put(config, checkpoint, metadata, new_versions)
            await self._answer("put", fault)
            return saved
        finally:
            self.ledger.under_way["put"] -= 1

    async def aput_writes(
        self, config: RunnableConfig, writes: Sequence[tuple[str, Any]], task_id: str, task_path: str = ""
    ) -> None:
        where = config["configurable"]
        owner = (where.get("checkpoint_ns", ""), where["checkpoint_id"])
        fault = await self._begin("put_writes")
        self.ledger.writing[owner] += 1
        try:
            await self._travel()
            self.put_writes(config, writes, task_id, task_path)
            await self._answer("put_writes", fault)
        finally:
            self.ledger.under_way["put_writes"] -= 1
            self.ledger.writing[owner] -= 1
        channels = frozenset(channel for channel, _ in writes)
        self.ledger.promises.append(Promise(*owner, task_id, task_path, channels))

    async def _travel(self) -> None:
        await asyncio.sleep(self._random.choice(self._delays_s))

    async def _begin(self, kind: Kind) -> Fault | None:
        """Count the operation, and fail here if it is to fail before anything is saved."""
        self.ledger.operations[kind] += 1
        self.ledger.under_way[kind] += 1
        fault = self.faults.get((kind, self.ledger.operations[kind]))
        if fault is None or fault == "apply and fail":
            return fault
        self.ledger.faults[fault] += 1
        try:
            await self._travel()
            if fault == "hang":
                await asyncio.get_running_loop().create_future()
        finally:
            self.ledger.under_way[kind] -= 1
        if fault == "locked":
            raise DatabaseLocked("database is locked")
        raise SaveFailed(f"{kind} {self.ledger.operations[kind]} was not saved")

    async def _answer(self, kind: Kind, fault: Fault | None) -> None:
        """From here on it is durable; the caller hears of it later, or never."""
        await self._travel()
        if fault == "apply and fail":
            self.ledger.faults[fault] += 1
            raise SaveFailed(f"{kind} was saved, but says that it was not")
