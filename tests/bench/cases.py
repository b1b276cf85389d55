"""Every case. A new one is a line in one of the tables, and `make bench-store ARGS="--only NAME"` to keep its ratio."""

from __future__ import annotations

from bench.app_cases import APP_CASES
from bench.case import Case
from bench.compile_cases import COMPILE_CASES
from bench.engine_cases import ENGINE_CASES
from bench.machine_cases import MACHINE_CASES
from bench.served_cases import SERVED_CASES
from bench.shape_cases import SHAPE_CASES
from bench.split_cases import SPLIT_CASES
from bench.upstream_cases import UPSTREAM_CASES

CASES: tuple[Case, ...] = (
    *ENGINE_CASES,
    *UPSTREAM_CASES,
    *COMPILE_CASES,
    *MACHINE_CASES,
    *SPLIT_CASES,
    *SHAPE_CASES,
    *APP_CASES,
    *SERVED_CASES,
)
