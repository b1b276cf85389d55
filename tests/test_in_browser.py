"""The pages in a real browser: no request, no complaint, no line wider than the page, at both widths and themes."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest
from browser import FOUND, Browser, browser
from report.written import matrix
from sim.loop import run
from tracing.graphs import fan

import alto_lg
from alto_lg.comparisons.report.cells import read_cells
from alto_lg.comparisons.report.page import report_page

pytestmark = pytest.mark.skipif(FOUND is None, reason="no browser found: install chromium")

WIDTHS = (390, 1280)
_OVERFLOW = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
_CUT = """[...document.querySelectorAll('h1,h2,h3,h4,p,.label,summary,.chart td:not(.plot),.chart th')].filter(
  one => one.getBoundingClientRect().right > innerWidth + 1).map(one => one.textContent)"""
_GROUND = "getComputedStyle(document.body).backgroundColor"
_FOCUSED = "(document.activeElement.tagName + ' ' + document.activeElement.textContent).slice(0, 40)"


@pytest.fixture(scope="module")
def tab() -> Iterator[Browser]:
    with browser() as opened:
        yield opened


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("pages")
    report, trace = folder / "report.html", folder / "trace.html"
    report.write_text(report_page(read_cells([matrix(folder / "in")])), encoding="utf-8")

    async def traced() -> None:
        clock = asyncio.get_running_loop().time
        with alto_lg.trace("LangGraph", clock=clock) as plain:
            await fan().ainvoke({"seen": []})
        with alto_lg.trace("accelerated", clock=clock) as accelerated:
            await alto_lg.accelerate(fan()).ainvoke({"seen": []})
        plain.save(trace, accelerated)

    run(traced)
    return {"report": report, "trace": trace}


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("name", ["report", "trace"])
def test_a_page_needs_nothing_complains_of_nothing_and_fits(
    tab: Browser, pages: dict[str, Path], name: str, width: int, theme: str
) -> None:
    seen = tab.visit(pages[name], width=width, theme=theme)
    assert seen.requests == (pages[name].as_uri(),)
    assert seen.complaints == ()
    tab.value("document.querySelectorAll('details').forEach(one => one.open = true)")
    assert tab.value("innerWidth") == width
    assert tab.value(_OVERFLOW) == 0
    assert tab.value(_CUT) == []


def test_the_theme_is_the_readers(tab: Browser, pages: dict[str, Path]) -> None:
    grounds = []
    for theme in ("light", "dark"):
        tab.visit(pages["report"], width=1280, theme=theme)
        grounds.append(tab.value(_GROUND))
    assert grounds == ["rgb(255, 255, 255)", "rgb(20, 24, 29)"]


def test_all_that_can_be_opened_is_reached_by_the_keyboard(tab: Browser, pages: dict[str, Path]) -> None:
    tab.visit(pages["trace"], width=1280, theme="light")
    reached = []
    for _ in range(2):
        tab.press("Tab")
        reached.append(tab.value(_FOCUSED))
    assert reached == ["SUMMARY LangGraph: 8 tasks", "SUMMARY accelerated: 8 tasks"]


def test_a_bar_is_where_its_time_is_at_any_width(tab: Browser, pages: dict[str, Path]) -> None:
    for width in WIDTHS:
        tab.visit(pages["trace"], width=width, theme="light")
        share = tab.value(
            "(() => { const bar = [...document.querySelectorAll('.bar')].find("
            "one => one.textContent.startsWith('tell')); const all = bar.closest('svg').getBoundingClientRect();"
            "return (bar.getBoundingClientRect().left - all.left) / all.width })()"
        )
        assert share == pytest.approx(1.2 / 1.6, abs=0.01)  # 1.2 s of 1.6 s
