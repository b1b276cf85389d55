"""What the items of texts as models write them are, how soon they come, and what the errors say."""

from __future__ import annotations

import copy
import pickle
import subprocess
import sys
import tracemalloc
from collections.abc import Iterable, Iterator
from typing import Any

import pydantic
import pytest

from alto_lg import split
from split.cutting import assert_same_at_every_cut, pieces

# ── sentences ───────────────────────────────────────────────────────────────────────────────────────────────────

SENTENCES = {
    "abbreviations": [
        "Dr. Smith of Acme Inc. met Mrs. Jones at 5 p.m. on Jan. 5.",
        "See Fig. 3, cf. No. 7, e.g. here.",
    ],
    "abbreviations that end one": [
        "It was sold to Acme Inc.",
        "The price was low.",
        "He lives in the U.S.",
        "She does.",
    ],
    "initials": ["J. R. R. Tolkien and George W. Bush never met.", "That is so."],
    "numbers": ["Pi is 3.14159, not 3.", "It cost $1,000.50 in 2010.", "5 people came."],
    "quotes": ['"Stop!" he said.', '"Why?" she asked.', "He wrote “the end.”", "Then (as planned.) he left."],
    "ellipses": ["Well... perhaps… not.", "Wait...", "What?!", "Yes."],
    "addresses": ["See www.example.com/a.html or mail a.b@c.de now.", "Version 2.0.1 is out."],
    "citations": ["It opened in 1889.[1][23]", "It is tall. [2]", "So it is [3]."],
    "chinese": ["他说：“走吧。”", "她点头。", "为什么？", "好！"],
    "japanese": ["「行こう。」と彼は言った。", "終わり。"],
}


@pytest.mark.parametrize("name", SENTENCES)
def test_sentences_end_where_a_reader_would_end_them(name: str) -> None:
    expected = SENTENCES[name]
    text = ("" if name in ("chinese", "japanese") else " ").join(expected)
    assert assert_same_at_every_cut(split.sentences(), text).items == expected


def test_a_line_ends_a_sentence_unless_the_text_is_wrapped() -> None:
    text = "# A title\n1. First do\nthis. 2. Then that.\n\nThe end"
    assert list(split.sentences(text)) == ["# A title", "1. First do", "this.", "2. Then that.", "The end"]
    assert list(split.sentences(text, wrapped=True)) == ["# A title\n1. First do\nthis.", "2. Then that.", "The end"]


# ── bullets ─────────────────────────────────────────────────────────────────────────────────────────────────────

LIST = """Here are some ideas:

1. First idea
   goes on here
2. **Second** idea:
   - with a part
   - and another

3) Third

   has two paragraphs.

That is all.
It is no item.
"""


def test_bullets_are_joined_with_the_lines_that_go_on() -> None:
    found = assert_same_at_every_cut(split.bullets(), LIST)
    assert found.items == [
        "First idea goes on here",
        "**Second** idea:\n- with a part\n- and another",
        "Third\nhas two paragraphs.",
    ]


def test_nested_bullets_have_a_level_and_the_mark_that_was_written() -> None:
    found = assert_same_at_every_cut(split.bullets(nested=True, preamble=True), LIST)
    assert found.items == [
        split.Bullet("Here are some ideas:", 0, ""),
        split.Bullet("First idea goes on here", 0, "1."),
        split.Bullet("**Second** idea:", 0, "2."),
        split.Bullet("with a part", 1, "-"),
        split.Bullet("and another", 1, "-"),
        split.Bullet("Third\nhas two paragraphs.", 0, "3)"),
    ]


@pytest.mark.parametrize("mark", ["-", "*", "+", "•", "1.", "12.", "3)", "(4)", "a)", "(b)", "(iv)"])
def test_every_usual_mark_begins_an_item(mark: str) -> None:
    assert list(split.bullets(f"{mark} one\n{mark} two")) == ["one", "two"]


@pytest.mark.parametrize("line", ["1.5 is a number", "-5 degrees", "---", "**bold**", "2024. A year", "A. Smith"])
def test_a_line_that_only_looks_like_a_bullet_is_text(line: str) -> None:
    assert list(split.bullets(f"- one\n{line}\n- two")) == [f"one {line}", "two"]


