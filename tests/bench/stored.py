"""Stored ratios: one JSON file in the tree, a line for each case, with what each was measured with.

Always true: what is written reads back equal; a file that cannot be read is an error that names it, never no ratios.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from alto_lg.comparisons.statistics import Interval

PATH = Path(__file__).parent / "stored.json"
_DIGITS = 4


@dataclass(frozen=True, slots=True)
class Stored:
    """Of one case: its ratios by figure, and the versions and the machine that gave them."""

    ratios: Mapping[str, Interval]
    made_with: str


class BadFile(ValueError):
    """The file of stored ratios cannot be used."""

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(f"{path}: {reason}. Restore it from version control, or renew it with `make bench-store`.")


def read(path: Path = PATH) -> dict[str, Stored]:
    """By case; empty where there is no file yet. `BadFile` when it is no such file."""
    if not path.exists():
        return {}
    try:
        loaded = json.loads(path.read_text(encoding="utf-8"))
        return {name: _stored(entry) for name, entry in loaded.items()}
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise BadFile(path, f"it is no file of stored ratios: {error}") from error


def write(ratios: Mapping[str, Stored], path: Path = PATH) -> None:
    """A line a case, in the order of their names, so that a renewal shows in version control case by case."""
    lines = [f"  {json.dumps(name)}: {json.dumps(_plain(ratios[name]))}" for name in sorted(ratios)]
    path.write_text("{\n" + ",\n".join(lines) + "\n}\n", encoding="utf-8")


def _stored(entry: Mapping[str, Any]) -> Stored:
    ratios = {figure: Interval(*map(float, entry["ratios"][figure])) for figure in entry["ratios"]}
    if not ratios or not all(0 < one.low <= one.value <= one.high for one in ratios.values()):
        raise ValueError(f"{entry['ratios']!r} are no ratios with their intervals")
    return Stored(ratios, str(entry["made_with"]))


def _plain(stored: Stored) -> dict[str, Any]:
    ratios = {
        figure: [_rounded(part) for part in (one.value, one.low, one.high)] for figure, one in stored.ratios.items()
    }
    return {"ratios": ratios, "made_with": stored.made_with}


def _rounded(value: float) -> float:
    return float(f"{value:.{_DIGITS}g}")
