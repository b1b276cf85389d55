"""Every splitter gives the same items and errors however the text is cut, on text that hits its special cases."""

from __future__ import annotations

import json
import random
import re
from collections.abc import Iterable

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from alto_lg import split
from split.cutting import assert_same_at_every_cut, cuts

ANY = st.text(st.characters(exclude_categories=()), max_size=60)
LIMITS = st.sampled_from((1, 2, 5, 1_000_000))


def _of(*fragments: str) -> st.SearchStrategy[str]:
    """Texts of what a splitter looks at, mixed with anything."""
    return st.lists(st.sampled_from(fragments) | ANY.map(lambda text: text[:3]), max_size=25).map("".join)


LINES = _of("\n", "\r\n", "\r", "\u2028", "\x0c", "a", " ", "\ufeff", "é", "e\u0301")
WORDS = _of(" ", "\n", "\u3000", "\x1c", "\u00a0", "\u200b", "word", "é", "\u0301")
SENTENCES = _of(
    *(
        "Mr.",
        "U.S.",
        "J.",
        "etc.",
        "e.g.",
        "no.",
        "1.",
        "3.14",
        ".",
        "...",
        "?",
        "!",
        "…",
        "。",
        "」",
        "と",
        "[1]",
        "[",
        "]",
    ),
    *("Cat", "]", " ", "  ", "\n", "\n\n", '"', "”", "(", ")", "The", "the", "x", "9", "**", ",", " The end.", "\r\n"),
)
BULLETS = _of(
    *("- ", "* ", "• ", "1. ", "2) ", "(a) ", "(iv) ", "b) ", "1.5", "-", "--", "(", "\n", "\n\n", "\r\n", "  ", "\t"),
    *("text", "a", "12", "   - ", "\n- ", "\n  - ", "\nmore", "\n\nout"),
)
JSONS = _of(
    *(
        "[",
        "]",
        "{",
        "}",
        '"',
        "\\",
        ",",
        ":",
        "1",
        "-2.5e3",
        "true",
        "null",
        " ",
        "\n",
        '"a"',
        '"a": ',
        '{"q": [',
        "]}",
    ),
    *(
        '"\\ud83d\\ude00"',
        '["x", ',
        "```json\n",
        "[note]",
        "NaN",
        '\\"',
        "[1, 2]",
        '{"b": {"q": ["y"]}}',
        "\ufeff",
        "\u00a0",
    ),
)


@settings(max_examples=150, deadline=None)
@given(LINES, cuts, st.booleans(), LIMITS)
@example("a\r\nb\rc\n\n", [1, 2], False, 1)
@example("a\nb\nc", [], False, 1)
def test_lines(text: str, places: list[int], skip_blank: bool, limit: int) -> None:
    assert_same_at_every_cut(split.lines(skip_blank=skip_blank, max_item_chars=limit), text, places)


@settings(max_examples=150, deadline=None)
@given(WORDS, cuts, LIMITS)
def test_words(text: str, places: list[int], limit: int) -> None:
    assert_same_at_every_cut(split.words(max_item_chars=limit), text, places)


@settings(max_examples=400, deadline=None)
@given(SENTENCES, cuts, st.booleans(), LIMITS)
@example("The rest.[1] More.", [], False, 100)
def test_sentences(text: str, places: list[int], wrapped: bool, limit: int) -> None:
    assert_same_at_every_cut(split.sentences(wrapped=wrapped, max_item_chars=limit), text, places)


@settings(max_examples=400, deadline=None)
@given(BULLETS, cuts, st.booleans(), LIMITS)
def test_bullets(text: str, places: list[int], preamble: bool, limit: int) -> None:
    assert_same_at_every_cut(split.bullets(preamble=preamble, max_item_chars=limit), text, places)
    assert_same_at_every_cut(split.bullets(preamble=preamble, nested=True, max_item_chars=limit), text, places)


@settings(max_examples=400, deadline=None)
@given(JSONS, cuts, st.sampled_from(("", "q", "b.q")), LIMITS)
def test_json_items(text: str, places: list[int], path: str, limit: int) -> None:
    splitter = split.json_items(path=path.split(".") if path else (), max_item_chars=limit)
    assert_same_at_every_cut(splitter, text, places)


PATTERNS = [
    *(r"\n\n+", r"\n(?=#)", r"\n(?!#)", r"\s*;\s*", r"a(?:b+c)?", r"a\b", r"a$", r"(?m)a$", r"a\Z", r"abc|ab|b"),
    *(r"(?<=b)a+", r"^a", r"(?m)^a", r"a(?=b$)", r"|ab", r"a*", r"(a)\1?b", r"a(?=.*c)", r"a.*?c", r"(?s)a.*?c"),
    *(r"\Bb", r"a(?!b\b)", r"(?x)a b # c", r"(?>a+)b", "a{2,3}b?", r"[$]a", r"(?=a)", r"(?i)AB", r"a(?!\Bb)|c$"),
]


