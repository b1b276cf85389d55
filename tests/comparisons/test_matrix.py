"""Several cells from the command line to their files and tables, with real worker processes and a real server."""

from __future__ import annotations

import argparse
import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from alto_lg.comparisons.compare import REFUSED, UNEQUAL, add_arguments, run
from alto_lg.comparisons.results import read_results

Several = Callable[..., argparse.Namespace]
PLAIN = ("--arms", "langgraph-flat,langgraph-subgraph")


@pytest.fixture
def several(tiny_path: None, tmp_path: Path, model_server: str) -> Several:
    """Options of several comparisons of tiny applications, into one folder."""

    def made(*arguments: str, own: bool = True) -> argparse.Namespace:
        parser = argparse.ArgumentParser()
        add_arguments(parser)
        server = ["--base-url", model_server] if own else []
        given = ["--apps", "tiny_app:TINY", *PLAIN, "--output", str(tmp_path / "cells")]
        return parser.parse_args([*given, *server, *arguments])

    return made


def written(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.glob("*.jsonl")}


def test_each_cell_has_a_file_of_its_own_and_whole_ones_are_not_run_again(
    several: Several, capsys: pytest.CaptureFixture[str]
) -> None:
    chosen = several("--rates", "100,200", "--requests", "4")

    assert run(chosen) == 0

    files = written(chosen.output)
    names = [f"tiny-own-server-all-slots-{load}.jsonl" for load in ("100", "200", "alone")]
    assert sorted(files) == names
    rates = [read_results(chosen.output / name).header["rate"] for name in names]
    assert rates == [100.0, 200.0, 0.0]
    told = capsys.readouterr().out
    assert "1 of 3: tiny_app:TINY, own server, all slots, one at a time" in told
    assert "Requests a second at the latency target" in told
    targets = json.loads((chosen.output / "targets.json").read_text())
    assert [one["arm"] for one in targets] == ["langgraph-flat", "langgraph-subgraph"]
    assert targets[0]["target_s"] == 4.0 and targets[0]["p90"]["at_least"] is True

    assert run(chosen) == 0
    assert written(chosen.output) == files


def test_a_half_file_is_begun_anew_and_the_others_stay(several: Several) -> None:
    chosen = several("--rates", "100", "--requests", "2")
    assert run(chosen) == 0
    whole, half = (chosen.output / f"tiny-own-server-all-slots-{load}.jsonl" for load in ("alone", "100"))
    before = whole.read_bytes()
    half.write_bytes(half.read_bytes()[:-40])

    assert run(chosen) == 0

    assert whole.read_bytes() == before
    assert read_results(half).summary is not None


def test_other_settings_are_neither_taken_nor_overwritten_unless_asked_for(
    several: Several, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(several("--requests", "2")) == 0
    changed = several("--requests", "2", "--seed", "5")
    files = written(changed.output)

    assert run(changed) == REFUSED

    assert "seed was 0 and is 5" in capsys.readouterr().err
    assert written(changed.output) == files
    assert run(several("--requests", "2", "--seed", "5", "--again")) == 0
    assert written(changed.output) != files


def test_a_dry_run_lists_the_cells_and_runs_nothing(several: Several, capsys: pytest.CaptureFixture[str]) -> None:
    chosen = several("--rates", "0.5", "--dry-run")
    assert run(chosen) == 0
    told = capsys.readouterr().out
    assert "tiny_app:TINY, own server, all slots, 0.5 /s" in told
    assert "2 of 2 cells to run" in told
    assert not chosen.output.exists()


def test_a_cell_whose_arms_disagree_has_no_figures_and_the_others_have(
    several: Several, capsys: pytest.CaptureFixture[str]
) -> None:
    chosen = several("--apps", "tiny_app:DISAGREEING,tiny_app:TINY", "--requests", "2")
    assert run(chosen) == UNEQUAL
    told = capsys.readouterr().out
    assert "Without figures: disagreeing-own-server-all-slots-alone." in told
    assert read_results(chosen.output / "tiny-own-server-all-slots-alone.jsonl").summary is not None


def test_shares_are_of_the_saturation_that_was_measured_one_at_a_time(
    several: Several, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ("--apps", "tiny_app:ASKING", "--slots", "2", "--rates", "50%", "--requests", "6")
    chosen = several(*arguments, own=False)

    assert run(chosen) == 0

    alone, loaded = (read_results(chosen.output / f"asking-h100-8b-2-slots-{load}.jsonl") for load in ("alone", "50pc"))
    assert alone.summary is not None and loaded.summary is not None
    use = alone.summary["arms"][0]["server"]
    assert use["calls"] == 2 and use["completion_tokens"] == 2 * 13
    saturation = loaded.header["saturation"]
    # Two streams of a first token after 12 ms and twelve of 7.5 ms; the prompt adds less than a millisecond.
    assert saturation["slot_s"] == pytest.approx(2 * (0.012 + 12 * 0.0075), rel=0.02)
    bound = min(2 / saturation["slot_s"], 1 / saturation["cpu_s"])
    assert loaded.header["rate"] == pytest.approx(0.5 * bound)
    assert loaded.header["load"] == "50%"
    assert "slot-seconds a request by the server's clock" in capsys.readouterr().out.replace("\n", " ")


def test_a_cell_that_fails_is_named_and_those_that_need_it_are_not_run(
    several: Several, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ("--apps", "tiny_app:FAILING", "--arms", "langgraph-flat", "--rates", "50%", "--slots", "2")
    chosen = several(*arguments, own=False)

    assert run(chosen) == UNEQUAL

    told = capsys.readouterr().out
    assert "ArithmeticError: the node broke" in told
    assert "saturation is not known" in told
    assert "Without figures: failing-h100-8b-2-slots-alone, failing-h100-8b-2-slots-50pc." in told


def test_what_is_estimated_on_a_virtual_clock_is_work_and_not_waiting(
    several: Several, capsys: pytest.CaptureFixture[str]
) -> None:
    minutes = []
    for clock in ("real", "virtual"):
        arguments = ("--apps", "tot", "--slots", "8", "--rates", "70%", "--requests", "10", "--clock", clock)
        assert run(several(*arguments, "--dry-run", own=False)) == 0
        found = re.search(r"2 of 2 cells to run, about (\d+) min\.", capsys.readouterr().out)
        assert found is not None
        minutes.append(int(found[1]))
    assert minutes[0] > 5 * minutes[1]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--rates", "50%"), "is not known: give requests a second"),
        (("--full",), "--full starts servers of its own"),
        (("--rates", "1", "--minutes", "1"), "--minutes chooses how many requests"),
        (("--minutes", "-1"), "--minutes -1.0 is out of range"),
        (("--target-factor", "0"), "--target-factor 0.0 is out of range"),
        (("--cells", "nothing"), "no cell has that in its name"),
        (("--apps", "", "--cells", "x"), "--cells goes with --apps"),
    ],
)
def test_what_cannot_be_run_is_refused_before_any_cell(
    several: Several, capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], said: str
) -> None:
    chosen = several(*arguments)
    assert run(chosen) == REFUSED
    assert said in capsys.readouterr().err
    assert not chosen.output.exists()
