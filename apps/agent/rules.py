"""A model made of rules that drives the agent: it calls tools, reads what they give, and answers from that alone.

A question about two events and a measure takes two turns of three calls: two searches and the measure, then the two
passages found and the conversion of what was looked up. Any other question takes a search and a look at the measures,
then the two best passages. Always true: the reply depends on the messages only; the corpus is never read here.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from alto_lg.adapters.bm25 import terms
from alto_lg.apps import text
from alto_lg.apps.agent.prompts import ARGUMENTS, LOOK_UP, OPEN, SEARCH, SYSTEM

_ASKED = re.compile(
    r"how many years lie between (?P<one>.+?) and (?P<other>the .+?), "
    r"and what is (?P<measure>.+?) in (?P<unit>[a-z]+)\?",
    re.IGNORECASE | re.DOTALL,
)
_HIT = re.compile(r"^\[([^\]\s]+)\] ", re.MULTILINE)
_OPENED = re.compile(r"\[([^\]\s]+)\] ([^\n]+)\n(.+)", re.DOTALL)
_YEAR = re.compile(r"\b(1\d{3}|20\d{2})\b")
_MEASURED = re.compile(r"(\d[\d,]*(?:\.\d+)?) (metres|kilometres|kilograms|tonnes)\b")
_RESULT = re.compile(r" = (-?[\d,.]*\d)")
_FACTORS = {
    ("metres", "feet"): "/ 0.3048",
    ("metres", "yards"): "/ 0.9144",
    ("kilometres", "miles"): "/ 1.609344",
    ("kilograms", "pounds"): "/ 0.45359237",
    ("tonnes", "pounds"): "/ 0.00045359237",
}
_OPENED_MAX = 2


@dataclass(frozen=True, slots=True)
class Asked:
    """What a question names. Without a measure it is any other question, and `events` is the question itself."""

    events: tuple[str, ...]
    measure: str = ""
    unit: str = ""


@dataclass(frozen=True, slots=True)
class Page:
    """A passage that was opened."""

    id: str
    title: str
    body: str


def reply(messages: Sequence[Mapping[str, str]], seed: int) -> str | None:
    """The model's answer, or None if the prompt is another's."""
    if not messages or messages[0]["content"] != SYSTEM:
        return None
    last = max((place for place, one in enumerate(messages) if one["role"] == "user"), default=None)
    if last is None:
        return "What would you like to know?"
    asked = understood(messages[last]["content"])
    results = [one["content"] for one in messages[last:] if one["role"] == "tool"]
    turns = sum(one["role"] == "assistant" for one in messages[last:])
    if turns == 0:
        return "".join(
            [*(_call(SEARCH, event) for event in asked.events), _call(LOOK_UP, asked.measure or asked.events[0])]
        )
    searches, looked_up = results[: len(asked.events)], results[len(asked.events)]
    if turns == 1:
        calls = [*_openings(searches), *_conversion(asked, looked_up)]
        if calls:
            return "".join(calls)
    return _answer(asked, looked_up, results[len(asked.events) + 1 :])


def understood(question: str) -> Asked:
    """What is asked."""
    found = _ASKED.search(question)
    if found is None:
        return Asked((" ".join(question.split()),))
    return Asked((found["one"], found["other"]), found["measure"], found["unit"].lower())


def _call(name: str, argument: str) -> str:
    """A call as many open models write it."""
    written = json.dumps({"name": name, "arguments": {ARGUMENTS[name][0]: argument}}, ensure_ascii=False)
    return f"<tool_call>{written}</tool_call>"


# The second turn.


def _openings(searches: Sequence[str]) -> list[str]:
    """The first passage of each search; of one search the first two."""
    each = _OPENED_MAX if len(searches) == 1 else 1
    found = [identity for hits in searches for identity in _HIT.findall(hits)[:each]]
    return [_call(OPEN, identity) for identity in dict.fromkeys(found)]


def _conversion(asked: Asked, looked_up: str) -> list[str]:
    measured = _MEASURED.search(looked_up)
    factor = _FACTORS.get((measured[2], asked.unit)) if measured else None
    return [_call(LOOK_UP, f"{measured[1]} {factor}")] if measured and factor else []


# The answer.


def _answer(asked: Asked, looked_up: str, results: Sequence[str]) -> str:
    pages = [Page(*found.groups()) for result in results if (found := _OPENED.fullmatch(result))]
    if not asked.measure:
        return _told(asked.events[0], pages)
    return f"{_between(asked.events, pages)} {_converted(asked, looked_up, results)}"


def _told(question: str, pages: Sequence[Page]) -> str:
    """The sentence of the opened passages that has most of the question's words."""
    sentences = [(sentence, page) for page in pages for sentence in text.sentences(page.body)]
    if not sentences:
        return "The library does not tell of that."
    wanted = set(terms(question))
    best, page = max(sentences, key=lambda one: len(wanted & set(terms(one[0]))))
    return f"{best} [{page.id}]"


def _between(events: Sequence[str], pages: Sequence[Page]) -> str:
    # Where each event has a page of its own, that is looked at first.
    own = [pages, pages[::-1]] if len(pages) == len(events) else [pages] * len(events)
    years = [_year_of(event, ordered) for event, ordered in zip(events, own, strict=True)]
    if any(year is None for year in years):
        missing = " and ".join(event for event, year in zip(events, years, strict=True) if year is None)
        return f"I found no year for {missing}."
    (one, first), (other, second) = [year for year in years if year is not None]
    return f"Between {events[0]} in {one} [{first}] and {events[1]} in {other} [{second}] lie {abs(one - other)} years."


def _year_of(event: str, pages: Sequence[Page]) -> tuple[int, str] | None:
    """The year in the sentence that has most of the event's words, and the passage that it stands in."""
    wanted = set(terms(event))
    dated = [
        (len(wanted & set(terms(f"{page.title} {sentence}"))), int(year), page.id)
        for page in pages
        for sentence in text.sentences(page.body)
        for year in _YEAR.findall(sentence)[:1]
    ]
    if not dated:
        return None
    _, year, identity = max(dated, key=lambda one: one[0])
    return year, identity


def _converted(asked: Asked, looked_up: str, results: Sequence[str]) -> str:
    worked_out = next((found[1] for result in results if (found := _RESULT.search(result))), None)
    if worked_out is None:
        return f"I could not work out {asked.measure} in {asked.unit}."
    return f"{looked_up} That is {worked_out} {asked.unit}."
