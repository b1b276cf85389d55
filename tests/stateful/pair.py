"""Pair: one graph on two sides that live the same life, and must stay alike.

Owns the judgement: what must agree after each operation, and what LangGraph itself leaves open. Always true:
  at each moment one side is run by plain LangGraph and the other by ours, and a hand-over swaps them;
  the same name and the same operations give the same life.

What LangGraph leaves open is not compared: after a node has failed, or a run was cut, which of the siblings had ended
by then, whose writes LangGraph shows in the state. So after an error the newest state is compared as the history
tells it, with its tasks by name alone, and nothing is done to it that would apply what they had written; a run that
was cut is carried on at once, and from then on the tasks in the history of its thread are compared by name alone.
What the call that carries it on returns depends on how much was left to do: the saved state is compared in its place.
How often nodes ran is compared for what ended well.
"""

from __future__ import annotations

import functools
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from dropin import compare
from dropin.watch import App

import alto_lg
from stateful.differences import same
from stateful.graphs import graph, hides_where_it_was, saves_joins_too_full, synchronous
from stateful.operations import (
    Bulk,
    Calm,
    Cancel,
    Crash,
    Cut,
    Delete,
    Fork,
    HandOver,
    Operation,
    Resume,
    StopEarly,
    Together,
    Update,
)
from stateful.sides import Life, Runner, Seen, Side, World
from stateful.worlds import VirtualTime

LIMIT_REACHED = "GraphRecursionError"
LACKING = "MissingCheckpointer"
"""In `sync`, a subgraph without a checkpointer fails in LangGraph with an AttributeError from inside."""


@dataclass(slots=True)
class Thread:
    """What is known of a thread. settled: its newest state does not depend on the schedule."""

    checkpoints: int = 0
    questions: int = 0
    settled: bool = True
    disturbed: bool = False


class Pair:
    """Both sides of one graph."""

    def __init__(self, name: str, world: World, accelerate: Any) -> None:
        self.name = name
        self.threads: dict[str, Thread] = {}
        self.played: list[Operation] = []
        spec = graph(name)
        self._world = world
        self._spec = synchronous(spec) if world.threads else spec
        runners: tuple[Runner, Runner] = ("langgraph", "alto")
        self.sides = tuple(Side(self._spec, runner, world, accelerate) for runner in runners)

    def reborn(self) -> None:
        """As if nothing had happened yet."""
        self.threads, self.played = {}, []
        self.sides[0].reborn("langgraph")
        self.sides[1].reborn("alto")

    @property
    def early(self) -> int:
        """Firings that started early so far."""
        return sum(side.early for side in self.sides)

    def possible(self, operation: Operation) -> bool:
        """Whether LangGraph has one answer to it, and a right one."""
        if getattr(operation, "durability", "") == "exit" and saves_joins_too_full(self._spec):
            return False
        match operation:
            case Update() | Bulk() | Resume():
                return self._thread(operation.thread).settled
            case Together():
                first, second = operation.first, operation.second
                return first.thread != second.thread and self.possible(first) and self.possible(second)
            case Crash() if hides_where_it_was(self._spec):
                return False
            case StopEarly() | Cancel() | Crash():
                # A value that is never saved is gone with the run that made it, which may have come to any step.
                return not any(key.kind == "hidden" for key in self._spec.every_key())
        return True

    def asking(self) -> list[str]:
        """The threads in which questions wait for an answer."""
        return [name for name, thread in sorted(self.threads.items()) if thread.questions and thread.settled]

    def play(self, operation: Operation) -> None:
        """Let both sides do it, and compare.

        Raises:
            Differs: they are not alike any more.
        """
        self.played.append(operation)
        try:
            self._play(operation)
        except BaseException as error:
            error.add_note(f"replay, in tests/: {self.replay_line()}")
            raise

    def replay_line(self) -> str:
        world = ", world=Threads()" if self._world.threads else ""
        return f'python -c "from stateful.pair import *; replay({self.name!r}, {self.played!r}{world})"'

    def end(self) -> None:
        """Compare all that is saved of all threads."""
        try:
            for name, thread in self.threads.items():
                left, right = (side.life(name, None) for side in self.sides)
                self._compare_lives(name, thread, left, right)
        except BaseException as error:
            error.add_note(f"replay, in tests/: {self.replay_line()}")
            raise

    # ── judging ─────────────────────────────────────────────────────────────────────────────────────────────

    def _play(self, operation: Operation) -> None:
        if isinstance(operation, HandOver):
            for side in self.sides:
                side.hand_over()
            touched: list[str] = list(self.threads)
        else:
            touched = self._run(operation)
        for name in touched:
            self._look(name)

    def _run(self, operation: Calm | Cut | Together) -> list[str]:
        (left, notes), (right, other_notes) = (side.play(operation, len(self.played)) for side in self.sides)
        parts: Sequence[Calm | Cut] = [operation]
        if isinstance(operation, Together):
            parts = [operation.first, operation.second]
        for part, one, other in zip(parts, left, right, strict=True):
            self._compare_shown(part, one, other)
            self._note(part, one, other)
        if all(seen.ended and not seen.error for seen in (*left, *right)):
            same("nodes that ran", dict(sorted(notes.items())), dict(sorted(other_notes.items())))
        return [part.thread for part in parts]

    def _compare_shown(self, operation: Calm | Cut, one: Seen, other: Seen) -> None:
        if not (one.ended and other.ended) and LIMIT_REACHED in (_raised(one), _raised(other)):
            return  # who is carried on from a later step reaches the limit later
        if self._spec.may_fail or LACKING in (_raised(one), _raised(other)):
            same("kind of error", _kind(one), _kind(other))
        else:
            same("error", one.error, other.error)
        if one.ended and other.ended and one.error is None:
            same("result", one.result, other.result)
        if one.error is None:
            same("events", compare.streams(one.events), compare.streams(other.events))

    def _note(self, operation: Calm | Cut, one: Seen, other: Seen) -> None:
        """What is known of the thread now."""
        thread = self._thread(operation.thread)
        if isinstance(operation, Delete):
            self.threads[operation.thread] = Thread()
        elif isinstance(operation, Update | Bulk) or (isinstance(operation, Fork) and not operation.runs_on):
            thread.settled = thread.settled or one.error is None
        else:
            thread.settled = one.error is None
            thread.disturbed |= not thread.settled
        if not (one.ended and other.ended):
            thread.disturbed = True
            if LIMIT_REACHED in (_raised(one), _raised(other)):
                self._forget(operation.thread)

    def _forget(self, name: str) -> None:
        for side in self.sides:
            side.saver.delete_thread(name)
        self.threads[name] = Thread()

    def _look(self, name: str) -> None:
        """Compare the thread's newest state, and what is new in its history."""
        thread = self._thread(name)
        one, other = (side.checkpoints(name) for side in self.sides)
        same("number of checkpoints", _of_graph(one), _of_graph(other))
        new = max(0, _of_graph(one) - thread.checkpoints)
        thread.checkpoints = _of_graph(one)
        left, right = (side.life(name, new + 1) for side in self.sides)
        thread.questions = len(left.head["interrupts"]) if isinstance(left.head, dict) else 0
        self._compare_lives(name, thread, left, right)

    def _compare_lives(self, name: str, thread: Thread, left: Life, right: Life) -> None:
        if not thread.disturbed:
            same(f"checkpoints of thread {name}", left.checkpoints, right.checkpoints)
            same(f"state of thread {name}", _without_ids(left.head), _without_ids(right.head))
            same(f"history of thread {name}", _each_without_ids(left.history), _each_without_ids(right.history))
            return
        if thread.settled:
            heads = (_without_errors(_without_ids(head)) for head in (left.head, right.head))
            same(f"state of thread {name}", *heads)
        same(f"history of thread {name}", _each_by_name(left.history), _each_by_name(right.history))

    def _thread(self, name: str) -> Thread:
        return self.threads.setdefault(name, Thread())


