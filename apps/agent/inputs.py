"""The agent's questions: the package's own, or the user's file, checked whole before anything runs."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.resources import as_file, files
from pathlib import Path
from typing import Any

from alto_lg.apps.base import InputError, Request
from alto_lg.apps.corpus import objects_of, text_of
from alto_lg.apps.requests import distinct


def read_questions(path: Path | None) -> list[Request]:
    """The requests of a JSONL file: `question`, and if known `years`, a number, and `measure`, such as "80 miles"."""
    if path is None:
        with as_file(files(__package__) / "data" / "questions.jsonl") as own:
            return _requests(own)
    if not path.is_file():
        raise InputError(path, None, "no such file; give a JSONL file of questions")
    return _requests(path)


def input_of(question: str) -> dict[str, Any]:
    """What the agent's graphs are invoked with."""
    return {"messages": [{"role": "user", "content": question}]}


def _requests(path: Path) -> list[Request]:
    return distinct(path, ((line, _request(path, line, entry)) for line, entry in objects_of(path)))


def _request(path: Path, line: int, entry: Mapping[str, Any]) -> Request:
    identity = text_of(path, line, entry, "id") if "id" in entry else f"question-{line}"
    return Request(identity, input_of(text_of(path, line, entry, "question")), _labels(path, line, entry))


def _labels(path: Path, line: int, entry: Mapping[str, Any]) -> dict[str, Any]:
    labels: dict[str, Any] = {}
    if "years" in entry:
        if type(entry["years"]) is not int:
            raise InputError(path, line, f"key 'years' must be a whole number, got {entry['years']!r}")
        labels["years"] = entry["years"]
    if "measure" in entry:
        labels["measure"] = text_of(path, line, entry, "measure")
    return labels
