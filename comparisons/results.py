"""The results file: JSON lines, one header, one line a request and arm, one summary at the end.

An arm that has no figures has a line of its own, which says why.

Always true: each line is written and flushed as soon as it is known, so that a run that was cut short
leaves a readable file without a summary; keys are never shown in it.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from alto_lg.apps.base import InputError, Span
from alto_lg.comparisons.arms import NotRun
from alto_lg.comparisons.cost import MemoryUse, ServerUse
from alto_lg.comparisons.measure import EarlyWork, Measurement

KINDS = ("header", "measurement", "not_run", "summary")
_RECORDS = {"early": EarlyWork, "server": ServerUse, "memory": MemoryUse}


class ResultsFile:
    """Writes the lines; a context manager that closes the file."""

    def __init__(self, path: Path) -> None:
        self.path = path
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file = path.open("w", encoding="utf-8")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()

    def header(self, fields: Mapping[str, Any]) -> None:
        """The first line: versions, machine and settings."""
        self._write("header", fields)

    def measurement(self, measured: Measurement) -> None:
        """One request of one arm."""
        self._write("measurement", measurement_fields(measured))

    def not_run(self, absent: NotRun) -> None:
        """An arm without figures."""
        self._write("not_run", dataclasses.asdict(absent))

    def summary(self, fields: Mapping[str, Any]) -> None:
        """The last line."""
        self._write("summary", fields)

    def _write(self, kind: str, fields: Mapping[str, Any]) -> None:
        self._file.write(json.dumps({"kind": kind, **fields}, ensure_ascii=False) + "\n")
        self._file.flush()


@dataclasses.dataclass(frozen=True, slots=True)
class Results:
    """A results file read back; summary is None when the run was cut short."""

    header: Mapping[str, Any]
    measurements: tuple[Measurement, ...]
    summary: Mapping[str, Any] | None
    not_run: tuple[NotRun, ...] = ()


def read_results(path: Path) -> Results:
    """Read a results file; `InputError` names the line that cannot be used."""
    header: dict[str, Any] = {}
    measurements: list[Measurement] = []
    not_run: list[NotRun] = []
    summary: dict[str, Any] | None = None
    for line, (kind, fields) in enumerate(_lines(path), start=1):
        if (kind == "header") != (line == 1):
            raise InputError(path, line, "the header must be the first line, and only that")
        if kind == "header":
            header = fields
        elif kind == "measurement":
            measurements.append(_measured(path, line, fields))
        elif kind == "not_run":
            not_run.append(NotRun(**fields))
        else:
            summary = fields
    if not header:
        raise InputError(path, None, "the file is empty: it has no header line")
    return Results(header, tuple(measurements), summary, tuple(not_run))


def _lines(path: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    with path.open(encoding="utf-8") as file:
        for number, text in enumerate(file, start=1):
            try:
                fields = json.loads(text)
                kind = fields.pop("kind")
            except (ValueError, AttributeError, KeyError, TypeError) as error:
                raise InputError(path, number, f"not a line of a results file ({error!r})") from error
            if kind not in KINDS:
                raise InputError(path, number, f"kind {kind!r} is not one of {', '.join(KINDS)}")
            yield kind, fields


def _measured(path: Path, line: int, fields: Mapping[str, Any]) -> Measurement:
    try:
        return measurement_of(fields)
    except (KeyError, TypeError) as error:
        reason = f"its fields are not those of this version ({error}); run the comparison again"
        raise InputError(path, line, reason) from error


def measurement_fields(measured: Measurement) -> dict[str, Any]:
    """As JSON types; spans as short rows, because there are many."""
    fields = {field.name: getattr(measured, field.name) for field in dataclasses.fields(measured)}
    for name in _RECORDS:
        fields[name] = None if fields[name] is None else dataclasses.asdict(fields[name])
    fields["spans"] = [
        [span.stage, list(span.item), round(span.started, 6), round(span.ended, 6)] for span in measured.spans
    ]
    return fields


def measurement_of(fields: Mapping[str, Any]) -> Measurement:
    """The inverse of `measurement_fields`."""
    records = {name: None if fields.get(name) is None else record(**fields[name]) for name, record in _RECORDS.items()}
    spans = (Span(stage, tuple(item), start, end) for stage, item, start, end in fields["spans"])
    return Measurement(**{**fields, **records, "spans": tuple(spans)})
