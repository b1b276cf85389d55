"""Sections: the parts of the page, each a heading, a sentence of how to read it, a picture and its numbers.

Always true: a section for which the files have nothing is left out.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from xml.etree.ElementTree import Element

from alto_lg.comparisons.prediction import GAP_FLAGGED_PERCENT
from alto_lg.comparisons.report import figures, targets, timelines
from alto_lg.comparisons.report.cells import Cell, Cells, Figures
from alto_lg.comparisons.report.charts import DOTS_MOST, Curve, Mark, Sample, curve_chart, interval_chart, strip_chart
from alto_lg.comparisons.report.figures import COST, EARLY, NONE, SPEED, baselines, ratio, value
from alto_lg.comparisons.statistics import Interval
from alto_lg.comparisons.table import confidence, number
from alto_lg.tracing.markup import details, element, table
from alto_lg.tracing.timeline import timeline

_DASHES = {"langgraph": "6 4", "alto": None, "asyncio": "2 3", "peer": "9 3 2 3"}


def sections(cells: Cells) -> Iterator[tuple[str, str, list[Element]]]:
    """(anchor, heading, content) of each section that has any."""
    for anchor, heading, content in (
        ("speed-up", "How many times sooner", list(_speed_ups(cells))),
        ("latency", "Latency of each request", list(_distributions(cells))),
        ("load", "Latency against rate", list(_curves(cells))),
        ("target", targets.TITLE, list(_targets(cells))),
        ("cost", "What a request costs", list(_costs(cells))),
        ("predicted", "Predicted and measured", list(_predictions(cells))),
        ("timeline", "What ran when", list(_timelines(cells))),
    ):
        if content:
            yield anchor, heading, content


# ── speed ───────────────────────────────────────────────────────────────────────────────────────────────────────


def _speed_ups(cells: Cells) -> Iterator[Element]:
    alone = [cell for application in cells.applications for cell in cells.alone(application)]
    plain = dict.fromkeys(name for cell in alone for name in baselines(cell.arms))
    charts = [part for over in plain for part in _speed_up_chart(alone, over)]
    if charts:
        yield _said(
            "Ratio of median latencies, one request at a time: plain arm over this arm, with its 95 % confidence "
            "interval. Right of the dashed line (1) is sooner."
        )
        yield from charts


def _speed_up_chart(alone: Sequence[Cell], over: str) -> list[Element]:
    marks = [mark for cell in alone for mark in _marks(cell, over)]
    head = ["arm", "", "times sooner", "95 % CI"]
    drawn = interval_chart(marks, head, reference=1.0) if marks else None
    return [] if drawn is None else [element("h3", f"Than {over}"), drawn]


def _marks(cell: Cell, over: str) -> Iterator[Mark]:
    for arm in cell.arms:
        found = ratio(arm, "speed_ups", over)
        if found is not None and arm["arm"] != over:
            group = f"{', '.join(cell.setting)}: {_command(cell)}"
            yield Mark(str(arm["arm"]), found, (number(found.value), confidence(found)), group)


def _distributions(cells: Cells) -> Iterator[Element]:
    if cells.usable:
        yield _said(
            f"A dot is a request (of more than {DOTS_MOST}, only the slowest are dots), the box holds the middle half, "
            "the thick line is the median, the thin ones are p90 and p99. Latency begins when the request was due."
        )
    for cell in cells.usable:
        told = [*_strips(cell), *(_said(f"{absent}.") for absent in cell.absent), _all_figures(cell)]
        yield from [element("h3", cell.name), *told] if cell.rate == 0 else [details(cell.name, *told)]


def _strips(cell: Cell) -> list[Element]:
    head = ["arm", "", "median (s)", "95 % CI", "p90 (s)", "p99 (s)"]
    samples = [sample for arm in cell.arms if (sample := _sample(cell, arm)) is not None]
    return [strip_chart(samples, head, caption=_command(cell))] if samples else []


def _all_figures(cell: Cell) -> Element:
    told = figures.rows((*SPEED, *EARLY), cell.arms) + figures.ratio_rows(cell.arms, loaded=cell.rate > 0)
    names = [str(arm["arm"]) for arm in cell.arms]
    return details("All figures as a table", table(["", *names], [list(row) for row in told], caption=cell.name))


def _sample(cell: Cell, arm: Figures) -> Sample | None:
    values = tuple(one.latency_s for one in cell.measured(str(arm["arm"])))
    half, p90, p99 = (_as_interval(figure.of(arm)) for figure in SPEED[:3])
    numbers = (number(half.value), confidence(half), number(p90.value), number(p99.value))
    return Sample(str(arm["arm"]), values, numbers) if values else None


def _curves(cells: Cells) -> Iterator[Element]:
    for setting, loaded in cells.loaded().items():
        if len(loaded) < 2:
            continue
        arms = list(dict.fromkeys(str(arm["arm"]) for cell in loaded for arm in cell.arms))
        plots = [
            curve_chart([_curve(loaded, arm, place, at) for at, arm in enumerate(arms)], title, " s")
            for title, place in (("median latency", 0), ("p99 latency", 2))
        ]
        yield element("h3", ", ".join(setting))
        yield element("div", *plots, class_="plots")
        rows = [[cell.load, str(arm["arm"]), *(f.text(arm) for f in SPEED[:3])] for cell in loaded for arm in cell.arms]
        head = ["load", "arm", "median (s)", "p90 (s)", "p99 (s)"]
        yield details("As a table", table(head, [list(row) for row in rows], caption=", ".join(setting)))


def _curve(loaded: Sequence[Cell], arm: str, place: int, tone: int) -> Curve:
    points = [
        (cell.rate, _as_interval(SPEED[place].of(figures)))
        for cell in loaded
        for figures in cell.arms
        if figures["arm"] == arm
    ]
    return Curve(arm, tuple(points), tone, _DASHES.get(loaded[0].engine(arm), _DASHES["peer"]))


def _as_interval(figure: Interval | float | None) -> Interval:
    assert figure is not None, "every summary has the latency of each of its arms"
    return figure if isinstance(figure, Interval) else Interval(figure, figure, figure)


def _targets(cells: Cells) -> Iterator[Element]:
    found = targets.rows(cells)
    if found:
        yield table(targets.HEAD, [list(row) for row in found], caption=targets.EXPLAINED)


# ── cost and prediction ─────────────────────────────────────────────────────────────────────────────────────────


def _costs(cells: Cells) -> Iterator[Element]:
    for cell in cells.usable:
        rows = figures.rows(COST, cell.arms)
        if rows:
            names = [str(arm["arm"]) for arm in cell.arms]
            caption = f"{cell.name}. Means a request; memory is the highest peak."
            told = table(["", *names], [list(row) for row in rows], caption=caption)
            yield told if cell.rate == 0 else details(cell.name, told)


def _predictions(cells: Cells) -> Iterator[Element]:
    for cell in cells.usable:
        rows = [row for arm in cell.arms if (row := _prediction(arm)) is not None]
        if rows:
            head = ["arm", "predicted (s)", "measured (s)", "gap (%)"]
            yield table(head, rows, caption=cell.name)


def _prediction(arm: Figures) -> list[Element | str] | None:
    predicted, measured = value(figures.PREDICTED.of(arm)), value(SPEED[0].of(arm))
    if predicted is None or measured is None:
        return None
    gap = value(figures.GAP.of(arm))
    shown: Element | str = NONE if gap is None else f"{gap:.2f}"
    if gap is not None and abs(gap) > GAP_FLAGGED_PERCENT:
        shown = element("span", f"{gap:.2f}, above {GAP_FLAGGED_PERCENT:g}", class_="flag")
    return [str(arm["arm"]), number(predicted), number(measured), shown]


# ── timelines ───────────────────────────────────────────────────────────────────────────────────────────────────


def _timelines(cells: Cells) -> Iterator[Element]:
    drawn = [part for application in cells.applications for part in _timeline(cells, application)]
    if drawn:
        yield _said(
            "The request that took the plain arm its median time, by several arms on one axis. One row a stage, one "
            "bar a piece of work; bars of one row that overlap are below each other. Point at a bar for its numbers."
        )
        yield from drawn


def _timeline(cells: Cells, application: str) -> Iterator[Element]:
    found = ((cell, timelines.shown(cell)) for cell in cells.alone(application))
    cell, shown = next(((cell, shown) for cell, shown in found if shown is not None), (None, None))
    if cell is None or shown is None:
        return
    yield element("h3", f"{cell.name}: request {shown.request}")
    yield timeline(timelines.panels(shown.measured), f"Request {shown.request} of {application}")
    head = ["arm", "stage", "item", "began (s)", "ended (s)"]
    rows: list[list[Element | str]] = [list(row) for row in timelines.span_rows(shown.measured)]
    yield details("Every piece of work as a table", table(head, rows, caption=f"Request {shown.request}"))


def _said(text: str) -> Element:
    return element("p", text, class_="note")


def _command(cell: Cell) -> str:
    return f"{cell.header['command']} ({cell.header['requests']} requests)"
