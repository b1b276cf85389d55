"""The topics: the package's own, or the user's, checked whole before anything runs.

Always true: what is returned is complete and well formed; a file that is not raises `InputError` with the file, the
line and the reason.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib.resources import as_file, files
from pathlib import Path
from typing import Any

from alto_lg.apps.base import InputError, Request
from alto_lg.apps.corpus import objects_of, text_of
from alto_lg.apps.requests import distinct


def read_topics(path: Path | None) -> list[Request]:
    """The requests: of a JSONL file, of a text file with a topic a line, or of a folder of articles.

    A line of JSON has `topic`; and may have `id`, and `subjects`, the beginnings of the ids of passages that bear on
    it. In a folder each .txt file is an article, whose name is a topic and the beginning of the ids of its passages.
    """
    if path is None:
        with as_file(files(__package__) / "data" / "topics.jsonl") as own:
            return _from_objects(own)
    if path.is_dir():
        return _from_folder(path)
    if not path.is_file():
        raise InputError(path, None, "no such file or folder; give a file of topics, or a folder of .txt articles")
    return _from_lines(path) if path.suffix == ".txt" else _from_objects(path)


def _from_objects(path: Path) -> list[Request]:
    return distinct(path, ((line, _request(path, line, entry)) for line, entry in objects_of(path)))


def _request(path: Path, line: int, entry: Mapping[str, Any]) -> Request:
    identity = text_of(path, line, entry, "id") if "id" in entry else f"topic-{line}"
    subjects = entry.get("subjects", [])
    if not isinstance(subjects, list) or not all(isinstance(one, str) and one for one in subjects):
        raise InputError(path, line, f"key 'subjects' must be a list of texts, got {subjects!r}")
    return Request(identity, {"topic": text_of(path, line, entry, "topic")}, {"subjects": subjects} if subjects else {})


def _from_lines(path: Path) -> list[Request]:
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except UnicodeDecodeError as fault:
        raise InputError(path, None, f"not UTF-8 text (byte {fault.start})") from fault
    topics = [(number, " ".join(line.split())) for number, line in enumerate(lines, 1) if line.strip()]
    if not topics:
        raise InputError(path, None, "the file is empty")
    return [Request(f"topic-{number}", {"topic": topic}) for number, topic in topics]


def _from_folder(folder: Path) -> list[Request]:
    names = [path.stem for path in sorted(folder.glob("*.txt"))]
    if not names:
        raise InputError(folder, None, "no .txt file in this folder")
    return [Request(name, {"topic": " ".join(name.split("_"))}, {"subjects": [name]}) for name in names]
