"""The report on its own terms: what the page, the kept files and the README say of results files."""

from __future__ import annotations

import json
import re
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest
from tracing.test_pages import well_formed

from alto_lg.__main__ import main
from alto_lg.apps.base import InputError
from alto_lg.comparisons.arms import NotRun
from alto_lg.comparisons.cost import MemoryUse, ServerUse
from alto_lg.comparisons.measure import EarlyWork
from alto_lg.comparisons.report.cells import read_cells
from alto_lg.comparisons.report.figures import COST, EARLY, GAP, PREDICTED, SPEED, Figure
from alto_lg.comparisons.report.page import report_page
from alto_lg.comparisons.report.published import publish
from alto_lg.comparisons.report.readme import BEGIN, END, block, rewrite
from alto_lg.comparisons.results import read_results
from alto_lg.comparisons.summary import ArmSummary
from report.written import HEADER, cut_short, matrix, write

ROOT = Path(__file__).parent.parent.parent


def _page(*paths: Path) -> str:
    return report_page(read_cells(paths))


def test_the_page_is_well_formed_asks_for_nothing_and_runs_no_script(tmp_path: Path) -> None:
    tree = well_formed(_page(matrix(tmp_path)))
    assert not {"script", "link", "img", "iframe"} & set(tree.tags)
    assert all(address.startswith("#") for address in tree.addresses)


def test_every_link_of_the_page_leads_somewhere(tmp_path: Path) -> None:
    text = _page(matrix(tmp_path))
    anchors = set(re.findall(r' id="([^"]+)"', text))
    linked = set(re.findall(r'href="#([^"]+)"', text))
    assert linked == {"speed-up", "latency", "load", "target", "cost", "timeline", "method"} and linked <= anchors


def test_the_figures_are_those_of_the_summary(tmp_path: Path) -> None:
    text = _page(write(tmp_path / "r.jsonl"))
    summary = read_results(tmp_path / "r.jsonl").summary
    assert summary is not None
    (alto,) = [arm for arm in summary["arms"] if arm["arm"] == "alto-flat"]
    ratio = alto["speed_ups"]["langgraph-flat"]
    assert f"<td>{ratio['value']:.3f}</td><td>[{ratio['low']:.3f}, {ratio['high']:.3f}]</td>" in text
    assert f"<td>{alto['p99_s']['value']:.3f}</td>" in text


def test_every_comparison_is_named_by_its_command(tmp_path: Path) -> None:
    text = _page(matrix(tmp_path))
    for cell in read_cells([tmp_path]).usable:
        assert f"<code>{cell.header['command']}</code>" in text


@pytest.mark.parametrize("figure", [*SPEED, *COST, *EARLY, PREDICTED, GAP], ids=lambda figure: figure.label)
def test_a_figure_is_one_that_summaries_have(figure: Figure) -> None:
    records = {"server": ServerUse, "memory": MemoryUse, "early": EarlyWork}
    name, *inner = figure.path
    assert name in {field.name for field in fields(ArmSummary)}
    assert set(inner) <= ({field.name for field in fields(records[name])} if inner else set())


def test_a_figure_that_no_file_has_is_not_shown(tmp_path: Path) -> None:
    text = _page(write(tmp_path / "r.jsonl"))
    assert "prompt tokens" not in text and "Predicted and measured" not in text
    assert "processor time" in text


def test_tokens_memory_and_predictions_are_shown_where_they_are_known(tmp_path: Path) -> None:
    arm = {
        "arm": "langgraph-flat",
        "latency_s": {"value": 2.0, "low": 1.9, "high": 2.1},
        "p90_s": {"value": 3.0, "low": 2.9, "high": 3.1},
        "p99_s": 4.0,
        "server": {"calls": 7.5, "prompt_tokens": 1200.0, "completion_tokens": 300.0, "slot_s": 2.5},
        "memory": {"peak": 150 * 2**20, "built": 100 * 2**20},
        "predicted_s": 1.9,
        "gap_percent": 5.26,
    }
    text = _page(write(tmp_path / "r.jsonl", summary={"equal": True, "arms": [arm], "scores": {}}))
    for label, shown in (("prompt tokens", "1200"), ("model calls", "7.5"), ("peak (MiB)", "150")):
        assert re.search(rf"{re.escape(label)}</th><td[^>]*>{re.escape(shown)}</td>", text), label
    assert '<span class="flag">5.26, above 3</span>' in text


def test_the_timeline_shows_the_same_request_of_both_engines_on_one_axis(tmp_path: Path) -> None:
    text = _page(write(tmp_path / "r.jsonl"))
    assert "request r2" in text  # the median of five
    assert re.findall(r"<h4>(\S+) · (\S+) s</h4>", text) == [("langgraph-flat", "4.200"), ("alto-flat", "2.200")]
    # Half of 4.2 s and half of 2.2 s, on an axis of 4.2 s.
    places = re.findall(r'<rect x="([\d.]+)%" width="([\d.]+)%"[^>]*class="bar', text)
    assert [left for left, _ in places] == ["0.000", *["50.000"] * 3, "0.000", *["26.190"] * 3]


