"""Claims from a text that is still being written: those of the whole text, each as soon as it is there."""

from __future__ import annotations

import itertools
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alto_lg import split
from alto_lg.apps.factool import parsing
from alto_lg.apps.factool.claims_so_far import ClaimsSoFar

CLAIMS = [
    "Bees fly.",
    "Ice [1] melts at 0 degrees.",
    'In 1969 men "walked" on the Moon.',
    "Salt: it dissolves in water.",
]
FORMS = {
    "lines": "\n".join,
    "lines with line feeds of another kind": "\r\n".join,
    "bullets": lambda claims: "\n".join(f"- {claim}" for claim in claims),
    "numbers": lambda claims: "Here are the claims:\n\n" + "\n".join(f"{n}. {c}" for n, c in enumerate(claims, 1)),
    "fenced lines": lambda claims: "\n".join(["```", *claims, "```"]),
    "list": json.dumps,
    "indented list": lambda claims: json.dumps(claims, indent=2),
    "fenced list": lambda claims: f"Sure:\n```json\n{json.dumps(claims)}\n```\nThat is all.",
    "list of objects": lambda claims: json.dumps([{"claim": claim, "sources": ["x"]} for claim in claims]),
    "object": lambda claims: json.dumps({"claims": claims}),
    "list behind a footnote": lambda claims: f"As asked in [1] of the task: {json.dumps(claims)}",
}


def _said(pieces: list[str]) -> list[list[str]]:
    """What is said at each piece of a text, and at its end."""
    return list(split.by(iter(pieces), ClaimsSoFar()))


def _pieces(text: str, cuts: list[int]) -> list[str]:
    places = sorted({0, len(text), *(cut % (len(text) + 1) for cut in cuts)})
    return [text[start:end] for start, end in itertools.pairwise(places)]


@given(
    claims=st.lists(st.sampled_from(CLAIMS), max_size=5),
    form=st.sampled_from(sorted(FORMS)),
    cuts=st.lists(st.integers(0, 400), max_size=30),
)
def test_what_is_said_early_is_the_beginning_of_what_the_whole_text_says(
    claims: list[str], form: str, cuts: list[int]
) -> None:
    text = FORMS[form](claims)
    said = _said(_pieces(text, cuts))
    assert said[-1] == parsing.claims(text) == claims
    assert all(early == claims[: len(early)] for early in said)
    assert [len(early) for early in said] == sorted({len(early) for early in said})


@given(
    text=st.text(alphabet=st.sampled_from('[]{}",:\\n-1ab. \n\rNONE`'), max_size=60),
    cuts=st.lists(st.integers(0, 60), max_size=20),
)
def test_at_the_end_the_claims_are_those_of_the_whole_text_at_every_cut(text: str, cuts: list[int]) -> None:
    assert _said(_pieces(text, cuts))[-1] == parsing.claims(text)


@pytest.mark.parametrize("form", sorted(FORMS))
def test_each_claim_is_given_at_the_character_that_completes_it(form: str) -> None:
    text = FORMS[form](CLAIMS)
    reader = ClaimsSoFar()
    known_at: dict[str, int] = {}
    for place, character in enumerate(text):
        for claims in reader(character, False)[0]:
            known_at[claims[-1]] = place
    in_list = "list" in form or form == "object"
    written = [json.dumps(claim) if in_list else claim for claim in CLAIMS]
    expected = {claim: text.index(shown) + len(shown) - 1 for claim, shown in zip(CLAIMS, written, strict=True)}
    if form == "list of objects":
        expected = {claim: text.index("}", place) for claim, place in expected.items()}
    if not in_list:
        expected = {claim: place for claim, at in expected.items() if (place := text.find("\n", at)) >= 0}
    assert known_at == expected


@pytest.mark.parametrize(
    "text",
    [
        "An array is written [] in JSON.\nBees fly.\n",  # an empty list, says the whole text
        'Bees fly.\n["Ice melts."]',
        '["Bees fly.", 3]',
        '["Bees fly.", "Ice',
        '["Bees\nfly."]',
    ],
)
def test_what_is_not_known_before_the_end_is_right_at_the_end(text: str) -> None:
    assert _said(list(text))[-1] == parsing.claims(text)


@pytest.mark.parametrize("text", ["", "NONE", "None.", "[]", " \n\n "])
def test_a_text_without_claims_says_so_once(text: str) -> None:
    assert _said(list(text)) == [[]]
