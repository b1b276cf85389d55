"""Longer answers are made of whole sentences of given ones, each with its label."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from alto_lg.apps.base import Request
from alto_lg.apps.factool import FACTOOL, build
from alto_lg.apps.factool.local_chat import LocalChat


def _request(name: str, *sentences: str, labels: list[bool] | None = None) -> Request:
    claims = [{"claim": one, "label": label} for one, label in zip(sentences, labels or [], strict=False)]
    given: dict[str, Any] = {"question": f"{name}?", "reference": " ".join(sentences)}
    return Request(name, given, {"claims": claims} if labels else {})


ONE = _request("one", "Bees fly.", "Ice melts.", labels=[True, False])
TWO = _request("two", "Salt dissolves.", labels=[True])


def test_a_longer_answer_joins_those_that_follow_and_begins_again_at_the_first() -> None:
    first, second = FACTOOL.sized([ONE, TWO], 4)
    assert first.id == "one+two"
    assert first.input["reference"] == "Bees fly. Ice melts. Salt dissolves. Bees fly."
    assert second.input == {
        "question": "two? one?",
        "reference": "Salt dissolves. Bees fly. Ice melts. Salt dissolves.",
    }
    assert [claim["label"] for claim in first.labels["claims"]] == [True, False, True, True]


def test_a_longer_answer_of_unlabelled_ones_has_no_labels() -> None:
    assert FACTOOL.sized([ONE, _request("plain", "Bees hum.")], 3)[0].labels == {}


@pytest.mark.parametrize(
    ("requests", "why"),
    [
        ([Request("open", {"question": "Why?"})], "request 'open' has no answer of its own"),
        ([_request("short", "Bees fly.", "Ice melts.", labels=[True])], "1 labels for 2 sentences"),
        ([Request("empty", {"question": "Why?", "reference": ""})], "the answers hold no sentence"),
    ],
)
def test_what_no_longer_answer_can_be_made_of_is_refused(requests: list[Request], why: str) -> None:
    with pytest.raises(ValueError, match=why):
        FACTOOL.sized(requests, 3)


def test_the_package_s_own_answers_of_thirty_claims_have_thirty_claims() -> None:
    requests = FACTOOL.sized(FACTOOL.workload(corpus=None, questions=None), 30)
    state = asyncio.run(build("streaming", chat=LocalChat()).ainvoke(dict(requests[5].input)))
    assert len(state["claims"]) == len(requests[5].labels["claims"]) == 30
