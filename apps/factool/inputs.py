"""The questions: the package's own, or the user's files, checked whole before anything runs.

Always true: what is returned is complete and well formed; a file that is not raises `InputError` with the file, the
line and the reason.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib.resources import as_file, files
from pathlib import Path
from typing import Any

from alto_lg.apps.base import InputError, Request
from alto_lg.apps.corpus import objects_of, text_of
from alto_lg.apps.requests import distinct


def read_questions(path: Path | None) -> list[Request]:
    """The requests of a JSONL file, in this package's form or in FacTool's; the package's own without a path."""
    if path is None:
        with as_file(files(__package__) / "data" / "questions.jsonl") as own:
            return _requests(own)
    if not path.is_file():
        raise InputError(path, None, "no such file; give a JSONL file of questions")
    return _requests(path)


@cache
def shipped_answers() -> list[tuple[str, str]]:
    """The questions that come with the package, each with its answer and without its labels."""
    return [(str(one.input["question"]), str(one.input["reference"])) for one in read_questions(None)]


def _requests(path: Path) -> list[Request]:
    read = ((line, entry, _factool_request if "prompt" in entry else _own_request) for line, entry in objects_of(path))
    return distinct(path, ((line, request(path, line, entry)) for line, entry, request in read))


def _own_request(path: Path, line: int, entry: Mapping[str, Any]) -> Request:
    identity = text_of(path, line, entry, "id") if "id" in entry else f"question-{line}"
    return _request(path, line, entry, identity, ("question", "answer"))


def _factool_request(path: Path, line: int, entry: Mapping[str, Any]) -> Request:
    return _request(path, line, entry, f"factool-{line}", ("prompt", "response"))


def _request(path: Path, line: int, entry: Mapping[str, Any], identity: str, keys: tuple[str, str]) -> Request:
    asked = {"question": text_of(path, line, entry, keys[0])}
    if entry.get(keys[1]) is not None:
        asked["reference"] = text_of(path, line, entry, keys[1])
    claims = _claims(path, line, entry.get("claims", []))
    return Request(identity, asked, {"claims": claims} if claims else {})


def _claims(path: Path, line: int, entries: Any) -> list[dict[str, Any]]:
    if not isinstance(entries, list):
        raise InputError(path, line, f"key 'claims' must be a list, got {type(entries).__name__}")
    claims: list[dict[str, Any]] = []
    for place, entry in enumerate(entries):
        if not isinstance(entry, dict):
            raise InputError(path, line, f"claim {place} must be an object, got {type(entry).__name__}")
        if not isinstance(entry.get("label"), bool):
            raise InputError(
                path, line, f"the label of claim {place} must be true or false, got {entry.get('label')!r}"
            )
        claims.append({"claim": text_of(path, line, entry, "claim"), "label": entry["label"]})
    return claims
