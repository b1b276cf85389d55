"""What the model made of rules knows: the package's own corpus, and what is told of any topic.

Always true: what is known of a topic depends on the topic only. A topic that the corpus does not tell of is known by
headings that suit anything.
"""

from __future__ import annotations

import re
from functools import cache

from alto_lg.adapters.bm25 import BM25Index, terms
from alto_lg.apps import text
from alto_lg.apps.corpus import Passage, shipped_corpus

ANYTHING = {
    "Background": ("Origins", "Setting", "Earlier attempts", "Causes", "Place and people"),
    "History": ("Beginnings", "Growth", "Turning points", "Later years", "Chronology"),
    "Description": ("Structure", "Size and number", "Parts", "How it works", "Comparison with others"),
    "People": ("Founders", "Leading figures", "Opponents", "Public opinion", "Families"),
    "Course of events": ("Preparation", "First days", "Climax", "End", "Reports"),
    "Effects": ("Immediate effects", "Lasting effects", "Costs", "Reactions abroad", "Changes in law"),
    "Reception": ("Praise", "Criticism", "Awards", "In the press", "In the arts"),
    "Legacy": ("Memorials", "Influence", "Research", "Name", "Today"),
}
_NAMES_MAX = 2
_YEAR = re.compile(r"\b1[0-9]{3}\b|\b20[0-2][0-9]\b")
_NO_NAMES_TEXT = (
    "January February March April May June July August September October November December Monday Tuesday Wednesday "
    "Thursday Friday Saturday Sunday Today Later After Before Since Until Both Its Their Her"
)
_NO_NAMES = frozenset(_NO_NAMES_TEXT.split())


def known_of(topic: str, most: int) -> list[Passage]:
    """The passages that share words with a topic, the closest first; none that has fewer than a third of its words."""
    passages, told, index = _memory()
    asked = set(terms(topic))
    found = [place for place in index.search(topic, 4 * most) if 3 * len(asked & told[place]) >= len(asked)]
    return [passages[place] for place in found[:most]]


def headings_in(told: str) -> list[str]:
    """What the sentences of a text could stand under: the first names in each, and its year."""
    return [heading for sentence in text.sentences(told) if (heading := _heading_of(sentence))]


def _heading_of(sentence: str) -> str:
    """The names of a sentence; a word at its start is one only with another name behind it."""
    runs = ([word for word in run.split() if terms(word) and word not in _NO_NAMES] for run in text.name_runs(sentence))
    names = dict.fromkeys(
        " ".join(words) for words in runs if len(words) > 1 or (words and not sentence.startswith(words[0]))
    )
    year = _YEAR.search(sentence)
    named = " and ".join(list(names)[:_NAMES_MAX])
    return f"{named} in {year.group()}" if named and year else named


@cache
def _memory() -> tuple[list[Passage], list[frozenset[str]], BM25Index]:
    """All passages, the words of each, and their index."""
    passages = shipped_corpus()
    texts = [f"{passage['title']}. {passage['text']}" for passage in passages]
    return passages, [frozenset(terms(one)) for one in texts], BM25Index(texts)
