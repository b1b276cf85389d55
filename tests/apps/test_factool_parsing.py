"""Reading what a model wrote, in every form that models write."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alto_lg.apps.factool import parsing
from alto_lg.apps.factool.parsing import Appraisal


@pytest.mark.parametrize(
    ("text", "claims"),
    [
        ("Bees fly.\nIce melts.", ["Bees fly.", "Ice melts."]),
        ("1. Bees fly.\n2) Ice melts.\n(3) Salt dissolves.", ["Bees fly.", "Ice melts.", "Salt dissolves."]),
        ("- Bees fly.\n* Ice melts.\n• Salt dissolves.", ["Bees fly.", "Ice melts.", "Salt dissolves."]),
        ("Here are the claims:\n\nBees fly.", ["Bees fly."]),
        ("Claim 1: Bees fly.", ["Bees fly."]),
        ('[{"claim": "Bees fly."}, {"claim": "Ice melts."}]', ["Bees fly.", "Ice melts."]),
        ('Sure:\n```json\n["Bees fly.", "Ice melts."]\n```', ["Bees fly.", "Ice melts."]),
        ("```\nBees fly.\n```", ["Bees fly."]),
        ("1969 was a leap year, some say.", ["1969 was a leap year, some say."]),
        ("3.5 metres is its height.", ["3.5 metres is its height."]),
        ("  Bees \t fly.  ", ["Bees fly."]),
        ("Bees fly [1].", ["Bees fly [1]."]),
        ("NONE", []),
        ("None.", []),
        ("[]", []),
        ("", []),
        (" \n\n ", []),
    ],
)
def test_claims_are_read_from_lines_and_lists(text: str, claims: list[str]) -> None:
    assert parsing.claims(text) == claims


@pytest.mark.parametrize(
    ("text", "queries"),
    [
        ("bees\nbees fly far", ["bees", "bees fly far"]),
        ('1. "bees"\n2. "bees fly far"', ["bees", "bees fly far"]),
        ("bees\nbees", ["bees"]),
        ("one\ntwo\nthree", ["one", "two"]),
        ("", ["Bees fly."]),
        ('""\n', ["Bees fly."]),
        ('["bees", "flight of bees"]', ["bees", "flight of bees"]),
    ],
)
def test_there_are_one_or_two_queries_and_the_claim_stands_in_for_none(text: str, queries: list[str]) -> None:
    assert parsing.queries(text, "Bees fly.") == queries


@pytest.mark.parametrize(
    ("text", "appraisal"),
    [
        (
            '{"reasoning": "So it is.", "error": "None", "correction": "None", "factuality": true}',
            Appraisal(True, "So it is."),
        ),
        (
            'I think: {"reasoning": "No.", "error": "The year.", "correction": "In 1971.", "factuality": false} Done.',
            Appraisal(False, "No.", "The year.", "In 1971."),
        ),
        ('{"reasoning": "Two\nlines.", "factuality": "False"}', Appraisal(False, "Two\nlines.")),
        ('{"Reasoning": "Capital keys.", "Factuality": "yes"}', Appraisal(True, "Capital keys.")),
        ('{"reasoning": "Open.", "factuality": null}', Appraisal(None, "Open.")),
        (
            "Reasoning: The year differs.\nIt is 1971.\nError: The year.\nCorrection: In 1971.\nFactuality: False",
            Appraisal(False, "The year differs. It is 1971.", "The year.", "In 1971."),
        ),
        ("**Reasoning:** Fine.\n**Factuality:** True", Appraisal(True, "Fine.")),
        ("The claim is probably true.", Appraisal()),
        ('{"reasoning": "cut off in the mid', Appraisal(None, "cut off in the mid")),
        ("", Appraisal()),
    ],
)
def test_a_verdict_is_read_from_json_and_from_labelled_lines(text: str, appraisal: Appraisal) -> None:
    assert parsing.appraisal(text) == appraisal


@given(st.text(alphabet=st.sampled_from('[]{}":,\\n-1.ab \nRreasoningfactuality'), max_size=80))
def test_no_text_makes_a_parser_fail(text: str) -> None:
    assert all(parsing.claims(text))
    assert 1 <= len(parsing.queries(text, "claim")) <= parsing.QUERIES_MAX
    assert parsing.appraisal(text).factual in (True, False, None)


@given(
    st.lists(st.sampled_from(["Bees fly.", "Ice melts at 0 degrees.", "In 1969 men walked on the Moon."]), max_size=5)
)
def test_lines_and_json_say_the_same(claims: list[str]) -> None:
    assert parsing.claims("\n".join(claims)) == parsing.claims(json.dumps(claims)) == claims