# ── JSON ────────────────────────────────────────────────────────────────────────────────────────────────────────


class Section(pydantic.BaseModel):
    title: str
    words: int = 100


def test_items_of_a_model_class_are_its_objects() -> None:
    text = '{"sections": [{"title": "A"}, {"title": "B", "words": 5}]}'
    items = list(split.json_items(text, path="sections", model=Section))
    assert items == [Section(title="A"), Section(title="B", words=5)]


def test_an_item_that_the_model_class_refuses_says_which_it_is() -> None:
    items = split.json_items('[{"title": "A"}, {"title": 5}]', model=Section)
    assert next(items) == Section(title="A")
    with pytest.raises(pydantic.ValidationError) as refused:
        next(items)
    assert refused.value.__notes__ == ["In item 2 of the JSON array, at character 17 of the text."]


ENDED = "The JSON ended behind the array, after 1 whole items, at character 9 of the text."
MALFORMED: dict[str, tuple[dict[str, Any], list[Any], str]] = {
    "[1, oops, 3]": ({}, [1], "Expecting value, at character 4 of the text."),
    "[1 2]": ({}, [1], "Expected a comma or a bracket after item 1, not '2', at character 3 of the text."),
    "[1,]": ({}, [1], "Expected a value, not ']', at character 3 of the text."),
    '["a": 1]': ({}, ["a"], "Expected a comma or a bracket after item 1, not ':', at character 4 of the text."),
    '["a\nb"]': ({}, [], "Invalid control character at, at character 3 of the text."),
    '[1, {"a": ': ({}, [1], "The JSON ended in the array, after 1 whole items, at character 10 of the text."),
    "I am sorry [sic].": ({}, [], "There is no JSON array in the text, at character 17 of the text."),
    '{"a": [1]}': ({}, [], "The text is a JSON object, not an array, at character 0 of the text."),
    '[{"a": [1]}]': ({"path": "a"}, [], "The text is a JSON array, not an object, at character 0 of the text."),
    '{"b": [1]}': ({"path": "a"}, [], "The object ends without the key 'a', at character 9 of the text."),
    '{"a": {"c": 1}}': ({"path": "a.b"}, [], "The object ends without the key 'a.b', at character 13 of the text."),
    '{"a": null}': ({"path": "a"}, [], "Expected an array at 'a', not 'n', at character 6 of the text."),
    '{"a": [1], "a": [2]}': ({"path": "a"}, [1], "The key 'a' comes twice, at character 11 of the text."),
    '{"a": [1]': (
        {"path": "a"},
        [1],
        "The JSON ended behind the array, after 1 whole items, at character 9 of the text.",
    ),
    '{"z": tru, "a": []}': ({"path": "a"}, [], "Expecting value, at character 6 of the text."),
}


@pytest.mark.parametrize("text", MALFORMED)
def test_malformed_json_gives_the_items_before_it_and_says_where(text: str) -> None:
    options, items, message = MALFORMED[text]
    found = assert_same_at_every_cut(split.json_items(**options), text)
    assert found.items == items
    assert found.error is not None
    assert found.error[0] is split.MalformedJson
    assert found.error[1].startswith(message)


def test_json_that_is_nested_too_deeply_to_be_read_is_malformed() -> None:
    with pytest.raises(split.MalformedJson, match="cannot be read"):
        list(split.json_items("[" * 100_000 + "]" * 100_000))


# ── how soon items come ─────────────────────────────────────────────────────────────────────────────────────────

SOON = [
    (split.lines(), "a", "\n"),
    (split.words(), "a", " "),
    (split.sentences(), "One two. ", "T"),
    (split.sentences(), "One two.", "\n"),
    (split.sentences(), "一二。", "三"),
    (split.json_items(), '[{"a": 1}', ""),
    (split.json_items(), '["a"', ""),
    (split.json_items(), "[12", ","),
    (split.json_items(path="q"), '{"q": [[1]', ""),
    (split.bullets(), "1. a\n2.", " "),
    (split.bullets(), "- a\n\nO", "u"),
    (split.regex(pattern=r"\n\n+"), "a\n\n", "b"),
    (split.regex(pattern=r"\n\n"), "a\n", "\n"),
]


