"""Campaign: many seeds, judged one after the other, and what came of them all.

Owns the counting. Apart from `__main__`, because the processes of a campaign import it by name.
"""

from __future__ import annotations

import logging
import platform
import subprocess
import warnings
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path

from random_graphs.differ import Verdict, compared
from random_graphs.draw import draw
from random_graphs.omniscient import Share, measurable, share_of
from random_graphs.spec import Spec
from random_graphs.synchronous import compared_on_threads, on_threads

MEASURED_EVERY = 5
THREADS_EVERY = 10


@dataclass(slots=True)
class Tally:
    """Sums over graphs."""

    counts: Counter[str] = field(default_factory=Counter)
    failures: list[str] = field(default_factory=list)

    def add(self, seed: int, verdict: Verdict, share: Share, *, threads: bool) -> None:
        self.counts["graphs"] += 1
        self.counts["on threads"] += threads
        self.counts["ended by an error"] += verdict.failed
        self.counts["racing on LangGraph"] += verdict.racing
        self.counts["with early starts"] += verdict.early > 0
        self.counts["fallen back"] += verdict.plain is not None
        self.counts["firings"] += verdict.firings
        self.counts["started early"] += verdict.early
        self.counts["could start early"] += share.could
        self.counts["could and did"] += share.did
        if verdict.differences:
            self.counts["different"] += 1
            self.failures.append(failure_line(seed, verdict))

    def include(self, other: Tally) -> None:
        self.counts += other.counts
        self.failures += other.failures

    def summary(self, seconds: float) -> str:
        counts, graphs = self.counts, max(self.counts["graphs"], 1)
        lines = [
            f"{counts['graphs']} graphs, {counts['different']} different, {seconds:.0f} s, "
            f"{graphs / max(seconds, 0.001):.1f} graphs a second; {counts['on threads']} also on threads",
            f"{counts['with early starts'] / graphs:.1%} with early starts; "
            f"{counts['started early']} of {counts['firings']} firings started early",
            f"of {counts['could start early']} firings that could start early (every {MEASURED_EVERY}th graph is "
            f"measured) {counts['could and did'] / max(counts['could start early'], 1):.1%} did",
            f"{counts['ended by an error'] / graphs:.1%} ended by an error; "
            f"{counts['racing on LangGraph'] / graphs:.2%} depend on the schedule on LangGraph; "
            f"{counts['fallen back'] / graphs:.2%} fell back",
        ]
        return "\n".join(lines)


def failure_line(seed: int, verdict: Verdict) -> str:
    """All that it takes to see it again."""
    return (
        f"seed {seed}, {verdict.differences[0]}  [langgraph {version('langgraph')}, Python "
        f"{platform.python_version()}, commit {_commit()}: python -m random_graphs --only {seed}]"
    )


def _commit() -> str:
    folder = Path(__file__).parent
    said = subprocess.run(["git", "rev-parse", "--short", "HEAD"], cwd=folder, capture_output=True, text=True)
    return said.stdout.strip() or "unknown"


def judged(seed: int, drawn: Callable[[int], Spec] = draw) -> tuple[Verdict, Share, bool]:
    """One graph on both sides; a share of them measured, or run on threads as well."""
    spec = drawn(seed)
    verdict = compared(spec, rotation=seed % 7)
    threads = seed % THREADS_EVERY == 0 and on_threads(spec) is not None
    if threads and not verdict.differences:
        other = compared_on_threads(spec)
        if other.differences:
            verdict = other
    measured = seed % MEASURED_EVERY == 0 and drawn is draw and measurable(spec) and not verdict.failed
    return verdict, share_of(spec) if measured else Share(), threads


def chunk(seeds: Sequence[int], drawn: Callable[[int], Spec] = draw) -> Tally:
    tally = Tally()
    warnings.simplefilter("ignore", DeprecationWarning)
    # On threads LangGraph 1.2.22 commits what ends after a failure to an executor that is shut down already.
    logging.getLogger("concurrent.futures").setLevel(logging.CRITICAL)
    for seed in seeds:
        verdict, share, threads = judged(seed, drawn)
        tally.add(seed, verdict, share, threads=threads)
    return tally
