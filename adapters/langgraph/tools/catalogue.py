"""Catalogue: which tools a graph has, which of them may start early, and why the others may not.

Owns the search for tools and the verdicts on them. Always true:
  a tool starts early only if somebody declared that it may run again and for nothing: the user, or its MCP server;
  where two tools of a graph have one name, neither does: nobody knows which of them a model means.
"""

from __future__ import annotations

import functools
import itertools
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import FunctionType, MethodType, ModuleType

from langchain_core.runnables import RunnableBinding, RunnableParallel, RunnableSequence
from langchain_core.tools import BaseTool
from langgraph.prebuilt import ToolNode

from alto_lg.adapters.langgraph.analysis.mentions import held_by, names_in
from alto_lg.adapters.langgraph.internals import Pregel, PregelNode, RunnableCallable
from alto_lg.adapters.langgraph.tools.answering import RUNS_TWINS, identity_of, is_repeatable, says_repeatable
from alto_lg.adapters.langgraph.tools.fitness import why_unfit
from alto_lg.explain import ToolVerdict

_OBJECTS_MOST = 2_000
_NOT_DECLARED = "it is not declared repeatable (@alto_lg.repeatable)"


@dataclass(slots=True)
class _Found:
    """One tool, and where it was found. in_tool_node: the graph's own node runs it, not the user's code."""

    tool: BaseTool
    nodes: list[str]
    in_tool_node: bool = False


class Catalogue:
    """The tools of one graph; shared by all its runs."""

    def __init__(self, graph: Pregel, barriers: frozenset[str]) -> None:
        self._found = _tools_of(graph)
        self._approved = _approved_by_people(graph)
        self._barriers = barriers
        self._learnt: dict[str, str] = {}
        self._lock = threading.Lock()
        self._verdicts = {name: self._verdict(name, found) for name, found in self._found.items()}

    @property
    def verdicts(self) -> tuple[ToolVerdict, ...]:
        """All tools, by name."""
        with self._lock:
            return tuple(
                ToolVerdict(name, verdict.nodes, verdict.why_not or self._learnt.get(name))
                for name, verdict in sorted(self._verdicts.items())
            )

    @property
    def any_may_start(self) -> bool:
        return any(verdict.why_not is None for verdict in self._verdicts.values())

    def startable(self, name: str) -> BaseTool | None:
        """The tool of that name, if it may start early."""
        verdict = self._verdicts.get(name)
        if verdict is None or verdict.why_not is not None or name in self._learnt:
            return None
        return self._found[name][0].tool

    def learn(self, name: str, why: str) -> None:
        """What a tool did when it ran early shows that it must not."""
        with self._lock:
            self._learnt.setdefault(name, why)

    def _verdict(self, name: str, found: list[_Found]) -> ToolVerdict:
        nodes = tuple(sorted({node for one in found for node in one.nodes}))
        return ToolVerdict(name, nodes, self._why_not(name, found, nodes))

    def _why_not(self, name: str, found: list[_Found], nodes: tuple[str, ...]) -> str | None:
        if len(found) > 1:
            return f"the graph has {len(found)} tools of this name"
        tool = found[0].tool
        if not is_repeatable(tool):
            if not says_repeatable(tool):
                return _NOT_DECLARED
            if not RUNS_TWINS:
                return "this version of langgraph-prebuilt runs tools in another way"
            if not found[0].in_tool_node:
                return "a node of your own runs it: declare it with alto_lg.repeatable(tool)"
        if name in self._approved:
            return f"a person is asked before it runs ({self._approved[name]})"
        barriers = self._barriers.intersection(nodes)
        if barriers:
            return f"it runs in a node that is a barrier ({', '.join(sorted(barriers))})"
        return why_unfit(tool)


