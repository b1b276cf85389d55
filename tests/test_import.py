"""What `import alto_lg` and the first `accelerate()` load, beside what any program with LangGraph has loaded."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
from functools import cache

import pytest

_PROGRAM = """
import json, sys
import langgraph.graph, langgraph.types, langgraph.checkpoint.memory

told, seen = [], set(sys.modules)

def tell():
    told.append(sorted(set(sys.modules) - seen))
    seen.update(sys.modules)

import alto_lg
tell()

def add_one(state):
    return {"count": state["count"] + 1}

builder = langgraph.graph.StateGraph(dict[str, int])
builder.add_node("add_one", add_one)
builder.add_edge("__start__", "add_one")
app = alto_lg.accelerate(builder)
tell()
alto_lg.explain(app)
tell()
print(json.dumps(told))
"""

_FOR_A_RUN = ("alto_lg.adapters.langgraph.acceleration", "alto_lg.adapters.langgraph.loop", "alto_lg.engine.machine")
"""Loaded by the first `accelerate()`."""
_FOR_A_PLAN = (
    "alto_lg.adapters.langgraph.analysis",
    "alto_lg.adapters.langgraph.tools",
    "alto_lg.adapters.langgraph.wired",
    "langchain_core.language_models.chat_models",
    "langchain_core.tools",
    "langgraph.prebuilt",
    "yaml",
)
"""Loaded when the first plan is made: by the first run, or `explain`."""
_FOR_SOME_PROGRAMS = (
    "alto_lg.adapters.langgraph.placed",
    "alto_lg.adapters.langgraph.replaying",
    "alto_lg.adapters.pool",
    "alto_lg.apps",
    "alto_lg.comparisons",
    "alto_lg.pool",
    "alto_lg.routing",
    "alto_lg.split._splitter",
    "alto_lg.tracing.recording",
    "httpx",
    "numpy",
    "openai",
    "xml.etree",
)
"""Loaded by those who use them."""


@cache
def _loaded() -> tuple[frozenset[str], ...]:
    """By the import, by `accelerate()` after it, and by `explain()` after that."""
    done = subprocess.run([sys.executable, "-c", _PROGRAM], capture_output=True, text=True, check=True)
    return tuple(map(frozenset, json.loads(done.stdout)))


@pytest.mark.parametrize("module", [*_FOR_A_RUN, *_FOR_A_PLAN, *_FOR_SOME_PROGRAMS])
def test_importing_the_package_does_not_load_what_only_some_programs_need(module: str) -> None:
    assert importlib.util.find_spec(module) is not None, "this name is out of date"
    assert module not in _loaded()[0]


@pytest.mark.parametrize("module", [*_FOR_A_PLAN, *_FOR_SOME_PROGRAMS])
def test_accelerating_a_graph_does_not_load_what_only_some_graphs_need(module: str) -> None:
    assert module not in _loaded()[1]


def test_what_runs_a_graph_is_loaded_when_one_is_accelerated() -> None:
    assert set(_FOR_A_RUN) <= _loaded()[1]


def test_the_analysis_is_loaded_when_a_plan_is_made() -> None:
    own = {name for name in _FOR_A_PLAN if name.startswith("alto_lg.")}
    assert own <= _loaded()[2]
