"""The corpus that the applications search: the package's own, or the user's files, checked whole before anything runs.

Owns how a JSONL file is read. Always true: what is returned is complete and well formed; a file that is not raises
`InputError` with the file, the line and the reason.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from functools import cache
from importlib.resources import as_file, files
from pathlib import Path
from typing import Any, TypedDict

from alto_lg.apps import text
from alto_lg.apps.base import InputError

_PASSAGE_WORDS = 70


class Passage(TypedDict):
    """One passage of the corpus."""

    id: str
    title: str
    text: str


def read_corpus(path: Path | None) -> list[Passage]:
    """The passages of a JSONL file or of a folder of .txt files; the package's own without a path."""
    if path is None:
        return shipped_corpus()
    if path.is_dir():
        return _from_folder(path)
    if not path.is_file():
        raise InputError(path, None, "no such file or folder; give a JSONL file or a folder of .txt files")
    return _from_lines(path)


@cache
def shipped_corpus() -> list[Passage]:
    """The passages that come with the package."""
    with as_file(files(__package__) / "data" / "corpus.jsonl") as own:
        return _from_lines(own)


def objects_of(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    """The objects of a JSONL file with their lines."""
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


def text_of(path: Path, line: int, entry: Mapping[str, Any], key: str) -> str:
    """The text under a key, with single spaces."""
    value = entry.get(key)
    if not isinstance(value, str) or not value.strip():
        raise InputError(path, line, f"key {key!r} must be text that is not empty, got {value!r}")
    return " ".join(value.split())


def _from_lines(path: Path) -> list[Passage]:
    passages: dict[str, Passage] = {}
    for line, entry in objects_of(path):
        identity = text_of(path, line, entry, "id")
        if identity in passages:
            raise InputError(path, line, f"id {identity!r} is used twice")
        passages[identity] = {
            "id": identity,
            "title": text_of(path, line, entry, "title"),
            "text": text_of(path, line, entry, "text"),
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
        for place, (heading, passage) in enumerate(_split(body)):
            named = f"{heading} ({title})" if heading else title
            passages.append({"id": f"{path.stem}-{place}", "title": named, "text": passage})
    if not passages:
        raise InputError(folder, None, "no .txt file with text in this folder")
    return passages


def _split(body: str) -> Iterator[tuple[str, str]]:
    """Passages of whole sentences, about seventy words each, with the first-level heading that they stand under.

    Other lines that end in no full stop are left out.
    """
    heading = ""
    kept: list[str] = []
    for paragraph in body.splitlines():
        if paragraph.startswith("# "):
            if kept:
                yield heading, " ".join(kept)
            heading, kept = paragraph.removeprefix("# ").strip(), []
        elif paragraph.rstrip().endswith((".", "!", "?", '"', ")", "]")):
            for sentence in text.sentences(paragraph):
                kept.append(sentence)
                if sum(len(line.split()) for line in kept) >= _PASSAGE_WORDS:
                    yield heading, " ".join(kept)
                    kept = []
    if kept:
        yield heading, " ".join(kept)
