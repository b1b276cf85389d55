"""Call graphs on disk: recording an arm takes minutes, replaying it seconds.

Always true: a file is taken only if it was made with the same settings and the same code; otherwise it is made again.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from alto_lg.comparisons.replicas.call_graph import Answer, Call, CallGraph, Trigger, Waits


def kept_graphs(
    path: Path, settings: Mapping[str, Any], make: Callable[[], Sequence[CallGraph]]
) -> tuple[CallGraph, ...]:
    """Those of the file, or else made now and written there."""
    found = _read(path, settings)
    if found is not None:
        return found
    graphs = tuple(make())
    path.parent.mkdir(parents=True, exist_ok=True)
    written = {"settings": settings, "graphs": [asdict(graph) for graph in graphs]}
    path.write_text(json.dumps(written, separators=(",", ":")), encoding="utf-8")
    return graphs


def _read(path: Path, settings: Mapping[str, Any]) -> tuple[CallGraph, ...] | None:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        # Not there, or broken off while it was written: made anew.
        return None
    if found["settings"] != settings:
        return None
    return tuple(_graph(fields) for fields in found["graphs"])


def _graph(fields: Mapping[str, Any]) -> CallGraph:
    return CallGraph(fields["request"], tuple(map(_call, fields["calls"])), _waits(fields["end"]))


def _call(fields: Mapping[str, Any]) -> Call:
    answers = tuple(map(_answer, fields["answers"]))
    return Call(_waits(fields["after"]), fields["prompt_tokens"], tuple(fields["route"]), answers)


def _waits(fields: Mapping[str, Any]) -> Waits:
    return Waits(*(tuple(Trigger(**one) for one in fields[name]) for name in ("all", "first_of")))


def _answer(fields: Mapping[str, Any]) -> Answer:
    marks, work, blocks = (tuple(fields[name]) for name in ("marks", "work", "blocks"))
    return Answer(marks, work, fields["prefill_factor"], fields["first_token_s"], blocks)
