"""Judge a claim against passages by its names, its numbers and its words. No model, no labels.

A claim is compared with the sentences that speak of the same thing. It is
  undecided  if no sentence shares enough of its words;
  false      if a name or number of it is missing where the evidence has another of the same kind in its place;
  true       otherwise.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from alto_lg.adapters.bm25 import terms
from alto_lg.apps.factool import text

_RELEVANT_SHARE = 0.34
_OPPOSITES = tuple(
    frozenset(pair.split())
    for pair in (
        "north south",
        "northern southern",
        "east west",
        "eastern western",
        "largest smallest",
        "longest shortest",
        "highest lowest",
        "oldest youngest",
        "hottest coldest",
        "more less",
        "before after",
        "left right",
        "above below",
        "increase decrease",
        "won lost",
        "male female",
    )
)
_WEAK = frozenset(terms("also known called name made make use used first part many most became become later early"))


@dataclass(frozen=True, slots=True)
class Source:
    """One sentence of the evidence, with the title of its passage and the whole passage around it."""

    place: int
    title: str
    sentence: str
    passage: str


@dataclass(frozen=True, slots=True)
class Finding:
    """What was found: the verdict, the sentence that decided, and what did not fit."""

    factual: bool | None
    source: Source | None
    missing: tuple[str, ...] = ()
    instead: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Facts:
    names: tuple[str, ...]
    numbers: tuple[str, ...]
    words: frozenset[str]


def sources(evidence: Sequence[tuple[str, str]]) -> list[Source]:
    """The sentences of passages given as title and text."""
    return [
        Source(place, title, sentence, body)
        for place, (title, body) in enumerate(evidence, 1)
        for sentence in text.sentences(body)
    ]


def judge(claim: str, evidence: Sequence[Source]) -> Finding:
    """The verdict on a claim."""
    facts = _facts(claim)
    ranked = sorted(evidence, key=lambda source: -_share(facts, source))
    if not ranked or _share(facts, ranked[0]) < _RELEVANT_SHARE:
        return Finding(None, ranked[0] if ranked else None)
    bar = 0.75 * _share(facts, ranked[0])
    findings = [_compare(claim, facts, source) for source in ranked if _share(facts, source) >= bar]
    agreeing = [finding for finding in findings if finding.factual]
    return agreeing[0] if agreeing else findings[0]


def _facts(claim: str) -> _Facts:
    written = text.words(claim)
    # The first word of a sentence is written large whatever it is: it is a name if the next one is, too.
    named = [word for place, word in enumerate(written) if text.is_name(word) and (place > 0 or _opens_name(written))]
    names = tuple(dict.fromkeys(stem for word in named for stem in terms(word) if not stem.isdigit()))
    return _Facts(names, tuple(dict.fromkeys(text.numbers(claim))), frozenset(terms(claim)) - _WEAK)


def _opens_name(written: Sequence[str]) -> bool:
    return bool(terms(written[0])) and len(written) > 1


def _share(facts: _Facts, source: Source) -> float:
    if not facts.words:
        return 0.0
    here = set(terms(f"{source.title} {source.sentence}"))
    near = set(terms(source.passage))
    return sum(1.0 if word in here else 0.3 if word in near else 0.0 for word in facts.words) / len(facts.words)


def _compare(claim: str, facts: _Facts, source: Source) -> Finding:
    here = f"{source.title} {source.sentence}"
    passage = f"{source.title} {source.passage}"
    number_gap = _missing_numbers(facts, here, passage)
    name_gap = _missing_names(claim, facts, source)
    opposite = _opposite(claim, here)
    missing = (*name_gap[0], *number_gap[0], *opposite[:1])
    instead = (*name_gap[1], *number_gap[1], *opposite[1:])
    return Finding(not missing, source, missing, instead)


def _missing_numbers(facts: _Facts, here: str, passage: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    stated = text.numbers(here)
    missing = [number for number in facts.numbers if number not in stated]
    others = [number for number in stated if number not in facts.numbers]
    if not others:
        missing = [number for number in missing if number not in text.numbers(passage)]
    return tuple(missing), tuple(others) if missing else ()


def _missing_names(claim: str, facts: _Facts, source: Source) -> tuple[tuple[str, ...], tuple[str, ...]]:
    here = set(terms(f"{source.title} {source.sentence}"))
    near = set(terms(source.passage))
    stated = set(terms(claim))
    others = [
        word
        for word in text.words(source.sentence)[1:]
        if text.is_name(word) and not stated.intersection(terms(word)) and terms(word)
    ]
    missing = [name for name in facts.names if name not in here and not (name in near and not others)]
    as_written = {stem: word for word in text.words(claim) for stem in terms(word)}
    return tuple(as_written.get(name, name) for name in missing), tuple(others) if missing else ()


def _opposite(claim: str, here: str) -> tuple[str, ...]:
    said, stated = set(claim.lower().split()), set(text.words(here.lower()))
    for pair in _OPPOSITES:
        ours, theirs = pair & said, pair & stated
        if len(ours) == 1 and len(theirs) == 1 and ours != theirs:
            return (*ours, *theirs)
    return ()
