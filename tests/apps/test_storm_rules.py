"""The model made of rules: does each task on the text of the prompt, at lengths that vary as recorded ones do."""

from __future__ import annotations

import re
from statistics import mean, pstdev

import pytest

from alto_lg.apps.corpus import shipped_corpus
from alto_lg.apps.lengths import token_count
from alto_lg.apps.storm import parsing, prompts
from alto_lg.apps.storm.citing import named_in, numbered
from alto_lg.apps.storm.inputs import read_topics
from alto_lg.apps.storm.outline import sections_of
from alto_lg.apps.storm.rules import reply

TOPICS = [str(request.input["topic"]) for request in read_topics(None)]
UNKNOWN = "Quidditch leagues of Ruritania"
BEES = [passage for passage in shipped_corpus() if passage["id"].startswith("bees-")]


def _reply(messages: list[dict[str, str]], seed: int = 0) -> str:
    text = reply(messages, seed)
    assert text
    return text


def test_prompts_of_other_applications_are_left_to_others() -> None:
    assert reply([{"role": "system", "content": "Sing."}, {"role": "user", "content": "La"}], 0) is None
    assert reply([], 0) is None


def test_related_articles_are_those_that_the_model_knows_of_the_topic() -> None:
    assert "The dance of the bees" in parsing.related(_reply(prompts.relating("Bees and honey")))
    assert f"History of {UNKNOWN}" in parsing.related(_reply(prompts.relating(UNKNOWN)))


@pytest.mark.parametrize("count", [1, 3, 5])
def test_as_many_editors_as_wanted_share_out_what_is_in_the_tables_of_contents(count: int) -> None:
    text = _reply(prompts.choosing("Bees", ["Honey; Wax; Life of a hive; The dance", "Stings"], count))
    editors = [found for found in map(parsing.persona, text.splitlines()) if found]
    assert len(editors) == count
    looked_into = [part for editor in editors for part in editor.partition(": ")[2].split("; ")]
    assert len(looked_into) == len(set(looked_into))
    assert {"Honey", "Wax"} & set(looked_into)


PERSONA = "Engineer: Honey; Wax"


def test_an_editor_asks_about_one_part_after_the_other_and_then_says_thanks() -> None:
    first = _reply(prompts.asking("Bees", PERSONA, ""))
    assert "I ask about Honey" in first
    history = f"{prompts.EDITOR} {first}\n{prompts.EXPERT} It is sweet."
    second = {_reply(prompts.asking("Bees", PERSONA, history), seed) for seed in range(20)}
    assert any("I ask about Wax" in question for question in second)
    assert any(not parsing.question(question) for question in second), "now and then an editor is content"
    history += f"\n{prompts.EDITOR} And wax?\n{prompts.EXPERT} It is soft."
    assert _reply(prompts.asking("Bees", PERSONA, history)) == prompts.THANKS


def test_an_editor_who_is_told_that_nothing_was_found_asks_no_more() -> None:
    nothing = _reply(prompts.answering("Bees", "What of honey?", ""))
    history = f"{prompts.EDITOR} What of honey?\n{prompts.EXPERT} {nothing}"
    assert _reply(prompts.asking("Bees", PERSONA, history)) == prompts.THANKS


def test_queries_are_made_of_the_words_of_question_and_topic() -> None:
    question = _reply(prompts.asking("Bees of Europe", PERSONA, ""))
    queries = parsing.queries(_reply(prompts.querying("Bees of Europe", question)), 9)
    assert len(queries) == len(set(queries)) == 3
    assert queries[0].split() == ["Honey", "Bees", "Europe"]


def test_an_answer_says_what_was_found_and_where() -> None:
    text = _reply(prompts.answering("Bees", "How do bees dance?", numbered(BEES)))
    told = dict(enumerate((passage["text"] for passage in BEES), 1))
    cited = [sentence for sentence in re.split(r"(?<=\])\. ?", text) if named_in(sentence)]
    assert cited
    for sentence in cited:
        assert re.sub(r" \[\d+\]$", "", sentence).split(". ")[-1] in told[named_in(sentence)[0]]


