"""Saving: traces as a page or as trace events."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from alto_lg.tracing.chrome import trace_events
from alto_lg.tracing.page import trace_page
from alto_lg.tracing.tasks import TracedTask

Labelled = Sequence[tuple[str, Sequence[TracedTask]]]


def save(path: Path, traces: Labelled, *, notes: Sequence[str] = ()) -> None:
    """Write the traces in the format that the suffix says; `ValueError` if it says none."""
    if path.suffix not in (".html", ".json"):
        raise ValueError(
            f"{path}: a trace is saved as .html (a page) or .json (for Perfetto); choose one by the suffix."
        )
    text = trace_page(traces, notes) if path.suffix == ".html" else json.dumps(trace_events(traces), ensure_ascii=False)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
