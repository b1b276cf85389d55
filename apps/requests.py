"""The requests of a file. Always true: no id is used twice; the line that does so is named."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from alto_lg.apps.base import InputError, Request


def distinct(path: Path, requests: Iterable[tuple[int, Request]]) -> list[Request]:
    """The requests themselves, each given with the line, or the place, that it was read from.

    Raises:
        InputError: An id is used twice.
    """
    found: dict[str, Request] = {}
    for line, request in requests:
        if request.id in found:
            raise InputError(path, line, f"id {request.id!r} is used twice")
        found[request.id] = request
    return list(found.values())
