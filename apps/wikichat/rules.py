"""A model made of rules: does each of WikiChat's six tasks on the text in the prompt.

It stands in for a language model in the simulated server, so that answers can be scored and lengths vary as they do
in real logs. Always true: the reply depends on the messages and the seed only; no label is ever read. What it "knows"
when asked to recall is the package's own corpus, with a number wrong here and there, as a model has.
"""

from __future__ import annotations

import json
import math
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from functools import cache
from itertools import chain, groupby, zip_longest

from alto_lg.adapters.bm25 import BM25Index, terms
from alto_lg.apps import subjects, text
from alto_lg.apps.lengths import Spread, drawn, fitting, source_of, token_count
from alto_lg.apps.wikichat import prompts
from alto_lg.apps.wikichat.citing import CITATION
from alto_lg.apps.wikichat.inputs import own_passages

# In tokens: seven facts of 25, statements of 86 and turns of 120 are the means of the original (`recorded.py`), with
# the ends that were seen. Their spread is not recorded; it is that of verdicts within one request, as FacTool has them.
_FACTS = Spread(mean=175, variation=0.30, least=60, most=320)
_POINTS = Spread(mean=86, variation=0.30, least=15, most=155)
_TURN = Spread(mean=120, variation=0.30, least=40, most=280)

_QUERIES_MAX = 3
_MISTAKES_EVERY = 6
_SAME_SHARE = 0.8
_NOT_FOUND = "I am sorry, but I could not find anything about that."
_SMALL_TALK = frozenset(
    terms("hello hi hey good morning evening day thanks thank you please bye goodbye nice great how")
)
_ASKING = frozenset(
    terms(
        "tell know say explain describe compare please want like learn hear heard ever anything something more else i "
        "me my you your we us them him her themselves about some which many much also then really could can would "
        "should today become happen get do did good better meanwhile know known name people mean matter thing"
    )
)
_POINTING = re.compile(
    r"\b(?:he|she|it|they|him|her|them|his|its|their|there|that|this|these|those|one)\b", re.IGNORECASE
)
_OPENERS_TEXT = "a about after all an at before both by each for from in it its most of on other some the"
_OPENERS = frozenset(_OPENERS_TEXT.split())
_SHORT_FACT, _NUMBER_TOKENS = 15, 3
_NO_SUBJECTS_TEXT = "and but or so what when where which who whose why how in on at of for to from tell"
_NO_SUBJECTS = frozenset(_NO_SUBJECTS_TEXT.split())


def reply(messages: Sequence[Mapping[str, str]], seed: int) -> str | None:
    """The model's answer, or None if the prompt is not one of WikiChat's."""
    system, user = _content(messages, "system"), _content(messages, "user")
    match system:
        case prompts.QUERIES_SYSTEM:
            return _queries(_after(user, prompts.CONVERSATION_MARK))
        case prompts.RECALL_SYSTEM:
            return _recall(_after(user, prompts.CONVERSATION_MARK), seed)
        case prompts.RERANK_SYSTEM:
            return _rerank(user)
        case prompts.FILTER_SYSTEM:
            return _filter(user, seed)
        case prompts.DRAFT_SYSTEM:
            return _draft(user, seed)
        case prompts.REFINE_SYSTEM:
            return _refine(_after(user, prompts.DRAFT_MARK))
    return None


def _content(messages: Sequence[Mapping[str, str]], role: str) -> str:
    return next((str(message.get("content") or "") for message in messages if message.get("role") == role), "")


def _after(user: str, mark: str) -> str:
    return user.partition(mark)[2].strip()


def _between(user: str, mark: str, end: str) -> str:
    return _after(user, mark).partition(end)[0].strip()


def _room(spread: Spread, prompt: str, seed: int) -> int:
    """How many tokens the answer to a prompt should have."""
    return drawn(spread, source_of(f"{seed}\n{prompt}"))


# What is asked.


def _turns(dialogue: str) -> list[str]:
    """What the user said, turn by turn."""
    return [line.removeprefix(prompts.USER).strip() for line in dialogue.splitlines() if line.startswith(prompts.USER)]


def _names(turn: str) -> list[str]:
    """The names in a turn; a first word that only opens the question is none."""
    runs = []
    for run in text.name_runs(turn):
        kept = [word for word in text.words(run) if word.lower() not in _NO_SUBJECTS and not _asks(word)]
        if kept:
            runs.append(" ".join(kept))
    return list(dict.fromkeys(runs))


def _asks(word: str) -> bool:
    """Whether a word belongs to the asking, not to what is asked about."""
    return _ASKING.union(_SMALL_TALK).issuperset(terms(word))


