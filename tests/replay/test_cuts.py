"""Cuts: found at every chunking alike, and what is kept has the whole items and no other."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alto_lg import split
from alto_lg.adapters.replay.asked import cuts_asked_for
from alto_lg.adapters.replay.cuts import Cut, Cuts, JsonListCuts

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
VALUES: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=6,
)


def one_by_one(cuts: Cuts, text: str) -> list[tuple[int, Cut]]:
    """Every cut, with how much of the text had been read."""
    found = [(at, cuts.feed(char)) for at, char in enumerate(text, 1)]
    return [(at, cut) for at, cut in found if cut is not None]


def kept(text: str, cut: Cut) -> str:
    return text[: cut.length] + cut.closing


def pieces_of(text: str, places: list[int]) -> list[str]:
    ends = sorted({place % (len(text) + 1) for place in places} | {len(text)})
    starts = [0, *ends[:-1]]
    return [text[start:end] for start, end in zip(starts, ends, strict=True)]


def outermost(value: Any) -> list[list[Any]]:
    """The lists of a value that are in no other list."""
    if isinstance(value, list):
        return [value]
    return [found for inner in value.values() for found in outermost(inner)] if isinstance(value, dict) else []


def count_of(value: Any) -> int:
    return sum(map(len, outermost(value)))


@given(st.dictionaries(TEXT, VALUES, max_size=4) | st.lists(VALUES, max_size=4), st.sampled_from([None, 1, 2]))
def test_each_item_of_an_outermost_list_is_cut_off_once(value: Any, indent: int | None) -> None:
    text = json.dumps(value, indent=indent, ensure_ascii=False)
    cuts = one_by_one(JsonListCuts(), text)
    assert [count_of(json.loads(kept(text, cut))) for _, cut in cuts] == list(range(1, count_of(value) + 1))


@given(st.dictionaries(TEXT, VALUES, min_size=1, max_size=4), st.lists(st.integers(0, 10_000), max_size=8))
def test_the_last_cut_of_a_piece_does_not_depend_on_how_it_is_cut(value: Any, places: list[int]) -> None:
    text = json.dumps(value)
    expected = one_by_one(JsonListCuts(), text)
    cuts, read = JsonListCuts(), 0
    for piece in pieces_of(text, places):
        within = [cut for at, cut in expected if read < at <= read + len(piece)]
        read += len(piece)
        assert cuts.feed(piece) == (within[-1] if within else None)


def test_prose_and_a_fence_may_stand_before_and_the_fence_is_closed() -> None:
    text = 'Here [as asked]:\n```json\n{"queries": ["a", "b"]}\n```\nDone.'
    shown = [kept(text, cut) for _, cut in one_by_one(JsonListCuts(), text)]
    assert shown == [
        'Here [as asked]:\n```json\n{"queries": ["a"]}\n```',
        'Here [as asked]:\n```json\n{"queries": ["a", "b"]}\n```',
    ]


def test_brackets_and_quotes_in_strings_are_text() -> None:
    text = json.dumps({"note": '[ { \\ " ', "queries": ["]", "}", '"', "\\"]})
    found = [json.loads(kept(text, cut))["queries"] for _, cut in one_by_one(JsonListCuts(), text)]
    assert found == [["]"], ["]", "}"], ["]", "}", '"'], ["]", "}", '"', "\\"]]


@given(st.lists(VALUES, max_size=5), st.sampled_from(["queries", "plan.queries"]))
def test_a_path_leads_to_one_list(items: list[Any], path: str) -> None:
    value: Any = {"queries": items}
    value = {"other": [1, [2]], "plan": value} if path.startswith("plan") else {"other": [1], **value}
    text = json.dumps(value)
    found = [
        json.loads(kept(text, cut)) for _, cut in one_by_one(cuts_asked_for("n", split.json_items(path=path))(), text)
    ]
    at_path = [one["plan"]["queries"] if path.startswith("plan") else one["queries"] for one in found]
    assert at_path == [items[: count + 1] for count in range(len(items))]


SPLITTERS: list[tuple[Any, str, list[str]]] = [
    (split.lines, "one\ntwo\r\n\nfour", ["one\n", "one\ntwo\r\n", "one\ntwo\r\n\n"]),
    (split.words, "one two  three", ["one ", "one two "]),
    (split.sentences, "It is so. Is it? Yes.", ["It is so. ", "It is so. Is it? "]),
    (split.bullets, "1. one\n2. two\n3. three", ["1. one\n", "1. one\n2. two\n"]),
    (split.regex(pattern=r"---\n"), "one\n---\ntwo\n---\nthree", ["one\n---\n", "one\n---\ntwo\n---\n"]),
]


@pytest.mark.parametrize(("asked", "text", "expected"), SPLITTERS, ids=lambda value: getattr(value, "__name__", ""))
def test_other_splitters_cut_where_their_items_end(asked: Any, text: str, expected: list[str]) -> None:
    found = [kept(text, cut) for _, cut in one_by_one(cuts_asked_for("n", asked)(), text)]
    assert found == expected


@given(st.text("ab \n.1-", max_size=60), st.sampled_from([split.lines, split.words, split.bullets, split.sentences]))
def test_what_is_kept_has_the_items_that_were_whole(text: str, asked: Any) -> None:
    whole: list[Any] = []
    splitter = asked().fresh()
    cuts = cuts_asked_for("n", asked)()
    for at, char in enumerate(text, 1):
        whole += splitter.feed(char)
        cut = cuts.feed(char)
        if cut is not None:
            assert list(asked(text[: cut.length])) == whole, at


def test_text_of_another_kind_has_no_cuts() -> None:
    text = '{"a": "yes", "b": 3}'
    assert one_by_one(cuts_asked_for("n", split.json_items(path="queries"))(), text) == []
    assert one_by_one(JsonListCuts(), text) == []
    assert one_by_one(JsonListCuts(), "Yes, [1] says so.") == []
