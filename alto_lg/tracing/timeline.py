"""Timeline: rows of bars on one axis of time, for any number of panels below each other.

Knows nothing of where the bars come from. Always true: all panels share the axis; places are shares of the width, so
that a page of any width shows all of it; every row has its name beside it, so that no colour has to be told apart.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from xml.etree.ElementTree import Element

from alto_lg.tracing.lanes import lanes
from alto_lg.tracing.markup import element
from alto_lg.tracing.scales import share, ticks

TONES = 8
_LANE_HEIGHTS = ((8, 16), (20, 9), (48, 6))
"""(up to so many lanes, pixels each); three beyond."""
_LANE_LEAST = 3
_WIDTH_LEAST = 0.05
_NAME_LEAST = 14.0
"""The share of the width, in percent, that the name of a mark takes on a telephone."""
_TEXT_LEAST = (13, 3.0)
"""A bar shows its text from this height, and from this share of the width, in percent."""


@dataclass(frozen=True, slots=True)
class Bar:
    """One piece of work.

    text: shown inside where there is room. title: shown on pointing at it.
    look: words of the style sheet's: "early", "failed", "stopped".
    """

    started_s: float
    ended_s: float
    text: str = ""
    title: str = ""
    look: str = ""


@dataclass(frozen=True, slots=True)
class Row:
    """The bars of one kind. depth: how far inside of another kind it is shown."""

    label: str
    bars: tuple[Bar, ...]
    depth: int = 0
    tone: int = 0


@dataclass(frozen=True, slots=True)
class Panel:
    """One run. marks: (seconds, name) of moments in it."""

    title: str
    rows: tuple[Row, ...]
    marks: tuple[tuple[float, str], ...] = ()


def timeline(panels: Sequence[Panel], name: str) -> Element:
    """The panels, with the axis under each."""
    ends = [bar.ended_s for panel in panels for row in panel.rows for bar in row.bars]
    span_s = max(ends, default=0.0) or 1.0
    return element("figure", *(_panel(panel, span_s) for panel in panels), class_="timeline", aria_label=name)


def _panel(panel: Panel, span_s: float) -> Element:
    rows = [_row(row, panel, span_s) for row in panel.rows]
    return element("section", element("h4", panel.title), *rows, _axis(panel, span_s), class_="panel")


def _row(row: Row, panel: Panel, span_s: float) -> Element:
    chosen = lanes([(bar.started_s, bar.ended_s) for bar in row.bars])
    count = max(chosen, default=0) + 1
    height = next((height for most, height in _LANE_HEIGHTS if count <= most), _LANE_LEAST)
    grid = [_line(at, span_s, "grid") for at in ticks(span_s)]
    grid += [_line(at, span_s, "mark") for at, _ in panel.marks]
    bars = [part for bar, lane in zip(row.bars, chosen, strict=True) for part in _bar(bar, lane, height, span_s)]
    swatch = element("i", class_=f"swatch t{row.tone % TONES}")
    label = element("div", swatch, f" {row.label} ", element("small", str(len(row.bars))), class_="label")
    label.set("style", f"--depth: {row.depth}")
    drawn = element("svg", *grid, *bars, class_=f"t{row.tone % TONES}", height=count * height + 4, role="img")
    drawn.set("aria-label", _said(row))
    return element("div", label, drawn, class_="row")


def _said(row: Row) -> str:
    began, ended = min(bar.started_s for bar in row.bars), max(bar.ended_s for bar in row.bars)
    return f"{row.label}: {len(row.bars)} between {began:.3f} s and {ended:.3f} s"


def _bar(bar: Bar, lane: int, height: int, span_s: float) -> list[Element]:
    # A picture without width is not drawn at all.
    left, width = share(bar.started_s, span_s), max(_WIDTH_LEAST, share(bar.ended_s - bar.started_s, span_s))
    top, gap = 2 + lane * height, 2 if height > _LANE_HEIGHTS[1][1] else 1
    said = [element("title", bar.title)] if bar.title else []
    bottom = top + height - gap
    place = {"x": f"{left:.3f}%", "width": f"{width:.3f}%"}
    parts = [element("rect", *said, **place, y=top, height=height - gap, class_=f"bar {bar.look}".strip())]
    if height >= _TEXT_LEAST[0] and width >= _TEXT_LEAST[1] and bar.text:
        # In a picture of its own, which cuts off what a narrow page has no room for.
        text = element("text", bar.text, x=4, y=height - gap - 3)
        parts.append(element("svg", text, **place, y=top, height=height - gap))
    if "early" in bar.look:
        parts.append(element("line", x1=place["x"], x2=place["x"], y1=top, y2=bottom, class_="edge"))
    if "failed" in bar.look:
        parts.append(element("line", x1=place["x"], x2=f"{left + width:.3f}%", y1=top, y2=bottom, class_="edge"))
    return parts


def _line(at: float, span_s: float, kind: str) -> Element:
    place = f"{share(at, span_s):.3f}%"
    return element("line", x1=place, x2=place, y1=0, y2="100%", class_=kind)


def _axis(panel: Panel, span_s: float) -> Element:
    # The last tick is left out where its text would stick out of the picture.
    shown = [at for at in ticks(span_s) if share(at, span_s) < 93]
    texts = [element("text", f"{at:g} s", x=f"{share(at, span_s):.3f}%", y=12) for at in shown]
    names = [
        element("text", name, x=f"{share(at, span_s):.3f}%", y=26, class_="mark", text_anchor="end")
        for at, name in _apart(panel.marks, span_s)
    ]
    drawn = element("svg", *texts, *names, height=30 if panel.marks else 16, class_="axis", aria_hidden="true")
    return element("div", element("div", class_="label"), drawn, class_="row")


def _apart(marks: Sequence[tuple[float, str]], span_s: float) -> list[tuple[float, str]]:
    """The marks whose names have room beside each other on a narrow page; the last one always has."""
    kept: list[tuple[float, str]] = []
    for mark in reversed(marks):
        if not kept or share(kept[-1][0] - mark[0], span_s) >= _NAME_LEAST:
            kept.append(mark)
    return kept