@pytest.mark.parametrize(("splitter", "before", "last"), SOON)
def test_an_item_comes_with_the_character_that_makes_it_certain(
    splitter: split.Splitter[Any], before: str, last: str
) -> None:
    pushed = splitter.fresh()
    *early, final = [pushed.feed(one) for one in before + last]
    assert not any(early)
    assert len(final) == 1


# ── bounds ──────────────────────────────────────────────────────────────────────────────────────────────────────

NOUNS = {
    "line": split.lines(max_item_chars=100),
    "word": split.words(max_item_chars=100),
    "sentence": split.sentences(max_item_chars=100),
    "list item": split.bullets(max_item_chars=100),
    "piece between separators": split.regex(pattern=";", max_item_chars=100),
}


@pytest.mark.parametrize("noun", NOUNS)
def test_an_item_that_is_too_long_is_an_error_that_names_the_limit(noun: str) -> None:
    pushed = NOUNS[noun].fresh()
    pushed.feed("- ")
    with pytest.raises(split.ItemTooLong, match=rf"^A {noun} is longer than max_item_chars=100\. "):
        for _ in range(101):
            pushed.feed("a")


def test_a_json_item_that_is_too_long_is_an_error() -> None:
    items = split.json_items(["[1, ", '"', "a" * 100, '"]'], max_item_chars=100)
    assert next(items) == 1
    with pytest.raises(split.ItemTooLong, match="JSON item"):
        next(items)


def test_a_limit_below_one_is_refused() -> None:
    with pytest.raises(ValueError, match="max_item_chars must be at least 1, not 0"):
        split.lines(max_item_chars=0)


BOUNDED = {
    "lines": (split.lines(), "a line of text\n"),
    "words": (split.words(), "word "),
    "sentences": (split.sentences(), "A sentence of text. "),
    "bullets": (split.bullets(), "- an item\n"),
    "json": (split.json_items(), '{"a": [1, 2]}, '),
    "json beside the path": (split.json_items(path="a"), "[1, 2, 3], "),
    "prose before json": (split.json_items(), "no json [yet]\n"),
    "text behind json": (split.json_items(), "text "),
    "regex": (split.regex(pattern=r"\s*;\s*"), "a piece ; "),
    "text behind a list": (split.bullets(), "text\n"),
}
HEADS = {
    "json": "[",
    "json beside the path": '{"b": [',
    "text behind json": "[]",
    "text behind a list": "- a\n\n",
}


@pytest.mark.parametrize("name", BOUNDED)
def test_what_is_held_does_not_grow_with_the_text(name: str) -> None:
    splitter, text = BOUNDED[name]
    pushed = splitter.fresh()
    pushed.feed(HEADS.get(name, ""))

    def write(times: int) -> None:
        for _ in range(times):
            pushed.feed(text)

    write(50)
    tracemalloc.start()
    try:
        before, _ = tracemalloc.get_traced_memory()
        write(3_000)
        after, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert after - before < 3_000


@pytest.mark.parametrize("name", BOUNDED)
@pytest.mark.parametrize("size", [1, 7, 1_000])
def test_the_limit_is_that_of_one_item_and_not_of_the_text(name: str, size: int) -> None:
    splitter, text = BOUNDED[name]
    pushed = splitter.fresh()
    pushed.max_item_chars = 25
    for delta in pieces(HEADS.get(name, "") + text * 20, size):
        pushed.feed(delta)
    assert pushed.fault is None


LONG = {
    "line": (split.lines(), "", "a"),
    "word": (split.words(), "", "a"),
    "sentence": (split.sentences(), "", "a"),
    "sentence of dots": (split.sentences(), "", "."),
    "sentence of spaces": (split.sentences(), "a.", " "),
    "bullet": (split.bullets(), "- ", "a"),
    "json text": (split.json_items(), '["', "a"),
    "json number": (split.json_items(), "[", "1"),
    "json object": (split.json_items(), '[{"a": "', "a"),
    "separators": (split.regex(pattern=r"\n\n+"), "", "a"),
    "function": (split.by(function=lambda text, at_end: ([], len(text) if at_end else 0)), "", "a"),
}


