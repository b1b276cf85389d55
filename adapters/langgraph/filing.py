"""Which tasks have writes among those that are pending: known, and not looked for once for each task of a step.

LangGraph goes through all pending writes whenever a task files its own, to drop what that task has filed before: for
a fan-out of n items n²/2 looks. Here a task that has filed nothing yet files beside the others.

Always true: a list that somebody else has changed or replaced is read anew.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

Pending = list[tuple[str, str, Any]]
"""(task id, channel, value)"""


class HasPending(Protocol):
    """A loop of LangGraph's."""

    checkpoint_pending_writes: Any


class Filing:
    """Files the writes of the tasks of one run."""

    def __init__(self) -> None:
        self._pending: Pending = []
        self._length = 0
        self._tasks: set[str] = set()

    def file(self, loop: HasPending, task_id: str, put: Callable[[], None]) -> None:
        """`put` has LangGraph file the writes of a task; it sees the others' only where it has to."""
        pending: Pending = loop.checkpoint_pending_writes
        if pending is not self._pending or len(pending) != self._length:
            self._read(pending)
        if task_id in self._tasks:
            put()
            return
        loop.checkpoint_pending_writes = []
        try:
            put()
        finally:
            pending.extend(loop.checkpoint_pending_writes)
            loop.checkpoint_pending_writes = pending
            self._tasks.add(task_id)
            self._length = len(pending)

    def _read(self, pending: Pending) -> None:
        self._pending = pending
        self._length = len(pending)
        self._tasks = {task_id for task_id, _, _ in pending}
