"""Reads what the model server did during one turn of an arm.

Always true: a reading is taken when no stream runs or waits any more, so work that a client has left is counted where
it was done; a server of the user's has no counters that are his alone, so its use is not known.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any, Protocol

from alto_lg.comparisons.cost import ServerUse
from alto_lg.comparisons.errors import ServerError
from alto_lg.comparisons.sim.process import SimulatedServer

IDLE_WITHIN_S = 10.0
LOOK_EVERY_S = 0.002


def is_idle(found: Mapping[str, Any]) -> bool:
    """Whether no stream runs or waits, by a reading of the simulated server's counters."""
    return not (found["running"] or found["waiting"])


def never_idle(found: Mapping[str, Any]) -> ServerError:
    """What is said of a server that has not become idle in `IDLE_WITHIN_S`."""
    return ServerError(
        f"the simulated server still ran {found['running']} streams {IDLE_WITHIN_S:g} s after the last "
        "request had ended: an arm has left a model call open."
    )


class Meter(Protocol):
    """Begins and ends the account of one turn."""

    def start(self) -> None:
        """Empty the caches where that can be done, and count from here."""

    def stop(self) -> ServerUse | None:
        """What was used since `start`; None where it is not known."""


class SimulatedMeter:
    """The counters of the simulated server."""

    def __init__(self, server: SimulatedServer) -> None:
        self._server = server
        self._before: Mapping[str, Any] = {}

    def start(self) -> None:
        self._idle()
        self._before = self._server.reset()

    def stop(self) -> ServerUse:
        return ServerUse.between(self._before, self._idle())

    def _idle(self) -> Mapping[str, Any]:
        """The counters once nothing runs: a client that leaves is noticed a moment after it has left."""
        give_up_at = time.monotonic() + IDLE_WITHIN_S
        while not is_idle(found := self._server.stats()):
            if time.monotonic() > give_up_at:
                raise never_idle(found)
            time.sleep(LOOK_EVERY_S)
        return found


class UnknownMeter:
    """A server whose counters are not read from here: one of the user's, or one inside each arm, which tells itself."""

    def start(self) -> None:
        """Caches of the user's server are its own; the arms' turns at being first have to even them out."""

    def stop(self) -> None:
        return None