def _tools_of(graph: Pregel) -> dict[str, list[_Found]]:
    """The tools in nodes of a graph, by name; one entry for each object."""
    by_name: dict[str, list[_Found]] = {}
    for node_name, node in graph.nodes.items():
        for tool, in_tool_node in _tools_in(node):
            entries = by_name.setdefault(tool.name, [])
            entry = next((one for one in entries if identity_of(one.tool) is identity_of(tool)), None)
            if entry is None:
                entry = _Found(tool, [])
                entries.append(entry)
            if is_repeatable(tool) and not is_repeatable(entry.tool):
                entry.tool = tool
            entry.nodes.append(node_name)
            entry.in_tool_node |= in_tool_node
    return by_name


def _tools_in(node: PregelNode) -> Iterator[tuple[BaseTool, bool]]:
    bound = node.bound
    if isinstance(bound, ToolNode):
        yield from ((tool, True) for tool in bound.tools_by_name.values())
    elif not isinstance(bound, Pregel):
        yield from ((tool, False) for tool in _reached(bound))


def _reached(start: object) -> Iterator[BaseTool]:
    """The tools that code can get at by name, through functions, collections and objects of the user's."""
    pending: list[object] = [start]
    seen: set[int] = set()
    held: list[object] = []  # so that no identity is given out twice
    while pending and len(seen) < _OBJECTS_MOST:
        thing = pending.pop()
        if id(thing) in seen:
            continue
        seen.add(id(thing))
        held.append(thing)
        if isinstance(thing, BaseTool):
            yield thing
        elif isinstance(thing, ToolNode):
            yield from thing.tools_by_name.values()
        elif isinstance(thing, Pregel):
            if not hasattr(thing.nodes, "acceleration"):  # an accelerated one has early results of its own
                pending.extend(node.bound for node in thing.nodes.values())
        else:
            pending.extend(itertools.islice(_behind(thing), _OBJECTS_MOST))


def _behind(thing: object) -> Iterator[object]:
    if isinstance(thing, FunctionType):
        yield from _named(thing)
    elif isinstance(thing, MethodType):
        yield thing.__func__
        yield from vars(thing.__self__).values() if hasattr(thing.__self__, "__dict__") else ()
    elif isinstance(thing, functools.partial):
        yield from (thing.func, *thing.args, *thing.keywords.values())
    elif isinstance(thing, list | tuple | set | frozenset):
        yield from thing
    elif isinstance(thing, dict):
        yield from thing.values()
    elif isinstance(thing, RunnableCallable):
        yield from (thing.func, thing.afunc)
    elif isinstance(thing, RunnableSequence):
        yield from thing.steps
    elif isinstance(thing, RunnableParallel):
        yield from thing.steps__.values()
    elif isinstance(thing, RunnableBinding):
        yield thing.bound
    elif type(thing).__name__ == "RunnableLambda":
        yield from (getattr(thing, "func", None), getattr(thing, "afunc", None))


def _named(function: FunctionType) -> Iterator[object]:
    """What a function's code names, if that can hold a tool: globals, attributes of modules, cells and defaults."""
    names = set(names_in(function.__code__))
    for name in names & function.__globals__.keys():
        value = function.__globals__[name]
        if isinstance(value, ModuleType):
            attributes = (vars(value).get(attribute) for attribute in names)
            yield from (attribute for attribute in attributes if isinstance(attribute, BaseTool | ToolNode))
        elif not isinstance(value, FunctionType) or _is_of_same_package(function, value):
            yield value
    yield from held_by(function)


def _is_of_same_package(function: FunctionType, other: FunctionType) -> bool:
    return str(function.__module__).split(".")[0] == str(other.__module__).split(".")[0]


def _approved_by_people(graph: Pregel) -> dict[str, str]:
    """Tools that a middleware of LangChain's asks a person about, with the node that asks."""
    found: dict[str, str] = {}
    for node_name, node in graph.nodes.items():
        function = getattr(node.bound, "func", None) or getattr(node.bound, "afunc", None)
        asks = getattr(getattr(function, "__self__", None), "interrupt_on", None)
        if isinstance(asks, Mapping):
            found.update(dict.fromkeys(map(str, asks), node_name))
    return found
