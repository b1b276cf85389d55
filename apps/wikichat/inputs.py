"""The passages and the conversations: the package's own, or the user's files, checked whole before anything runs.

Always true: what is returned is complete and well formed; a file that is not raises `InputError` with the file, the
line and the reason.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from importlib.resources import as_file, files
from itertools import groupby
from pathlib import Path
from typing import Any

from alto_lg.apps import text
from alto_lg.apps.base import InputError, Request
from alto_lg.apps.corpus import Passage, objects_of, read_corpus, shipped_corpus, text_of
from alto_lg.apps.requests import distinct
from alto_lg.apps.wikichat.state import Turn

_WINDOW_SENTENCES = 5


def read_passages(path: Path | None) -> list[Passage]:
    """The passages of the user's corpus as they are; those of the package's own in windows."""
    return in_windows(own_passages()) if path is None else read_corpus(path)


@cache
def own_passages() -> list[Passage]:
    """What is told of each subject: by the corpus that all applications have, and by longer articles on some."""
    with as_file(files(__package__) / "data" / "articles.jsonl") as articles:
        told = [*shipped_corpus(), *read_corpus(articles)]
    return sorted(told, key=_subject)


def in_windows(passages: Sequence[Passage]) -> list[Passage]:
    """Windows of five sentences over all that is told of a subject, each one sentence further than the one before.

    Windows are as long as the passages of an encyclopedia that is cut up for searching, and there are as many on a
    subject as such a search finds.
    """
    told = groupby(passages, key=_subject)
    return [window for subject, group in told for window in _windows(subject, list(group))]


def _subject(passage: Passage) -> str:
    return passage["id"].rpartition("-")[0]


def _windows(subject: str, passages: Sequence[Passage]) -> Iterator[Passage]:
    sentences = [(one["title"], sentence) for one in passages for sentence in text.sentences(one["text"])]
    last = max(len(sentences) - _WINDOW_SENTENCES, 0)
    for start in range(last + 1):
        window = sentences[start : start + _WINDOW_SENTENCES]
        titles = dict.fromkeys(title for title, _ in window)
        body = " ".join(sentence for _, sentence in window)
        yield {"id": f"{subject}-{start + 1}", "title": "; ".join(titles), "text": body}


def read_turns(path: Path | None) -> list[Request]:
    """The requests of a JSONL file, a conversation each; the package's own without a path.

    A line has `question`; and may have `id`, `then`, a list of the user's next turns, `history`, a list of objects with
    `user` and `agent` of what was said before, and `subjects`, the beginnings of the ids of passages that bear on the
    last turn.
    """
    if path is None:
        with as_file(files(__package__) / "data" / "turns.jsonl") as own:
            return _requests(own)
    if not path.is_file():
        raise InputError(path, None, "no such file; give a JSONL file of turns")
    return _requests(path)


def _requests(path: Path) -> list[Request]:
    return distinct(path, ((line, _request(path, line, entry)) for line, entry in objects_of(path)))


def _request(path: Path, line: int, entry: Mapping[str, Any]) -> Request:
    identity = text_of(path, line, entry, "id") if "id" in entry else f"turn-{line}"
    asked = {"question": text_of(path, line, entry, "question"), "history": _history(path, line, entry)}
    subjects = entry.get("subjects", [])
    if not isinstance(subjects, list) or not all(isinstance(one, str) and one for one in subjects):
        raise InputError(path, line, f"key 'subjects' must be a list of texts, got {subjects!r}")
    following = entry.get("then", [])
    if not isinstance(following, list) or not all(isinstance(one, str) and one for one in following):
        raise InputError(path, line, f"key 'then' must be a list of texts, got {following!r}")
    labels = {"subjects": subjects} if subjects else {}
    return Request(identity, asked, labels, [{"question": question} for question in following])


def _history(path: Path, line: int, entry: Mapping[str, Any]) -> list[Turn]:
    turns = entry.get("history", [])
    if not isinstance(turns, list):
        raise InputError(path, line, f"key 'history' must be a list, got {type(turns).__name__}")
    for place, turn in enumerate(turns):
        if not isinstance(turn, dict):
            raise InputError(path, line, f"turn {place} of the history must be an object, got {type(turn).__name__}")
    return [{"user": text_of(path, line, turn, "user"), "agent": text_of(path, line, turn, "agent")} for turn in turns]
