"""Record: which task ran, and which task's writes the saver promised to keep.

Owns the name by which one task is known in both records. Always true:
  the name has no id in it, so it is the same after a crash, for an early firing, and on either implementation;
  equal packets to one node in one step share a name, and so names are counted, not collected.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from dropin import compare
from langchain_core.callbacks import AsyncCallbackHandler
from langgraph._internal._constants import ERROR, INTERRUPT, NULL_TASK_ID, RESUME, TASKS
from langgraph.checkpoint.base import Checkpoint
from langgraph.pregel._task_status import CONTROL_WRITES
from langgraph.types import Send

UNFINISHED = frozenset({ERROR, INTERRUPT, RESUME})


@dataclass(frozen=True, slots=True)
class Work:
    """One task of one step, as anybody can name it."""

    namespace: tuple[str, ...]
    node: str
    step: int
    packet: str = ""

    def __str__(self) -> str:
        return f"{'/'.join((*self.namespace, self.node))} of step {self.step} {self.packet}".rstrip()


@dataclass(frozen=True, slots=True)
class Place:
    """What a checkpoint says of the tasks that follow it."""

    step: int
    packets: tuple[tuple[str, str], ...]
    parents: tuple[tuple[str, str], ...]
    """Namespace and id of the checkpoints above it: a subgraph's work is lost with the task that it is a part of."""


@dataclass(frozen=True, slots=True)
class Promise:
    """One `put_writes` that returned."""

    namespace: str
    checkpoint_id: str
    task_id: str
    task_path: str
    channels: frozenset[str]

    @property
    def finishes(self) -> bool:
        """Whether these writes are the end of a task: not an error, a question or an answer to one."""
        return self.task_id != NULL_TASK_ID and not self.channels & UNFINISHED

    @property
    def is_torn(self) -> bool:
        """Whether a task that did not end has its first writes saved all the same."""
        return ERROR in self.channels and bool(self.channels - CONTROL_WRITES)


def sends_of(checkpoint: Checkpoint) -> tuple[tuple[str, str], ...]:
    """Node and packet of each `Send` that waits in a checkpoint."""
    packets: Iterable[Any] = checkpoint["channel_values"].get(TASKS, ())
    return tuple((packet.node, packet_name(packet.arg)) for packet in packets if isinstance(packet, Send))


def packet_name(packet: Any) -> str:
    return repr(compare.plain(packet))


def names(namespace: str) -> tuple[str, ...]:
    """A checkpoint namespace without the ids of its tasks."""
    return tuple(part.split(":", 1)[0] for part in namespace.split("|") if part)


def promised(promise: Promise, places: Mapping[tuple[str, str], Place]) -> Work | None:
    """Whose writes they were; None if the saver was never told of the checkpoint that they belong to."""
    place = places.get((promise.namespace, promise.checkpoint_id))
    if place is None:
        return None
    kind, name = promise.task_path.removeprefix("~").split(", ")[:2]
    if kind == "__pregel_push":
        node, packet = place.packets[int(name)]
        return Work(names(promise.namespace), node, place.step, packet)
    return Work(names(promise.namespace), name, place.step)


@dataclass(slots=True)
class Starts(AsyncCallbackHandler):
    """Counts each time that a node's code is started, through LangChain's own callbacks."""

    run_inline = True  # no turn of the loop between the call and the node's first line

    counts: Counter[Work] = field(default_factory=Counter)
    running: dict[UUID, Work] = field(default_factory=dict)
    done: int = 0
    """Nodes whose code came to its end, and not to an error."""

    def __hash__(self) -> int:
        return id(self)

    @property
    def is_ahead(self) -> bool:
        """Whether a later step had begun before an earlier one was done, which plain LangGraph never does."""
        first = min((work.step for work in self.running.values() if not work.namespace), default=None)
        return first is not None and any(work.step > first for work in self.counts if not work.namespace)

    async def on_chain_start(
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
            return  # a part of a node, or a graph
        assert metadata is not None
        path = metadata["langgraph_path"]
        packet = packet_name(inputs) if path[0] == "__pregel_push" else ""
        namespace = names(metadata["langgraph_checkpoint_ns"])[:-1]
        work = Work(namespace, metadata["langgraph_node"], metadata["langgraph_step"], packet)
        self.counts[work] += 1
        self.running[run_id] = work

    async def on_chain_end(self, outputs: Any, *, run_id: UUID, **settings: Any) -> None:
        self.done += self.running.pop(run_id, None) is not None

    async def on_chain_error(self, error: BaseException, *, run_id: UUID, **settings: Any) -> None:
        self.running.pop(run_id, None)
