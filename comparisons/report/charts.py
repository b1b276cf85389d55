"""Charts: figures of arms beside their names and numbers, as tables with a picture in one column.

Always true: each mark stands in the row of its name, or has its name written beside it, so that no colour has to be
told apart; every number that is drawn is written, too.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import log10
from xml.etree.ElementTree import Element

import numpy as np

from alto_lg.comparisons.statistics import Interval
from alto_lg.tracing.markup import element
from alto_lg.tracing.scales import share, ticks

_ROW_HEIGHT = 22
_PLOT_HEIGHT = 240
_LABEL_HEIGHT = 13
_APART = 4.0
"""Pixels between the intervals of two curves at one rate."""
DOTS_MOST = 60
"""Of more requests only the slowest are drawn, and the page stays small."""
_EDGE = 4.0
_LOG_FROM = 15.0
"""Where the largest value is so many times the smallest, the axis is logarithmic."""


@dataclass(frozen=True, slots=True)
class Mark:
    """One row of a chart: a name, what is drawn, and the numbers beside it. group: the heading that it stands under."""

    name: str
    interval: Interval
    numbers: tuple[str, ...]
    group: str = ""


@dataclass(frozen=True, slots=True)
class Sample:
    """The values of one arm."""

    name: str
    values: tuple[float, ...]
    numbers: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Curve:
    """One arm over the rates. dashes: of the stroke, as SVG has them."""

    name: str
    points: tuple[tuple[float, Interval], ...]
    tone: int
    dashes: str | None = None


_Row = tuple[str, str, Element, Sequence[str]]
"""Group, name, picture, numbers."""


def interval_chart(marks: Sequence[Mark], head: Sequence[str], *, reference: float) -> Element:
    """A point with its interval in each row, and a line at what stands for no difference."""
    low = min([reference, *(mark.interval.low for mark in marks)])
    high = max([reference, *(mark.interval.high for mark in marks)])
    margin = (high - low or 1.0) * 0.06
    span = (low - margin, high + margin)
    rows = [(mark.group, mark.name, _interval(mark.interval, reference, span), mark.numbers) for mark in marks]
    return _chart(head, rows, _axis(span, "×"))


def strip_chart(samples: Sequence[Sample], head: Sequence[str], *, caption: str) -> Element:
    """The values as dots, the quarters as a box, median, p90 and p99 as lines."""
    values = [one for sample in samples for one in sample.values]
    margin = (max(values) - min(values) or 1.0) * 0.05
    span = (max(0.0, min(values) - margin), max(values) + margin)
    rows = [("", sample.name, _strip(sample, span), sample.numbers) for sample in samples]
    return _chart(head, rows, _axis(span, " s"), caption)


def _chart(head: Sequence[str], rows: Sequence[_Row], axis: Element, caption: str | None = None) -> Element:
    titles = [
        element("th", title, scope="col", class_="plot" if place == 1 else None) for place, title in enumerate(head)
    ]
    body: list[Element] = []
    last = ""
    for group, name, drawn, numbers in rows:
        if group != last:
            body.append(element("tr", element("th", group, colspan=len(head), scope="rowgroup"), class_="group"))
        last = group
        cells = [element("td", drawn, class_="plot"), *(element("td", number) for number in numbers)]
        body.append(element("tr", element("th", name, scope="row"), *cells))
    empty = [element("td") for _ in head[2:]]
    body.append(element("tr", element("td"), element("td", axis, class_="plot"), *empty, class_="axis"))
    return element(
        "table",
        *([element("caption", caption)] if caption else []),
        element("thead", element("tr", *titles)),
        element("tbody", *body),
        class_="chart",
    )


def _interval(figure: Interval, reference: float, span: tuple[float, float]) -> Element:
    middle = _ROW_HEIGHT // 2
    parts = [
        *_grid(span),
        _upright(reference, span, "mark"),
        element("line", **_ends(figure.low, figure.high, span), y1=middle, y2=middle, class_="whisker"),
        _upright(figure.low, span, "whisker", middle - 4, middle + 4),
        _upright(figure.high, span, "whisker", middle - 4, middle + 4),
        element("circle", cx=_place(figure.value, span), cy=middle, r=4.5, class_="point"),
    ]
    return element("svg", *parts, height=_ROW_HEIGHT, aria_hidden="true")


def _strip(sample: Sample, span: tuple[float, float]) -> Element:
    low, half, high, p90, p99 = (float(at) for at in np.percentile(sample.values, [25, 50, 75, 90, 99]))
    width = f"{share(high, span[1], span[0]) - share(low, span[1], span[0]):.3f}%"
    parts = [
        *_grid(span),
        element("rect", x=_place(low, span), y=2, width=width, height=_ROW_HEIGHT - 4, class_="box"),
        _dots(sample.values, span),
        _upright(half, span, "median", 1, _ROW_HEIGHT - 1),
        _upright(p90, span, "whisker", 4, _ROW_HEIGHT - 4),
        _upright(p99, span, "whisker", 4, _ROW_HEIGHT - 4),
    ]
    return element("svg", *parts, height=_ROW_HEIGHT, aria_hidden="true")


def _dots(values: Sequence[float], span: tuple[float, float]) -> Element:
    """One path with a short stroke for each value, a few bytes each; neighbours at three heights, so that each is seen.

    The picture inside has a scale of its own, because a path knows no shares of a width; the strokes do not scale.
    """
    slowest = sorted(values)[-DOTS_MOST:]
    heights = (6, 11, 16)
    marks = [f"M{10 * share(one, span[1], span[0]):.0f} {heights[at % 3]}h0" for at, one in enumerate(slowest)]
    path = element("path", d="".join(marks), class_="dot", vector_effect="non-scaling-stroke")
    view = {"viewBox": f"0 0 1000 {_ROW_HEIGHT}", "preserveAspectRatio": "none"}
    return element("svg", path, **view, x="0", y="0", width="100%", height=_ROW_HEIGHT)


def _place(at: float, span: tuple[float, float]) -> str:
    return f"{share(at, span[1], span[0]):.3f}%"


def _ends(low: float, high: float, span: tuple[float, float]) -> dict[str, str]:
    return {"x1": _place(low, span), "x2": _place(high, span)}


def _upright(at: float, span: tuple[float, float], kind: str, top: object = 0, bottom: object = "100%") -> Element:
    return element("line", **_ends(at, at, span), y1=top, y2=bottom, class_=kind)


def _grid(span: tuple[float, float]) -> list[Element]:
    return [_upright(at, span, "grid") for at in _ticks(span)]


def _ticks(span: tuple[float, float]) -> list[float]:
    return ticks(span[1], start=span[0], most=7)


def _axis(span: tuple[float, float], unit: str) -> Element:
    texts = [
        element("text", f"{at:g}{unit}", x=_place(at, span), y=12, text_anchor=_anchor(share(at, span[1], span[0])))
        for at in _ticks(span)
    ]
    return element("svg", *texts, height=16, aria_hidden="true")


def _anchor(percent: float) -> str:
    """Texts at the edges stay inside of the picture."""
    return "start" if percent < _EDGE else "end" if percent > 100 - _EDGE else "middle"


# ── curves ──────────────────────────────────────────────────────────────────────────────────────────────────────


def curve_chart(curves: Sequence[Curve], title: str, unit: str) -> Element:
    """Curves over the rate, each with its name at its end."""
    points = [point for curve in curves for point in curve.points]
    right = max(rate for rate, _ in points)
    least = min(figure.low for _, figure in points)
    most = max(figure.high for _, figure in points)
    scale = _Upright(least, most, logarithmic=least > 0 and most / least > _LOG_FROM)
    across = (0.0, right * 1.02)
    parts = [*_levels(scale, unit), *(_upright(at, across, "grid") for at in _ticks(across))]
    for number, curve in enumerate(curves):
        parts += _curve(curve, across, scale, aside=_APART * (number - (len(curves) - 1) / 2))
    named = _names(curves, scale)
    below = [
        element("text", f"{at:g}", x=_place(at, across), y=_PLOT_HEIGHT + 14, text_anchor="middle")
        for at in _ticks(across)
    ]
    drawn = element("svg", *parts, *below, height=_PLOT_HEIGHT + 18, role="img", aria_label=title)
    log = ", logarithmic" if scale.logarithmic else ""
    head = element("figcaption", f"{title} (s{log}) against requests a second")
    return element("figure", head, element("div", drawn, named, class_="curves"))


class _Upright:
    """The vertical scale, in pixels from the top."""

    def __init__(self, least: float, most: float, *, logarithmic: bool) -> None:
        self.logarithmic = logarithmic
        self._low, self._high = (log10(least), log10(most)) if logarithmic else (0.0, most)

    def y(self, value: float) -> float:
        at = log10(value) if self.logarithmic else value
        return _PLOT_HEIGHT * (1 - 0.92 * (at - self._low) / ((self._high - self._low) or 1.0)) - 4

    def levels(self) -> list[float]:
        if not self.logarithmic:
            return ticks(self._high, most=6)
        powers = range(int(self._low) - 1, int(self._high) + 2)
        found = [factor * 10.0**power for power in powers for factor in (1, 2, 5)]
        return [at for at in found if self._low <= log10(at) <= self._high]


def _levels(scale: _Upright, unit: str) -> list[Element]:
    parts: list[Element] = []
    for at in scale.levels():
        y = scale.y(at)
        parts.append(element("line", x1="0", x2="100%", y1=y, y2=y, class_="grid"))
        parts.append(element("text", f"{at:g}{unit}", x="0", y=y - 3))
    return parts


def _curve(curve: Curve, across: tuple[float, float], scale: _Upright, *, aside: float) -> list[Element]:
    """The curve, and its intervals so many pixels aside, where those of other curves do not hide them."""
    parts: list[Element] = []
    tone = f"curve t{curve.tone}"
    for (rate, here), (later, there) in zip(curve.points, curve.points[1:], strict=False):
        heights = {"y1": scale.y(here.value), "y2": scale.y(there.value)}
        parts.append(
            element("line", **_ends(rate, later, across), **heights, class_=tone, stroke_dasharray=curve.dashes)
        )
    for rate, figure in curve.points:
        x, heights = _place(rate, across), {"y1": scale.y(figure.low), "y2": scale.y(figure.high)}
        whisker = element("line", x1=x, x2=x, **heights, class_=f"{tone} thin", transform=f"translate({aside:g} 0)")
        said = element("title", f"{curve.name}: {figure.value:.3f} s at {rate:g} requests/s")
        parts += [whisker, element("circle", said, cx=x, cy=scale.y(figure.value), r=3.5, class_=tone)]
    return parts


def _names(curves: Sequence[Curve], scale: _Upright) -> Element:
    """The names at the ends of their curves, moved apart."""
    texts: list[Element] = []
    last = -1.0 * _LABEL_HEIGHT
    for curve in sorted(curves, key=lambda curve: scale.y(curve.points[-1][1].value)):
        last = max(scale.y(curve.points[-1][1].value), last + _LABEL_HEIGHT)
        texts.append(
            element(
                "line", x1="0", x2="18", y1=last, y2=last, class_=f"curve t{curve.tone}", stroke_dasharray=curve.dashes
            )
        )
        texts.append(element("text", curve.name, x="24", y=last + 4))
    return element("svg", *texts, height=_PLOT_HEIGHT + 18, class_="names", aria_hidden="true")
