"""What can be told from tasks, and lanes and trace events made from them."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from itertools import pairwise
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from alto_lg.tracing.chrome import trace_events
from alto_lg.tracing.lanes import lanes
from alto_lg.tracing.scales import ticks
from alto_lg.tracing.tasks import TracedTask, grouped, with_waits

TASK = TracedTask("node", "a", "a", 1, (), None, None, 0.0, 1.0, "done", None, False, None)
_RUN = UUID(int=1)
_times = st.tuples(st.floats(0, 100), st.floats(0, 100)).map(lambda pair: (min(pair), max(pair)))


def _task(name: str, step: int, started_s: float, ended_s: float) -> TracedTask:
    return replace(TASK, name=name, node=name, step=step, started_s=started_s, ended_s=ended_s)


def test_a_task_is_early_if_any_task_of_an_earlier_step_still_ran() -> None:
    told = with_waits([(_RUN, _task("a", 1, 0, 1)), (_RUN, _task("b", 1, 0, 3)), (_RUN, _task("c", 2, 1, 2))])
    assert [(task.name, task.early) for task in told] == [("a", False), ("b", False), ("c", True)]


def test_steps_of_different_runs_are_not_compared() -> None:
    told = with_waits([(_RUN, _task("a", 1, 0, 3)), (UUID(int=2), _task("b", 2, 1, 2))])
    assert not any(task.early for task in told)


def test_what_is_inside_of_a_node_is_shown_right_after_it() -> None:
    inside = replace(_task("in", 1, 5, 6), within=("outer",))
    found = grouped([[_task("first", 1, 0, 1), _task("outer", 2, 4, 7), _task("last", 3, 4.5, 8), inside]])
    assert list(found) == [("first",), ("outer",), ("outer", "in"), ("last",)]


def test_all_traces_are_grouped_in_the_order_of_the_first() -> None:
    one, other = [_task("a", 1, 0, 1), _task("b", 1, 1, 2)], [_task("b", 1, 0, 1), _task("a", 1, 1, 2)]
    assert {path: [len(tasks) for tasks in of_each] for path, of_each in grouped([one, other]).items()} == {
        ("a",): [1, 1],
        ("b",): [1, 1],
    }
    assert list(grouped([one, other])) == [("a",), ("b",)]


@given(st.lists(_times, max_size=40))
def test_no_two_in_a_lane_overlap_and_there_are_no_more_lanes_than_needed(times: list[tuple[float, float]]) -> None:
    chosen = lanes(times)
    in_lane = defaultdict(list)
    for lane, time in zip(chosen, times, strict=True):
        in_lane[lane].append(time)
    for members in in_lane.values():
        assert all(before[1] <= after[0] for before, after in pairwise(sorted(members)))
    long = [(started, ended) for started, ended in times if ended > started]
    at_once = max((sum(s <= at < e for s, e in long) for at, _ in long), default=0)
    assert len(in_lane) <= max(at_once, 0) + (len(times) > len(long))


@given(st.floats(0.001, 1e6), st.integers(5, 9))
def test_an_axis_has_round_numbers_within_its_ends_and_not_too_many(end: float, most: int) -> None:
    found = ticks(end, most=most)
    assert 2 <= len(found) <= most
    assert all(0 <= at <= end * (1 + 1e-9) for at in found)


# ── the trace event format ──────────────────────────────────────────────────────────────────────────────────────

# https://docs.google.com/document/d/1CvAClvFfyA5R-PhYUmn5OOQtYMH4h6I0nSsKchNAySU: complete events (ph X) have name,
# cat, ts, dur, pid, tid; metadata events (ph M) have one of these names, with these arguments.
_METADATA = {
    "process_name": {"name": str},
    "process_sort_index": {"sort_index": int},
    "thread_name": {"name": str},
    "thread_sort_index": {"sort_index": int},
}


@given(st.lists(st.tuples(_times, st.sampled_from(["a", "b"])), max_size=20))
def test_trace_events_have_the_documented_form(drawn: list[tuple[tuple[float, float], str]]) -> None:
    tasks = [_task(name, 1, started, ended) for (started, ended), name in drawn]
    made = trace_events([("LangGraph", tasks), ("accelerated", tasks)])
    assert set(made) == {"traceEvents", "displayTimeUnit"} and made["displayTimeUnit"] in ("ms", "ns")
    named = {(event["pid"], event["tid"]) for event in made["traceEvents"] if event["name"] == "thread_name"}
    on_thread: defaultdict[tuple[int, int], list[tuple[float, float]]] = defaultdict(list)
    for event in made["traceEvents"]:
        assert event["ph"] in ("X", "M") and isinstance(event["pid"], int) and isinstance(event["tid"], int)
        if event["ph"] == "M":
            expected = _METADATA[event["name"]]
            assert {name: type(value) for name, value in event["args"].items()} == expected
        else:
            assert event["dur"] >= 0 and event["ts"] >= 0 and event["name"] and event["cat"]
            assert (event["pid"], event["tid"]) in named
            on_thread[event["pid"], event["tid"]].append((event["ts"], event["ts"] + event["dur"]))
    assert sum(map(len, on_thread.values())) == 2 * len(tasks)
    for slices in on_thread.values():  # slices of one thread must be nested or apart; here they are apart
        assert all(before[1] <= after[0] + 1e-6 for before, after in pairwise(sorted(slices)))


def test_a_trace_event_says_all_that_is_known_of_its_task() -> None:
    failed = replace(TASK, place=2, within=("outer",), ending="failed", error="KeyError", early=True, waited_for="b")
    (event,) = [event for event in trace_events([("run", [failed])])["traceEvents"] if event["ph"] == "X"]
    assert (event["name"], event["cat"], event["ts"], event["dur"]) == ("a#2", "node,failed,early", 0.0, 1e6)
    assert event["args"] == {
        "node": "a",
        "step": 1,
        "within": "outer",
        "ending": "failed",
        "error": "KeyError",
        "early": True,
        "waited_for": "b",
    }
