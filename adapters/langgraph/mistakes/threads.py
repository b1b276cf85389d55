"""Threads: which conversations have a run in progress, in this process.

Always true: a saver is held weakly, a run only while it is in progress.
"""

from __future__ import annotations

import threading
import weakref
from typing import Any

_lock = threading.Lock()
_in_progress: weakref.WeakKeyDictionary[Any, dict[str, set[object]]] = weakref.WeakKeyDictionary()


def enter(saver: Any, thread: str, run: object) -> frozenset[object]:
    """Note that a run is in progress; the others on its thread. A saver that cannot be a key is not watched."""
    try:
        with _lock:
            runs = _in_progress.setdefault(saver, {}).setdefault(thread, set())
            others = frozenset(runs)
            runs.add(run)
    except TypeError:  # not hashable, or not to be referred to weakly
        return frozenset()
    return others


def leave(saver: Any, thread: str, run: object) -> None:
    """The run has ended; harmless if it was not noted."""
    try:
        with _lock:
            threads = _in_progress.get(saver, {})
            runs = threads.get(thread, set())
            runs.discard(run)
            if not runs:
                threads.pop(thread, None)
    except TypeError:
        return


def in_progress(saver: Any, thread: str, runs: frozenset[object]) -> bool:
    """Whether one of these runs still is."""
    with _lock:
        return not runs.isdisjoint(_in_progress.get(saver, {}).get(thread, ()))