def _things(turn: str) -> list[str]:
    """The content words of a turn, in order."""
    without = {term for name in _names(turn) for term in terms(name)} | _ASKING | _SMALL_TALK
    words = (word for word in text.words(turn) if terms(word) and not _POINTING.fullmatch(word))
    return list(dict.fromkeys(word for word in words if not without.issuperset(terms(word))))


def _subjects(dialogue: str) -> list[str]:
    """What the last turn is about: its names, or those of the turns before where it only points back."""
    *before, last = _turns(dialogue) or [""]
    names, things = _names(last), _things(last)
    if not names and not things:
        return []
    if names:
        return names
    if _POINTING.search(last):
        earlier = (_names(turn) or _things(turn)[:2] for turn in reversed(before))
        return next((found for found in earlier if found), things[:_QUERIES_MAX])
    return things[:_QUERIES_MAX]


def _speaks_of(subject: str, told: AbstractSet[str]) -> bool:
    """Whether most of the words of a subject are among those that are told."""
    parts = set(terms(subject))
    return 2 * len(parts & told) > len(parts)


# Queries.


def _queries(dialogue: str) -> str:
    subjects_asked = _subjects(dialogue)[:_QUERIES_MAX]
    things = _things((_turns(dialogue) or [""])[-1])
    written = [_query(subject, things) for subject in subjects_asked]
    if len(subjects_asked) == 1 and things:
        written.append(f"What else is there to be said about {subjects_asked[0]}, and how did that come to be?")
    return "\n".join((prompts.OPENING, *(written or ["None"]), prompts.CLOSING))


def _query(subject: str, things: Sequence[str]) -> str:
    """A question about a subject that stands alone: all of its words but the names are so common that none counts."""
    known = set(terms(subject))
    others = [word for word in things if not known.issuperset(terms(word))]
    also = f", and what about {' and '.join(others)}" if others else ""
    return f"What is there to be said about {subject}{also}?"


# Recalling.


def _recall(dialogue: str, seed: int) -> str:
    things = _things((_turns(dialogue) or [""])[-1])
    lists = [_known(" ".join([subject, *things]), subject) for subject in _subjects(dialogue)]
    mixed = (fact for rank in zip_longest(*lists) for fact in rank if fact is not None)
    facts = [f"- {_misremembered(fact)}" for fact in dict.fromkeys(mixed)]
    return "\n".join(fitting(facts, _room(_FACTS, dialogue, seed), between=1)) or "None"


def _known(query: str, subject: str) -> list[str]:
    """Sentences of what is told together with a subject, those that fit the query best first.

    What has been said of one matter is followed by another: first one sentence of each passage, then the next.
    """
    memory = _memory()
    best_first = dict.fromkeys([*memory.index.search(query, len(memory.sentences)), *range(len(memory.sentences))])
    known = [place for place in best_first if _speaks_of(subject, memory.together[place])]
    said = Counter[int]()
    turns: dict[int, int] = {}
    for place in known:
        turns[place] = said[memory.passages[place]]
        said[memory.passages[place]] += 1
    return [memory.sentences[place] for place in sorted(known, key=turns.__getitem__)]


@dataclass(frozen=True, slots=True)
class _Memory:
    """All sentences: of which passage each is, what is told together with it, and the index of all."""

    sentences: Sequence[str]
    passages: Sequence[int]
    together: Sequence[frozenset[str]]
    index: BM25Index


@cache
def _memory() -> _Memory:
    sentences: list[str] = []
    passages: list[int] = []
    together: list[frozenset[str]] = []
    titled: list[str] = []
    numbered = enumerate(own_passages())
    for _, about in groupby(numbered, key=lambda one: one[1]["id"].rpartition("-")[0]):
        group = list(about)
        told = frozenset(terms(" ".join(f"{passage['title']} {passage['text']}" for _, passage in group)))
        for number, passage in group:
            alone = list(_in_pairs(subjects.standing_alone(text.sentences(passage["text"]))))
            sentences += alone
            passages += [number] * len(alone)
            together += [told] * len(alone)
            titled += [f"{passage['title']}. {sentence}" for sentence in alone]
    return _Memory(sentences, passages, together, BM25Index(titled))


def _in_pairs(sentences: Iterable[str]) -> Iterator[str]:
    """The sentences, a short one together with the next: a model writes facts of about 25 tokens."""
    short = ""
    for sentence in sentences:
        whole = f"{short[:-1]}, and {_inside(sentence)}" if short else sentence
        short = whole if token_count(whole) < _SHORT_FACT else ""
        if not short:
            yield whole
    if short:
        yield short


def _inside(sentence: str) -> str:
    """A sentence as it goes on behind a comma."""
    word = sentence.split(" ", 1)[0]
    return sentence[0].lower() + sentence[1:] if word.lower() in _OPENERS else sentence


