"""The page's sections of simulated servers."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from tracing.test_pages import well_formed

from alto_lg.__main__ import main
from alto_lg.comparisons.report.cells import read_cells
from alto_lg.comparisons.report.page import report_page
from alto_lg.comparisons.report.simulated import read_simulated
from report.written import matrix

_HEADER = {"kind": "header", "app": "factool", "profile": "h100-8b", "slots": None, "distinct": 2}


def _point(arm: str, replicas: int, rate: float, latency_s: float) -> dict[str, Any]:
    latencies = {"p50_s": latency_s, "p90_s": latency_s + 1, "p99_s": latency_s + 2}
    shares = {"hit_rate": 0.625, "imbalance": 1.25, "slot_share": 0.25}
    return {"kind": "point", "arm": arm, "replicas": replicas, "rate": rate, **latencies, **shares}


def _write(path: Path, *lines: dict[str, Any]) -> Path:
    path.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    return path


def _points() -> list[dict[str, Any]]:
    return [
        _point(arm, replicas, rate * replicas, 3.5 + rate)
        for replicas in (8, 1000)
        for rate in (1.0, 2.0)
        for arm in ("langgraph-flat", "alto")
    ]


def test_each_number_of_servers_has_its_curves_and_every_point_is_in_a_table(tmp_path: Path) -> None:
    file = read_simulated(_write(tmp_path / "simulated.jsonl", _HEADER, *_points()))
    text = report_page(read_cells([matrix(tmp_path / "runs")]), [file])
    tree = well_formed(text)
    assert not {"script", "link", "img", "iframe"} & set(tree.tags)
    assert 'href="#simulated-0"' in text and 'id="simulated-0"' in text
    assert "8 servers" in text and "1000 servers" in text
    assert text.count("median latency (s) against requests a second") >= 2
    assert '<td class="text">alto</td><td>5.500</td><td>6.500</td><td>7.500</td><td>62.5</td><td>1.250</td>' in text


def test_the_command_takes_such_files(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    simulated = _write(tmp_path / "simulated.jsonl", _HEADER, *_points())
    page = tmp_path / "page.html"
    runs = matrix(tmp_path / "runs")
    assert main(["report", str(runs), "--simulated", str(simulated), "--output", str(page)]) == 0
    assert "Many servers, simulated: factool" in page.read_text(encoding="utf-8")


def test_another_file_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    other = _write(tmp_path / "other.jsonl", {"kind": "header", "application": "tiny"})
    assert main(["report", str(matrix(tmp_path / "runs")), "--simulated", str(other)]) == 2
    assert "not a file of `alto-lg simulate`" in capsys.readouterr().err
