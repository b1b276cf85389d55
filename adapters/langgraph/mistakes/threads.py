"""Threads: which conversations have a run in progress, in this process.

Always true: savers and runs are held weakly, so that a run that never says that it ended is forgotten with its loop.
"""

from __future__ import annotations

import contextlib
import threading
import weakref
from typing import Any

_lock = threading.Lock()
_in_progress: weakref.WeakKeyDictionary[Any, dict[str, weakref.WeakSet[Any]]] = weakref.WeakKeyDictionary()


def enter(saver: Any, thread: str, run: object) -> None:
    """Note that a run is in progress. A saver that cannot be a key is not watched."""
    with _lock, contextlib.suppress(TypeError):  # not hashable, or not to be referred to weakly
        _in_progress.setdefault(saver, {}).setdefault(thread, weakref.WeakSet()).add(run)


def leave(saver: Any, thread: str, run: object) -> bool:
    """The run has ended; whether it leaves none behind on its thread."""
    with _lock, contextlib.suppress(TypeError):
        threads = _in_progress.get(saver, {})
        runs = threads.get(thread, weakref.WeakSet())
        runs.discard(run)
        if runs:
            return False
        threads.pop(thread, None)
    return True
