"""The cells of a comparison over several applications, servers and loads: which there are, in which order. Pure.

A cell is one application on one server under one load, run by all arms in turns, and written to one file. The order
puts first what tells most: the profile that the figures are promised for, without a bound on slots and with eight of
them, one at a time and at 70 % of saturation; other loads, slots and profiles follow.

Always true: a share of saturation comes after the cell that says what saturation is: the same server, one at a time.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from alto_lg.comparisons.errors import UsageError
from alto_lg.comparisons.load import trace_shape
from alto_lg.comparisons.loads import ALONE, Load, loads_of
from alto_lg.comparisons.plan import REQUESTS_ALONE
from alto_lg.comparisons.saturation import Saturation
from alto_lg.comparisons.sim.profiles import PROFILES

FULL_SLOTS: tuple[int | None, ...] = (None, 32, 8)
FULL_LOADS = loads_of("alone,30%,50%,70%,85%")
FULL_APPLICATIONS = ("factool", "wikichat", "storm", "tot")

_PROFILE_RANK = {"h100-8b": 0, "a100-8b": 2, "api-mini": 3, "llm-d": 4}
_SLOTS_RANK = {None: 0, 8: 1, 32: 3}
_TELLING_SHARE = 70.0

_NOMINAL = {"factool": (2.8, 9.0), "wikichat": (11.0, 37.0), "storm": (19.0, 50.0), "tot": (6.4, 92.0)}
"""Seconds and slot-seconds of a request on h100-8b, for estimates before anything is measured."""
_NOMINAL_OTHER = (5.0, 20.0)
_WORK_S = {"factool": 0.2, "wikichat": 1.3, "storm": 1.2, "tot": 1.1}
"""Processor seconds of a request, arm and server together: all that passes where waiting is skipped."""
_WORK_OTHER_S = 0.5
_START_S = 10.0
"""Starting the server and the arms, and ending them."""
_REQUESTS_LEAST = 1
_NOMINAL_INTER_TOKEN_S = PROFILES["h100-8b"].inter_token_s


@dataclass(frozen=True, slots=True)
class Cell:
    """One application, one server, one load. profile: None for a server of the user's. slots: None for no bound."""

    application: str
    profile: str | None
    slots: int | None
    load: Load

    @property
    def name(self) -> str:
        """What its file is called, without its ending."""
        app = self.application.rpartition(":")[2].lower()
        slots = "all-slots" if self.slots is None else f"{self.slots}-slots"
        return "-".join((app, self.profile or "own-server", slots, str(self.load).replace("%", "pc")))

    def __str__(self) -> str:
        return f"{self.application}, {self.conditions}"

    @property
    def conditions(self) -> str:
        """The server and the load, in words."""
        slots = "all slots" if self.slots is None else f"{self.slots} slots"
        load = "one at a time" if self.load.is_alone else f"{self.load}{' /s' if self.load.share is None else ''}"
        return f"{self.profile or 'own server'}, {slots}, {load}"

    @property
    def alone(self) -> Cell:
        """The same server, one request at a time."""
        return replace(self, load=ALONE)


def cells_of(
    applications: Sequence[str], profiles: Sequence[str | None], slots: Sequence[int | None], loads: Iterable[Load]
) -> tuple[Cell, ...]:
    """Every combination, the most telling first."""
    found = [
        Cell(application, profile, bound, load)
        for load in dict.fromkeys([ALONE, *loads])
        for profile in profiles
        for bound in slots
        for application in applications
    ]
    return tuple(sorted(found, key=_rank))


def _rank(cell: Cell) -> int:
    load = 0
    if not cell.load.is_alone:
        load = 1 if cell.load.share == _TELLING_SHARE else 2
        # Without a bound, what saturates is the processor of the arm: that says less than a full server.
        load += 3 if cell.slots is None else 0
    known = _PROFILE_RANK.get(cell.profile or "", 0) + _SLOTS_RANK.get(cell.slots, 2)
    return known + load


def chosen_cells(cells: Sequence[Cell], pattern: str | None) -> tuple[Cell, ...]:
    """Those whose names hold one of the words of a comma-separated list, and those that they need."""
    if pattern is None:
        return tuple(cells)
    words = [word.strip() for word in pattern.split(",") if word.strip()]
    chosen = {cell for cell in cells if any(word in cell.name for word in words)}
    if not chosen:
        raise UsageError(f"--cells {pattern!r}: no cell has that in its name; --dry-run lists them.")
    needed = {cell.alone for cell in chosen if cell.load.share is not None}
    return tuple(cell for cell in cells if cell in chosen | needed)


@dataclass(frozen=True, slots=True)
class Known:
    """What an estimate goes by. latency_s: of one request by itself."""

    latency_s: float
    saturation_rate: float


def nominal(cell: Cell) -> Known:
    """Before the cell that is one at a time has been measured."""
    latency_s, slot_s = _NOMINAL.get(cell.application, _NOMINAL_OTHER)
    slower = 1.0 if cell.profile is None else PROFILES[cell.profile].inter_token_s / _NOMINAL_INTER_TOKEN_S
    slots = cell.slots or (64 if cell.profile is None else PROFILES[cell.profile].slots)
    rate = min(slots / (slot_s * slower), 1 / 0.1)
    return Known(max(latency_s, slot_s / slots) * slower, rate)


def known_by(latency_s: float, saturation: Saturation | None, otherwise: Known) -> Known:
    """After it has been measured."""
    return Known(latency_s, otherwise.saturation_rate if saturation is None else saturation.rate)


def estimated_s(
    cell: Cell, arms: int, known: Known, requests: int | None, warm_up: int, blocks: int | None = None
) -> float:
    """Seconds that a cell takes."""
    of_one_s = known.latency_s
    rate = cell.load.rate_at(known.saturation_rate)
    if rate == 0:
        return _START_S + arms * ((requests or REQUESTS_ALONE) + warm_up) * of_one_s
    shape = trace_shape(rate, requests, blocks)
    # Each block is run to its end, when the last requests of it are still under way.
    drained_s = -(-shape.requests // shape.block) * 2 * of_one_s
    return _START_S + arms * (shape.requests / rate + drained_s + warm_up * of_one_s)


def worked_s(
    cell: Cell,
    arms: int,
    known: Known,
    requests: int | None,
    warm_up: int,
    blocks: int | None = None,
    *,
    cpus: int,
) -> float:
    """Seconds that a cell takes on a virtual clock, where so many processors work for the arms."""
    rate = cell.load.rate_at(known.saturation_rate)
    count = trace_shape(rate, requests, blocks).requests if rate else requests or REQUESTS_ALONE
    return _START_S + arms * (count + warm_up) * _WORK_S.get(cell.application, _WORK_OTHER_S) / min(cpus, arms)


def fitted_requests(arms: Mapping[Cell, int], seconds: float, warm_up: int) -> dict[Cell, int]:
    """Requests of each cell, one at a time, so that all end in time: at least one, and more for the quickest."""
    chosen = dict.fromkeys(arms, _REQUESTS_LEAST)

    def takes_s(cell: Cell) -> float:
        return estimated_s(cell, arms[cell], nominal(cell), chosen[cell], warm_up)

    while True:
        quickest = min(chosen, key=takes_s)
        more_s = arms[quickest] * nominal(quickest).latency_s
        if sum(map(takes_s, chosen)) + more_s > seconds:
            return chosen
        chosen[quickest] += 1
