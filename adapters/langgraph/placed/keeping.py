"""Keeping: what a node keeps for each group in the memory of its worker.

Owns the objects that `alto_lg.kept` gives out, on the far side. Always true:
  a group has one object, from the first firing that asks for it until its run is over and no firing of that run is left
  on the worker: one that nobody waits for any more may still run there when the run has ended elsewhere;
  objects of two runs have nothing to do with each other, though their groups be called the same.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from typing import Any

from alto_lg.adapters.placement.leases import Group

_lock = threading.RLock()
_runs: dict[Hashable, _Run] = {}


class _Run:
    """What is kept for one run. firings: how many of it are here."""

    def __init__(self) -> None:
        self.objects: dict[Hashable, Any] = {}
        self.firings = 0
        self.is_over = False


@contextmanager
def keeping(group: Group) -> Iterator[Callable[[Callable[[], Any]], Any]]:
    """For the time of one firing: gives the object of its group, made if there is none."""
    with _lock:
        run = _runs.setdefault(group.run, _Run())
        run.firings += 1

    def kept(make: Callable[[], Any]) -> Any:
        with _lock:  # of two firings that are here at once, one makes it
            if group.place not in run.objects:
                run.objects[group.place] = make()
            return run.objects[group.place]

    try:
        yield kept
    finally:
        with _lock:
            run.firings -= 1
            _drop(group.run, run)


def forget(run_id: Hashable) -> None:
    """A run is over."""
    with _lock:
        run = _runs.get(run_id)
        if run is not None:
            run.is_over = True
            _drop(run_id, run)


def _drop(run_id: Hashable, run: _Run) -> None:
    if run.is_over and run.firings == 0:
        del _runs[run_id]
