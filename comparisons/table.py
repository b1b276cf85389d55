"""The table that a person reads, and the words beside it. Pure: it returns what is to be printed.

One column an arm and one row a figure: four arms fit a page that way, and a pipe gets the whole width.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Literal

from rich import box
from rich.console import Console
from rich.table import Table

from alto_lg.comparisons.answers import Difference
from alto_lg.comparisons.arms import NotRun
from alto_lg.comparisons.cost import MemoryUse, ServerUse, hit_rate, imbalance, slot_imbalance, slot_share
from alto_lg.comparisons.load import BLOCKS
from alto_lg.comparisons.plan import Clock
from alto_lg.comparisons.prediction import GAP_FLAGGED_PERCENT
from alto_lg.comparisons.statistics import Interval
from alto_lg.comparisons.summary import ArmSummary

_NONE = "–"
_NOT_KNOWN = "not known"
_MIB = 2**20
_DIFFERENCES_SHOWN = 10
_FEW_REQUESTS = 100
PIPE_WIDTH = 240
TEXT_WIDTH = 100
"""Wide enough for the widest table, so that nothing is folded where the reader is a file."""


def comparison_table(summaries: Sequence[ArmSummary], title: str) -> Table:
    """One column an arm."""
    table = Table(title=title, title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("", no_wrap=True)
    for one in summaries:
        table.add_column(one.arm, justify="right", no_wrap=True)
    for label, cell in _rows(summaries):
        table.add_row(label, *(cell(one) for one in summaries))
    return table


def _rows(summaries: Sequence[ArmSummary]) -> list[tuple[str, Callable[[ArmSummary], str]]]:
    rows: list[tuple[str, Callable[[ArmSummary], str]]] = [
        ("latency, median (s)", lambda one: number(one.latency_s.value)),
        ("  95 % CI", lambda one: _confidence(one, one.latency_s)),
        ("latency, p90 (s)", lambda one: number(one.p90_s.value)),
        ("  95 % CI", lambda one: _confidence(one, one.p90_s)),
        ("latency, p99 (s)", lambda one: number(one.p99_s.value)),
        ("  95 % CI", lambda one: _confidence(one, one.p99_s)),
        ("time to first result, median (s)", lambda one: number(one.first_result_s)),
        ("processor time per request, mean (s)", lambda one: number(one.cpu_s)),
    ]
    for baseline in summaries[0].speed_ups:
        rows.append((f"times sooner than {baseline}", _ratio_cell("speed_ups", baseline, _value)))
        rows.append(("  95 % CI", _ratio_cell("speed_ups", baseline, _confidence)))
    for baseline in summaries[0].p99_ratios:
        rows.append((f"p99 of {baseline} times", _ratio_cell("p99_ratios", baseline, _value)))
        rows.append(("  95 % CI", _ratio_cell("p99_ratios", baseline, _confidence)))
    rows += [
        ("predicted from its node times, median (s)", lambda one: number(one.predicted_s)),
        ("  measured above predicted, median (%)", _gap),
        ("limit: longest true path, median (s)", lambda one: number(one.limit_s)),
        ("limit of the first result, median (s)", lambda one: number(one.first_limit_s)),
        ("latency above its limit, median (%)", lambda one: number(one.above_limit_percent, digits=1)),
    ]
    rows += _cost_rows(summaries)
    if any(one.early is not None for one in summaries):
        rows += [
            ("firings started early / all", _early_starts),
            ("early results dropped", lambda one: _NONE if one.early is None else str(one.early.dropped)),
        ]
    if any(one.early is not None and one.early.early_tools for one in summaries):
        rows.append(("tools started early / results not taken", _early_tools))
    if any(one.left_plain for one in summaries):
        rows.append(("requests left to LangGraph alone", lambda one: f"{one.left_plain} of {one.requests}"))
    return rows


def _gap(one: ArmSummary) -> str:
    if one.gap_percent is None:
        return _NONE
    mark = "! " if abs(one.gap_percent) > GAP_FLAGGED_PERCENT else ""
    return f"{mark}{number(one.gap_percent, digits=1)}"


def _cost_rows(summaries: Sequence[ArmSummary]) -> list[tuple[str, Callable[[ArmSummary], str]]]:
    return [
        ("model calls per request, mean", _server_cell(lambda use: number(use.calls, digits=1))),
        ("prompt tokens per request, mean", _server_cell(lambda use: number(use.prompt_tokens, digits=0))),
        ("completion tokens per request, mean", _server_cell(lambda use: number(use.completion_tokens, digits=0))),
        ("server, slot-seconds per request, mean", _server_cell(lambda use: number(use.slot_s))),
        ("  share of its slots (%)", _server_cell(lambda use: number(100 * slot_share(use), digits=1))),
        (
            "prefix caches, share of prompt tokens held (%)",
            _server_cell(lambda use: number(100 * hit_rate(use), digits=1)),
        ),
        *_replica_rows(summaries),
        ("memory of the process, peak (MiB)", _memory_cell(lambda used: number(used.peak / _MIB, digits=0))),
        ("  above what it had when built (MiB)", _memory_cell(lambda used: number(used.above_built / _MIB, digits=1))),
    ]


def _replica_rows(summaries: Sequence[ArmSummary]) -> list[tuple[str, Callable[[ArmSummary], str]]]:
    if not any(one.server is not None and one.server.replicas > 1 for one in summaries):
        return []
    return [
        ("imbalance of busy time, busiest / mean", _server_cell(lambda use: number(imbalance(use)))),
        ("imbalance of slot-seconds, busiest / mean", _server_cell(lambda use: number(slot_imbalance(use)))),
    ]


def _server_cell(shown: Callable[[ServerUse], str]) -> Callable[[ArmSummary], str]:
    return lambda one: _NOT_KNOWN if one.server is None else shown(one.server)


def _memory_cell(shown: Callable[[MemoryUse], str]) -> Callable[[ArmSummary], str]:
    return lambda one: _NOT_KNOWN if one.memory is None else shown(one.memory)


def _ratio_cell(
    name: Literal["speed_ups", "p99_ratios"], baseline: str, shown: Callable[[ArmSummary, Interval], str]
) -> Callable[[ArmSummary], str]:
    return lambda one: _NONE if one.arm == baseline else shown(one, getattr(one, name)[baseline])


def _value(one: ArmSummary, figure: Interval) -> str:
    return number(figure.value)


def _confidence(one: ArmSummary, figure: Interval) -> str:
    """A single request says nothing of others."""
    return confidence(figure) if one.requests > 1 else _NONE


def _early_starts(one: ArmSummary) -> str:
    return _NONE if one.early is None else f"{one.early.early_starts} / {one.early.firings}"


def _early_tools(one: ArmSummary) -> str:
    return _NONE if one.early is None else f"{one.early.early_tools} / {one.early.dropped_tools}"


def interval(figure: Interval) -> str:
    """A figure with its confidence interval."""
    return f"{number(figure.value)} {confidence(figure)}"


def confidence(figure: Interval) -> str:
    """The confidence interval alone."""
    return f"[{number(figure.low)}, {number(figure.high)}]"


def number(value: float | None, *, digits: int = 3) -> str:
    """A figure, or a dash where there is none."""
    return _NONE if value is None else f"{value:.{digits}f}"


def score_line(scores: Mapping[str, float]) -> str:
    """How good the answers are; one line for all arms, because their answers are equal."""
    told = ", ".join(f"{name.replace('_', ' ')} {_score(value)}" for name, value in scores.items())
    return f"Quality of the answers against the labels (the same in every arm): {told or 'no labels'}."


def _score(value: float) -> str:
    """Scores that are whole and above 1 are counts."""
    return f"{value:.0f}" if value > 1 and value == int(value) else number(value)


def method_text(
    *, requests: int, rate: float, warm_up: int, server: str, block: int, lead_in: int, clock: Clock
) -> str:
    """How the table was measured."""
    few = "" if requests >= _FEW_REQUESTS else f" With {requests} requests, p99 is close to the slowest one."
    return (
        f"{_turns_text(rate, block, lead_in)} Every arm runs in a process of its own, after {warm_up} request(s) of "
        f"warm-up that are not counted. Server: {server}. Answers were compared request by request and are "
        f"equal in all arms. {_intervals_text(rate, requests, block)} "
        f"{_clock_text(clock)} The limit of a request is the "
        "longest path under true data dependencies through the node times recorded in that same run, so each "
        f"arm has its own; no order of the same work ends sooner. Predicted: by the same node times, LangGraph's "
        "supersteps for its own arms and true dependencies for all others; a gap over "
        f"{GAP_FLAGGED_PERCENT:g} % is marked with ! (docs/comparison.md says where gaps come from).{few}"
    )


def _clock_text(clock: Clock) -> str:
    if clock == "real":
        return "Processor time and memory are those of the arm's process, without the server."
    return (
        "The clock is virtual: waiting is skipped, and what arms and server do takes no time, so that latency is the "
        "model's alone, and what an engine costs is not in it."
    )


def _turns_text(rate: float, block: int, lead_in: int) -> str:
    if rate == 0:
        return (
            "One request at a time: each request goes through all arms before the next, and the arms take "
            "turns at being first."
        )
    return (
        f"Open loop: the same Poisson arrivals at {rate:g} requests a second for every arm, in blocks of "
        f"up to {block} requests that the arms take in turns, each begun with an idle server and run to its end; the "
        f"first {lead_in} of each are not counted. Latency counts from the moment a request was due."
    )


def _intervals_text(rate: float, requests: int, block: int) -> str:
    if rate == 0:
        return "Confidence intervals: percentile bootstraps over requests, resampled in pairs."
    blocks = -(-requests // block)
    rough = "" if blocks >= BLOCKS else f" {blocks} blocks are few, and these intervals rough."
    return (
        "Confidence intervals: percentile bootstraps over whole blocks, resampled in pairs, because the requests of "
        f"a block make each other wait.{rough}"
    )


def not_run_text(absent: Sequence[NotRun]) -> str:
    """The arms that have no column, and why; empty when all have one."""
    return "\n".join(f"Not run: {one.arm}: {one.reason}." for one in absent)


def refusal_text(found: Sequence[Difference]) -> str:
    """Said in place of a table when the arms do not agree."""
    shown = "\n".join(str(one) for one in found[:_DIFFERENCES_SHOWN])
    more = len(found) - _DIFFERENCES_SHOWN
    rest = f"\n… and {more} more; all answers are in the results file." if more > 0 else ""
    return (
        f"The arms gave different answers ({len(found)} differences), so no speed is printed.\n"
        f"{shown}{rest}\n"
        "If the model server is not the simulated one, check first that it gives the same text for the same "
        "prompt: run two plain arms."
    )


def output_console() -> Console:
    """Where tables go. A narrow terminal folds the lines itself; a table that is cut would hide figures."""
    console = Console(highlight=False)
    if console.is_terminal and console.width >= PIPE_WIDTH:
        return console
    return Console(highlight=False, width=PIPE_WIDTH)
