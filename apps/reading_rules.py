"""How a model made of rules reads: which sentence bears on a question, which comes next, and which words answer it.

Works on the text that it is given and on nothing else. Always true: the same question and passages give the same chain.
It is often right on plain expository prose, and sometimes wrong, as a model is.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Literal

from alto_lg.adapters.bm25 import terms
from alto_lg.apps import subjects, text

Kind = Literal["year", "amount", "name", "thing"]

CHAIN_MAX = 4
_TITLE_SHARE = 0.4
_LINK_SHARE = 0.15
_ANSWER_BONUS = 0.3

# Words that ask, and say nothing of what is asked about.
_ASKING = frozenset(
    terms("many much year city country person name whom which british surveyor way kind man woman two three whole")
)
_SAME_TEXT = """
die died death dead|born birth|long length|high height tall|deep depth|large size largest|lie lies lay|lead led
writer wrote author written write|build built builder building|begin began begun beginning|open opening
painter painted paint painting|composer composed compose|captain captained|inventor invented invent
discoverer discovered discover|ship vessel|bury buried|metre metres meter|kilometre kilometres kilometer
mount mountain|marry married|steal stole stolen|become became|leave left|learn learned|take took
speak spoke spoken|founder founded|find found finding"""
_SAME = {
    term: group.split()[0] for group in re.split(r"[|\n]", _SAME_TEXT) for word in group.split() for term in terms(word)
}
_MONTHS_TEXT = "January February March April May June July August September October November December"
_MONTHS = frozenset(_MONTHS_TEXT.split())
_YEAR = re.compile(r"\b(?:AD \d{1,4}|\d{1,4} (?:BC|AD)|1\d{3}|20\d{2})\b(?![,.]?\d)")
_AMOUNT = re.compile(r"\b\d[\d,]*(?:\.\d+)?(?: (?:thousand|million|billion))?")
_WORD = re.compile(r"[^\W_]+")
_TURN = re.compile(r", |,? (?:and|but|when|while|because|where|who|which|as) ")
_UNIT = re.compile(r"(?: [a-z]+){1,2}")
_MEASURES_TEXT = """
metres kilometres centimetres millimetres kilograms tonnes degrees percent years days hours minutes cubic square"""
_MEASURES = frozenset(_MEASURES_TEXT.split())


def marked(sentence: str) -> list[str]:
    """The words of a sentence that count, words of one meaning made one."""
    return [_SAME.get(term, term) for term in terms(sentence)]


def kind_of(question: str) -> Kind:
    """What would be an answer: a year, an amount, a name, or something else."""
    asked = question.lower()
    if re.search(r"\b(?:what|which) year\b|\bwhen\b", asked):
        return "year"
    if re.search(r"\bhow (?:many|much|tall|high|long|deep|large|big|wide|old|far|heavy|fast)\b", asked):
        return "amount"
    return "name" if re.search(r"\b(?:who|whom|whose|where|which|what)\b", asked) else "thing"


@dataclass(frozen=True, slots=True)
class Told:
    """A sentence with its words, and those of the title that it stands under."""

    sentence: str
    words: frozenset[str]
    title: frozenset[str]
    names: frozenset[str]


class Reading:
    """Passages that are read for one question."""

    def __init__(self, question: str, passages: Sequence[tuple[str, str]]) -> None:
        """passages: titles and texts."""
        self.question = question
        self._kind = kind_of(question)
        self._sought = frozenset(marked(question)) - _ASKING
        self._told = [self._briefly(told) for told in _told(passages)]
        self._rarity = {word: self._rarity_of(word) for word in self._sought}

    def best(self) -> Told | None:
        """The sentence that bears most on the question; None where none does."""
        return self._best((), frozenset(self._sought), None)

    def share_of(self, told: Told) -> float:
        """How much of what is asked about a sentence and its title speak of, from 0 to 1."""
        whole = math.fsum(self._rarity.values())
        return (
            math.fsum(self._rarity[word] for word in self._sought & (told.words | told.title)) / whole if whole else 0.0
        )

    def chain(self, thoughts: Sequence[str] = ()) -> list[str]:
        """The sentences that lead on from these to an answer, in order; none where all that can be said is said."""
        said = list(thoughts)
        while len(said) < CHAIN_MAX and not self._is_answered(said):
            known = frozenset(word for thought in said for word in marked(thought))
            names = frozenset(word for thought in said for word in _name_words(thought))
            found = self._best(said, self._sought - known, names if said else None)
            if found is None:
                break
            said.append(found.sentence)
        return said[len(thoughts) :]

    def around(self, said: Sequence[str]) -> list[str]:
        """What else the passages say that has to do with the question, most of it first."""
        worth = {told.sentence: self.share_of(told) for told in self._told if told.sentence not in said}
        return sorted((one for one in worth if worth[one]), key=lambda one: -worth[one])

    def answer(self, thoughts: Sequence[str]) -> str:
        """The words that answer the question, out of the last thought that has any; "" for none."""
        found = (self._answer_at(thoughts, place) for place in reversed(range(len(thoughts))))
        return next((answer for answer in found if answer), "")

    def _is_answered(self, said: Sequence[str]) -> bool:
        """Whether the last thought has an answer. Of the first it is not known: it may only say what is asked about."""
        if len(said) == 1 and self._sought - frozenset(marked(said[0])):
            return False
        return bool(said and self._answer_at(said, len(said) - 1))

    def _answer_at(self, said: Sequence[str], place: int) -> str:
        known = " ".join([self.question, *said[:place]])
        return answer_in(self.question, said[place], self._kind, known)

    def _best(self, said: Sequence[str], left: frozenset[str], names: frozenset[str] | None) -> Told | None:
        best, best_worth = None, 0.0  # sums are exact, so that they do not depend on the order of a set
        for told in self._told:
            if told.sentence in said:
                continue
            worth = self._worth(told, left, names)
            if worth > best_worth + 1e-9:
                best, best_worth = told, worth
        return best

    def _worth(self, told: Told, left: frozenset[str], names: frozenset[str] | None) -> float:
        """What a sentence adds: the words that are still sought, if it goes on from the names that are known."""
        new = math.fsum(self._rarity[word] for word in left & told.words)
        if not new:
            return 0.0
        worth = new + _TITLE_SHARE * math.fsum(self._rarity[word] for word in left & told.title - told.words)
        if names is not None:
            linked = names & (told.names | told.title)
            if not linked:
                return 0.0
            worth += _LINK_SHARE * len(linked & told.names) + _TITLE_SHARE * bool(linked & told.title)
        has_answer = bool(answer_in(self.question, told.sentence, self._kind, self.question))
        return worth + (_ANSWER_BONUS if has_answer else 0.0)

    def _briefly(self, told: Told) -> Told:
        """The sentence up to where it goes on to something else, unless the answer stands behind that."""
        ends = [
            found.end() for found in _WORD.finditer(told.sentence) if self._sought.intersection(marked(found.group()))
        ]
        cut = _TURN.search(told.sentence, ends[-1]) if ends else None
        if cut is None:
            return told
        head = f"{told.sentence[: cut.start()]}."
        whole_answer = answer_in(self.question, told.sentence, self._kind, self.question)
        if answer_in(self.question, head, self._kind, self.question) != whole_answer:
            return told
        return replace(told, sentence=head, words=frozenset(marked(head)), names=frozenset(_name_words(head)))

    def _rarity_of(self, word: str) -> float:
        holders = sum(word in told.words for told in self._told)
        return math.log((1 + len(self._told)) / (0.5 + holders))


def _told(passages: Sequence[tuple[str, str]]) -> Iterator[Told]:
    for title, body in passages:
        for sentence in subjects.standing_alone(text.sentences(body)):
            above = frozenset(marked(title))
            # A sentence that names nothing of its title says "he" or "it" of what stands there.
            whole = sentence if above.intersection(marked(sentence)) else f"{title}: {sentence}"
            yield Told(whole, frozenset(marked(sentence)), above, frozenset(_name_words(sentence)))


def _name_words(sentence: str) -> list[str]:
    return [word for name in _names(sentence) for word in marked(name)]


def _names(sentence: str) -> list[str]:
    """The names of a sentence, without months and without a first word that is no name."""
    names = []
    for run in text.name_runs(sentence):
        words = run.split()
        while words and (not terms(words[0]) or words[0] in _MONTHS):
            words.pop(0)
        if words and words[0] not in _MONTHS:
            names.append(re.sub(r"['’]s?$", "", " ".join(words)))
    return names


def answer_in(question: str, sentence: str, kind: Kind, known: str) -> str:
    """The words of a sentence that would answer a question of a kind and are not in what is known; "" for none."""
    if kind == "year":
        spans = [found.span() for found in _YEAR.finditer(sentence) if found.group() not in known]
        return _nearest(question, sentence, spans)
    if kind == "amount":
        return _amount(question, sentence)
    return _name(question, sentence, known)


def _nearest(question: str, sentence: str, spans: Sequence[tuple[int, int]]) -> str:
    """Of some places in a sentence the words at that which is closest to words of the question."""
    asked = set(marked(question))
    at = [found.start() for found in _WORD.finditer(sentence) if asked.intersection(marked(found.group()))]
    if not spans:
        return ""
    start, end = min(spans, key=lambda span: sum(abs(span[0] - place) for place in at))
    return sentence[start:end]


def _amount(question: str, sentence: str) -> str:
    """A number with its unit; years and days of the month are none."""
    years = {found.start() for found in _YEAR.finditer(sentence)}
    asked = set(marked(question))
    for found in _AMOUNT.finditer(sentence):
        unit = _UNIT.match(sentence, found.end())
        words = unit.group().split() if unit else []
        measured = [place for place, word in enumerate(words) if word in _MEASURES]
        kept = (
            words[: measured[-1] + 1] if measured else [word for word in words[:1] if asked.intersection(marked(word))]
        )
        if kept and found.start() not in years:
            return " ".join([found.group(), *kept])
    return ""


def _name(question: str, sentence: str, known: str) -> str:
    told, asked = set(marked(known)), set(marked(question))
    names = [name for name in _names(sentence) if not told.issuperset(marked(name))]
    new = [name for name in names if not asked.intersection(marked(name))] or names
    if not new:
        return ""
    if re.search(r"\b(?:two|three|both|with whom)\b", question.lower()):
        joined = _joined(sentence, new)
        if joined:
            return joined
    if re.match(r"(?:in which|in what|at which|where)\b", question.lower()):
        placed = [name for name in new if re.search(rf"\b(?:in|at|near|from) (?:the )?{re.escape(name)}", sentence)]
        return (placed or new)[0]
    by = re.search(r"\b(?:by|after|from|is) (?:the )?(?=[A-Z])", sentence)
    behind = [name for name in new if by and sentence.startswith(name, by.end())]
    return (behind or new)[0]


def _joined(sentence: str, names: Sequence[str]) -> str:
    for one, other in pairwise(names):
        if f"{one} and {other}" in sentence:
            return f"{one} and {other}"
    return ""
