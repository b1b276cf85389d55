"""Every case, as a benchmark of pytest-benchmark: `make bench`, or `pytest tests/bench/bench_ratios.py -k "chain"`.

pytest-benchmark notes the wall time of our side; LangGraph's runs take turns with it, in its set-up and tear-down.
"""

from __future__ import annotations

from dataclasses import asdict

import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from bench.appraising import appraise
from bench.case import Case
from bench.cases import CASES
from bench.ledger import Ledger
from bench.pairs import Pairs


@pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])
def test_no_ratio_is_worse_than_the_stored_one(case: Case, benchmark: BenchmarkFixture, ledger: Ledger) -> None:
    def drive(pairs: Pairs, count: int) -> None:
        benchmark.pedantic(pairs.run_ours, setup=pairs.begin, teardown=pairs.end, rounds=count)  # type: ignore[no-untyped-call]

    rows = appraise(case, ledger.seconds, ledger.known(case.name), drive, to_keep=ledger.stores)
    benchmark.extra_info["figures"] = [asdict(row) for row in rows]
    ledger.enter(case.name, rows)
