"""Threads: which conversations have a run in progress, in this process.

Always true: savers and runs are held weakly, so that a run that never says that it ended is forgotten with its loop.
"""

from __future__ import annotations

import threading
import weakref
from typing import Any

Runs = weakref.WeakSet[Any]

_lock = threading.Lock()
_in_progress: weakref.WeakKeyDictionary[Any, dict[str, Runs]] = weakref.WeakKeyDictionary()


def enter(saver: Any, thread: str, run: object) -> Runs:
    """Note that a run is in progress; the others on its thread. A saver that cannot be a key is not watched."""
    try:
        with _lock:
            runs = _in_progress.setdefault(saver, {}).setdefault(thread, Runs())
            others = Runs(runs)
            runs.add(run)
    except TypeError:  # not hashable, or not to be referred to weakly
        return Runs()
    return others


def leave(saver: Any, thread: str, run: object) -> None:
    """The run has ended; harmless if it was not noted."""
    with _lock:
        threads = _in_progress.get(saver, {})
        runs = threads.get(thread, Runs())
        runs.discard(run)
        if not runs:
            threads.pop(thread, None)


def in_progress(saver: Any, thread: str, runs: Runs) -> bool:
    """Whether one of these runs still is."""
    with _lock:
        return bool(runs & _in_progress.get(saver, {}).get(thread, Runs()))
