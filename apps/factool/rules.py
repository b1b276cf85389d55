"""A model made of rules: does each of FacTool's four tasks on the text in the prompt, and on nothing else.

It stands in for a language model in the simulated server, so that answers can be scored and lengths vary as they
do in real logs. Always true: the reply depends on the messages and the seed only; no label is ever read.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from functools import cache

from alto_lg.adapters.bm25 import BM25Index, terms
from alto_lg.apps import subjects, text
from alto_lg.apps.corpus import shipped_corpus
from alto_lg.apps.factool import judging, prompts
from alto_lg.apps.factool.inputs import shipped_answers
from alto_lg.apps.lengths import Spread, drawn, fitting, source_of, token_count

_SAME_QUESTION_SHARE = 0.6
_EXTRACTED_SENTENCES = 5
# Length of a real verdict in tokens: mean 122, coefficient of variation 0.36, of 719 recorded outputs.
_VERDICT_LENGTH = Spread(mean=122, variation=0.36, least=45, most=424)


def reply(messages: Sequence[Mapping[str, str]], seed: int) -> str | None:
    """The model's answer, or None if the prompt is not one of FacTool's."""
    system, user = _content(messages, "system"), _content(messages, "user")
    if system == prompts.ANSWER_SYSTEM:
        return _answer(user)
    if system == prompts.EXTRACT_SYSTEM:
        return _extract(_after(user, prompts.TEXT_MARK))
    if system == prompts.QUERIES_SYSTEM:
        return _queries(_after(user, prompts.CLAIM_MARK))
    if system == prompts.APPRAISE_SYSTEM:
        return _appraise(user, seed)
    return None


def _content(messages: Sequence[Mapping[str, str]], role: str) -> str:
    return next((str(message.get("content") or "") for message in messages if message.get("role") == role), "")


def _after(user: str, mark: str) -> str:
    return user.partition(mark)[2].strip()


# Answering.


def _answer(user: str) -> str:
    if prompts.REFERENCE_MARK in user:
        return _after(user, prompts.REFERENCE_MARK)
    question = _after(user, prompts.QUESTION_MARK)
    return _known_answer(question) or _composed_answer(question)


def _known_answer(question: str) -> str | None:
    asked = set(terms(question))
    share, answer = max((_likeness(asked, set(terms(known))), answer) for known, answer in shipped_answers())
    return answer if share >= _SAME_QUESTION_SHARE else None


def _likeness(one: set[str], other: set[str]) -> float:
    return len(one & other) / (len(one | other) or 1)


def _composed_answer(question: str) -> str:
    found = _corpus_index().search(question, 2)
    composed = [line for position in found for line in text.sentences(shipped_corpus()[position]["text"])]
    return " ".join(composed[:_EXTRACTED_SENTENCES]) or "There is nothing in the corpus about this question."


@cache
def _corpus_index() -> BM25Index:
    return BM25Index([f"{passage['title']}. {passage['text']}" for passage in shipped_corpus()])


# Extraction.


def _extract(answer: str) -> str:
    stated = [sentence for sentence in text.sentences(answer) if not sentence.endswith("?")]
    return "\n".join(subjects.standing_alone(stated)) or "NONE"


# Queries.


def _queries(claim: str) -> str:
    words = [word for word in text.words(claim) if terms(word)]
    subject = subjects.subject_of(claim) or " ".join(words[:3])
    named = [word for word in words if text.is_name(word) and word not in subject][:2]
    short = " ".join([*(word for word in text.words(subject) if terms(word)), *named])
    return f"{short or claim}\n{claim.rstrip('.')}"


# Appraisal.


def _appraise(user: str, seed: int) -> str:
    claim, _, listed = _after(user, prompts.CLAIM_MARK).partition(prompts.EVIDENCE_MARK)
    claim = claim.strip()
    evidence = judging.sources(_passages(listed))
    finding = judging.judge(claim, evidence)
    verdict = {
        "reasoning": "",
        "error": _error(finding),
        "correction": _correction(finding),
        "factuality": finding.factual,
    }
    room = drawn(_VERDICT_LENGTH, source_of(f"{seed}\n{user}")) - token_count(json.dumps(verdict, ensure_ascii=False))
    verdict["reasoning"] = " ".join(fitting(_reasoning(claim, finding, evidence), room))
    return json.dumps(verdict, ensure_ascii=False)


def _passages(listed: str) -> list[tuple[str, str]]:
    lines = [re.match(r"\[\d+\] (.*?): (.*)$", line) for line in listed.strip().splitlines()]
    return [(found.group(1), found.group(2)) for found in lines if found]


def _error(finding: judging.Finding) -> str:
    if finding.factual is not False:
        return "None"
    wrong = ", ".join(finding.missing)
    if not finding.instead:
        return f"The evidence does not support {wrong}."
    return f"The claim says {wrong} where the evidence says {', '.join(finding.instead[:3])}."


def _correction(finding: judging.Finding) -> str:
    return finding.source.sentence if finding.factual is False and finding.source else "None"


def _reasoning(claim: str, finding: judging.Finding, evidence: Sequence[judging.Source]) -> Iterator[str]:
    yield _conclusion(finding)
    if finding.source is not None:
        yield f"Passage {finding.source.place}, on {finding.source.title}, states: {finding.source.sentence}"
    yield from _walk(claim, finding, evidence)
    yield f"To be checked was the statement: {claim}"
    for word in dict.fromkeys(word for word in text.words(claim) if terms(word)):
        places = " and ".join(str(place) for place in judging.holders(word, evidence))
        yield f"The word {word} is in passage {places}." if places else f"The word {word} is in no passage."


def _walk(claim: str, finding: judging.Finding, evidence: Sequence[judging.Source]) -> Iterator[str]:
    sought = set(terms(claim))
    for source in evidence:
        if source is finding.source:
            continue
        shared = [word for word in text.words(source.sentence) if sought.intersection(terms(word))]
        yield f"Passage {source.place}, on {source.title}, says: {source.sentence}"
        if shared:
            yield f"With the claim it shares {', '.join(dict.fromkeys(shared))}."
        else:
            yield "That has no bearing on the claim."


def _conclusion(finding: judging.Finding) -> str:
    if finding.source is None:
        return "No passage was found, so the claim cannot be decided."
    if finding.factual is None:
        return "The passages do not speak of what is claimed, so it cannot be decided."
    if finding.factual:
        return f"The names and numbers of the claim agree with passage {finding.source.place}."
    return f"The claim does not agree with passage {finding.source.place}: {', '.join(finding.missing)} is not there."
