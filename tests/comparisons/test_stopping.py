"""Nodes that have read enough, on a real server process: that they free the slot is tested, how soon is printed."""

from __future__ import annotations

import argparse
import asyncio
from collections.abc import Iterator
from typing import Any

import pytest

from alto_lg.comparisons.sim.options import SimOptions
from alto_lg.comparisons.sim.process import SimulatedServer
from alto_lg.comparisons.stopping import Case, NotStopped, cases, run, table_of, time_case
from alto_lg.comparisons.stopping_nodes import CLIENTS, Client

OPENAI, OPENAI_ASYNC, LANGCHAIN, LANGCHAIN_ASYNC = CLIENTS


@pytest.fixture(scope="module")
def server() -> Iterator[SimulatedServer]:
    with SimulatedServer(SimOptions(slots=1)) as server:
        yield server


@pytest.mark.slow
@pytest.mark.parametrize(
    "case",
    [
        Case(OPENAI, streams=True, accelerated=True),
        Case(OPENAI_ASYNC, streams=True, accelerated=False),
        Case(LANGCHAIN, streams=False, accelerated=False),
        Case(LANGCHAIN_ASYNC, streams=True, accelerated=True),
    ],
    ids=str,
)
def test_a_node_that_leaves_its_loop_stops_the_server(case: Case, server: SimulatedServer) -> None:
    with asyncio.Runner() as runner:
        assert len(time_case(case, server, runner, repeats=1)) == 1


class Hoard:
    """The events of a stream that nothing can close, because it is held elsewhere and not shown."""

    def __init__(self, held: list[Any], stream: Any) -> None:
        held.append(stream)
        self._events = iter(stream)

    def __iter__(self) -> Iterator[Any]:
        return self

    def __next__(self) -> Any:
        return next(self._events)


@pytest.mark.slow
def test_a_stream_that_is_not_closed_is_found_out(server: SimulatedServer) -> None:
    held: list[Any] = []
    hoarding = Client("hoarding", False, lambda reading: Hoard(held, OPENAI.open(reading)))
    case = Case(hoarding, streams=False, accelerated=False)
    with asyncio.Runner() as runner, pytest.raises(NotStopped, match="hoarding ordinary LangGraph: the server wrote"):
        time_case(case, server, runner, repeats=1)
    for stream in held:
        stream.close()


def test_every_client_is_in_every_kind_of_node_and_graph() -> None:
    assert len(set(map(str, cases()))) == 16


def test_the_table_says_which_case_is_too_slow(render: Any) -> None:
    shown = render(table_of([(cases()[0], [0.002, 0.004, 0.003]), (cases()[1], [0.002, 0.060, 0.003])]))
    rows = [line.split() for line in shown.splitlines() if "LangGraph" in line]
    assert [row[-3:] for row in rows] == [["3.0", "4.0", "yes"], ["3.0", "60.0", "no"]]


def test_a_count_that_is_none_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(argparse.Namespace(repeats=0)) == 2
    assert capsys.readouterr().err == "--repeats must be at least 1\n"
