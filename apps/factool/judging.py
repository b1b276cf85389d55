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
from alto_lg.apps import subjects, text

_RELEVANT_SHARE = 0.34
_COMPARABLE_SHARE = 0.75
_NEAR_WORTH = 0.3
_AGREEING_WORDS_MIN = 3
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
_NO_NAMES = frozenset(
    {"all", "about", "almost", "both", "each", "every", "few", "legend", "many", "most", "only", "some"}
)
_WEAK = frozenset(terms("also known called name made make use used first part many most became become later early"))


@dataclass(frozen=True, slots=True)
class Source:
    """One sentence of the evidence, with what is compared of it worked out once.

    resolved: the sentence with a name in the place of its leading pronoun.
    here: terms of title and resolved sentence; near: terms of the whole passage.
    """

    place: int
    title: str
    sentence: str
    resolved: str
    here: frozenset[str]
    near: frozenset[str]
    numbers_here: tuple[str, ...]
    numbers_near: tuple[str, ...]


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
    found: list[Source] = []
    for place, (title, body) in enumerate(evidence, 1):
        stated = text.sentences(body)
        near, numbers_near = frozenset(terms(body)), tuple(text.numbers(body))
        for sentence, resolved in zip(stated, subjects.standing_alone(stated), strict=True):
            full = f"{title} {resolved}"
            compared = (frozenset(terms(full)), near, tuple(text.numbers(full)), numbers_near)
            found.append(Source(place, title, sentence, resolved, *compared))
    return found


def holders(word: str, evidence: Sequence[Source]) -> list[int]:
    """The passages that state a word or a number, by their places."""
    sought = set(terms(word)) or {word.lower()}
    holding = [source.place for source in evidence if sought <= source.here | source.near | {*source.numbers_near}]
    return list(dict.fromkeys(holding))


def judge(claim: str, evidence: Sequence[Source]) -> Finding:
    """The verdict on a claim."""
    facts = _facts(claim)
    ranked = sorted(((_share(facts, source), source) for source in evidence), key=lambda pair: -pair[0])
    if not ranked or ranked[0][0] < _RELEVANT_SHARE:
        return Finding(None, ranked[0][1] if ranked else None)
    bar = _COMPARABLE_SHARE * ranked[0][0]
    findings = [_compare(claim, facts, source) for share, source in ranked if share >= bar]
    agreeing = [finding for finding in findings if finding.factual]
    return agreeing[0] if agreeing else findings[0]


def _facts(claim: str) -> _Facts:
    written = text.words(claim)
    names = tuple(dict.fromkeys(stem for word in _names(written) for stem in terms(word) if not stem.isdigit()))
    return _Facts(names, tuple(dict.fromkeys(text.numbers(claim))), frozenset(terms(claim)) - _WEAK)


def _names(written: Sequence[str]) -> list[str]:
    """The words written as names; the first word of a sentence is one unless it only counts or limits."""
    return [
        word
        for place, word in enumerate(written)
        if text.is_name(word) and terms(word) and (place or word.lower() not in _NO_NAMES)
    ]


def _share(facts: _Facts, source: Source) -> float:
    if not facts.words:
        return 0.0
    here, near = len(facts.words & source.here), len(facts.words & source.near - source.here)
    return (here + 0.3 * near) / len(facts.words)


def _compare(claim: str, facts: _Facts, source: Source) -> Finding:
    gaps = (
        _missing_names(claim, facts, source),
        _missing_numbers(facts, source),
        _opposite(claim, source),
        _replaced_word(claim, facts, source),
    )
    missing = tuple(dict.fromkeys(word for gap in gaps for word in gap[0]))
    instead = tuple(dict.fromkeys(word for gap in gaps for word in gap[1]))
    return Finding(not missing, source, missing, instead)


_Gap = tuple[tuple[str, ...], tuple[str, ...]]
"""What the claim says and the evidence does not, and what the evidence says in its place."""


def _missing_numbers(facts: _Facts, source: Source) -> _Gap:
    stated = source.numbers_here
    missing = [number for number in facts.numbers if number not in stated]
    others = [number for number in stated if number not in facts.numbers]
    if not others:
        missing = [number for number in missing if number not in source.numbers_near]
    return tuple(missing), tuple(others) if missing else ()


def _missing_names(claim: str, facts: _Facts, source: Source) -> _Gap:
    here, near = source.here, source.near
    said = set(terms(claim))
    others = [word for word in _names(text.words(source.resolved)) if not said.intersection(terms(word))]
    missing = [name for name in facts.names if name not in here and not (name in near and not others)]
    # A passage on Beethoven speaks of Ludwig van Beethoven: a name that title or subject hold in part is the same.
    subject = subjects.subject_of(source.resolved)
    same = _names_beside(claim, set(terms(f"{source.title} {subject}")))
    missing = [name for name in missing if name not in same]
    as_written = {stem: word for word in text.words(claim) for stem in terms(word)}
    return tuple(as_written.get(name, name) for name in missing), tuple(others) if missing else ()


def _names_beside(claim: str, known: set[str]) -> set[str]:
    """All parts of those names in the claim of which a part is known."""
    beside: set[str] = set()
    for run in text.name_runs(claim):
        parts = set(terms(run))
        if parts & known:
            beside |= parts
    return beside


def _opposite(claim: str, source: Source) -> _Gap:
    said = {word.lower() for word in text.words(claim)}
    stated = {word.lower() for word in text.words(f"{source.title} {source.resolved}")}
    for pair in _OPPOSITES:
        ours, theirs = pair & said, pair & stated
        if len(ours) == 1 and len(theirs) == 1 and ours != theirs:
            return tuple(ours), tuple(theirs)
    return (), ()


def _replaced_word(claim: str, facts: _Facts, source: Source) -> _Gap:
    """A plain word that is nowhere in the passage, where the sentence agrees with all the rest of the claim."""
    here, near = source.here, source.near
    absent = [word for word in facts.words if word not in here]
    if len(absent) != 1 or absent[0] in near or len(facts.words) < _AGREEING_WORDS_MIN + 1:
        return (), ()
    said = set(terms(claim))
    others = [word for word in text.words(source.resolved) if terms(word) and not said.intersection(terms(word))]
    written = [word for word in text.words(claim) if absent[0] in terms(word)]
    return (tuple(written), tuple(others)) if others else ((), ())
