"""The page of a trace: the timelines of all traces on one axis, and every task as a table."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import count
from xml.etree.ElementTree import Element

from alto_lg.tracing.markup import details, element, page, table
from alto_lg.tracing.tasks import Ending, Path, TracedTask, grouped, with_ancestry_of
from alto_lg.tracing.timeline import Bar, Panel, Row, timeline

_LOOKS: dict[Ending, str] = {
    "done": "",
    "failed": "failed",
    "interrupted": "stopped",
    "cancelled": "stopped",
    "unfinished": "stopped",
}
_HEAD = ["task", "step", "began (s)", "ended (s)", "took (s)", "ending", "waited for", "ancestry", "within"]


def trace_page(traces: Sequence[tuple[str, Sequence[TracedTask]]], notes: Sequence[str] = ()) -> str:
    """A page that needs nothing but itself; the first trace is the one that the others are compared with."""
    told = _with_ancestry(traces)
    panels = _panels(told)
    drawn = timeline(panels, "What ran when, in all traces on one axis")
    tables = [
        details(f"{label}: {len(tasks)} tasks", table(_HEAD, [_cells(task) for task in tasks], caption=label))
        for label, tasks in told
    ]
    body = [element("p", note) for note in notes]
    return page("Trace of a graph", *body, _legend(told), drawn, element("h2", "Every task"), *tables)


def _with_ancestry(
    traces: Sequence[tuple[str, Sequence[TracedTask]]],
) -> list[tuple[str, Sequence[TracedTask]]]:
    known = next((tasks for _, tasks in traces if any(task.ancestry for task in tasks)), ())
    return [(label, with_ancestry_of(tasks, known)) for label, tasks in traces]


def _panels(traces: Sequence[tuple[str, Sequence[TracedTask]]]) -> list[Panel]:
    rows: list[list[Row]] = [[] for _ in traces]
    tones = count()
    for path, of_each in grouped([tasks for _, tasks in traces]).items():
        tone = next(tones)
        for own, tasks in zip(rows, of_each, strict=True):
            if tasks:
                own.append(_row(path, tasks, tone))
    return [
        Panel(f"{label} · {max((task.ended_s for task in tasks), default=0.0):.3f} s", tuple(own), _steps(tasks))
        for (label, tasks), own in zip(traces, rows, strict=True)
    ]


def _row(path: Path, tasks: Sequence[TracedTask], tone: int) -> Row:
    return Row(path[-1], tuple(_bar(task) for task in tasks), len(path) - 1, tone)


def _bar(task: TracedTask) -> Bar:
    look = " ".join(word for word in (_LOOKS[task.ending], "early" if task.early else "") if word)
    return Bar(task.started_s, task.ended_s, _number(task), _title(task), look)


def _number(task: TracedTask) -> str:
    """Which item of which item it is for, as far as that is known."""
    levels = () if task.ancestry is None else task.ancestry.levels()
    places = [level.index for level in levels if level.index is not None]
    if not places and task.place is not None:
        places = [task.place]
    return "#" + ".".join(map(str, places)) if places else ""


def _title(task: TracedTask) -> str:
    lines = [
        f"{task.name}{_number(task)}, step {task.step}{', began before its step' if task.early else ''}",
        f"{task.started_s:.3f} s to {task.ended_s:.3f} s: {task.took_s:.3f} s",
        "" if task.ancestry is None else str(task.ancestry),
        "" if task.ending == "done" else f"{task.ending} {task.error or ''}",
        "" if task.waited_for is None else f"waited for {task.waited_for}",
    ]
    return "\n".join(line for line in lines if line)


def _steps(tasks: Sequence[TracedTask]) -> tuple[tuple[float, str], ...]:
    """Where the steps end, if they follow each other."""
    outer = [task for task in tasks if task.kind == "node" and not task.within]
    if any(task.early for task in outer):
        return ()
    ends: dict[int, float] = {}
    for task in outer:
        ends[task.step] = max(ends.get(task.step, 0.0), task.ended_s)
    return tuple((at, f"step {step}") for step, at in sorted(ends.items()))


def _cells(task: TracedTask) -> list[Element | str]:
    times = [f"{task.started_s:.3f}", f"{task.ended_s:.3f}", f"{task.took_s:.3f}"]
    name = task.name if task.kind == "node" else f"{task.node} ▸ {task.kind} {task.name}"
    ancestry = "" if task.ancestry is None else str(task.ancestry)
    ending = f"{task.ending} {task.error or ''}".strip()
    early = f"{ending}, early" if task.early else ending
    return [name, str(task.step), *times, early, task.waited_for or "", ancestry, " ▸ ".join(task.within)]


def _legend(traces: Sequence[tuple[str, Sequence[TracedTask]]]) -> Element:
    looks = {word for _, tasks in traces for task in tasks for word in _bar(task).look.split()}
    told = [
        "One row a node, one bar an execution of it; bars of one row that overlap are below each other.",
        "A dashed line is the end of a step." if any(_steps(tasks) for _, tasks in traces) else "",
        "A bar with an edge at its left began before its step." if "early" in looks else "",
        "A hollow bar did not end by itself." if "stopped" in looks else "",
        "A bar that is crossed out has failed." if "failed" in looks else "",
    ]
    return element("p", " ".join(text for text in told if text), class_="note")
