"""Ray in this process: used as it is found, or started, and then stopped with the last who uses it.

Always true: what others started is never stopped; what was started here ends with its last user, or with the process.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from concurrent.futures import Future
from functools import partial
from typing import Any

_lock = threading.Lock()
_users = 0
_keeper: _Keeper | None = None


def ray_module() -> Any:
    """Ray itself.

    Raises:
        ImportError: It is not installed; says how to.
    """
    try:
        import ray
    except ImportError as error:
        raise ImportError("alto_lg.ray needs Ray: pip install 'alto-lg[ray]'") from error
    return ray


def connect(address: str | None, cpus: float) -> None:
    """Have Ray in this process. cpus: what is to be placed there; a Ray of this machine has room for that at least.

    Raises:
        ValueError: This process is connected to Ray at another address.
    """
    global _users, _keeper
    ray = ray_module()
    with _lock:
        if not ray.is_initialized():
            if _keeper is not None:  # somebody else has shut it down
                _keeper.end()
            _keeper, _users = _Keeper(partial(_start, ray, address, cpus)), 0
        elif address not in (None, "auto", "local") and address != ray.get_runtime_context().gcs_address:
            raise ValueError(
                f"placement asks for Ray at {address!r}, and this process is connected to "
                f"{ray.get_runtime_context().gcs_address!r}: call ray.shutdown() first, or leave address out"
            )
        _users += 1


def disconnect() -> None:
    """Undo one `connect`."""
    global _users, _keeper
    with _lock:
        _users -= 1
        if _users == 0 and _keeper is not None:
            _keeper.end()
            _keeper = None


class _Keeper:
    """The thread that started Ray, and lives as long: Linux ends the processes of Ray with the thread that made it."""

    def __init__(self, start: Callable[[], None]) -> None:
        self._start = start
        self._started: Future[None] = Future()
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, name="alto_lg ray", daemon=True)
        self._thread.start()
        self._started.result()

    def end(self) -> None:
        """Stop Ray, and wait until it has."""
        self._over.set()
        self._thread.join()

    def _run(self) -> None:
        try:
            self._start()
        except BaseException as error:
            self._started.set_exception(error)
            return
        self._started.set_result(None)
        self._over.wait()
        ray_module().shutdown()


def _start(ray: Any, address: str | None, cpus: float) -> None:
    if address not in (None, "local") or (address is None and "RAY_ADDRESS" in os.environ):
        ray.init(address=address, logging_level="ERROR")
        return
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # a library does not report its users
    # CPUs are numbers that Ray counts with, no cores: with fewer than are asked for, the last actors would never start.
    # "local": Ray would else look for a cluster that somebody has started on this machine, and there refuse the CPUs.
    count = max(os.cpu_count() or 1, -int(-cpus // 1))
    ray.init(address="local", num_cpus=count, include_dashboard=False, logging_level="ERROR")
