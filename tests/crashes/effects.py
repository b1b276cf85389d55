"""Effects: what really happened, in a file that outlives every process that wrote it.

Owns the record of a run that is killed: which node was started, which came to its end, and which writes the saver
promised to keep. Always true: a line is appended with one write and synced before the run goes on, so a line that a
process wrote is there whenever that process died.
"""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID

from langchain_core.callbacks import BaseCallbackHandler
from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.base import Checkpoint, CheckpointMetadata, CheckpointTuple

from crashes.record import Place, Promise, Work, names, packet_name, promised, sends_of


class EffectsFile(BaseCallbackHandler):
    """Appends a line for each start and each end of a node; works for both colours."""

    run_inline = True

    def __init__(self, path: Path) -> None:
        self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        self._running: dict[UUID, Work] = {}

    def append(self, what: str, **details: Any) -> None:
        line = json.dumps({"what": what, **details}) + "\n"
        os.write(self._file, line.encode())
        os.fsync(self._file)

    def work(self, what: str, work: Work) -> None:
        self.append(what, work=[list(work.namespace), work.node, work.step, work.packet])

    def on_chain_start(
        self,
        serialized: Any,
        inputs: Any,
        *,
        run_id: UUID,
        tags: list[str] | None = None,
        metadata: dict[str, Any] | None = None,
        **settings: Any,
    ) -> None:
        if not any(tag.startswith("graph:step:") for tag in tags or ()):
            return
        assert metadata is not None
        packet = packet_name(inputs) if metadata["langgraph_path"][0] == "__pregel_push" else ""
        namespace = names(metadata["langgraph_checkpoint_ns"])[:-1]
        work = Work(namespace, metadata["langgraph_node"], metadata["langgraph_step"], packet)
        self._running[run_id] = work
        self.work("start", work)

    def on_chain_end(self, outputs: Any, *, run_id: UUID, **settings: Any) -> None:
        work = self._running.pop(run_id, None)
        if work is not None:
            self.work("effect", work)

    def on_chain_error(self, error: BaseException, *, run_id: UUID, **settings: Any) -> None:
        self._running.pop(run_id, None)


class Promises:
    """What a saver keeps in mind to name the tasks whose writes it has saved."""

    def __init__(self, effects: EffectsFile) -> None:
        self._effects = effects
        self._places: dict[tuple[str, str], Place] = {}

    def place(self, namespace: str, checkpoint: Checkpoint, metadata: CheckpointMetadata) -> None:
        parents = tuple(metadata.get("parents", {}).items())
        self._places[namespace, checkpoint["id"]] = Place(metadata["step"] + 1, sends_of(checkpoint), parents)

    def loaded(self, found: CheckpointTuple | None) -> CheckpointTuple | None:
        if found is not None:
            self.place(found.config["configurable"].get("checkpoint_ns", ""), found.checkpoint, found.metadata)
        return found

    def kept(self, config: RunnableConfig, writes: Sequence[tuple[str, Any]], task_id: str, task_path: str) -> None:
        where = config["configurable"]
        channels = frozenset(channel for channel, _ in writes)
        promise = Promise(where.get("checkpoint_ns", ""), where["checkpoint_id"], task_id, task_path, channels)
        work = promised(promise, self._places) if promise.finishes else None
        if work is not None:
            self._effects.work("promise", work)


class RecordsPromises:
    """Mixed into an asynchronous saver."""

    promises: Promises

    async def aget_tuple(self, config: RunnableConfig) -> CheckpointTuple | None:
        return self.promises.loaded(await super().aget_tuple(config))  # type: ignore[misc]

    async def aput(self, config: RunnableConfig, checkpoint: Checkpoint, metadata: Any, versions: Any) -> Any:
        self.promises.place(config["configurable"].get("checkpoint_ns", ""), checkpoint, metadata)
        return await super().aput(config, checkpoint, metadata, versions)  # type: ignore[misc]

    async def aput_writes(self, config: RunnableConfig, writes: Any, task_id: str, task_path: str = "") -> None:
        await super().aput_writes(config, writes, task_id, task_path)  # type: ignore[misc]
        self.promises.kept(config, writes, task_id, task_path)


class RecordsPromisesOnThreads:
    """Mixed into a synchronous saver."""

    promises: Promises

    def get_tuple(self, config: RunnableConfig) -> CheckpointTuple | None:
        return self.promises.loaded(super().get_tuple(config))  # type: ignore[misc]

    def put(self, config: RunnableConfig, checkpoint: Checkpoint, metadata: Any, versions: Any) -> Any:
        self.promises.place(config["configurable"].get("checkpoint_ns", ""), checkpoint, metadata)
        return super().put(config, checkpoint, metadata, versions)  # type: ignore[misc]

    def put_writes(self, config: RunnableConfig, writes: Any, task_id: str, task_path: str = "") -> None:
        super().put_writes(config, writes, task_id, task_path)  # type: ignore[misc]
        self.promises.kept(config, writes, task_id, task_path)


@dataclass(slots=True)
class Life:
    """What one process did before it ended or was killed."""

    starts: Counter[Work] = field(default_factory=Counter)
    effects: Counter[Work] = field(default_factory=Counter)
    promises: Counter[Work] = field(default_factory=Counter)


@dataclass(slots=True)
class History:
    """What all processes of one run did."""

    lives: list[Life] = field(default_factory=list)
    state: str | None = None
    error: str | None = None
    early: int = 0
    """Firings that the process which ended the run had started early."""

    def total(self, what: str) -> Counter[Work]:
        counts: Counter[Work] = Counter()
        for life in self.lives:
            counts += getattr(life, what)
        return counts


def read(path: Path) -> History:
    """The record as it stands. A last line that was cut by a kill is none."""
    history = History()
    for line in path.read_text().split("\n")[:-1] if path.exists() else ():
        entry = json.loads(line)
        match entry["what"]:
            case "begin":
                history.lives.append(Life())
            case "end":
                history.state, history.early = entry["state"], entry["early"]
            case "error":
                history.error = entry["error"]
            case kind:
                namespace, node, step, packet = entry["work"]
                getattr(history.lives[-1], f"{kind}s")[Work(tuple(namespace), node, step, packet)] += 1
    return history
