"""Trace events in the format that Perfetto and chrome://tracing open.

The format: https://docs.google.com/document/d/1CvAClvFfyA5R-PhYUmn5OOQtYMH4h6I0nSsKchNAySU. Each trace is a process,
each node (and each model or tool inside one) a group of threads, because slices of one thread may not overlap.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from alto_lg.tracing.lanes import lanes
from alto_lg.tracing.tasks import TracedTask, grouped

Event = dict[str, Any]


def trace_events(traces: Sequence[tuple[str, Sequence[TracedTask]]]) -> dict[str, Any]:
    """The JSON object of the format, for labelled traces side by side."""
    events = [event for pid, (label, tasks) in enumerate(traces, start=1) for event in _process(pid, label, tasks)]
    return {"traceEvents": events, "displayTimeUnit": "ms"}


def _process(pid: int, label: str, tasks: Sequence[TracedTask]) -> Iterator[Event]:
    yield _named(pid, 0, "process_name", {"name": label})
    yield _named(pid, 0, "process_sort_index", {"sort_index": pid})
    tid = 0
    for path, (members,) in grouped([tasks]).items():
        group = " ▸ ".join(path)
        chosen = lanes([(task.started_s, task.ended_s) for task in members])
        for lane in range(max(chosen) + 1):
            yield _named(pid, tid + lane + 1, "thread_name", {"name": f"{group} · {lane + 1}" if lane else group})
            yield _named(pid, tid + lane + 1, "thread_sort_index", {"sort_index": tid + lane + 1})
        for task, lane in zip(members, chosen, strict=True):
            yield _slice(pid, tid + lane + 1, task)
        tid += max(chosen) + 1


def _named(pid: int, tid: int, name: str, args: dict[str, Any]) -> Event:
    return {"ph": "M", "pid": pid, "tid": tid, "ts": 0, "name": name, "args": args}


def _slice(pid: int, tid: int, task: TracedTask) -> Event:
    """A complete event; times are whole nanoseconds in microseconds, so that neighbours do not come to overlap."""
    started, ended = round(task.started_s * 1e6, 3), round(task.ended_s * 1e6, 3)
    return {
        "ph": "X",
        "pid": pid,
        "tid": tid,
        "ts": started,
        "dur": round(ended - started, 3),
        "name": task.name if task.place is None else f"{task.name}#{task.place}",
        "cat": ",".join((task.kind, task.ending, *(("early",) if task.early else ()))),
        "args": _args(task),
    }


def _args(task: TracedTask) -> dict[str, Any]:
    told = {
        "node": task.node,
        "step": task.step,
        "within": " ▸ ".join(task.within),
        "ancestry": None if task.ancestry is None else str(task.ancestry),
        "ending": task.ending,
        "error": task.error,
        "early": task.early,
        "waited_for": task.waited_for,
    }
    return {name: value for name, value in told.items() if value not in (None, "")}
