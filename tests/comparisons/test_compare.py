"""The command from its options to its table, with real worker processes on an application without a model."""

from __future__ import annotations

import argparse
from collections.abc import Callable

import pytest

from alto_lg.comparisons.compare import REFUSED, UNEQUAL, run
from alto_lg.comparisons.results import read_results

Options = Callable[..., argparse.Namespace]
PLAIN = ("--arms", "langgraph-flat,langgraph-subgraph")


def test_every_request_is_measured_once_in_every_arm(options: Options, capsys: pytest.CaptureFixture[str]) -> None:
    chosen = options(*PLAIN)

    assert run(chosen) == 0

    results = read_results(chosen.output)
    seen = sorted((one.arm, one.position) for one in results.measurements)
    assert seen == [(arm, at) for arm in ("langgraph-flat", "langgraph-subgraph") for at in range(3)]
    assert results.summary is not None and results.summary["equal"] is True
    assert "times sooner than langgraph-flat" in capsys.readouterr().out


def test_every_measurement_has_its_spans_its_first_result_and_its_processor_time(options: Options) -> None:
    chosen = options(*PLAIN)

    run(chosen)

    for one in read_results(chosen.output).measurements:
        assert {span.stage for span in one.spans} >= {"clean", "count", "total"}
        assert one.first_result_s is not None and 0 < one.first_result_s <= one.latency_s
        assert one.cpu_s is not None and one.cpu_s > 0
        assert 0 < one.limit_s <= one.latency_s
        assert one.first_limit_s is not None and 0 < one.first_limit_s <= one.first_result_s


def test_requests_have_as_many_items_as_are_asked_for(options: Options) -> None:
    chosen = options(*PLAIN, "--items", "4")

    assert run(chosen) == 0

    assert all(len(one.answer["lengths"]) == 4 for one in read_results(chosen.output).measurements)


def test_the_arms_take_turns_at_being_first(options: Options) -> None:
    chosen = options(*PLAIN)

    run(chosen)

    order = [one.arm.removeprefix("langgraph-") for one in read_results(chosen.output).measurements]
    assert order == ["flat", "subgraph", "subgraph", "flat", "flat", "subgraph"]


def test_a_poisson_trace_is_run_whole_by_every_arm(options: Options, capsys: pytest.CaptureFixture[str]) -> None:
    chosen = options(*PLAIN, "--rate", "200", "--requests", "6")

    assert run(chosen) == 0

    measurements = read_results(chosen.output).measurements
    assert [one.position for one in measurements] == [0, 1, 2, 0, 1, 2, 3, 4, 5, 3, 4, 5]
    assert [one.block for one in measurements] == [0] * 6 + [1] * 6
    assert all(one.cpu_s is not None for one in measurements)
    assert "Poisson arrivals at 200 requests a second" in capsys.readouterr().out.replace("\n", " ")


@pytest.mark.slow
def test_accelerated_arms_give_the_same_answers_and_drop_nothing(options: Options) -> None:
    chosen = options()

    assert run(chosen) == 0

    summary = read_results(chosen.output).summary
    assert summary is not None
    early = {arm["arm"]: arm["early"] for arm in summary["arms"]}
    assert early["langgraph-flat"] is None
    assert early["alto-flat"]["dropped"] == 0


def test_no_speed_is_printed_when_answers_differ(options: Options, capsys: pytest.CaptureFixture[str]) -> None:
    chosen = options("--app", "tiny_app:DISAGREEING", *PLAIN)

    assert run(chosen) == UNEQUAL

    printed = capsys.readouterr().out
    assert "request request-0 (position 0), at $.lengths[1]:" in printed
    assert "langgraph-subgraph  (absent)" in printed
    assert "latency" not in printed
    summary = read_results(chosen.output).summary
    assert summary is not None and summary["equal"] is False


def test_an_arm_whose_graph_raises_is_named_with_the_error(
    options: Options, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(options("--app", "tiny_app:FAILING", "--arms", "langgraph-flat")) == UNEQUAL

    told = capsys.readouterr()
    assert "arm 'langgraph-flat', request 0: ArithmeticError: the node broke" in told.err
    assert "last lines that its process wrote" in told.err
    assert told.out == ""


def test_the_key_is_in_no_output(
    options: Options, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "a-key-that-must-not-show")
    chosen = options(*PLAIN)

    run(chosen)

    told = capsys.readouterr()
    assert "must-not-show" not in told.out + told.err + chosen.output.read_text()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--arms", "langgraph-flat,alto-round"), "'alto-round' is not an arm"),
        (("--arms", ","), "the list is empty"),
        (("--app", "nothing"), "--app 'nothing' is not known"),
        (("--app", "nowhere.to.be:FOUND"), "no module 'nowhere.to.be'"),
        (("--app", "tiny_app:MISSING"), "has no 'MISSING'"),
        (("--requests", "0"), "--requests 0 is out of range"),
        (("--rate", "-1"), "--rate -1.0 is out of range"),
        (("--rate", "nan"), "--rate nan is out of range"),
        (("--items", "0"), "--items 0 is out of range"),
        (("--clock", "virtual"), "--clock virtual needs the simulated server: leave it out, or --base-url."),
        (("--items", "6"), "--items 6: there are no more than five words."),
        (("--timeout", "0"), "--timeout 0.0 is out of range"),
        (("--corpus", "no/such/file"), "no/such/file: there is no such file"),
        (("--questions", "no/such/file"), "no/such/file: there is no such file"),
        (("--base-url", "localhost:8000"), "is not an address"),
        (("--base-url", "http://user:key@localhost/v1"), "put the key in OPENAI_API_KEY"),
        (("--base-url", "http://127.0.0.1:9/v1"), "no model server answers at http://127.0.0.1:9/v1"),
        (("--model", "another"), "'another' is not served"),
        (("--output", "/proc/none/results.jsonl"), "cannot be written"),
    ],
)
def test_what_cannot_work_is_refused_before_any_request(
    options: Options, capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], said: str
) -> None:
    chosen = options(*arguments)

    assert run(chosen) == REFUSED

    told = capsys.readouterr()
    assert said in told.err
    assert told.out == ""
    assert not chosen.output.exists() or chosen.output.read_text() == ""
