"""From measurements to the printed table; and no table where answers differ."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from alto_lg.comparisons.arms import Arm
from alto_lg.comparisons.measure import EarlyWork, Measurement
from alto_lg.comparisons.summary import ArmSummary, UnequalAnswers, summarise
from alto_lg.comparisons.table import comparison_table, method_text, refusal_text, score_line

Render = Callable[[object], str]
PLAIN, FAST = Arm("langgraph-flat", "flat", "langgraph"), Arm("alto-flat", "flat", "alto")


def measured(arm: Arm, position: int, latency_s: float) -> Measurement:
    return Measurement(
        arm=arm.name,
        position=position,
        request=f"request-{position}",
        latency_s=latency_s,
        first_result_s=latency_s / 2,
        cpu_s=0.5,
        limit_s=latency_s / 1.25,
        first_limit_s=latency_s / 4,
        answer={"verdict": position},
        early=EarlyWork(10, 4, 0, 0.25) if arm.accelerated else None,
        spans=(),
    )


def two_arms() -> dict[str, list[Measurement]]:
    return {
        PLAIN.name: [measured(PLAIN, at, 2.0 * (at + 1)) for at in range(5)],
        FAST.name: [measured(FAST, at, 1.0 * (at + 1)) for at in range(5)],
    }


def summaries() -> tuple[ArmSummary, ...]:
    return summarise((PLAIN, FAST), two_arms(), seed=0)


def test_a_summary_holds_the_figures_of_its_arm() -> None:
    plain, fast = summaries()
    assert (plain.latency_s.value, fast.latency_s.value) == (6.0, 3.0)
    assert fast.speed_ups[PLAIN.name].value == pytest.approx(2.0)
    assert plain.speed_ups[PLAIN.name].value == 1.0
    assert fast.limit_s == pytest.approx(2.4)
    assert fast.above_limit_percent == pytest.approx(25.0)
    assert fast.first_result_s == pytest.approx(1.5)
    assert fast.first_limit_s == pytest.approx(0.75)
    assert fast.early == EarlyWork(50, 20, 0, 1.25)
    assert plain.early is None


def test_arms_that_differ_get_no_summary() -> None:
    both = two_arms()
    both[FAST.name][3] = replace(both[FAST.name][3], answer={"verdict": "other"})
    with pytest.raises(UnequalAnswers) as caught:
        summarise((PLAIN, FAST), both, seed=0)
    text = refusal_text(caught.value.differences)
    assert "request request-3 (position 3), at $.verdict" in text
    assert "no speed is printed" in text


def test_a_refusal_shows_the_first_differences_and_counts_the_rest() -> None:
    both = two_arms()
    both[FAST.name] = [replace(one, answer=None) for one in both[FAST.name]]
    with pytest.raises(UnequalAnswers) as caught:
        summarise((PLAIN, FAST), both, seed=0)
    assert "… and 5 more" in refusal_text(caught.value.differences * 3)


def test_the_table_has_a_column_an_arm_and_a_row_a_figure(render: Render) -> None:
    text = render(comparison_table(summaries(), "factool, 5 requests"))
    lines = {line.partition("  ")[0].strip(): line.split() for line in text.splitlines()}
    assert "langgraph-flat" in text and "alto-flat" in text
    assert lines["latency, p99 (s)"][-2:] == ["9.920", "4.960"]
    assert lines["early results dropped"][-2:] == ["–", "0"]
    assert lines["firings started early / all"][-3:] == ["20", "/", "50"]
    assert lines["times sooner than langgraph-flat"][-2:] == ["–", "2.000"]


def test_a_table_in_a_pipe_is_plain_text_and_cut_nowhere(render: Render) -> None:
    text = render(comparison_table(summaries(), "title"))
    assert "\x1b" not in text
    assert "…" not in text


def test_a_missing_first_result_is_a_dash(render: Render) -> None:
    both = {name: [replace(one, first_result_s=None) for one in arm] for name, arm in two_arms().items()}
    text = render(comparison_table(summarise((PLAIN, FAST), both, seed=0), "title"))
    (line,) = [line for line in text.splitlines() if line.startswith(" time to first result")] or [""]
    assert line.split()[-2:] == ["–", "–"]


def test_the_method_says_how_requests_arrived_and_what_few_requests_mean() -> None:
    alone = method_text(requests=16, rate=0, warm_up=1, server="simulated", block=20, lead_in=0, clock="real")
    loaded = method_text(requests=500, rate=2.5, warm_up=1, server="simulated", block=50, lead_in=12, clock="real")
    few = method_text(requests=100, rate=2.5, warm_up=1, server="simulated", block=50, lead_in=12, clock="virtual")
    assert "One request at a time" in alone and "With 16 requests, p99" in alone
    assert "Poisson arrivals at 2.5 requests a second" in loaded and "p99" not in loaded
    assert "bootstraps over requests" in alone and "bootstraps over whole blocks" in loaded
    assert "first 12 of each are not counted" in loaded
    assert "Processor time and memory are" in loaded and "Processor time" not in few
    assert "The clock is virtual" in few and "virtual" not in loaded
    assert "2 blocks are few" in few and "are few" not in loaded


def test_the_score_line_names_every_score() -> None:
    assert "precision 0.900, errors planted 13" in score_line({"precision": 0.9, "errors_planted": 13.0})


def test_a_gap_over_three_percent_is_marked(render: Render) -> None:
    both = two_arms()
    both[PLAIN.name] = [replace(one, predicted_s=one.latency_s / 1.05) for one in both[PLAIN.name]]
    both[FAST.name] = [replace(one, predicted_s=one.latency_s / 1.02) for one in both[FAST.name]]
    text = render(comparison_table(summarise((PLAIN, FAST), both, seed=0), "title"))
    lines = {line.partition("  ")[0].strip(): line.split() for line in text.splitlines()}
    assert lines["predicted from its node times, median (s)"][-2:] == ["5.714", "2.941"]
    (gaps,) = [line.split() for line in text.splitlines() if "measured above predicted" in line]
    assert gaps[-3:] == ["!", "5.0", "2.0"]


def test_what_is_not_known_of_the_server_is_said_so(render: Render) -> None:
    text = render(comparison_table(summaries(), "title"))
    lines = {line.partition("  ")[0].strip(): line.split() for line in text.splitlines()}
    assert lines["prompt tokens per request, mean"][-4:] == ["not", "known", "not", "known"]


def test_a_single_request_has_no_interval(render: Render) -> None:
    one = {name: arm[:1] for name, arm in two_arms().items()}
    text = render(comparison_table(summarise((PLAIN, FAST), one, seed=0), "title"))
    assert {tuple(line.split()[3:]) for line in text.splitlines() if "95 % CI" in line} == {("–", "–")}
