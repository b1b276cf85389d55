"""Report: what a long check counted, for whoever reads the log of a release."""

from __future__ import annotations

import sys

import pytest


def report(capsys: pytest.CaptureFixture[str], counted: str) -> None:
    with capsys.disabled():
        print(f"\n{counted}", end="", file=sys.stderr)  # under xdist a worker's standard output goes nowhere
