"""The page: all sections, and how it was measured."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from xml.etree.ElementTree import Element

from alto_lg.comparisons.report.cells import Cell, Cells
from alto_lg.comparisons.report.sections import sections
from alto_lg.comparisons.report.simulated import SimulatedFile, simulated_sections
from alto_lg.tracing.markup import element, page, table

_METHOD = (
    "Every arm runs in a process of its own and is given the same requests, with the same seeds, by the same "
    "server; the arms take turns, so that drift hits all alike. Before any speed is told, the answers are compared "
    "request by request; arms that differ have no speed.",
    "One at a time, a request goes through all arms before the next one. Under load, arrivals are Poisson and do "
    "not wait for answers (open loop), in blocks that the arms take in turns; each block begins with an idle "
    "server, and the requests that fill it are not counted. Latency counts from the moment a request was due.",
    "Confidence intervals (95 %) are percentile bootstraps, in pairs where two arms are compared: over requests "
    "where they run one at a time, over blocks where they overlap. The limit of a request is the longest path under "
    "true data dependencies through the times of that same run; no order of the same work ends sooner. Predicted: "
    "by the same times, supersteps for LangGraph's arms and true dependencies for all others. Processor time and "
    "memory are those of the arm's process, without the server.",
)


def report_page(cells: Cells, simulated: Sequence[SimulatedFile] = ()) -> str:
    """One document that needs nothing but itself."""
    found = [*sections(cells), *simulated_sections(simulated)]
    links = [element("li", element("a", heading, href=f"#{anchor}")) for anchor, heading, _ in found]
    links.append(element("li", element("a", "How it was measured", href="#method")))
    body = [
        element("p", _opening(cells)),
        element("nav", element("ul", *links), aria_label="Sections"),
        *_warnings(cells),
    ]
    for anchor, heading, content in found:
        body += [element("h2", heading, id=anchor), *content]
    return page("LangGraph and accelerated, side by side", *body, *_method(cells))


def _opening(cells: Cells) -> str:
    arms = len({arm["arm"] for cell in cells.usable for arm in cell.arms})
    requests = sum(len(cell.results.measurements) for cell in cells.usable)
    counted = f"{_count(len(cells.usable), 'comparison')}, {_count(arms, 'arm')}, {_count(requests, 'request')}"
    return f"{', '.join(cells.applications)}: {counted}. Each comparison is named by the command that repeats it."


def _count(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"


def _warnings(cells: Cells) -> list[Element]:
    unusable = [f"{cell.path.name} is not shown: {cell.why_unusable}." for cell in cells.unusable]
    older = [f"{cell.path.name} is not shown: {cell.name} was run again later." for cell in cells.superseded]
    simulated = [
        "The model server is simulated: it sleeps as a real one would compute, and answers by rules."
        for cell in cells.usable[:1]
        if cell.header.get("base_url") is None
    ]
    skipped = [
        "Where the clock is virtual, waiting was skipped and work took no time: latency is the model's alone, and "
        "nothing is said of processors."
        for cell in cells.usable
        if cell.header.get("clock") == "virtual"
    ]
    return [
        *(element("p", text, class_="note") for text in (*simulated, *skipped[:1])),
        *(element("p", text, class_="flag") for text in unusable),
        *(element("p", text, class_="note") for text in older),
    ]


def _method(cells: Cells) -> list[Element]:
    rows: list[list[Element | str]] = [
        [
            cell.name,
            element("code", str(cell.header["command"])),
            str(cell.header["requests"]),
            str(cell.header.get("warm_up", "")),
            str(cell.header.get("seed", "")),
            str(cell.header["created"]),
        ]
        for cell in cells.usable
    ]
    head = ["comparison", "command", "requests", "warm-up", "seed", "begun"]
    return [
        element("h2", "How it was measured", id="method"),
        *(element("p", text) for text in _METHOD),
        *_made_with(cells),
        table(head, rows, caption="One results file each"),
    ]


def _made_with(cells: Cells) -> list[Element]:
    """Versions and machine, once for all files that share them."""
    found: dict[str, list[Cell]] = {}
    for cell in cells.usable:
        found.setdefault(f"{_words(cell.header['versions'])}; {_words(cell.header['machine'])}", []).append(cell)
    if len(found) == 1:
        return [element("p", f"Versions and machine: {next(iter(found))}.")]
    return [
        element("p", f"{', '.join(cell.path.name for cell in of)}: {made_with}.", class_="note")
        for made_with, of in found.items()
    ]


def _words(fields: Mapping[str, object]) -> str:
    return ", ".join(f"{name} {value}" for name, value in fields.items())
