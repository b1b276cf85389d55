"""Ledger: what one run of the benchmarks knows and collects; a plugin of that pytest run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast

import pytest

from alto_lg.comparisons.machine import made_with
from bench import stored
from bench.appraising import Row, check
from bench.case import Case
from bench.stored import Stored

SECONDS = 1.0


@dataclass(slots=True)
class Ledger:
    """only: run the cases with this in their names. stores: keep the new ratios, whatever they are."""

    seconds: float = SECONDS
    only: str = ""
    stores: bool = False
    path: Path = stored.PATH
    rows: list[Row] = field(default_factory=list)
    ratios: dict[str, Stored] = field(default_factory=dict)
    complaints: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.ratios = stored.read(self.path)

    def known(self, case: str) -> Stored | None:
        """What to compare with."""
        return None if self.stores else self.ratios.get(case)

    def enter(self, case: str, rows: Sequence[Row]) -> None:
        """Take the rows of one case, and fail it if they are worse, or have nothing to be compared with."""
        self.rows.extend(rows)
        if self.stores:
            self.ratios[case] = Stored({row.figure: row.verdict.ratio for row in rows}, made_with())
        else:
            check(rows, self.known(case))

    def keep(self, names: Sequence[str]) -> None:
        """Write what is stored now; cases that are no more are left out."""
        self.ratios = {name: self.ratios[name] for name in names if name in self.ratios}
        stored.write(self.ratios, self.path)

    def pytest_exception_interact(self, call: pytest.CallInfo[object]) -> None:
        if call.excinfo is not None:
            self.complaints.append(call.excinfo.exconly())

    def pytest_collection_modifyitems(self, config: pytest.Config, items: list[pytest.Item]) -> None:
        chosen = [item for item in items if self.only in _case_name(item)]
        config.hook.pytest_deselected(items=[item for item in items if item not in chosen])
        items[:] = chosen


def _case_name(item: pytest.Item) -> str:
    assert isinstance(item, pytest.Function)
    return cast(Case, item.callspec.params["case"]).name
