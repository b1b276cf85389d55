"""Sections of simulated servers: latency against rate for each number of them, and every point as a table.

Always true: a point is shown as its file has it; curves over rates have requests a second of each server, so that few
and many servers can be held against each other.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import Element

from alto_lg.apps.base import InputError
from alto_lg.comparisons.report.charts import Curve, curve_chart
from alto_lg.comparisons.statistics import Interval
from alto_lg.comparisons.table import number
from alto_lg.tracing.markup import details, element, table

_HEAD = ["servers", "requests/s", "arm", "p50 (s)", "p90 (s)", "p99 (s)", "cached (%)", "imbalance", "slots (%)"]
_TONES = 8
_SHOWN = (("median latency", "p50_s"), ("p99 latency", "p99_s"))

Point = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class SimulatedFile:
    """What `alto-lg simulate` wrote."""

    path: Path
    header: Mapping[str, Any]
    points: tuple[Point, ...]


def read_simulated(path: Path) -> SimulatedFile:
    """Read such a file; `InputError` when it is none."""
    lines = path.read_text(encoding="utf-8").splitlines()
    try:
        told = [json.loads(line) for line in lines]
        points = tuple(one for one in told if one["kind"] == "point")
        header = told[0]
        if header["kind"] != "header" or "distinct" not in header or not points:
            raise InputError(path, 1, "not a file of `alto-lg simulate` with points in it")
    except (ValueError, KeyError, IndexError, TypeError) as error:
        raise InputError(path, None, f"not a file of `alto-lg simulate` ({error!r})") from error
    return SimulatedFile(path, header, points)


def simulated_sections(files: Sequence[SimulatedFile]) -> Iterator[tuple[str, str, list[Element]]]:
    """(anchor, heading, content) of each file."""
    for place, file in enumerate(files):
        yield f"simulated-{place}", f"Many servers, simulated: {file.header['app']}", list(_content(file))


def _content(file: SimulatedFile) -> Iterator[Element]:
    slots = file.header["slots"]
    bound = "the slots of the profile" if slots is None else f"{slots} slots each"
    yield element(
        "p",
        "Discrete events: recorded requests, the scheduler of the client pool, and server models "
        f"({file.header['profile']}, {bound}). Rates are of each server. {file.path.name}.",
    )
    for replicas in dict.fromkeys(one["replicas"] for one in file.points):
        points = [one for one in file.points if one["replicas"] == replicas]
        if len({one["rate"] for one in points}) > 1:
            yield element("h3", f"{replicas} servers")
            plots = [curve_chart(_curves(points, field), title, " s") for title, field in _SHOWN]
            yield element("div", *plots, class_="plots")
    yield details("Every point", table(_HEAD, [_row(one) for one in file.points], caption=file.path.name))


def _curves(points: Sequence[Point], field: str) -> list[Curve]:
    arms = dict.fromkeys(one["arm"] for one in points)
    return [
        Curve(
            arm,
            tuple(
                (one["rate"] / one["replicas"], Interval(one[field], one[field], one[field]))
                for one in points
                if one["arm"] == arm
            ),
            tone % _TONES,
            None if arm.startswith("alto") else "6 4",
        )
        for tone, arm in enumerate(arms)
    ]


def _row(one: Point) -> list[Element | str]:
    return [
        str(one["replicas"]),
        f"{one['rate']:g}",
        one["arm"],
        *(number(one[name]) for name in ("p50_s", "p90_s", "p99_s")),
        number(100 * one["hit_rate"], digits=1),
        number(one["imbalance"]),
        number(100 * one["slot_share"], digits=1),
    ]