def _misremembered(fact: str) -> str:
    """The fact, or for one in a few, with its first number wrong."""
    number = re.search(r"\b\d{2,4}\b", fact)
    if number is None or sum(map(ord, fact)) % _MISTAKES_EVERY:
        return fact
    return f"{fact[: number.start()]}{int(number.group()) + 7}{fact[number.end() :]}"


# Reranking.


def _rerank(user: str) -> str:
    query = _between(user, prompts.QUERY_MARK, f"\n{prompts.PASSAGES_MARK}")
    passages = [Counter(terms(body)) for _, body in _numbered(_after(user, prompts.PASSAGES_MARK))]
    sought = set(terms(query))
    rarity = {
        term: math.log((1 + len(passages)) / (0.5 + sum(term in passage for passage in passages))) for term in sought
    }
    # Sums are exact, so that they do not depend on the order of a set.
    scores = [
        math.fsum(rarity[term] * min(passage[term], 3) for term in sought if term in passage) for passage in passages
    ]
    order = sorted(range(len(passages)), key=lambda place: (-scores[place], place))
    return json.dumps([str(place + 1) for place in order])


def _numbered(listed: str) -> Iterator[tuple[int, str]]:
    for line in listed.splitlines():
        found = re.match(r"\[(\d+)\] (.*)$", line)
        if found:
            yield int(found.group(1)), found.group(2)


# Filtering.


def _filter(user: str, seed: int) -> str:
    dialogue = _between(user, prompts.CONVERSATION_MARK, f"\n\n{prompts.PASSAGE_MARK}")
    title, _, body = _after(user, prompts.PASSAGE_MARK).partition(": ")
    asked = {term for subject in _subjects(dialogue) for term in terms(subject)}
    stated = list(subjects.standing_alone(text.sentences(body)))
    told = set(terms(f"{title} {body}"))
    if not any(_speaks_of(subject, told) for subject in _subjects(dialogue)):
        return f"None; it is about {title.partition(';')[0].lower()}."
    things = set(terms(" ".join(_things((_turns(dialogue) or [""])[-1]))))
    best = sorted(stated, key=lambda sentence: -len((asked | things) & set(terms(sentence))))
    chosen = set(fitting(best, _room(_POINTS, user, seed), between=_NUMBER_TOKENS))
    kept = [sentence for sentence in dict.fromkeys(stated) if sentence in chosen]
    return "\n".join(f"{place}. {sentence}" for place, sentence in enumerate(kept, 1))


# Drafting.


def _draft(user: str, seed: int) -> str:
    dialogue = _between(user, prompts.CONVERSATION_MARK, f"\n\n{prompts.NOTES_MARK}")
    notes = [
        [f"{sentence[:-1]} [{number}]{sentence[-1]}" for sentence in text.sentences(body.partition(": ")[2])]
        for number, body in _numbered(_after(user, prompts.NOTES_MARK))
    ]
    if not notes:
        return _NOT_FOUND if _subjects(dialogue) else "You are welcome. What would you like to know?"
    # The best of every note first, then the second best: a turn of a hundred words has room for some of each.
    sought = {term for subject in _subjects(dialogue) for term in terms(subject)}
    sought |= set(terms(" ".join(_things(_turns(dialogue)[-1]))))
    ranked = [sorted(lines, key=lambda line: -len(sought & set(terms(line)))) for lines in notes]
    mixed = (line for rank in zip_longest(*ranked) for line in rank if line is not None)
    chosen = set(fitting(_without_repeats(mixed), _room(_TURN, user, seed)))
    return " ".join(line for line in chain.from_iterable(notes) if line in chosen)


def _without_repeats(lines: Iterable[str]) -> Iterator[str]:
    seen: list[set[str]] = []
    for line in lines:
        mine = set(terms(CITATION.sub("", line)))
        if not any(len(mine & other) > _SAME_SHARE * len(mine | other) for other in seen):
            seen.append(mine)
            yield line


# Refining.


def _refine(draft: str) -> str:
    lines = text.sentences(draft)
    borne_out = [line for line in _without_repeats(lines) if CITATION.search(line)] or lines
    together = _by_subject(borne_out)
    numbers = ["".join(found.group() for found in CITATION.finditer(line)) for line in together]
    following = [*numbers[1:], ""]
    return " ".join(
        re.sub(r" +(?=[.!?]$)", "", CITATION.sub("", line)) if number and number == after else line
        for line, number, after in zip(together, numbers, following, strict=True)
    )


def _by_subject(lines: Sequence[str]) -> list[str]:
    """The lines, those on one subject together, subjects in the order of their first lines."""
    groups: dict[str, list[str]] = {}
    for line in lines:
        groups.setdefault(subjects.subject_of(line) or line, []).append(line)
    return list(chain.from_iterable(groups.values()))
