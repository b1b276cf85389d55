"""Placed nodes that keep state over groups: every item of a group finds what the others of it have left."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections import defaultdict
from pathlib import Path
from typing import Any

import pytest
from langgraph.checkpoint.memory import InMemorySaver
from placement import stages
from placement.local_ray import on_ray

import alto_lg

pytestmark = [pytest.mark.usefixtures("local_ray"), pytest.mark.timeout(300)]

ITEMS = list(range(1, 7))


def placed(graph: Any, **options: Any) -> Any:
    return alto_lg.accelerate(graph, placement={"n": on_ray(replicas=3, **options)})


def counted(found: list[Any]) -> tuple[dict[str, list[int]], dict[str, set[int]]]:
    """Of each claim the counts that its items were told, and the processes that they were at."""
    counts: defaultdict[str, list[int]] = defaultdict(list)
    processes: defaultdict[str, set[int]] = defaultdict(set)
    for claim, count, process in found:
        counts[claim].append(count)
        processes[claim].add(process)
    return {claim: sorted(told) for claim, told in counts.items()}, processes


def live_groups(app: Any) -> int:
    """How many groups the stage has a home for."""
    return len(app._alto.placements._workers["n"]._leases._homes)


@pytest.mark.parametrize("sync", [False, True], ids=["async", "sync"])
def test_each_group_is_counted_by_one_replica_and_all_replicas_count(sync: bool) -> None:
    given: Any = {"x": [], "k": 9}
    with placed(stages.claims(stages.keeps), by_group=True) as app:
        found = app.invoke(given) if sync else asyncio.run(app.ainvoke(given))
        assert "keeps state by group: all of it that comes of one firing of 'claim' goes to one worker" in (
            alto_lg.explain(app)["n"].notes
        )
    counts, processes = counted(found["x"])
    assert counts == {f"request ▸ begin ▸ claim#{number}": ITEMS for number in range(9)}
    assert all(len(at) == 1 for at in processes.values())
    assert len(set().union(*processes.values())) == 3


def test_without_the_option_the_items_of_a_group_are_spread() -> None:
    with placed(stages.claims(stages.keeps)) as app:
        counts, processes = counted(asyncio.run(app.ainvoke({"x": [], "k": 9}))["x"])
        assert "by group" not in str(alto_lg.explain(app))
    assert any(told != ITEMS for told in counts.values())
    assert any(len(at) > 1 for at in processes.values())


@pytest.mark.parametrize("why", ["durability", "step_timeout"])
@pytest.mark.parametrize("sync", [False, True], ids=["async", "sync"])
def test_a_run_that_keeps_its_steps_apart_has_its_groups_all_the_same(why: str, sync: bool) -> None:
    graph = stages.claims(stages.keeps, checkpointer=InMemorySaver())
    durability: Any = "sync" if why == "durability" else None
    graph.step_timeout = 200 if why == "step_timeout" else None
    config: Any = {"configurable": {"thread_id": "1"}}
    with placed(graph, by_group=True) as app:
        if sync:
            found = app.invoke({"x": [], "k": 6}, config, durability=durability)
        else:
            found = asyncio.run(app.ainvoke({"x": [], "k": 6}, config, durability=durability))
        statistics = alto_lg.statistics(app)
    counts, processes = counted(found["x"])
    assert list(counts.values()) == [ITEMS] * 6
    assert len(set().union(*processes.values())) > 1
    assert statistics is not None
    assert why in str(statistics.stepwise)
    assert statistics.early_starts == 0


def test_what_no_packet_leads_to_has_its_run_for_a_group() -> None:
    with placed(stages.graph(stages.process), by_group=True) as app:
        assert "that comes of a run goes to one worker" in str(alto_lg.explain(app)).replace("\n", " ")


def test_groups_of_runs_at_once_are_told_apart() -> None:
    """Equal places of two runs are two groups, so that many runs use all replicas."""
    found: list[Any] = []
    with placed(stages.many(stages.process), by_group=True) as app:
        runs = [threading.Thread(target=lambda: found.append(app.invoke({"x": [], "k": 4})["x"])) for _ in range(9)]
        for run in runs:
            run.start()
        for run in runs:
            run.join()
        assert live_groups(app) == 0, "the groups of runs that have ended are forgotten"
    assert all(len(set(processes)) == 1 for processes in found)
    assert len({process for processes in found for process in processes}) == 3


def test_what_is_kept_is_kept_for_one_group_of_one_run() -> None:
    """The same claims of six runs at once: none finds what another one has kept."""

    async def runs(app: Any) -> list[Any]:
        return await asyncio.gather(*(app.ainvoke({"x": [], "k": 3}) for _ in range(6)))

    with placed(stages.claims(stages.keeps_by_name), by_group=True) as app:
        for state in asyncio.run(runs(app)):
            counts, processes = counted(state["x"])
            assert list(counts.values()) == [ITEMS] * 3
            assert all(len(at) == 1 for at in processes.values())


def test_what_is_kept_is_dropped_when_the_run_ends() -> None:
    with placed(stages.claims(stages.keeps_for_runs), by_group=True) as app:
        for _ in range(5):
            assert app.invoke({"x": [], "k": 3})["x"] == [1] * 18, "the worker keeps something for this run alone"


@pytest.mark.parametrize("sync", [False, True], ids=["async", "sync"])
def test_a_run_that_is_left_early_leaves_no_group(sync: bool) -> None:
    async def first(app: Any) -> None:
        async with contextlib.aclosing(app.astream({"x": [], "k": 3}, stream_mode="updates")) as events:
            assert "n" not in await anext(events)
            while "n" not in await anext(events):
                pass
            assert live_groups(app) > 0

    with placed(stages.claims(stages.keeps), by_group=True) as app:
        if sync:
            with contextlib.closing(app.stream({"x": [], "k": 3}, stream_mode="updates")) as events:
                assert any("n" in event for event in events)
                assert live_groups(app) > 0
        else:
            asyncio.run(first(app))
        assert live_groups(app) == 0


def test_a_node_that_streams_keeps_as_well() -> None:
    with placed(stages.claims(stages.keeps_and_streams), by_group=True) as app:
        found = asyncio.run(app.ainvoke({"x": [], "k": 3}))["x"]
    counts = [count for _, count, _ in found]
    assert len(counts) == 36
    assert sorted(counts)[-3:] == [12, 12, 12]


def test_nothing_is_kept_where_not_all_of_a_group_comes_to_one_worker() -> None:
    graph = stages.claims(stages.keeps_by_name)
    with placed(graph) as app:
        for run in (app.invoke, graph.invoke):
            with pytest.raises(LookupError, match="placed with by_group=True"):
                run({"x": [], "k": 1})
    with pytest.raises(LookupError, match="placed with by_group=True"):
        alto_lg.kept(dict)


def test_the_items_of_a_group_fail_when_what_was_kept_for_it_is_gone(tmp_path: Path) -> None:
    graph = stages.claims(stages.dies_at(claim=1, item=2, file=str(tmp_path / "marks")))
    with placed(graph, by_group=True) as app:
        with pytest.raises(alto_lg.WorkerLost, match="lost the worker that ran it") as lost:
            asyncio.run(app.ainvoke({"x": [], "k": 3}))
        assert "claim#1" in str(lost.value.ancestry)
        with pytest.raises(alto_lg.WorkerLost):
            app.invoke({"x": [], "k": 3})


def test_a_node_that_can_do_without_goes_on_elsewhere_with_all_of_the_group(tmp_path: Path) -> None:
    graph = stages.claims(stages.dies_at(claim=1, item=2, file=str(tmp_path / "marks"), once=True))
    with placed(graph, by_group=True, repeatable=True) as app:
        found = asyncio.run(app.ainvoke({"x": [], "k": 3}))["x"]
    _, processes = counted(found)
    assert {claim: len(at) for claim, at in processes.items()}["request ▸ begin ▸ claim#1"] <= 2
    assert len(found) == 18


@pytest.mark.parametrize("repeatable", [False, True])
def test_a_run_that_was_broken_off_does_not_go_on_from_nothing(repeatable: bool, tmp_path: Path) -> None:
    """The items that ended are not run again, so the others would not find what those had left."""
    graph = stages.claims(stages.fails_at(claim=1, item=5, file=str(tmp_path / "marks")), checkpointer=InMemorySaver())
    config: Any = {"configurable": {"thread_id": "1"}}
    with placed(graph, by_group=True, repeatable=repeatable) as app:
        with pytest.raises(stages.Boom):
            app.invoke({"x": [], "k": 2}, config)
        if repeatable:
            assert len(app.invoke(None, config)["x"]) == 12
        else:
            with pytest.raises(alto_lg.WorkerLost, match="the run was broken off") as lost:
                app.invoke(None, config)
            assert lost.value.attempts == 0
            again: Any = {"configurable": {"thread_id": "2"}}
            assert len(app.invoke({"x": [], "k": 2}, again)["x"]) == 12


@pytest.mark.parametrize("repeatable", [False, True])
def test_a_run_that_paused_between_a_group_and_its_items_does_not_know_the_groups(repeatable: bool) -> None:
    """LangGraph saves the packets that are under way, and not who sent them."""
    graph = stages.claims(stages.keeps_by_name, checkpointer=InMemorySaver(), interrupt_before=["n"])
    config: Any = {"configurable": {"thread_id": "1"}}
    with placed(graph, by_group=True, repeatable=repeatable) as app:
        assert app.invoke({"x": [], "k": 2}, config)["x"] == []
        if repeatable:
            assert [count for _, count, _ in app.invoke(None, config)["x"]] == [1] * 12, "no two share what is kept"
        else:
            with pytest.raises(alto_lg.WorkerLost, match="nobody knows which group"):
                app.invoke(None, config)


def test_a_run_that_paused_before_its_groups_has_them_when_it_is_resumed() -> None:
    graph = stages.claims(stages.keeps_by_name, checkpointer=InMemorySaver(), interrupt_before=["claim"])
    config: Any = {"configurable": {"thread_id": "1"}}
    with placed(graph, by_group=True) as app:
        assert app.invoke({"x": [], "k": 3}, config)["x"] == []
        counts, _ = counted(app.invoke(None, config)["x"])
    assert list(counts.values()) == [ITEMS] * 3
