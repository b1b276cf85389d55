"""The simulation held against runs of the real engine, client, protocol and servers on a virtual clock.

Always true: the simulation is given the arrivals, the seeds and the servers of the runs, and nothing that came out of
them; figures of both are made alike.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from alto_lg.apps.base import InputError
from alto_lg.comparisons.cost import hit_rate, mean_use, slot_imbalance
from alto_lg.comparisons.load import blocks, poisson_arrivals_s, spread
from alto_lg.comparisons.measure import Measurement
from alto_lg.comparisons.replicas.call_graph import CallGraph
from alto_lg.comparisons.replicas.simulation import Arrivals, Fleet, Simulated, simulate
from alto_lg.comparisons.replicas.sweep import PERCENTS, Side
from alto_lg.comparisons.results import Results, read_results

OFF_BY_FLAGGED = 0.10


@dataclass(frozen=True, slots=True)
class Checked:
    """One figure of one arm at one rate; rate 0 is one request at a time."""

    arm: str
    rate: float
    figure: str
    measured: float
    simulated: float

    @property
    def off_by(self) -> float:
        """By what share of the measured figure the simulated one differs."""
        return self.simulated / self.measured - 1 if self.measured else float(self.simulated != 0)


def runs_of(folder: Path) -> tuple[Results, ...]:
    """The whole results files of `alto-lg compare --replicas` in a folder, the lowest rate first."""
    found = [read_results(path) for path in sorted(folder.glob("*.jsonl"))]
    usable = [one for one in found if one.summary is not None and one.header.get("replicas")]
    if not usable:
        raise InputError(folder, None, "no results file here is whole and of `alto-lg compare --replicas`")
    return tuple(sorted(usable, key=lambda one: float(one.header["rate"])))


def check(run: Results, side: Side, available: int) -> list[Checked]:
    """Each figure of one arm. available: requests of the workload, of which `side` has all that the run used."""
    header, rate = run.header, float(run.header["rate"])
    measured = [one for one in run.measurements if one.arm == side.name]
    indices = spread(available, int(header["requests"]))
    graphs = {graph.request: graph for graph in side.graphs}
    ordered = [graphs[one.request] for one in sorted(measured, key=lambda one: one.position)]
    assert len(ordered) == len(indices), "a whole file has every request of each arm"
    parts = [_simulated(part, ordered, run, side) for part in _parts(run)]
    counted = [one for part, lead_in in zip(parts, _lead_ins(run), strict=True) for one in part.latencies_s[lead_in:]]
    real = [one.latency_s for one in measured if not one.lead_in]
    told = [
        Checked(
            side.name,
            rate,
            f"p{percent:g} (s)",
            float(np.percentile(real, percent)),
            float(np.percentile(counted, percent)),
        )
        for percent in PERCENTS
    ]
    return [*told, *_of_servers(side.name, rate, measured, parts)]


def _parts(run: Results) -> Sequence[range]:
    """Positions that began with idle servers together."""
    header = run.header
    return blocks(int(header["requests"]), int(header["block"]) if header["rate"] else 1)


def _lead_ins(run: Results) -> list[int]:
    return [int(run.header["lead_in"]) if run.header["rate"] else 0 for _ in _parts(run)]


def _simulated(part: range, ordered: Sequence[CallGraph], run: Results, side: Side) -> Simulated:
    header, rate = run.header, float(run.header["rate"])
    due = poisson_arrivals_s(rate, len(ordered), int(header["seed"])) if rate else (0.0,) * len(ordered)
    distinct = list(dict.fromkeys(graph.request for graph in ordered))
    by_name = {graph.request: graph for graph in ordered}
    arrivals = Arrivals(
        tuple(due[at] - due[part.start] for at in part), tuple(distinct.index(ordered[at].request) for at in part)
    )
    fleet = Fleet(int(header["replicas"]), str(header["profile"]), header["slots"], header["cache_blocks"])
    return simulate([by_name[name] for name in distinct], arrivals, fleet, side.rules, seed=int(header["seed"]))


def _of_servers(arm: str, rate: float, measured: Sequence[Measurement], parts: Sequence[Simulated]) -> list[Checked]:
    real = mean_use([one.server for one in measured if one.server is not None])
    assert real is not None, "simulated servers tell what they did"
    shares = [part.use.share(len(part.latencies_s)) for part in parts for _ in part.latencies_s]
    simulated = mean_use(shares)
    assert simulated is not None
    told = [
        Checked(arm, rate, "cached (%)", 100 * hit_rate(real), 100 * hit_rate(simulated)),
        Checked(arm, rate, "slot-seconds", real.slot_s, simulated.slot_s),
    ]
    if rate:
        figure = "imbalance of slot-seconds"
        told.append(Checked(arm, rate, figure, slot_imbalance(real), slot_imbalance(simulated)))
    return told
