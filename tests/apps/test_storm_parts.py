"""Topics, answers of models, outlines, citations, scores, and the limit: each on its own."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from alto_lg.apps.base import InputError, Request, Span
from alto_lg.apps.corpus import Passage, read_corpus, shipped_corpus
from alto_lg.apps.retrieval import Retriever
from alto_lg.apps.storm import STORM, command, parsing, prompts
from alto_lg.apps.storm.citing import cited, numbered, restricted, without_citations
from alto_lg.apps.storm.composing import assembled, composed
from alto_lg.apps.storm.inputs import read_topics
from alto_lg.apps.storm.outline import Outlined, OutlineReader, sections_of
from alto_lg.apps.storm.scoring import score
from alto_lg.apps.storm.state import Planned

# ── topics ──────────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_package_s_own_topics_are_labelled_with_subjects_of_its_corpus() -> None:
    requests = read_topics(None)
    known = {passage["id"].rpartition("-")[0] for passage in shipped_corpus()}
    assert len(requests) >= 20
    assert len({request.input["topic"] for request in requests}) == len(requests)
    assert all(set(request.labels["subjects"]) <= known for request in requests)


def test_topics_are_read_from_lines_and_from_the_names_of_articles(tmp_path: Path) -> None:
    lines = tmp_path / "topics.txt"
    lines.write_text("Tea  and coffee\n\nIce\n", encoding="utf-8")
    assert [(one.id, one.input) for one in read_topics(lines)] == [
        ("topic-1", {"topic": "Tea and coffee"}),
        ("topic-3", {"topic": "Ice"}),
    ]
    folder = tmp_path / "articles"
    folder.mkdir()
    (folder / "The_Moon.txt").write_text("The Moon\n\nIt is far.\n\n# Craters\n\nIt has many. They are old.\n")
    assert read_topics(folder) == [Request("The_Moon", {"topic": "The Moon"}, {"subjects": ["The_Moon"]})]
    assert read_corpus(folder) == [
        {"id": "The_Moon-0", "title": "The Moon", "text": "It is far."},
        {"id": "The_Moon-1", "title": "Craters (The Moon)", "text": "It has many. They are old."},
    ]


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("t.jsonl", "", "{path}: the file is empty"),
        ("t.txt", "\n \n", "{path}: the file is empty"),
        ("t.jsonl", '{"topic": ""}', "{path}:1: key 'topic' must be text that is not empty, got ''"),
        ("t.jsonl", '{"topic": "T", "subjects": "x"}', "{path}:1: key 'subjects' must be a list of texts, got 'x'"),
        ("t.jsonl", '{"id": "x", "topic": "T"}\n{"id": "x", "topic": "U"}', "{path}:2: id 'x' is used twice"),
    ],
)
def test_a_malformed_file_of_topics_is_refused_before_any_work(
    tmp_path: Path, name: str, content: str, message: str
) -> None:
    path = tmp_path / name
    path.write_text(content, encoding="utf-8")
    with pytest.raises(InputError) as refused:
        STORM.workload(corpus=None, questions=path)
    assert str(refused.value) == message.format(path=path)


def test_what_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such file or folder; give a file of topics"):
        read_topics(tmp_path / "none")
    with pytest.raises(InputError, match=r"no \.txt file in this folder"):
        read_topics(tmp_path)
    latin = tmp_path / "latin.txt"
    latin.write_bytes(b"caf\xe9\n")
    with pytest.raises(InputError, match=r"not UTF-8 text \(byte 3\)"):
        read_topics(latin)


def test_an_empty_topic_or_a_reference_is_refused_on_the_command_line() -> None:
    assert command.given("Tea", None) == {"topic": "Tea"}
    with pytest.raises(ValueError, match="the topic is empty"):
        command.given(" ", None)
    with pytest.raises(ValueError, match="storm takes no --reference"):
        command.given("Tea", "An article.")


# ── what models answer ──────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("text", "titles"),
    [
        ("- Tea\n* Green tea\n1. Tea", ["Tea", "Green tea"]),
        ("Tea\n\nCoffee\n", ["Tea", "Coffee"]),
        ("Here they are:\n- Tea", ["Tea"]),
        ("None.", []),
        ("", []),
        ("\n".join(f"- {n}" for n in range(20)), [str(n) for n in range(10)]),
    ],
)
def test_related_titles_are_the_entries_of_a_list_or_the_lines(text: str, titles: list[str]) -> None:
    assert parsing.related(text) == titles


@pytest.mark.parametrize(
    ("line", "persona"),
    [
        ("1. Historian: wars; kings", "Historian: wars; kings"),
        ("  2) **Engineer**: bridges ", "Engineer: bridges"),
        ("Two editors are enough.", ""),
        ("- Historian: wars", ""),
        ("1990 was a good year.", ""),
        ("3. ", ""),
        ("", ""),
    ],
)
def test_an_editor_is_an_entry_of_a_numbered_list(line: str, persona: str) -> None:
    assert parsing.persona(line) == persona


@pytest.mark.parametrize(
    "text", ["", " \n", prompts.THANKS, "Good. thank you so much for your help", "Bye.\n" + prompts.THANKS]
)
def test_an_editor_who_says_thanks_or_nothing_asks_no_more(text: str) -> None:
    assert parsing.question(text) == ""


def test_a_question_is_put_on_one_line() -> None:
    assert parsing.question(" What\nis it? ") == "What is it?"


@pytest.mark.parametrize(
    ("text", "queries"),
    [
        ("- one\n- two\n- three\n- four", ["one", "two", "three"]),
        ('Sure:\n- "one"\n- one\n2. two', ["one", "two"]),
        ("one\n\ntwo", ["one", "two"]),
        ("None", []),
        ("", []),
    ],
)
def test_queries_are_the_entries_of_a_list_or_the_lines(text: str, queries: list[str]) -> None:
    assert parsing.queries(text, 3) == queries


def test_the_body_of_a_section_has_neither_its_heading_nor_a_fence() -> None:
    text = "```markdown\n# Tea\n\nIt is hot [1].\n\n\n\n## Green tea ##\nIt is green.\n```"
    assert parsing.body(text, "tea") == "It is hot [1].\n\n### Green tea\nIt is green."
    assert parsing.prose("# Tea\n\nIt is hot.\n") == "It is hot."


# ── outlines ────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("text", "sections"),
    [
        ("# A\n## B\n### C\n# D", [Outlined("A", ((2, "B"), (3, "C"))), Outlined("D")]),
        ("Outline:\n\n# A\nwords\n#\n#B\n", [Outlined("A")]),
        ("# Introduction\n## B\n# A\n# Conclusion\n# Summary and outlook\n# References", [Outlined("A")]),
        ("# tea\n## A\n### B\n## C", [Outlined("A", ((2, "B"),)), Outlined("C")]),
        ("# A\n# Tea\n## B", [Outlined("A"), Outlined("Tea", ((2, "B"),))]),
        ("## A\n", []),
        ("", []),
    ],
)
@pytest.mark.parametrize("piece_chars", [1, 3, 1000])
def test_an_outline_has_the_same_sections_in_pieces_and_at_once(
    text: str, sections: list[Outlined], piece_chars: int
) -> None:
    assert sections_of(text, "Tea") == sections
    reader, read, rest = OutlineReader("Tea"), list[Outlined](), ""
    for start in range(0, len(text), piece_chars):
        rest += text[start : start + piece_chars]
        found, used = reader(rest, False)
        read, rest = [*read, *found], rest[used:]
    found, _ = reader(rest, True)
    assert [*read, *found] == sections


def test_a_section_is_known_when_the_next_one_begins() -> None:
    reader = OutlineReader("Tea")
    assert reader("# A\n## B\n# C", False) == ([], 9)
    assert reader("# C\n", False) == ([Outlined("A", ((2, "B"),))], 4)
    assert Outlined("A", ((2, "B"),)).text == "# A\n## B"


# ── citations ───────────────────────────────────────────────────────────────────────────────────────────────────


def _snippets(count: int) -> list[Passage]:
    return [{"id": f"p-{n}", "title": f"T{n}", "text": f"Text {n} [7]."} for n in range(1, count + 1)]


def test_evidence_is_numbered_and_has_no_citations_of_its_own() -> None:
    assert numbered(_snippets(2)) == "[1] T1: Text 1.\n[2] T2: Text 2."
    assert numbered(_snippets(1), [4]) == "[4] T1: Text 1."
    assert numbered([]) == ""
    assert without_citations("It is so [1][2, 3]. And so [4].") == "It is so. And so."


@pytest.mark.parametrize(
    ("text", "shifted", "order"),
    [
        ("Bees fly [3].\n\nIce melts [1].", "Bees fly [1].\n\nIce melts [2].", ["p-3", "p-1"]),
        ("Bees fly [2, 3]. Ice melts [3][2].", "Bees fly [1][2]. Ice melts [2][1].", ["p-2", "p-3"]),
        ("Bees fly [9]. Ice melts [0].", "Bees fly. Ice melts.", []),
        ("", "", []),
    ],
)
def test_numbers_are_shifted_to_the_order_in_which_they_come(text: str, shifted: str, order: list[str]) -> None:
    answer, references = cited(text, _snippets(3))
    assert answer == shifted
    assert [reference["id"] for reference in references] == order
    assert [reference["number"] for reference in references] == list(range(1, len(order) + 1))


def test_a_section_keeps_only_the_numbers_that_it_was_given() -> None:
    assert restricted("One [1]. Two [2, 5].", frozenset({1, 5})) == "One [1]. Two [5]."
    plan: list[Planned] = [
        {"place": place, "heading": heading, "outline": f"# {heading}", "evidence": f"[{place}] T: x"}
        for place, heading in ((0, "A"), (1, "B"))
    ]
    written: Any = [{"place": 1, "heading": "B", "text": "# B\nTwo [1][0]."}, {"place": 0, "heading": "A", "text": ""}]
    assert composed("Lead.", written, plan) == "Lead.\n\n## A\n\n## B\n\nTwo [1]."
    reference: Any = {"number": 1, "id": "p-1", "title": "T1", "text": ""}
    assert assembled("Tea", "Lead [1].", [reference]) == "# Tea\n\nLead [1].\n\n## References\n\n1. T1 (p-1)"
    assert assembled("Tea", "", []) == "# Tea"


# ── searching ───────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_search_among_some_passages_finds_no_other() -> None:
    retriever = Retriever(shipped_corpus())
    assert retriever.closest("bees and their hive", 1)[0]["id"].startswith("bees-")
    among = ["tea-1", "mozart-2", "tea-3"]
    found = retriever.closest("bees and their hive", 2, among=among)
    assert len(found) == 2 and {passage["id"] for passage in found} <= set(among)
    assert retriever.closest("bees", 2, among=[]) == []
    assert [one["id"] for one in retriever.documents()[0]] == [f"marie-curie-{number}" for number in range(1, 6)]


# ── scores ──────────────────────────────────────────────────────────────────────────────────────────────────────


def _answer(text: str, evidence: str = "[1] Bees: x\n[4] Ice: y", article: str = "") -> dict[str, Any]:
    plan = [{"place": 0, "heading": "A", "outline": "# A\n## B", "evidence": evidence}]
    references = [{"number": 1, "id": "bees-1", "title": "Bees", "text": "Bees fly far. In 1901 they were counted."}]
    sections = [{"place": 0, "heading": "A", "text": text}]
    return {"plan": plan, "sections": sections, "article": article, "references": references}


@pytest.mark.parametrize(("text", "share"), [("x [1].", 1.0), ("x [1][4].", 1.0), ("x [1] [2].", 0.0), ("x.", 0.0)])
def test_a_section_has_valid_references_if_it_cites_only_what_it_was_given(text: str, share: float) -> None:
    assert score([Request("a", {})], [_answer(text)])["sections_with_valid_references"] == share


def test_headings_sentences_and_subjects_are_found_in_the_article() -> None:
    body = "# T\n\nBees fly far [1]. They were counted in 1902 [1].\n\n## A\n\nNone."
    article = f"{body}\n\n## References\n\n1. Whales sing [1]"
    scores = score([Request("a", {}, {"subjects": ["bees", "ice"]})], [_answer("x [1].", article=article)])
    assert (scores["headings_kept"], scores["sentences_borne_out"], scores["subjects_covered"]) == (0.5, 0.5, 0.5)
    assert (scores["sections"], scores["references"]) == (1.0, 1.0)


def test_no_articles_have_no_score() -> None:
    assert set(score([], []).values()) == {0.0}


# ── the limit ───────────────────────────────────────────────────────────────────────────────────────────────────


def _spans(*pieces: tuple[str, tuple[int, ...], float]) -> list[Span]:
    return [Span(stage, item, 100.0, 100.0 + seconds) for stage, item, seconds in pieces]


def _turn(item: tuple[int, int], ask_s: float, query_s: float, answer_s: float) -> list[Span]:
    return _spans(
        ("ask", item, ask_s), ("query", item, query_s), ("search", (*item, 0), 0.25), ("answer", item, answer_s)
    )


BEFORE = _spans(("draft", (), 3.0), ("relate", (), 1.0), ("contents", (), 0.5), ("personas", (), 2.0))
TALKS = [*_turn((0, 0), 1.0, 0.5, 2.0), *_turn((0, 1), 1.0, 0.5, 1.0), *_turn((1, 0), 1.0, 0.5, 2.0)]
AFTER = _spans(
    ("refine", (), 4.0), ("write", (0,), 6.0), ("write", (1,), 3.0), ("lead", (), 2.0), ("publish", (), 0.125)
)


def _limits(*parts: Sequence[Span]) -> tuple[float, float | None]:
    spans = [span for part in parts for span in part]
    return STORM.limit_s(spans), STORM.first_result_limit_s(spans)


def test_the_first_editor_needs_nothing_and_the_others_their_line() -> None:
    # The first interview would end at 6.5, the second one ends at 3.5 + 3.75 = 7.25.
    assert _limits(BEFORE, TALKS, AFTER) == (pytest.approx(7.25 + 4 + 6 + 2.125), pytest.approx(7.25 + 4 + 3))
    written = _spans(("persona", (1,), 0.5))
    # Now the second one ends at 2 + 3.75 = 5.75, before the first.
    assert _limits(BEFORE, TALKS, AFTER, written)[0] == pytest.approx(6.5 + 4 + 6 + 2.125)


def test_a_section_starts_when_its_part_of_the_outline_is_written() -> None:
    planned = _spans(("planned", (0,), 1.0), ("planned", (1,), 3.5))
    assert _limits(BEFORE, TALKS, AFTER, planned) == (pytest.approx(7.25 + 7 + 2.125), pytest.approx(7.25 + 6.5))


def test_a_query_is_searched_for_when_it_is_written() -> None:
    written = _spans(("query_written", (1, 0, 0), 0.125))
    assert _limits(BEFORE, TALKS, AFTER, written)[0] == pytest.approx(7.0 + 4 + 6 + 2.125)


def test_the_draft_can_be_what_takes_longest() -> None:
    assert _limits(BEFORE[:1], AFTER)[0] == pytest.approx(3 + 4 + 6 + 2.125)


def test_an_article_without_sections_has_no_first_result() -> None:
    assert _limits(BEFORE, AFTER[:1]) == (pytest.approx(3.5 + 4), None)


def test_a_span_of_another_application_is_refused() -> None:
    with pytest.raises(ValueError, match="span of an unknown stage 'appraise'; STORM has draft"):
        STORM.limit_s(_spans(("appraise", (0,), 1.0)))
