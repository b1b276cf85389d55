"""Questions with short answers, and the passages to answer them from: JSONL, or a file in HotpotQA's form.

Always true: what is returned is complete and well formed; a file that is not raises `InputError` with the file, the
line and the reason. In HotpotQA's form one file holds both: a list of questions, each with the paragraphs of its own.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from importlib.resources import as_file, files
from pathlib import Path
from typing import Any, TypeGuard

from alto_lg.apps.base import InputError, Request
from alto_lg.apps.corpus import Passage, objects_of, read_corpus, text_of
from alto_lg.apps.requests import distinct

_HOTPOT_ENDING = ".json"


def questions_of(path: Path | None, package: str) -> list[Request]:
    """The questions of a file; without one, those that come with the package of an application."""
    if path is not None:
        return read_questions(path)
    with as_file(files(package) / "data" / "questions.jsonl") as own:
        return read_questions(own)


def read_questions(path: Path) -> list[Request]:
    """A request for each question; a line has `question`, and may have `id` and `answer`, a text or a list of them."""
    if not path.is_file():
        raise InputError(path, None, "no such file; give a JSONL file of questions, or a .json file as HotpotQA has it")
    return distinct(path, ((place, _request(path, place, entry)) for place, entry in _entries(path)))


def read_passages(path: Path | None) -> list[Passage]:
    """The passages of a corpus, or of all questions of a file in HotpotQA's form; the package's own without a path."""
    if path is None or path.suffix != _HOTPOT_ENDING:
        return read_corpus(path)
    if not path.is_file():
        raise InputError(path, None, "no such file; give a corpus, or a .json file as HotpotQA has it")
    passages: dict[str, Passage] = {}
    for place, entry in _entries(path):
        for passage in _paragraphs(path, place, entry):
            passages.setdefault(passage["id"], passage)
    if not passages:
        raise InputError(path, None, "no question of this file has paragraphs")
    return list(passages.values())


def _entries(path: Path) -> list[tuple[int, dict[str, Any]]]:
    """The objects of a file, each with its line, or with its place in the list of a HotpotQA file, from 1."""
    if path.suffix != _HOTPOT_ENDING:
        return list(objects_of(path))
    try:
        listed = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as fault:
        raise InputError(path, None, f"not JSON: {fault}") from fault
    if not isinstance(listed, list) or not all(isinstance(entry, dict) for entry in listed):
        raise InputError(path, None, "expected a list of objects, as HotpotQA has it")
    if not listed:
        raise InputError(path, None, "the file is empty")
    return list(enumerate(listed, 1))


def _request(path: Path, place: int, entry: Mapping[str, Any]) -> Request:
    identity = text_of(path, place, entry, "id") if "id" in entry else f"question-{place}"
    answers = entry.get("answer", [])
    listed = [answers] if isinstance(answers, str) else answers
    if not isinstance(listed, list) or not all(isinstance(one, str) and one.strip() for one in listed):
        raise InputError(path, place, f"key 'answer' must be a text or a list of texts, got {answers!r}")
    return Request(
        identity, {"question": text_of(path, place, entry, "question")}, {"answers": listed} if listed else {}
    )


def _paragraphs(path: Path, place: int, entry: Mapping[str, Any]) -> list[Passage]:
    context = entry.get("context")
    told: Mapping[str, Any] = context if isinstance(context, dict) else {}
    titles, paragraphs = told.get("title"), told.get("sentences")
    if not (_is_texts(titles) and isinstance(paragraphs, list) and all(map(_is_texts, paragraphs))):
        reason = "key 'context' must hold 'title', a list of texts, and 'sentences', a list of texts for each title"
        raise InputError(path, place, reason)
    if len(titles) != len(paragraphs):
        raise InputError(path, place, f"key 'context' has {len(titles)} titles for {len(paragraphs)} paragraphs")
    bodies = (" ".join("".join(sentences).split()) for sentences in paragraphs)
    return [
        {"id": _slug(title), "title": title, "text": body} for title, body in zip(titles, bodies, strict=True) if body
    ]


def _is_texts(found: Any) -> TypeGuard[list[str]]:
    return isinstance(found, list) and all(isinstance(one, str) for one in found)


def _slug(title: str) -> str:
    return re.sub(r"\W+", "-", title.lower()).strip("-")


def labelled(requests: Sequence[Request], answers: Sequence[str]) -> list[tuple[list[str], str]]:
    """The right answers and the given one, of each request that has right ones."""
    pairs = zip(requests, answers, strict=True)
    return [(request.labels["answers"], answer) for request, answer in pairs if request.labels.get("answers")]