def test_rates_become_curves_with_the_name_of_each_arm(tmp_path: Path) -> None:
    text = _page(matrix(tmp_path))
    assert "median latency (s) against requests a second" in text
    assert "alto-flat: 6.600 s at 2 requests/s" in text  # (2.0 + 0.2) * (1 + 2)


def test_the_throughput_at_the_target_is_told_by_the_page_and_by_the_readme(tmp_path: Path) -> None:
    cells = read_cells([matrix(tmp_path)])
    # The target is twice the 4.2 s of the first arm alone; its latencies are (4.0 to 4.4) times 1.5, 2 and 3, so that
    # its 90th percentile of 4.36 s reaches 8.4 s between 0.5 and 1 a second; the other one's does so after 2.
    rate = 0.5 + 0.5 * (8.4 / 4.36 - 1.5) / 0.5
    for told in (report_page(cells), block(cells)):
        assert re.search(rf"langgraph-flat[^\n]{{0,60}}8\.400[^\n]{{0,40}}{rate:.3f}", told)
        assert re.search(r"alto-flat[^\n]{0,60}8\.400[^\n]{0,40}≥ 2\.000", told)


def test_what_filled_an_idle_server_is_in_no_picture(tmp_path: Path) -> None:
    page = _page(write(tmp_path / "r.jsonl", rate=1.0, lead_in=2))
    assert _dots(page) == [3, 3, 3]


def _dots(page: str) -> list[int]:
    return [path.count("M") for path in re.findall(r'<path d="([^"]*)" class="dot"', page)]


def test_of_many_requests_only_the_slowest_are_drawn_so_that_the_page_stays_small(tmp_path: Path) -> None:
    page = _page(write(tmp_path / "r.jsonl", requests=400))
    assert _dots(page) == [60, 60, 60]
    assert len(page) < 60_000


def test_a_file_of_which_nothing_may_be_said_is_named_and_not_shown(tmp_path: Path) -> None:
    write(tmp_path / "good.jsonl")
    cut_short(tmp_path / "short.jsonl")
    write(tmp_path / "unequal.jsonl", rate=1.0, summary={"equal": False, "differences": []})
    text = _page(tmp_path)
    assert "short.jsonl is not shown: it was cut short" in text
    assert "unequal.jsonl is not shown: its arms gave different answers" in text
    assert "1 comparison, 3 arms, 15 requests" in text


def test_an_arm_that_could_not_run_says_why_everywhere(tmp_path: Path) -> None:
    write(tmp_path / "r.jsonl", not_run=(NotRun("nvidia-flat", "nvidia-nat is not installed"),))
    cells = read_cells([tmp_path])
    kept = read_cells(publish(cells, tmp_path / "kept"))
    for told in (report_page(cells), block(cells), block(kept)):
        assert "nvidia-flat was not run: nvidia-nat is not installed." in told


def test_of_two_runs_of_one_comparison_the_newer_counts(tmp_path: Path) -> None:
    write(tmp_path / "a.jsonl", created="2026-02-01T00:00:00+00:00", factor=2.0)
    write(tmp_path / "b.jsonl", created="2026-01-01T00:00:00+00:00")
    text = _page(tmp_path)
    assert "b.jsonl is not shown: tiny, h100-8b, slots of the profile, one at a time was run again later" in text
    assert "· 8.400 s</h4>" in text


def test_what_users_named_is_text_and_never_markup(tmp_path: Path) -> None:
    name = "<script>alert(1)</script>"
    tree = well_formed(_page(write(tmp_path / "r.jsonl", application=name, command=name)))
    assert "script" not in tree.tags


# ── the command ─────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_command_writes_the_page(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    page = tmp_path / "new" / "report.html"
    assert main(["report", str(matrix(tmp_path / "in")), "--output", str(page)]) == 0
    assert page.read_text(encoding="utf-8").startswith("<!doctype html>")
    assert "Written:" in capsys.readouterr().out


