"""`alto-lg trace`: run a graph of one's own and see what ran when, plain and accelerated.

Always true: a graph is run once for each engine that was asked for, and never on one thread twice.
"""

from __future__ import annotations

import argparse
import asyncio
import importlib
import importlib.util
import json
import sys
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any
from uuid import uuid4

from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.base import BaseCheckpointSaver
from langgraph.graph import StateGraph

from alto_lg.accelerate import accelerate, statistics
from alto_lg.explain import explain
from alto_lg.tracing.recording import Trace, trace
from alto_lg.tracing.saving import save

FAILED, REFUSED = 1, 2
_EQUAL = "The results are equal."
_UNEQUAL = "The results differ: see whether a node draws by chance, as a model at a temperature above 0 does."


class Refused(ValueError):
    """What was asked for cannot be done; said before anything has run."""


@dataclass(frozen=True, slots=True)
class Ran:
    """One run: what it was called, what it did, and what came of it."""

    traced: Trace
    app: Any
    result: Any
    error: Exception | None


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of the command."""
    add = parser.add_argument
    add(
        "graph",
        metavar="MODULE:GRAPH",
        help="a graph, or a function that makes one: my.module:app or path/to/file.py:app",
    )
    add("--input", required=True, help="what the graph is invoked with, as JSON; @FILE reads it from a file")
    add(
        "--thread",
        help="thread id, for a graph with a checkpointer (default: a new one; --both: THREAD/langgraph, THREAD/alto)",
    )
    add("--both", action="store_true", help="run it on plain LangGraph first, and show both on one axis of time")
    add("--sync", action="store_true", help="by invoke, and not by ainvoke")
    add("--output", type=Path, help="a page that opens from disk (default trace.html, unless --perfetto is given)")
    add("--perfetto", type=Path, help="trace events as JSON, for https://ui.perfetto.dev and chrome://tracing")


def run(options: argparse.Namespace) -> int:
    """0 when all runs ended; 1 when one raised, with what was traced until then; 2 when nothing could be run."""
    try:
        given = _input(options.input)
        outputs = _outputs(options)
        graph = _compiled(load(options.graph))
    except Refused as refused:
        print(f"alto-lg trace: {refused}", file=sys.stderr)
        return REFUSED
    app = accelerate(graph)
    explain(app)  # reads the code of the nodes now, which the first run would do otherwise
    sides = [*([("langgraph", graph)] if options.both else []), ("alto", app)]
    ran = [_ran(name, side, given, options) for name, side in sides]
    notes = [*_summary(ran), f"Graph: {options.graph}. Command: {_command()}"]
    for path in outputs:
        save(path, [(one.traced.label, one.traced.tasks) for one in ran], notes=notes)
        print(f"Written: {path}")
    print("\n".join(_summary(ran)))
    return FAILED if any(one.error for one in ran) else 0


def _command() -> str:
    return " ".join(["alto-lg", *sys.argv[1:]])


def _input(text: str) -> Any:
    try:
        return json.loads(Path(text[1:]).read_text(encoding="utf-8") if text.startswith("@") else text)
    except OSError as error:
        raise Refused(f"--input {text}: cannot be read ({error.strerror}).") from error
    except ValueError as error:
        raise Refused(f'--input is not JSON ({error}); write --input \'{{"question": "…"}}\', or @FILE.') from error


def _outputs(options: argparse.Namespace) -> list[Path]:
    page = options.output or (None if options.perfetto else Path("trace.html"))
    for name, path, suffix in (("--output", page, ".html"), ("--perfetto", options.perfetto, ".json")):
        if path is not None and path.suffix != suffix:
            raise Refused(f"{name} {path}: the name of the file has to end in {suffix}.")
    return [path for path in (page, options.perfetto) if path is not None]


def load(named: str) -> Any:
    """What `module:attribute` or `file.py:attribute` names; `Refused` says what of it is not there."""
    source, colon, attribute = named.rpartition(":")
    if not colon or not source or not attribute:
        raise Refused(f"{named!r} names no graph: write my.module:app, or path/to/file.py:app.")
    module = _file(Path(source)) if source.endswith(".py") else _module(source)
    if not hasattr(module, attribute):
        raise Refused(f"{source} has no {attribute!r}.")
    return getattr(module, attribute)


def _module(name: str) -> ModuleType:
    # As `python -m` has it: what lies where the command is run can be imported.
    if str(Path.cwd()) not in sys.path:
        sys.path.insert(0, str(Path.cwd()))
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as missing:
        if missing.name is None or not f"{name}.".startswith(f"{missing.name}."):
            raise
        raise Refused(f"there is no module {name!r} to import from {Path.cwd()}.") from missing


def _file(path: Path) -> ModuleType:
    if not path.is_file():
        raise Refused(f"there is no file {path}.")
    sys.path.insert(0, str(path.parent.resolve()))  # as `python FILE` has it
    # By its place, because a module of that name may be there already; under a name, because annotations are looked up
    # by the name of their module.
    name = path.stem if path.stem not in sys.modules else f"_traced_{path.stem}"
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None and spec.loader is not None, "the name ends in .py"
    module = sys.modules[name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _compiled(found: Any) -> Any:
    """The graph to run: as it is, compiled, or made by the function that was named."""
    made = found() if callable(found) and not _is_graph(found) else found
    if isinstance(made, StateGraph):
        made = made.compile()
    if not _is_graph(made):
        raise Refused(
            f"a {type(made).__name__} is no graph: name a StateGraph, what its compile() gave, or @entrypoint."
        )
    return made


def _is_graph(found: Any) -> bool:
    return hasattr(found, "ainvoke") and hasattr(found, "nodes")


def _ran(name: str, app: Any, given: Any, options: argparse.Namespace) -> Ran:
    config = _config(name, app, options)
    label = {"langgraph": "LangGraph", "alto": "accelerated"}[name]
    with trace(label) as traced:
        try:
            result = app.invoke(given, config) if options.sync else asyncio.run(app.ainvoke(given, config))
        except Exception as error:
            return Ran(traced, app, None, error)
    return Ran(traced, app, result, None)


def _config(name: str, app: Any, options: argparse.Namespace) -> RunnableConfig:
    if options.thread is None and not isinstance(app.checkpointer, BaseCheckpointSaver):
        return {}
    thread = options.thread or str(uuid4())
    return {"configurable": {"thread_id": f"{thread}/{name}" if options.both else thread}}


def _summary(ran: list[Ran]) -> list[str]:
    lines = [_line(one) for one in ran]
    if len(ran) > 1 and not any(one.error for one in ran):
        lines.append(_EQUAL if ran[0].result == ran[1].result else _UNEQUAL)
    return lines


def _line(one: Ran) -> str:
    ended = "" if one.error is None else f"; it raised {type(one.error).__name__}: {one.error}"
    return f"{one.traced.label}: {one.traced.took_s:.3f} s, {_early(one)}{ended}."


def _early(one: Ran) -> str:
    nodes = [task for task in one.traced.tasks if task.kind == "node"]
    told = f"{len(nodes)} tasks"
    if one.traced.label == "LangGraph":
        return told
    counts = statistics(one.app)
    if counts is None:
        return told
    plain = f", left to LangGraph alone ({counts.plain})" if counts.plain else ""
    return f"{told}, {counts.early_starts} started early, {counts.dropped} dropped{plain}"