def _raised(seen: Seen) -> str:
    """The name of the class of its error."""
    return seen.error[1] if seen.error else ""


def _kind(seen: Seen) -> str:
    """The same; what ours raises sooner, and with better words, goes by LangGraph's."""
    return "AttributeError" if _raised(seen) == LACKING else _raised(seen)


def _of_graph(counts: Counter[tuple[str, ...]]) -> int:
    return counts[("",)]


def _by_name(snapshot: Any) -> Any:
    """A state, with nothing said of how far its tasks had come."""
    if not isinstance(snapshot, dict):
        return snapshot
    tasks = [{"name": task["name"], "path": task["path"]} for task in snapshot["tasks"]]
    return {key: item for key, item in {**snapshot, "tasks": tasks}.items() if key not in ("next", "interrupts")}


def _each_by_name(history: Any) -> Any:
    return [_by_name(item) for item in history] if isinstance(history, list) else history


def _without_ids(snapshot: Any) -> Any:
    """A state, whose messages may be saved as their task wrote them or as the reducer has named them since.

    LangGraph saves a task's writes while it applies them: which comes first depends on the order of its tasks.
    """
    if not isinstance(snapshot, dict):
        return snapshot
    tasks = [
        {**task, "result": _named(task["result"]), "state": _without_ids(task["state"])} for task in snapshot["tasks"]
    ]
    return {**snapshot, "tasks": tasks}


def _each_without_ids(history: Any) -> Any:
    return [_without_ids(item) for item in history] if isinstance(history, list) else history


def _named(value: Any) -> Any:
    match value:
        case ("message", kind, None, content):
            return ("message", kind, "<generated>", content)
        case dict():
            return {key: _named(item) for key, item in value.items()}
        case list() | tuple():
            return type(value)(_named(item) for item in value)
    return value


def _without_errors(snapshot: Any) -> Any:
    """A state, without the errors that a cut run has left at tasks that have run again since."""
    if not isinstance(snapshot, dict):
        return snapshot
    tasks = [{**task, "error": None, "state": _without_errors(task["state"])} for task in snapshot["tasks"]]
    return {**snapshot, "tasks": tasks}


def ours(graph: App) -> App:
    """How long a node holds the loop says nothing on a machine that is shared."""
    return alto_lg.accelerate(graph, blocking_s=0)


@functools.lru_cache(maxsize=64)
def pair(name: str, world: type[World] = VirtualTime) -> Pair:
    """Both sides of a graph, compiled and planned once for all lives."""
    return Pair(name, world(), ours)


def replay(name: str, operations: Sequence[Operation], world: World | None = None, accelerate: Any = ours) -> Pair:
    """Live that life again."""
    made = Pair(name, world or VirtualTime(), accelerate)
    for operation in operations:
        made.play(operation)
    made.end()
    return made
