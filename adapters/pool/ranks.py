"""Ranks: whose call goes first, from the ancestry of the node that makes it.

Owns the order of requests: the one whose first call came first goes first, and within a request the firing that commits
first. Always true: ranks of one pool are comparable, and a call that no graph makes ranks as a request of its own. At
most `_REQUESTS_MAX` requests are remembered; one that comes back after so many others ranks behind them.
"""

from __future__ import annotations

import itertools
import threading
from collections import OrderedDict
from dataclasses import dataclass
from typing import Any

from alto_lg.engine.ancestry import Ancestry

_REQUESTS_MAX = 65_536
_STEPS = 64  # that vLLM's priority tells apart


@dataclass(frozen=True, slots=True)
class Rank:
    """order: the smallest goes first in this pool.

    priority: the same for a server that several processes ask, as vLLM takes it: milliseconds since the epoch at which
    the request made its first call, then its step; a smaller number goes first.
    """

    order: tuple[Any, ...]
    priority: int


class Ranks:
    """Of one pool."""

    def __init__(self) -> None:
        # By identity of the top level, which is held, so that no other request can have it: requests are equal to
        # each other otherwise.
        self._requests: OrderedDict[int, tuple[Ancestry, int, int]] = OrderedDict()
        self._arrivals = itertools.count()
        self._lock = threading.Lock()

    def rank(self, ancestry: Ancestry | None, wall_time_s: float) -> Rank:
        """Of a call that is made now by this firing. wall_time_s: seconds since the epoch."""
        now_ms = round(wall_time_s * 1000)
        if ancestry is None:
            return Rank((next(self._arrivals),), now_ms * _STEPS)
        top = next(ancestry.levels())
        with self._lock:
            _, arrival, first_ms = self._requests.setdefault(id(top), (top, next(self._arrivals), now_ms))
            self._requests.move_to_end(id(top))
            if len(self._requests) > _REQUESTS_MAX:
                self._requests.popitem(last=False)
        path = ancestry.path()
        step = path[0][0] if path else 0
        return Rank((arrival, path), first_ms * _STEPS + min(max(step, 0), _STEPS - 1))