def test_what_does_not_bear_on_the_question_is_not_told() -> None:
    text = _reply(prompts.answering("Volcanoes", "When did Krakatoa erupt?", "[1] Honey: It is sweet and golden."))
    assert "could not find anything" in text


@pytest.mark.parametrize("topic", ["Bees and honey", UNKNOWN])
def test_a_draft_is_an_outline_with_headings_of_two_levels(topic: str) -> None:
    sections = sections_of(_reply(prompts.drafting(topic)), topic)
    assert 4 <= len(sections) <= 9
    assert any(section.headings for section in sections)


def test_the_outline_takes_up_what_the_interviews_brought() -> None:
    drafted = "# The dance of the bees\n# Machines of war"
    question = _reply(prompts.asking("Bees", "Engineer: Wax and wicks", ""))
    said = (
        f"{prompts.EDITOR} {question}\n{prompts.EXPERT} The bees dance. In 1923 Karl von Frisch wrote of it in Munich."
    )
    text = _reply(prompts.refining("Bees", drafted, said))
    headings = [section.heading for section in sections_of(text, "Bees")]
    assert "The dance of the bees" in headings and "Wax and wicks" in headings
    assert "Machines of war" not in headings
    assert "Karl von Frisch" in text


def test_a_section_has_its_headings_and_cites_its_evidence_only() -> None:
    outline = "# Life of a hive\n## Honey\n## Pollen"
    text = _reply(prompts.writing("Bees", outline, numbered(BEES, [3, 5, 8, 9, 12])))
    assert [line for line in text.splitlines() if line.startswith("#")] == outline.splitlines()
    assert set(named_in(text)) <= {3, 5, 8, 9, 12}
    assert len(named_in(text)) >= 5


def test_a_section_without_evidence_cites_nothing() -> None:
    text = _reply(prompts.writing("Bees", "# Honey", ""))
    assert text.startswith("# Honey\n\n") and not named_in(text)


def test_the_lead_names_the_sections_and_keeps_their_numbers() -> None:
    sections = (
        "## Honey\n\nIt is sweet and golden [2].\n\n### Colour\n\nIt is golden [1].\n\n## Wax\n\nWax is soft [4]."
    )
    text = _reply(prompts.leading("Bees", sections))
    assert "Honey, Wax" in text
    assert set(named_in(text)) == {1, 2, 4}
    assert "##" not in text


def test_the_polished_article_keeps_the_first_of_what_is_said_twice() -> None:
    article = "It is sweet [2].\n\n## Honey\n\nIt is sweet [3]. It is golden [1]."
    assert _reply(prompts.polishing(article)) == "It is sweet [2].\n\n## Honey\n\nIt is golden [1]."


def test_the_same_prompt_and_seed_give_the_same_answer_and_another_seed_another_length() -> None:
    asked = prompts.writing("Bees", "# Life of a hive\n## Honey", numbered(BEES))
    assert _reply(asked, 3) == _reply(asked, 3)
    assert len({token_count(_reply(asked, seed)) for seed in range(8)}) > 4


@pytest.mark.parametrize(("kind", "low", "high"), [("draft", 150, 240), ("related", 60, 95), ("question", 45, 75)])
def test_lengths_vary_about_the_mean_of_recorded_ones(kind: str, low: int, high: int) -> None:
    asked = {
        "draft": prompts.drafting,
        "related": prompts.relating,
        "question": lambda topic: prompts.asking(topic, PERSONA, ""),
    }[kind]
    lengths = [token_count(_reply(asked(topic), seed)) for topic in TOPICS for seed in range(3)]
    assert low < mean(lengths) < high
    assert 0.12 < pstdev(lengths) / mean(lengths) < 0.45