@pytest.mark.parametrize("pattern", PATTERNS)
def test_regex(pattern: str) -> None:
    draw = random.Random(pattern)
    for _ in range(40):
        text = "".join(draw.choice("aabbc \n#;$") for _ in range(draw.randint(0, 14)))
        limit = draw.choice((2, 1_000))
        places = [draw.randint(0, 20) for _ in range(3)]
        assert_same_at_every_cut(split.regex(pattern=pattern, max_item_chars=limit), text, places)


@settings(max_examples=100, deadline=None)
@given(ANY, cuts)
def test_by_a_function_that_reads_what_is_certain(text: str, places: list[int]) -> None:
    def pairs(rest: str, at_end: bool) -> tuple[Iterable[str], int]:
        read = len(rest) if at_end else len(rest) // 2 * 2
        return [rest[at : at + 2] for at in range(0, read, 2)], read

    assert_same_at_every_cut(split.by(function=pairs), text, places)


# ── what the items are ──────────────────────────────────────────────────────────────────────────────────────────


def _mended(text: str) -> str:
    """Without a byte order mark, and pairs of surrogates as the characters that they are."""
    return text.removeprefix("\ufeff").encode("utf-16-le", "surrogatepass").decode("utf-16-le", "surrogatepass")


def _mendable(text: str) -> bool:
    try:
        text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "surrogatepass")
    except UnicodeDecodeError:
        return False
    return True


PLAIN = st.text(st.characters(exclude_categories=("Cs",)), max_size=60)


@settings(max_examples=150, deadline=None)
@given(PLAIN | LINES.filter(_mendable))
def test_lines_are_what_lies_between_line_feeds(text: str) -> None:
    expected = re.split("\r?\n", _mended(text))
    assert list(split.lines(text)) == (expected if expected[-1] else expected[:-1])


@settings(max_examples=150, deadline=None)
@given(PLAIN)
def test_words_are_those_of_str_split(text: str) -> None:
    assert list(split.words(text)) == _mended(text).split()


@settings(max_examples=150, deadline=None)
@given(SENTENCES.filter(_mendable), st.booleans())
def test_sentences_lose_nothing_but_white_space(text: str, wrapped: bool) -> None:
    joined = "".join(split.sentences(text, wrapped=wrapped))
    assert "".join(joined.split()) == "".join(_mended(text).split())


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | PLAIN,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(PLAIN, inner, max_size=3),
    max_leaves=8,
)
INDENTS = st.sampled_from((None, 0, 2))


@settings(max_examples=200, deadline=None)
@given(st.lists(VALUES, max_size=4), INDENTS, st.booleans())
def test_json_items_are_what_the_json_module_reads(values: list[object], indent: int | None, ascii_only: bool) -> None:
    text = json.dumps(values, indent=indent, ensure_ascii=ascii_only)
    assert assert_same_at_every_cut(split.json_items(), text).items == values
    fenced = f"Sure, as in [1]:\n```json\n{text}\n```\nIs that [all]?"
    assert assert_same_at_every_cut(split.json_items(), fenced).items == values


@settings(max_examples=200, deadline=None)
@given(st.lists(VALUES, max_size=3), st.dictionaries(PLAIN, VALUES, max_size=2), INDENTS)
def test_json_items_on_a_path_are_what_the_json_module_reads(
    values: list[object], beside: dict[str, object], indent: int | None
) -> None:
    inner = {**beside, "queries": values}
    text = json.dumps({"a": 1, "plan": inner, "z": {"queries": [0]}}, indent=indent)
    found = assert_same_at_every_cut(split.json_items(path="plan.queries"), text)
    assert (found.items, found.error) == (values, None)


@pytest.mark.parametrize(
    "pattern", [r"\n\n+", r"\s*;\s*", r"a(?:b+c)?", r"abc|ab|b", r"(?m)^a", r"(?<=b)a+", r"(a)\1?b"]
)
def test_pieces_are_those_of_re_split(pattern: str) -> None:
    draw = random.Random(pattern)
    groups = re.compile(pattern).groups
    for _ in range(100):
        text = "".join(draw.choice("aabbc \n#;$") for _ in range(draw.randint(0, 20)))
        expected = [piece for piece in re.split(pattern, text)[:: groups + 1] if piece]
        assert list(split.regex(text, pattern)) == expected
        assert list(split.regex(text, re.compile(pattern, re.IGNORECASE))) == expected


@settings(max_examples=100, deadline=None)
@given(PLAIN.filter(lambda text: not text.startswith("\ufeff")), st.sampled_from((1, 2, 3)))
def test_halves_of_a_character_that_come_apart_are_put_together(text: str, size: int) -> None:
    units = text.encode("utf-16-le")
    halves = [units[at : at + 2].decode("utf-16-le", "surrogatepass") for at in range(0, len(units), 2)]
    deltas = ["".join(halves[at : at + size]) for at in range(0, len(halves), size)]
    assert "\n".join(split.lines(iter(deltas))) == text.replace("\r\n", "\n").removesuffix("\n")