@pytest.mark.parametrize("case", ["missing", "empty folder", "not results", "nothing usable"])
def test_what_cannot_be_told_is_refused(tmp_path: Path, case: str, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "r.jsonl"
    if case == "not results":
        path.write_text("{}\n")
    elif case == "nothing usable":
        cut_short(path)
    given = tmp_path if case == "empty folder" else path
    assert main(["report", str(given), "--output", str(tmp_path / "o.html")]) == 2
    reason = {
        "missing": "there is no such file or folder",
        "empty folder": "there is no results file",
        "not results": "r.jsonl:1: not a line of a results file",
        "nothing usable": "it was cut short",
    }
    assert reason[case] in capsys.readouterr().err
    assert not (tmp_path / "o.html").exists()


# ── what is kept, and the README ────────────────────────────────────────────────────────────────────────────────


def test_kept_files_are_small_and_give_the_same_tables(tmp_path: Path) -> None:
    cells = read_cells([matrix(tmp_path / "in")])
    paths = publish(cells, tmp_path / "out")
    assert sorted(path.name for path in paths) == [
        "other-h100-8b-alone.jsonl",
        "tiny-h100-8b-8slots-0.5per-s.jsonl",
        "tiny-h100-8b-8slots-1per-s.jsonl",
        "tiny-h100-8b-8slots-2per-s.jsonl",
        "tiny-h100-8b-8slots-alone.jsonl",
        "tiny-h100-8b-alone.jsonl",
    ]
    assert all(path.stat().st_size < 10_000 for path in paths)
    assert block(read_cells(paths)) == block(cells)
    assert all(one.spans == () and one.answer is None for path in paths for one in read_results(path).measurements)


def test_every_comparison_is_kept_in_a_file_of_its_own(tmp_path: Path) -> None:
    settings: list[dict[str, Any]] = [
        {},
        {"sync": True},
        {"clock": "virtual"},
        {"slots": 8},
        {"items": 30},
        {"rate": 1.0},
    ]
    for number, setting in enumerate(settings):
        write(tmp_path / f"{number}.jsonl", **setting)
    kept = publish(read_cells([tmp_path]), tmp_path / "kept")
    assert len(set(kept)) == len(settings) == len(list((tmp_path / "kept").iterdir()))


def test_nothing_is_kept_of_a_run_that_proves_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(tmp_path / "good.jsonl", rate=1.0)
    cut_short(tmp_path / "short.jsonl")
    assert main(["report", str(tmp_path), "--publish", str(tmp_path / "out")]) == 2
    assert "it was cut short: it has no summary" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_the_block_is_rewritten_and_the_rest_of_the_readme_is_left_alone(tmp_path: Path) -> None:
    readme = tmp_path / "README.md"
    readme.write_text(f"before\n\n{BEGIN}\nold figures\n{END}\n\nafter\n")
    cells = read_cells([write(tmp_path / "r.jsonl")])
    assert rewrite(readme, cells)
    text = readme.read_text()
    assert text.startswith(f"before\n\n{BEGIN}\n\n**One request at a time**, h100-8b, slots") and text.endswith(
        f"{END}\n\nafter\n"
    )
    assert "old figures" not in text and f"`{HEADER['command']}`" in text
    assert re.search(r"^\| tiny \| langgraph-flat \| 4\.200 ", text, re.MULTILINE)
    assert re.search(r"^\|  \| alto-flat \| 2\.200 .* 1\.909 \[", text, re.MULTILINE)
    assert not rewrite(readme, cells)


def test_every_row_of_a_table_is_as_long_as_its_head(tmp_path: Path) -> None:
    tables = re.findall(r"(?:^\|.*\n)+", block(read_cells([matrix(tmp_path)])), re.MULTILINE)
    assert len(tables) == 3
    assert all(len({line.count("|") for line in table.splitlines()}) == 1 for table in tables)


def test_under_load_a_row_of_the_readme_is_an_arm_and_a_column_a_load(tmp_path: Path) -> None:
    for rate, load in ((0.0, "alone"), (0.7, "70%"), (0.3, "30%")):
        write(tmp_path / f"{load}.jsonl", factor=1 + rate, rate=rate, slots=8, load=load, clock="virtual")
    told = block(read_cells([tmp_path]))
    head, _, first, _, ours = re.findall(r"^\|.*", told, re.MULTILINE)[:5]
    assert head == "|  | arm | one at a time | 30 % of saturation | 70 % of saturation |"
    assert first.startswith("| tiny | langgraph-flat | 4.396 [")
    assert re.fullmatch(r"\|  \| alto-flat \| 0\.545 \[.*\] \| 0\.545 .*", ours)
    assert "h100-8b, 8 slots, virtual clock" in told


@pytest.mark.parametrize("text", ["none", f"{END}\n{BEGIN}", f"{BEGIN}\n{BEGIN}\n{END}"])
def test_a_readme_without_its_markers_is_refused(tmp_path: Path, text: str) -> None:
    readme = tmp_path / "README.md"
    readme.write_text(text)
    with pytest.raises(InputError, match="results: begin"):
        rewrite(readme, read_cells([write(tmp_path / "r.jsonl")]))
    assert readme.read_text() == text


def test_the_tables_of_our_readme_are_what_the_kept_files_give() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    shown = text[text.index(BEGIN) + len(BEGIN) + 1 : text.index(END)]
    kept = sorted((ROOT / "results" / "published").glob("*.jsonl"))
    assert shown == f"{block(read_cells(kept))}\n"


def test_kept_files_hold_no_path_of_a_machine_and_no_address() -> None:
    for path in (ROOT / "results" / "published").glob("*.jsonl"):
        header = json.loads(path.read_text(encoding="utf-8").splitlines()[0])
        assert not re.search(r"(^|[ =])/|://", json.dumps(header, ensure_ascii=False)), path
