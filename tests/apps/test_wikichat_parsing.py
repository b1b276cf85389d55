"""From the model's text to queries, facts, an order and points: no text fails, and nothing said early is taken back."""

from __future__ import annotations

import itertools
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alto_lg import split
from alto_lg.apps.wikichat import parsing
from alto_lg.apps.wikichat.prompts import CLOSING, OPENING
from alto_lg.apps.wikichat.so_far import SoFar

ANY_TEXT = st.text(alphabet=st.sampled_from(f"[]\",'-*1230 .:\n\r\x0bNone`{OPENING}{CLOSING}"), max_size=80)
PIECES = st.lists(st.sampled_from([OPENING, CLOSING, "\n", "- ", "1. ", "None", "Bees fly.", "a b", " ", ":", "["]))
TEXTS = st.one_of(ANY_TEXT, PIECES.map("".join))
CUTS = st.lists(st.integers(0, 400), max_size=20)


def _cut(text: str, cuts: list[int]) -> list[str]:
    places = sorted({0, len(text), *(cut % (len(text) + 1) for cut in cuts)})
    return [text[start:end] for start, end in itertools.pairwise(places)]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (f"{OPENING}\nbees honey\nbees dance\n{CLOSING}", ["bees honey", "bees dance"]),
        (f"I would search for this:\n{OPENING}\n1. bees\n{CLOSING}\nThat is all.", ["bees"]),
        (f"{OPENING}bees{CLOSING}\n{OPENING}wasps{CLOSING}", ["bees", "wasps"]),
        (f'{OPENING}\n"bees"\nbees\n', ["bees"]),
        (f"{OPENING}\nNone\n{CLOSING}", []),
        (f"{OPENING}{CLOSING}", []),
        ("bees\nwasps", ["bees", "wasps"]),
        ("None.", []),
        ("", []),
        (f"{OPENING}\na\nb\nc\nd\n{CLOSING}", ["a", "b", "c"]),
    ],
)
def test_queries_are_the_lines_between_the_marks(text: str, found: list[str]) -> None:
    assert parsing.queries(text) == found


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("- Bees fly.\n- Ice melts.", ["Bees fly.", "Ice melts."]),
        ("I know this:\n* Bees  fly.\n* Bees fly.\nMore I do not know.", ["Bees fly."]),
        ("1. Bees fly.\n2) Ice melts.", ["Bees fly.", "Ice melts."]),
        ("Bees fly.\nIce melts.", ["Bees fly.", "Ice melts."]),
        ("None", []),
        ("- None", []),
        ("```\n- Bees fly.\n```", ["Bees fly."]),
        ("\n".join(f"- {number}" for number in range(20)), [str(number) for number in range(12)]),
    ],
)
def test_facts_are_the_entries_of_a_list(text: str, found: list[str]) -> None:
    assert parsing.facts(text) == found


@pytest.mark.parametrize(
    ("text", "order"),
    [
        ('["3", "1", "2"]', [2, 0, 1]),
        ("[3, 1, 2]", [2, 0, 1]),
        ("[3] > [1] > [2]", [2, 0, 1]),
        ("Of the 2 best: [3, 1", [2, 0, 1]),
        ("[3, 3, 9, 0]", [2, 0, 1]),
        ("[99999999999999999999]", [0, 1, 2]),
        ("none", [0, 1, 2]),
        ("", [0, 1, 2]),
        ("2, 3", [1, 2, 0]),
    ],
)
def test_an_order_has_every_passage_once_those_left_out_last(text: str, order: list[int]) -> None:
    assert parsing.ranking(text, 3, 3) == order
    assert parsing.ranking(text, 3, 2) == order[:2]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("1. Bees fly.\n2. Ice melts.", ["Bees fly.", "Ice melts."]),
        ("None", []),
        ("None; it is about trams.", []),
        ("1. None of the lamps was lit.", ["None of the lamps was lit."]),
        ("None of the lamps was lit.", ["None of the lamps was lit."]),
    ],
)
def test_points_are_the_statements_of_a_list(text: str, found: list[str]) -> None:
    assert parsing.points(text) == found


@pytest.mark.parametrize(
    ("whole", "begun", "enders"),
    [(parsing.queries, parsing.queries_so_far, "\n>"), (parsing.facts, parsing.facts_so_far, "\n")],
)
@given(text=TEXTS, cuts=CUTS)
def test_what_is_said_early_is_the_beginning_of_what_the_whole_text_says(
    whole: Callable[[str], list[str]], begun: Callable[[str], list[str]], enders: str, text: str, cuts: list[int]
) -> None:
    said = list(split.by(iter(_cut(text, cuts)), SoFar(whole, begun, enders)))
    assert said[-1] == whole(text)
    assert all(early == said[-1][: len(early)] for early in said)
    assert [len(early) for early in said] == sorted({len(early) for early in said})


@given(text=TEXTS, end=st.integers(0, 80), count=st.integers(0, 25), kept=st.integers(1, 3))
def test_an_order_that_is_cut_off_after_enough_names_is_the_order_of_the_whole(
    text: str, end: int, count: int, kept: int
) -> None:
    named = parsing.ranking_so_far(text[:end], count)
    if len(named) >= kept:
        assert named[:kept] == parsing.ranking(text, count, kept) == parsing.ranking(text[:end], count, kept)


@pytest.mark.parametrize("text", [f"{OPENING}\nbees honey\nbees dance\n{CLOSING}", f"{OPENING}bees{CLOSING}"])
def test_a_query_is_known_at_the_character_that_completes_it(text: str) -> None:
    reader = SoFar(parsing.queries, parsing.queries_so_far, "\n>")
    known_at = {items[-1]: place for place, one in enumerate(text) for items in reader(one, False)[0]}
    ended = {query: text.index(query) + len(query) for query in parsing.queries(text)}
    closed = text.index(CLOSING) + len(CLOSING) - 1
    assert known_at == {query: place if text[place] == "\n" else closed for query, place in ended.items()}


def test_a_fact_is_known_at_its_line_feed() -> None:
    reader = SoFar(parsing.facts, parsing.facts_so_far, "\n")
    text = "- Bees fly.\n- Ice melts.\n- Salt"
    known_at = {items[-1]: place for place, one in enumerate(text) for items in reader(one, False)[0]}
    assert known_at == {"Bees fly.": 11, "Ice melts.": 24}
