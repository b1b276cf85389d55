"""`python -m bench`, from tests/: run the benchmarks, print the table, fail on a loss. `make bench` does the same."""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from alto_lg.comparisons.machine import made_with
from alto_lg.comparisons.table import output_console
from bench import stored, table
from bench.cases import CASES
from bench.ledger import SECONDS, Ledger

_BENCHMARKS = Path(__file__).parent / "bench_ratios.py"
_TIMEOUT_S = 300


def _options(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--only", default="", metavar="TEXT", help="the cases with this in their names")
    parser.add_argument(
        "--seconds",
        type=float,
        default=SECONDS,
        help=f"of pairs for each case (default {SECONDS:g})",
    )
    parser.add_argument("--store", action="store_true", help="keep the ratios, measured three times as long")
    parser.add_argument(
        "--stored",
        type=Path,
        default=stored.PATH,
        metavar="FILE",
        help="the stored ratios (default: the tree's)",
    )
    parser.add_argument("--uvloop", action="store_true", help="run what needs an event loop on uvloop's, both sides")
    parser.add_argument("--list", action="store_true", help="print the names of the cases and end")
    parser.add_argument("--summary", type=Path, metavar="FILE", help="append the table as Markdown")
    parser.add_argument("--output", type=Path, metavar="FILE", help="all figures as pytest-benchmark's JSON")
    return parser.parse_args(arguments)


def main(arguments: list[str] | None = None) -> int:
    """0; 1 with a loss or a case that fails otherwise; 2 for options that cannot be."""
    options = _options(arguments)
    names = [case.name for case in CASES]
    if options.uvloop:
        import uvloop

        asyncio.set_event_loop_policy(uvloop.EventLoopPolicy())
    if options.list:
        print("\n".join(names))
        return 0
    if options.seconds <= 0 or not any(options.only in name for name in names):
        wrong = "--seconds must be above 0" if options.seconds <= 0 else f"no case has {options.only!r} in its name"
        print(f"{wrong}; --list prints the names.", file=sys.stderr)
        return 2
    try:
        ledger = Ledger(options.seconds * (3 if options.store else 1), options.only, options.store, options.stored)
    except stored.BadFile as bad:
        print(bad, file=sys.stderr)
        return 2
    status = _run(ledger, options.output)
    _report(ledger, options.summary)
    if options.store:
        _keep(ledger, names, status)
    return int(status != 0)


def _run(ledger: Ledger, output: Path | None) -> int:
    # Assertions stay as they are, or pytest would warn of every module that was imported before it came.
    command = [str(_BENCHMARKS), "-q", "--assert=plain", "--tb=no", "--no-summary", "--benchmark-quiet"]
    command += [f"--timeout={_TIMEOUT_S}", *([f"--benchmark-json={output.resolve()}"] if output else [])]
    return int(pytest.main(command, plugins=[_Plugins(ledger)]))


def _keep(ledger: Ledger, names: Sequence[str], status: int) -> None:
    if status == 0:
        ledger.keep(names)
    else:
        print(f"A case failed, so {ledger.path} is as it was.", file=sys.stderr)


class _Plugins:
    """Registers the ledger under a name by which a fixture finds it."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    def pytest_configure(self, config: pytest.Config) -> None:
        config.pluginmanager.register(self._ledger, "bench-ledger")


def _report(ledger: Ledger, summary: Path | None) -> None:
    console = output_console()
    console.print(table.terminal(ledger.rows))
    console.print(table.explanation(made_with()))
    for complaint in ledger.complaints:
        console.print(f"\n{complaint}", markup=False, soft_wrap=True)
    if summary:
        with summary.open("a", encoding="utf-8") as file:
            file.write(table.markdown(ledger.rows, made_with()))


if __name__ == "__main__":
    sys.exit(main())
