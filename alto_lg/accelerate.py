"""The one call. What carries it out is loaded by the first of a process, not by an import."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Mapping
from dataclasses import fields
from typing import Any

from langgraph.graph import StateGraph

from alto_lg.adapters.langgraph.internals import SUPPORTED, installed, supported
from alto_lg.engine.statistics import RunStatistics
from alto_lg.errors import AltoWarning
from alto_lg.hints import Hint
from alto_lg.options import Events, Options, Overlap
from alto_lg.placement import Placement


def accelerate(
    graph: Any,
    *,
    overlap: Overlap = "branches",
    events: Events = "steps",
    hints: Mapping[str, Hint] | None = None,
    max_steps_ahead: int = 1000,
    strict: bool = False,
    check: bool = False,
    blocking_s: float = 1.0,
    allow_unchecked: bool = False,
    annotate: bool = True,
    stream: Iterable[str] = (),
    replay: Mapping[str, object] | None = None,
    placement: Mapping[str, Placement] | None = None,
    **compile_options: Any,
) -> Any:
    """Return a graph that gives the same answers as `graph`, sooner.

    Args:
        graph: A `StateGraph` (it is compiled with `compile_options`), a graph from `StateGraph.compile()`, or what
            `@entrypoint` makes of a function. It is not changed. A graph that is accelerated already is returned.
        overlap: "branches": a node may start before the slow siblings of its predecessor have ended, if nothing that
            they may still do concerns it. "chains": it may also start before its predecessor itself has ended, if
            it is certain to run and reads nothing that the predecessor may write; only for graphs in which a chain
            does not order effects outside the graph. (`alto_lg.node(pure=True)` says that of one node.)
        events: "steps": `updates` come in the order of LangGraph's steps. "eager": each comes when its node ends,
            as an `alto_lg.Update` with its step and ancestry.
        hints: What to know about nodes, by name, where `alto_lg.node` cannot decorate their functions.
        max_steps_ahead: How many steps beyond the committed one may be under way.
        strict: Raise `Mistake` where a run would go on with an `AltoWarning`: at what LangGraph accepts in silence,
            such as a misspelt `stream_mode` or a node that returns a key which is not in the state.
        check: Compare what each node and reducer was given before and after it ran, to find changes in place. Costs
            a walk through these values for each node; meant for tests.
        blocking_s: How long an async node may hold the event loop without a word, in seconds; 0 says nothing.
        allow_unchecked: Accelerate also with a version of LangGraph that this one was not checked against.
        annotate: Show the ancestry of each firing as `alto_ancestry` in the metadata of its messages and traces;
            without it, metadata is LangGraph's to the letter. (`current_ancestry` works either way.)
        stream: Nodes, by name, that are LangChain runnables (`prompt | model | parser`). What the steps behind the
            model make of its answer while it is written is taken for partial updates, as `alto_lg.streaming` has them;
            the model is asked for a stream.
        replay: Nodes, by name, that call a model and then read the whole of its answer, each with the way to split
            that answer: a function of `alto_lg.split`, a splitter, or None for structured output. Whenever an item is
            whole, such a node's function runs again, aside, on the answer so far, and what it would send starts. Its
            code must be repeatable; its models are asked for streams. See docs/replay.md.
        placement: Nodes, by name, that run elsewhere: `alto_lg.ray(…)`, `alto_lg.processes(…)` or `alto_lg.threads(…)`.
            Their workers start when they are first needed. The returned graph has `close()`, which ends them, and can
            be used in `with`, which starts and ends them. See docs/scaling.md.

    Returns:
        A graph of the same type, with every method of LangGraph's.

    Raises:
        TypeError: `graph` is something else, or `compile_options` were given for a graph that is compiled already.
        ValueError: An option has a value that it cannot have, or a hint names an unknown node or key.
        NotPortable: A node that is placed in another process cannot run there.
    """
    from alto_lg.adapters.langgraph.acceleration import accelerated, acceleration_of, can_be_accelerated

    options = Options(
        overlap=overlap,
        events=events,
        hints=dict(hints or {}),
        max_steps_ahead=max_steps_ahead,
        strict=strict,
        check=check,
        blocking_s=blocking_s,
        allow_unchecked=allow_unchecked,
        annotate=annotate,
        stream=_names(stream),
        replay=dict(replay or {}),
        placement=dict(placement or {}),
    )
    if isinstance(graph, StateGraph):
        graph = graph.compile(**compile_options)
    elif compile_options:
        names = ", ".join(compile_options)
        raise TypeError(f"accelerate() got {names}, which only a StateGraph takes: this graph is compiled already.")
    if not can_be_accelerated(graph):
        raise TypeError(
            f"alto_lg.accelerate() got a {type(graph).__name__}. Pass a StateGraph, a graph from "
            "StateGraph.compile(), or a function decorated with @entrypoint."
        )
    acceleration = acceleration_of(graph)
    if acceleration is not None and acceleration.installed and options not in (Options(), acceleration.options):
        graph = graph._as_plain()  # install() had no options of this graph's own
    elif acceleration is not None:
        _warn_of_ignored(options, acceleration.options)
        return graph
    if not supported(installed()) and not allow_unchecked:
        warnings.warn(
            f"alto_lg is checked against LangGraph {SUPPORTED}; {installed()} is installed, so graphs run "
            "unaccelerated. alto_lg.accelerate(graph, allow_unchecked=True) tries anyway.",
            AltoWarning,
            stacklevel=2,
        )
        return graph
    return accelerated(graph, options)


def _names(stream: Iterable[str]) -> tuple[str, ...]:
    if isinstance(stream, str):
        raise TypeError(f"stream={stream!r} is a single string; write stream=[{stream!r}]")
    return tuple(stream)


def _warn_of_ignored(asked: Options, have: Options) -> None:
    """A graph is accelerated once: what was asked for later, and is not what it has, has no effect."""
    usual = Options()
    ignored = [
        f"{option.name}={value!r}"
        for option in fields(Options)
        if (value := getattr(asked, option.name)) not in (getattr(usual, option.name), getattr(have, option.name))
    ]
    if ignored:
        warnings.warn(
            f"accelerate() got a graph that is accelerated already, so {', '.join(ignored)} has no effect. Accelerate "
            "it once, with all options.",
            AltoWarning,
            stacklevel=3,
        )


def statistics(app: Any) -> RunStatistics | None:
    """What the last run of an accelerated graph did; None before its first run has ended.

    Raises:
        TypeError: `app` did not come from `accelerate`.
    """
    from alto_lg.adapters.langgraph.acceleration import acceleration_of

    acceleration = acceleration_of(app)
    if acceleration is None:
        raise TypeError(f"alto_lg.statistics() got a {type(app).__name__} that did not come from alto_lg.accelerate().")
    return acceleration.statistics