def _steps(splitter: split.Splitter[Any], head: str, text: str, times: int) -> int:
    """How many lines of code the interpreter runs to read a text that makes one item, character by character."""
    pushed = splitter.fresh()
    pushed.feed(head)
    steps = 0

    def count(frame: Any, event: str, argument: Any) -> Any:
        nonlocal steps
        steps += 1
        return count

    sys.settrace(count)
    try:
        for _ in range(times):
            pushed.feed(text)
    finally:
        sys.settrace(None)
    return steps


@pytest.mark.parametrize("name", LONG)
def test_each_character_of_a_long_item_takes_the_same_steps(name: str) -> None:
    splitter, head, text = LONG[name]
    few, many = (_steps(splitter, head, text, times) for times in (300, 1_200))
    assert many <= 4.2 * few


# ── the rest ────────────────────────────────────────────────────────────────────────────────────────────────────


def _upper(text: str, at_end: bool) -> tuple[Iterator[str], int]:
    *whole, rest = text.split(",")
    read = len(text) if at_end else len(text) - len(rest)
    return (one.upper() for one in (*whole, rest)[: None if at_end else -1]), read


def test_a_function_decides_what_an_item_is() -> None:
    assert assert_same_at_every_cut(split.by(function=_upper), "a,b,,c").items == ["A", "B", "", "C"]


def test_a_function_must_read_all_text_in_the_end() -> None:
    def never(text: str, at_end: bool) -> tuple[Iterable[str], int]:
        return (), 0

    with pytest.raises(split.UnreadText, match="left 3 characters unread"):
        list(split.by("abc", never))


def test_a_function_that_reads_more_than_there_is_is_an_error() -> None:
    with pytest.raises(ValueError, match="it read 9 of 3 characters"):
        list(split.by("abc", lambda text, at_end: ((), 9)))


def test_a_pattern_and_a_function_are_needed() -> None:
    with pytest.raises(TypeError, match="needs a pattern"):
        split.regex("a")  # type: ignore[call-overload]
    with pytest.raises(TypeError, match="needs a function"):
        split.by("a")  # type: ignore[call-overload]
    with pytest.raises(ValueError, match="an empty key"):
        split.json_items("[]", path="a..b")


ERRORS = [
    split.BrokenStream("The stream", 3, "it broke off", "Ask again."),
    split.TruncatedStream("The stream", 3, "length"),
    split.MixedStream("The stream", 3, "two answers", "Ask for one."),
    split.SourceRefused("no source"),
    split.MalformedJson("Expecting value", 3, "Ask again."),
    split.ItemTooLong("line", 10),
    split.UnreadText(3),
]


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: type(error).__name__)
def test_an_error_can_be_copied_and_sent(error: split.SplitError) -> None:
    for made in (copy.copy(error), pickle.loads(pickle.dumps(error))):
        assert type(made) is type(error)
        assert (str(made), vars(made)) == (str(error), vars(error))


def test_the_public_names_are_sorted_and_documented() -> None:
    assert split.__all__ == sorted(split.__all__)
    assert all(getattr(split, name).__doc__ for name in split.__all__)


def _modules_imported_by(statement: str) -> list[str]:
    """What the statement loads beyond what `import alto_lg` has loaded."""
    program = f"import sys, alto_lg; known = set(sys.modules); {statement}; print(*sorted(set(sys.modules) - known))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    return done.stdout.split()


def test_importing_it_loads_nothing_until_it_is_used() -> None:
    assert set(_modules_imported_by("import alto_lg.split")) <= {"alto_lg.split"}


def test_using_it_loads_no_client_and_no_pattern_engine() -> None:
    loaded = _modules_imported_by("from alto_lg import split; list(split.lines('a'))")
    assert "alto_lg.split._lines" in loaded
    assert [name for name in loaded if not name.startswith("alto_lg")] == []


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'paragraphs'"):
        _ = split.paragraphs  # type: ignore[attr-defined]
    assert set(split.__all__) <= set(dir(split))
