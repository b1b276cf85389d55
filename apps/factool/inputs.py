"""The corpus and the questions: the package's own, or the user's files, checked whole before anything runs.

Always true: what is returned is complete and well formed; a file that is not raises `InputError` with the file, the
line and the reason.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from functools import cache
from importlib.resources import as_file, files
from pathlib import Path
from typing import Any

from alto_lg.apps.base import InputError, Request
from alto_lg.apps.factool import text
from alto_lg.apps.factool.state import Passage

_PASSAGE_WORDS = 70


def read_corpus(path: Path | None) -> list[Passage]:
    """The passages of a JSONL file or of a folder of .txt files; the package's own without a path."""
    if path is None:
        return shipped_corpus()
    if path.is_dir():
        return _from_folder(path)
    if not path.is_file():
        raise InputError(path, None, "no such file or folder; give a JSONL file or a folder of .txt files")
    return _from_lines(path)


def read_questions(path: Path | None) -> list[Request]:
    """The requests of a JSONL file, in this package's form or in FacTool's; the package's own without a path."""
    if path is None:
        with as_file(files(__package__) / "data" / "questions.jsonl") as own:
            return _requests(own)
    if not path.is_file():
        raise InputError(path, None, "no such file; give a JSONL file of questions")
    return _requests(path)


@cache
def shipped_corpus() -> list[Passage]:
    """The passages that come with the package."""
    with as_file(files(__package__) / "data" / "corpus.jsonl") as own:
        return _from_lines(own)


@cache
def shipped_answers() -> list[tuple[str, str]]:
    """The questions that come with the package, each with its answer and without its labels."""
    return [(str(one.input["question"]), str(one.input["reference"])) for one in read_questions(None)]


def _objects(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except UnicodeDecodeError as fault:
        raise InputError(path, None, f"not UTF-8 text (byte {fault.start})") from fault
    empty = True
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        empty = False
        try:
            entry = json.loads(line)
        except ValueError as fault:
            raise InputError(path, number, f"not JSON: {fault}") from fault
        if not isinstance(entry, dict):
            raise InputError(path, number, f"expected a JSON object, got {type(entry).__name__}")
        yield number, entry
    if empty:
        raise InputError(path, None, "the file is empty")


def _text_of(path: Path, line: int, entry: Mapping[str, Any], key: str) -> str:
    value = entry.get(key)
    if not isinstance(value, str) or not value.strip():
        raise InputError(path, line, f"key {key!r} must be text that is not empty, got {value!r}")
    return " ".join(value.split())


def _from_lines(path: Path) -> list[Passage]:
    passages: dict[str, Passage] = {}
    for line, entry in _objects(path):
        identity = _text_of(path, line, entry, "id")
        if identity in passages:
            raise InputError(path, line, f"id {identity!r} is used twice")
        passages[identity] = {
            "id": identity,
            "title": _text_of(path, line, entry, "title"),
            "text": _text_of(path, line, entry, "text"),
        }
    return list(passages.values())


def _from_folder(folder: Path) -> list[Passage]:
    passages: list[Passage] = []
    for path in sorted(folder.glob("*.txt")):
        try:
            body = path.read_text(encoding="utf-8")
        except UnicodeDecodeError as fault:
            raise InputError(path, None, f"not UTF-8 text (byte {fault.start})") from fault
        title = path.stem.replace("_", " ")
        for place, passage in enumerate(_split(body)):
            passages.append({"id": f"{path.stem}-{place}", "title": title, "text": passage})
    if not passages:
        raise InputError(folder, None, "no .txt file with text in this folder")
    return passages


def _split(body: str) -> Iterator[str]:
    """Passages of whole sentences, about seventy words each; headings, which end in no full stop, are left out."""
    kept: list[str] = []
    for paragraph in body.splitlines():
        if not paragraph.rstrip().endswith((".", "!", "?", '"', ")", "]")):
            continue
        for sentence in text.sentences(paragraph):
            kept.append(sentence)
            if sum(len(line.split()) for line in kept) >= _PASSAGE_WORDS:
                yield " ".join(kept)
                kept = []
    if kept:
        yield " ".join(kept)


def _requests(path: Path) -> list[Request]:
    requests: dict[str, Request] = {}
    for line, entry in _objects(path):
        request = _factool_request(path, line, entry) if "prompt" in entry else _own_request(path, line, entry)
        if request.id in requests:
            raise InputError(path, line, f"id {request.id!r} is used twice")
        requests[request.id] = request
    return list(requests.values())


def _own_request(path: Path, line: int, entry: Mapping[str, Any]) -> Request:
    identity = _text_of(path, line, entry, "id") if "id" in entry else f"question-{line}"
    return _request(path, line, entry, identity, ("question", "answer"))


def _factool_request(path: Path, line: int, entry: Mapping[str, Any]) -> Request:
    return _request(path, line, entry, f"factool-{line}", ("prompt", "response"))


def _request(path: Path, line: int, entry: Mapping[str, Any], identity: str, keys: tuple[str, str]) -> Request:
    asked = {"question": _text_of(path, line, entry, keys[0])}
    if entry.get(keys[1]) is not None:
        asked["reference"] = _text_of(path, line, entry, keys[1])
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
        claims.append({"claim": _text_of(path, line, entry, "claim"), "label": entry["label"]})
    return claims
