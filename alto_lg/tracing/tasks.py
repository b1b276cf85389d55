"""Tasks of a trace: what ran, from when to when, and what can be told from that.

Always true: nothing here depends on which engine ran the graph; "early" is read off the times alone.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Literal
from uuid import UUID

from alto_lg.engine.ancestry import Ancestry

Kind = Literal["node", "model", "tool"]
Ending = Literal["done", "failed", "interrupted", "cancelled", "unfinished"]


@dataclass(frozen=True, slots=True)
class TracedTask:
    """One piece of work that was seen: a node of a graph, or a call of a model or a tool inside one.

    kind, name: what it is; the name of a node's task is the node's, and a call of a `@task` function counts as a node.
    node, step: where LangGraph files it. within: the nodes whose subgraph it belongs to, outermost first.
    place: among the packets of its sender where the engine tells the sender, else among all packets of its step;
        None for a node that an edge led to.
    ancestry: which item of which item it worked on; None where no accelerated graph ran it.
    started_s, ended_s: seconds since the first graph of the trace began.
    ending: how it ended. error: the name of the exception of a failed one.
    early: it began before an earlier step of the same run had ended.
    waited_for: what it had to wait for, as far as that is known.
    """

    kind: Kind
    name: str
    node: str
    step: int
    within: tuple[str, ...]
    place: int | None
    ancestry: Ancestry | None
    started_s: float
    ended_s: float
    ending: Ending
    error: str | None
    early: bool
    waited_for: str | None

    @property
    def took_s(self) -> float:
        """Seconds from its beginning to its end."""
        return self.ended_s - self.started_s


Heard = tuple[UUID | None, TracedTask]
"""A task with the run of the graph that it is a task of."""
Path = tuple[str, ...]
"""A place in a graph: the nodes around it, the node, and a model or tool inside it."""


def with_waits(heard: Iterable[Heard]) -> tuple[TracedTask, ...]:
    """The tasks, earliest first, with what their steps say: whether they were early, and what they waited for."""
    runs: defaultdict[UUID | None, list[TracedTask]] = defaultdict(list)
    for run, task in heard:
        runs[run].append(task)
    told = [task for tasks in runs.values() for task in _of_one_run(tasks)]
    return tuple(sorted(told, key=lambda task: (task.started_s, task.ended_s, task.step, task.name, task.place or 0)))


def _of_one_run(tasks: Sequence[TracedTask]) -> list[TracedTask]:
    last_of: dict[int, TracedTask] = {}
    for task in sorted((task for task in tasks if task.kind == "node"), key=lambda task: task.ended_s):
        last_of[task.step] = task
    return [_judged(task, last_of) if task.kind == "node" else task for task in tasks]


def _judged(task: TracedTask, last_of: dict[int, TracedTask]) -> TracedTask:
    before = [last for step, last in last_of.items() if step < task.step]
    if not before:
        return task
    last = max(before, key=lambda one: one.ended_s)
    early = task.started_s < last.ended_s
    if early:
        waited = task.waited_for or _sender(task)
    else:
        waited = f"the end of step {last.step}, in which {last.name!r} was the last"
        waited = f"{waited} ({task.waited_for})" if task.waited_for else waited
    return replace(task, early=early, waited_for=waited)


def _sender(task: TracedTask) -> str | None:
    above = None if task.ancestry is None or task.ancestry.index is None else task.ancestry.parent
    return None if above is None else f"its sender, {above}"


def with_ancestry_of(tasks: Sequence[TracedTask], others: Sequence[TracedTask]) -> tuple[TracedTask, ...]:
    """The same tasks with the ancestry that an accelerated run of the same graph on the same input gave to them.

    Both engines commit the same tasks in the same order, so that a task is found by its step, its node and its place
    there. That holds for the nodes of the graph itself; which run of a subgraph is which is not known.
    """
    known = {place: others[index].ancestry for place, index in _places(others).items()}
    given = {index: known.get(place) for place, index in _places(tasks).items()}
    return tuple(replace(task, ancestry=task.ancestry or given.get(index)) for index, task in enumerate(tasks))


def _places(tasks: Sequence[TracedTask]) -> dict[tuple[object, ...], int]:
    """Where each stands in LangGraph's order, whichever engine ran it."""
    own = [(index, task) for index, task in enumerate(tasks) if task.kind == "node" and not task.within]
    numbers: defaultdict[tuple[object, ...], int] = defaultdict(int)
    places: dict[tuple[object, ...], int] = {}
    for index, task in sorted(own, key=lambda pair: _order(pair[1])):
        group = (task.step, task.name, task.place is None)
        places[(*group, numbers[group])] = index
        numbers[group] += 1
    return places


def _order(task: TracedTask) -> tuple[int, tuple[object, ...]]:
    return (0, (task.place or 0,)) if task.ancestry is None else (1, task.ancestry.order)


def grouped(traces: Sequence[Sequence[TracedTask]]) -> dict[Path, list[list[TracedTask]]]:
    """Place in the graph → the tasks there, of each trace; what is inside of a node comes right after it."""
    found: dict[Path, list[list[TracedTask]]] = {}
    first: dict[Path, tuple[int, float]] = {}
    for number, tasks in enumerate(traces):
        for task in tasks:
            path = (*task.within, task.node, *(() if task.kind == "node" else (f"{task.kind} {task.name}",)))
            found.setdefault(path, [[] for _ in traces])[number].append(task)
            for levels in range(1, len(path) + 1):
                first.setdefault(path[:levels], (number, task.started_s))
    # By who came first in the first trace that has it, so that all traces are shown in one order.
    ordered = sorted(
        found, key=lambda path: [(first[path[:levels]], path[:levels]) for levels in range(1, len(path) + 1)]
    )
    return {path: found[path] for path in ordered}
