"""Synchronous: the same shape for `invoke` and `stream`, whose nodes must not be coroutines.

Owns the translation of a builder. Always true: node, name, schema and edges stay; only the calling convention
changes, and a delay takes no time, because real threads have no virtual clock.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Coroutine
from typing import Any

from langgraph._internal._runnable import RunnableCallable
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph.state import CompiledStateGraph

from dropin import compare
from dropin.shapes.base import Builder, Shape
from dropin.watch import App, Implementation, config_of, input_of


async def no_time(seconds: float) -> None:
    """A delay that ends at once."""


def drive(function: Callable[..., Any]) -> Callable[..., Any]:
    """A coroutine function that never really waits, as a plain one."""

    @functools.wraps(function)
    def call(*args: Any, **settings: Any) -> Any:
        coroutine: Coroutine[Any, Any, Any] = function(*args, **settings)
        try:
            coroutine.send(None)
        except StopIteration as end:
            return end.value
        coroutine.close()
        raise RuntimeError(f"{function.__qualname__} waited for something; mark its shape sync=False.")

    return call


def translate(builder: Builder) -> Builder:
    """Give every node and router a plain function, in subgraphs too."""
    for spec in builder.nodes.values():
        if isinstance(spec.runnable, CompiledStateGraph):
            _translate_compiled(spec.runnable)
        else:
            _translate_callable(spec.runnable)
    for branches in builder.branches.values():
        for branch in branches.values():
            _translate_callable(branch.path)
    return builder


def _translate_compiled(graph: Any) -> None:
    """A subgraph is compiled already: its nodes hold the same callables as its builder."""
    translate(graph.builder)


def _translate_callable(runnable: Any) -> None:
    if isinstance(runnable, RunnableCallable) and runnable.func is None:
        assert runnable.afunc is not None
        runnable.func = drive(runnable.afunc)


def build(shape: Shape, implementation: Implementation, *, saver: Any = None) -> App:
    builder = translate(shape.build(no_time))
    graph = builder.compile(checkpointer=saver, name=shape.name, **shape.compile())
    return implementation(graph, **shape.options)


def invoke(shape: Shape, implementation: Implementation) -> Any:
    """Results or errors of the input and of every resumption, and what was saved."""
    app = build(shape, implementation, saver=InMemorySaver())
    found = [_once(app, shape, input_of(shape))]
    for resume in shape.resumes:
        found.append(_once(app, shape, resume(app.get_state(config_of(shape)))))
    return found, _history(app, shape)


def _history(app: App, shape: Shape) -> Any:
    """Every saved state. Where an input is refused, LangGraph raises here too.

    Without the results of tasks: LangGraph saves them on a thread of their own, beside the reducer that gives their
    messages ids and the nodes that change them.
    """
    try:
        found = compare.history(list(app.get_state_history(config_of(shape))))
        return [
            {**state, "tasks": [{k: v for k, v in task.items() if k != "result"} for task in state["tasks"]]}
            for state in found
        ]
    except Exception as raised:
        return compare.error(raised)


def _once(app: App, shape: Shape, given: Any) -> Any:
    try:
        # In sync, or a thread would still be saving a value that the next step's nodes change.
        state = app.invoke(given, config_of(shape), context=shape.context, durability="sync")
        return compare.result([((), "values", state)])
    except Exception as raised:
        return compare.error(raised)


def stream(shape: Shape, implementation: Implementation) -> Any:
    """The events of the first input that LangGraph puts in order, then its error."""
    app = build(shape, implementation, saver=InMemorySaver())
    events: list[compare.Event] = []
    failure: Exception | None = None
    modes = ["values", "updates", "tasks", "checkpoints", "debug"]
    try:
        given = input_of(shape)
        for event in app.stream(given, config_of(shape), context=shape.context, stream_mode=modes, subgraphs=True):
            events.append(event)
    except Exception as raised:
        failure = raised
    return compare.streams(events), compare.error(failure)
