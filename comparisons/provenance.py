"""What decides the figures of a file, so that files that were made otherwise are not taken for the same."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import alto_lg
import alto_lg.adapters
import alto_lg.apps
import alto_lg.comparisons
from alto_lg.comparisons.machine import machine, versions
from alto_lg.comparisons.plan import Plan

_DIGITS = 12
_PRESENTING = tuple(
    f"alto_lg/comparisons/{name}"
    for name in (
        "report/",
        "compare.py",
        "matrix.py",
        "cells.py",
        "overview.py",
        "table.py",
        "target.py",
        "replicas/check.py",
        "replicas/command.py",
        "replicas/faults.py",
        "replicas/graphs_file.py",
        "replicas/jobs.py",
        "replicas/simulation.py",
        "replicas/sweep.py",
    )
)
"""Code that shows or replays figures and makes none: a column that is renamed does not spoil the files of a week."""


def settings_of(plan: Plan) -> dict[str, Any]:
    """Everything that the figures of a plan depend on, but for its rate, where that follows from a measurement."""
    options = plan.options
    return {
        "application": options.app,
        "arms": {arm.name: f"{arm.engine} {arm.pool or ''}".strip() for arm in plan.arms},
        "missing": [one.arm for one in plan.missing],
        "requests": options.requests,
        "blocks": options.blocks,
        "warm_up": options.warmup,
        "seed": options.seed,
        "items": options.items,
        "sync": options.sync,
        "clock": options.clock,
        "profile": None if options.base_url else options.profile,
        "slots": options.slots,
        "replicas": options.replicas,
        "cache_blocks": options.cache_blocks,
        "load": getattr(options, "load", None),
        "base_url": options.base_url,
        "model": options.model,
        "corpus": _digest_of_file(options.corpus),
        "questions": _digest_of_file(options.questions),
        "versions": versions(),
        "peers": {name: version for arm in plan.arms if arm.peer for name, version in arm.peer.versions().items()},
        "source": source_digest(),
        "machine": machine(),
    }


def changed(before: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
    """The settings that are not the same, each with both values."""
    names = [name for name in dict.fromkeys([*before, *now]) if before.get(name) != now.get(name)]
    return [f"{name} was {before.get(name)!r} and is {now.get(name)!r}" for name in names]


@cache
def source_digest() -> str:
    """Of the package's own code, because its version says nothing of a change that is not released."""
    digest = hashlib.sha256()
    for name, path in sorted(_sources().items()):
        digest.update(f"{name}\n".encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()[:_DIGITS]


def _sources() -> dict[str, Path]:
    """Module files by their names, which are the same for an editable install and for one from a wheel."""
    found = dict[str, Path]()
    for package in (alto_lg, alto_lg.adapters, alto_lg.apps, alto_lg.comparisons):
        assert package.__file__ is not None
        root = Path(package.__file__).parent
        folder = package.__name__.replace(".", "/")
        found.update({f"{folder}/{path.relative_to(root).as_posix()}": path for path in root.rglob("*.py")})
    return {name: path for name, path in found.items() if not name.startswith(_PRESENTING)}


def _digest_of_file(path: Path | None) -> str | None:
    if path is None:
        return None
    files = sorted(one for one in path.rglob("*") if one.is_file()) if path.is_dir() else [path]
    digest = hashlib.sha256()
    for one in files:
        digest.update(one.read_bytes())
    return digest.hexdigest()[:_DIGITS]
