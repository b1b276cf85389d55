"""Scores and the limit, on small cases worked out by hand."""

from __future__ import annotations

from typing import Any

import pytest

from alto_lg.apps.base import Request, Span
from alto_lg.apps.factool import FACTOOL
from alto_lg.apps.factool.limit import limit_s


def _request(*claims: tuple[str, bool]) -> Request:
    return Request("r", {}, {"claims": [{"claim": claim, "label": label} for claim, label in claims]})


def _answer(*verdicts: tuple[str, bool | None]) -> dict[str, Any]:
    listed = [{"claim": claim, "factual": factual} for claim, factual in verdicts]
    return {"verdicts": listed, "factual": all(verdict["factual"] is not False for verdict in listed)}


def test_precision_and_recall_count_the_claims_judged_false() -> None:
    request = _request(
        ("Bees fly far", True), ("Ice sinks deep", False), ("Salt burns blue", False), ("Gold rusts", False)
    )
    answer = _answer(
        ("Bees fly far", False), ("Ice sinks deep", False), ("Salt burns blue", None), ("Gold rusts", False)
    )
    scores = FACTOOL.score([request], [answer])
    assert scores["precision"] == pytest.approx(2 / 3)
    assert scores["recall"] == pytest.approx(2 / 3)
    assert scores["answer_accuracy"] == 1
    assert (scores["errors_planted"], scores["errors_flagged"]) == (3, 3)


def test_an_undecided_claim_counts_as_true() -> None:
    scores = FACTOOL.score([_request(("Ice sinks", False))], [_answer(("Ice sinks", None))])
    assert (scores["recall"], scores["answer_accuracy"]) == (0, 0)


def test_claims_worded_otherwise_are_paired_and_strange_ones_are_left_out() -> None:
    request = _request(("The Nile is the longest river of Africa", True), ("Bees sleep", False))
    answer = _answer(("The Nile is Africa's longest river", True), ("Cats purr", False))
    scores = FACTOOL.score([request], [answer])
    assert scores["claims_matched_share"] == 0.5
    assert scores["errors_flagged"] == 0


def test_a_request_without_labels_is_not_scored() -> None:
    scores = FACTOOL.score([Request("r", {})], [_answer(("Bees fly", False))])
    assert set(scores.values()) == {0.0}


def test_the_limit_is_the_whole_stages_and_the_longest_chain() -> None:
    spans = [
        Span("answer", (), 0, 1),
        Span("extract", (), 1, 3),
        Span("make_queries", (0,), 3, 4),
        Span("make_queries", (1,), 3, 7),
        Span("appraise", (0,), 7, 12),
        Span("appraise", (1,), 7, 8),
        Span("verdict", (), 12, 12.5),
    ]
    assert limit_s(spans) == 1 + 2 + max(1 + 5, 4 + 1) + 0.5


def test_the_limit_without_claims_is_the_whole_stages() -> None:
    assert limit_s([Span("answer", (), 0, 1)]) == 1
    assert limit_s([]) == 0


def test_a_span_of_an_unknown_stage_is_refused() -> None:
    with pytest.raises(ValueError, match="unknown stage 'draft'"):
        limit_s([Span("draft", (), 0, 1)])


def test_in_a_stream_each_chain_starts_when_its_claim_was_written() -> None:
    spans = [
        Span("answer", (), 0, 1),
        Span("extract", (), 1, 3),
        Span("claim", (0,), 1, 1.5),
        Span("claim", (1,), 1, 2.8),
        Span("make_queries", (0,), 1.5, 6.5),
        Span("make_queries", (1,), 2.8, 6),
        Span("verdict", (), 7, 7.25),
    ]
    assert limit_s(spans) == pytest.approx(1 + max(2, 0.5 + 5, 1.8 + 3.2) + 0.25)


def test_the_verdict_waits_for_the_end_of_the_stream() -> None:
    assert limit_s([Span("extract", (), 0, 3), Span("claim", (0,), 0, 1), Span("appraise", (0,), 1, 2)]) == 3
