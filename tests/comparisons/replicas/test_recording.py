"""Recorded call graphs of real applications, and what a simulation of them gives."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from alto_lg.comparisons.applications import load_application
from alto_lg.comparisons.compare import run as compare
from alto_lg.comparisons.replicas.arms import replica_arms
from alto_lg.comparisons.replicas.call_graph import CallGraph, Trigger, Waits
from alto_lg.comparisons.replicas.command import add_arguments, run
from alto_lg.comparisons.replicas.graphs_file import kept_graphs
from alto_lg.comparisons.replicas.recording import record
from alto_lg.comparisons.results import read_results
from alto_lg.comparisons.sim.options import SimOptions

Options = Callable[..., argparse.Namespace]


def recorded(arm_name: str) -> CallGraph:
    """One request of FacTool as an arm makes its calls."""
    application = load_application("factool")
    arm = next(one for one in replica_arms(application) if one.name == arm_name)
    requests = application.workload(corpus=None, questions=None)[:1]
    return record(application, replace(arm, pool=None), requests, SimOptions())[0]


@pytest.mark.slow
@pytest.mark.parametrize("arm", ["langgraph-flat", "staged"])
def test_supersteps_and_stages_wait_for_every_call_of_the_one_before(arm: str) -> None:
    graph = recorded(arm)
    claims = (len(graph.calls) - 2) // 2
    queries, verdicts = range(2, 2 + claims), range(2 + claims, 2 + 2 * claims)
    assert [call.after.all for call in graph.calls[:3]] == [(), (Trigger(0),), (Trigger(1),)]
    for at in verdicts:
        assert graph.calls[at].after.all == tuple(map(Trigger, queries))
    assert graph.end.all == tuple(map(Trigger, verdicts))


@pytest.mark.slow
def test_streamed_claims_go_their_way_at_a_token_of_the_extraction() -> None:
    graph = recorded("alto")
    begun = [call.after.all for call in graph.calls[2:]]
    assert all(len(waits) == 1 for waits in begun)
    at_tokens = [waits[0].tokens for waits in begun if waits[0].call == 1]
    claims = len(begun) // 2
    assert len(at_tokens) == claims
    assert sum(tokens is not None for tokens in at_tokens) >= claims - 1  # the last one ends with the text
    ended = {waits[0].call for waits in begun if waits[0].call != 1}
    assert len(ended) == claims


def test_a_file_is_made_again_when_its_settings_are_others(tmp_path: Path) -> None:
    graph = CallGraph("one", (), Waits((Trigger(0, 3),)))
    made: list[int] = []

    def make() -> list[CallGraph]:
        made.append(1)
        return [graph]

    path = tmp_path / "graphs.json"
    assert kept_graphs(path, {"seed": 0}, make) == (graph,)
    assert kept_graphs(path, {"seed": 0}, make) == (graph,)
    assert len(made) == 1
    kept_graphs(path, {"seed": 1}, make)
    path.write_text("{", encoding="utf-8")
    kept_graphs(path, {"seed": 1}, make)
    assert len(made) == 3


@pytest.mark.slow
def test_the_simulation_agrees_with_the_runs_that_it_stands_for(options: Options, tmp_path: Path) -> None:
    """Real graphs, engine, client pool, protocol and servers beside recorded calls, scheduler and server models."""
    arms = "langgraph-flat,alto-no-routing"  # in turn, so that a few requests are placed alike whatever is drawn
    given = ("--app", "factool", "--replicas", "2", "--slots", "8", "--clock", "virtual", "--warmup", "0")
    chosen = options(*given, "--requests", "4", "--rate", "1", "--arms", arms)
    chosen.base_url, chosen.output = None, tmp_path / "runs" / "loaded.jsonl"
    assert compare(chosen) == 0
    found = read_results(chosen.output)
    assert found.header["replicas"] == 2
    assert {one.server.replicas for one in found.measurements if one.server is not None} == {2}

    parser = argparse.ArgumentParser()
    add_arguments(parser)
    folders = ["--check", str(tmp_path / "runs"), "--graphs", str(tmp_path / "graphs")]
    assert run(parser.parse_args(["--arms", arms, *folders])) == 0


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--replicas", "0"), "--replicas '0': give whole numbers above 0"),
        (("--rates", "many"), "--rates 'many': give numbers above 0"),
        (("--profile", "none"), "--profile 'none' is not known"),
        (("--distinct", "0"), "--distinct 0 is out of range"),
        (("--target", "0"), "--target 0.0 is out of range"),
        (("--arms", "asyncio"), "'asyncio' is not an arm"),
    ],
)
def test_what_cannot_be_is_refused(arguments: tuple[str, ...], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    parser = argparse.ArgumentParser()
    add_arguments(parser)
    assert run(parser.parse_args(list(arguments))) == 2
    assert said in capsys.readouterr().err


def test_replicas_need_the_virtual_clock(options: Options, capsys: pytest.CaptureFixture[str]) -> None:
    assert compare(options("--replicas", "4")) == 2
    assert "add --clock virtual" in capsys.readouterr().err


def _lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


@pytest.mark.slow
def test_a_sweep_writes_a_line_for_each_point(tmp_path: Path) -> None:
    parser = argparse.ArgumentParser()
    add_arguments(parser)
    output = tmp_path / "points.jsonl"
    given = ["--arms", "langgraph-flat,alto", "--replicas", "2,4", "--rates", "0.5,1", "--requests", "150"]
    more = [
        "--seconds",
        "1",
        "--slots",
        "8",
        "--distinct",
        "2",
        "--graphs",
        str(tmp_path),
        "--output",
        str(output),
        "--at-target",
    ]
    assert run(parser.parse_args([*given, *more])) == 0
    header, *lines = _lines(output)
    assert header["kind"] == "header"
    points = [(one["arm"], one["replicas"], one["rate"]) for one in lines if one["kind"] == "point"]
    rates = [(2, 1.0), (2, 2.0), (4, 2.0), (4, 4.0)]
    assert points == [(arm, *at) for at in rates for arm in ("langgraph-flat", "alto")]
    targets = {(one["arm"], one["replicas"]): one["rate"] for one in lines if one["kind"] == "target"}
    assert targets["alto", 4] > targets["langgraph-flat", 4] > targets["langgraph-flat", 2] > 0
