"""Build: a spec becomes a compiled graph, made of real functions.

Owns the running of the generated source, which Python's own cache of source lines knows as it knows a file. Always
true: each build has a module of its own, so that what nodes leave in globals cannot reach another run.
"""

from __future__ import annotations

import functools
import linecache
import types
import zlib
from typing import Any

from langchain_core.messages import HumanMessage
from langgraph.cache.memory import InMemoryCache
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import StateGraph
from langgraph.store.memory import InMemoryStore
from langgraph.types import CachePolicy, RetryPolicy

from random_graphs.source import function_name, source_of
from random_graphs.spec import START, Node, Spec, Way

RETRIES = RetryPolicy(max_attempts=2, initial_interval=0.01, jitter=False, retry_on=ConnectionError)
TIMEOUTS_S = {"long": 1000.0, "short": 0.00001}


def compiled(spec: Spec) -> Any:
    """LangGraph's graph of a spec, with a saver, a store and a cache of its own."""
    names = module_of(spec)
    nodes = list(spec.every_node())
    settings: dict[str, Any] = {}
    if spec.run.saver:
        settings["checkpointer"] = InMemorySaver()
    if any(node.store for node in nodes):
        settings["store"] = InMemoryStore()
    if any(node.caches for node in nodes):
        settings["cache"] = InMemoryCache()
    return _builder(spec, names, "").compile(
        interrupt_before=list(spec.run.stops_before), interrupt_after=list(spec.run.stops_after), **settings
    )


def input_of(spec: Spec) -> dict[str, Any]:
    """What a run begins with: fresh objects each time."""
    return {key.name: _given(key.kind, place) for place, key in enumerate(spec.keys) if key.given}


def module_of(spec: Spec) -> dict[str, Any]:
    """A fresh module of a spec's source. Its code is compiled once, so that it is analysed once."""
    text = source_of(spec)
    module = types.ModuleType(f"graph_{zlib.crc32(text.encode()):08x}")
    exec(_code(text, f"/random/{module.__name__}.py"), vars(module))
    return vars(module)


@functools.lru_cache(maxsize=8)
def _code(text: str, filename: str) -> types.CodeType:
    linecache.cache[filename] = (len(text), None, text.splitlines(keepends=True), filename)
    return compile(text, filename, "exec", dont_inherit=True)


def _given(kind: str, place: int) -> Any:
    match kind:
        case "box" | "list" | "grown" | "delta":
            return [place]
        case "messages":
            return [HumanMessage(content="given", id="given")]
        case "weave":
            return "given"
        case "count":
            return 0
    return place + 1


def _builder(spec: Spec, names: dict[str, Any], prefix: str) -> Any:
    state = names[f"{prefix}State"]
    builder: Any = StateGraph(state)
    for node in spec.nodes:
        _add(builder, node, names, prefix)
    for source, target in spec.edges:
        builder.add_edge(source, target)
    for sources, target in spec.joins:
        builder.add_edge(list(sources), target)
    for place, way in enumerate(spec.start):
        _add_route(builder, START, names[f"{prefix}start_{place}"], way)
    for node in spec.nodes:
        for place, way in enumerate(node.routes):
            _add_route(builder, node.name, names[f"{prefix}route_{node.name}_{place}"], way)
    return builder


def _add(builder: Any, node: Node, names: dict[str, Any], prefix: str) -> None:
    settings: dict[str, Any] = {"defer": node.defers}
    if node.inner is not None:
        inner = _builder(node.inner, names, f"{prefix}in_{node.name}_").compile(checkpointer=node.saver)
        builder.add_node(node.name, inner, **settings)
        return
    name = function_name(prefix, node.name)
    if node.retries:
        settings["retry_policy"] = RETRIES
    if node.caches:
        settings["cache_policy"] = CachePolicy()
    if node.timeout and node.is_async:
        settings["timeout"] = TIMEOUTS_S[node.timeout]
    if node.handled:
        settings["error_handler"] = names[f"{name}_handler"]
    if node.narrow:
        settings["input_schema"] = names[f"{name}_Input"]
    goto = node.goto
    if goto is not None and goto.mapped and not goto.parent:
        settings["destinations"] = tuple(target for target in (*goto.targets, goto.also) if target)
    builder.add_node(node.name, names[name], **settings)


def _add_route(builder: Any, source: str, router: Any, way: Way) -> None:
    targets = [target for target in (*way.targets, way.also) if target]
    if way.mapped:
        builder.add_conditional_edges(source, router, {one: one for one in targets})
    else:
        builder.add_conditional_edges(source, router)
