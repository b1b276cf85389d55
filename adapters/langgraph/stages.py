"""Stages: what is known of each node of a compiled graph, put together from schema, code and declarations.

Owns the translation of LangGraph's nodes into `Stage`s. Always true:
  a declaration wins over the code, the code over the schema, and where all three are silent the answer is "every".
"""

from __future__ import annotations

import inspect
from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass, is_dataclass, replace
from functools import cached_property, partial, reduce
from typing import Any

from langchain_core.language_models import BaseLanguageModel
from langchain_core.output_parsers import BaseOutputParser
from langchain_core.prompts import BasePromptTemplate
from langchain_core.runnables import RunnableBinding, RunnableParallel, RunnableSequence
from langgraph.constants import START
from pydantic import BaseModel

from alto_lg.adapters.langgraph import analysis
from alto_lg.adapters.langgraph.analysis.constructors import pydantic_is_plain
from alto_lg.adapters.langgraph.internals import (
    BranchSpec,
    ChannelWrite,
    Pregel,
    PregelNode,
    RunnableCallable,
)
from alto_lg.adapters.langgraph.wiring import Wiring
from alto_lg.engine.facts import CodeFacts, Evidence, Fact, Keys, nothing, opaque
from alto_lg.engine.plan import Stage
from alto_lg.hints import STREAMING, Hint, hint_of
from alto_lg.readings import First, PerGroup, Reading, Stream, readings_of

_START_FACTS = CodeFacts(
    reads=nothing("it only hands the input on", Evidence.SCHEMA),
    writes=Fact(Keys.every(), Evidence.SCHEMA, "the input may have every key"),
    goto=nothing("it only hands the input on", Evidence.SCHEMA),
    mutates=nothing("it only hands the input on", Evidence.SCHEMA),
    triggers=Keys.of(),
)
"""The hidden node that every run begins with."""


def function_of(bound: object) -> Any | None:
    """The live function of a node or router that is one; None for any other runnable."""
    if isinstance(bound, RunnableCallable):
        return bound.func if bound.func is not None else bound.afunc
    function = getattr(bound, "func", None) or getattr(bound, "afunc", None)
    return function if type(bound).__name__ == "RunnableLambda" else None


def declared(name: str, node: PregelNode, hints: Mapping[str, Hint]) -> Hint | None:
    """What the user declared about a node: by `accelerate(hints=…)`, else on its function."""
    return hints.get(name) or hint_of(function_of(node.bound))


def stage_of(name: str, graph: Pregel, wiring: Wiring, hint: Hint | None, *, predicted: bool = False) -> Stage:
    """Everything that is known of one node. predicted: its updates so far are."""
    node = graph.nodes[name]
    schema = wiring.input_keys(node)
    state = _state_class(node)
    facts = _code_facts(node, schema)
    groups_at = None
    for reading in readings_of(function_of(node.bound)).values():
        if isinstance(reading, PerGroup):
            groups_at = reading.level
            if reading.groups is not None:
                named = analysis.router_facts(reading.groups, schema_keys=schema)
                facts = replace(facts, reads=facts.reads | named.reads)
    if runs_code(state):
        facts = replace(facts, reads=_OWN_STATE)
    routers = [_Router.of(branch, wiring, branch.input_schema or state) for branch in branches_of(node)]
    handler = graph.nodes.get(node.error_handler_node) if node.error_handler_node else None
    if handler is not None:  # it runs in the step of the node that failed, and in its stead
        facts |= _code_facts(handler, schema)
        routers += [_Router.of(branch, wiring, branch.input_schema or state) for branch in branches_of(handler)]
    # An error handler ends its branch, or leads elsewhere.
    certain = wiring.certain_successors(node) if handler is None else frozenset()
    goto = _declared_or_code(facts.goto, wiring.declared_targets(node))
    anywhere = wiring.nodes - {START}  # to which LangGraph lets nobody go
    successors = wiring.certain_successors(node) | wiring.joined_successors(node) | goto.keys.within(anywhere)
    successors = successors.union(*(router.targets.keys.within(anywhere) for router in routers))
    if handler is not None:
        successors |= wiring.certain_successors(handler) | wiring.joined_successors(handler)
    by_name = facts.triggers | reduce(Keys.__or__, (router.triggers for router in routers), Keys.of())
    triggers = successors & (certain | wiring.joined_successors(node) | by_name.within(anywhere))
    sends = goto.keys.within(anywhere).union(*(router.targets.keys.within(anywhere) for router in routers))
    if handler is not None:
        triggers = sends = successors
    writes = _within(reduce(Fact.__or__, (r.writes for r in routers if r.writes.keys), facts.writes), wiring.keys)
    fresh = _changed_by_fresh_reads(writes, wiring) if routers else nothing("it has no conditional edge")
    has_partials = predicted or hasattr(function_of(node.bound), STREAMING)
    no_promises = _no_promises(routers, fresh)
    unfinished, read_notes = _unfinished(node, wiring)
    stage = Stage(
        name=name,
        reads=_within(facts.reads, schema),
        route_reads=_union((router.reads for router in routers), "it has no conditional edge"),
        writes=writes,
        mutates=_union([facts.mutates, fresh, *(router.mutates for router in routers)], facts.mutates.why),
        certain=certain,
        successors=successors,
        triggers=triggers,
        sends=sends,
        successors_why=_union([goto, *(router.targets for router in routers)], "edges").why,
        never_early=_never_early(node, wiring, [fresh, *(router.mutates for router in routers)]),
        deferred=wiring.is_deferred(node),
        streams=has_partials and no_promises is None,
        unfinished=unfinished,
        groups_at=groups_at,
        notes=(*(_streaming_note(no_promises) if has_partials else ()), *read_notes),
        touches_store=facts.store or any(router.store for router in routers),
        may_interrupt=facts.interrupts or any(router.interrupts for router in routers),
        gate_at_start=(bool(node.subgraphs) or isinstance(node.bound, Pregel)) and bool(routers),
        mutates_outside=facts.mutates_outside or any(router.mutates_outside for router in routers),
        assigns=facts.assigns,
        leaks=reduce(Keys.__or__, (router.leaks for router in routers), facts.leaks),
        advice=facts.advice,
    )
    return _with_hint(stage, hint) if hint is not None else stage


_OWN_STATE = Fact(Keys.every(), Evidence.CODE, "its state class runs code of its own, which may look at every key")


def _state_class(node: PregelNode) -> type | None:
    """The class that a node's input is made an instance of; None for a plain dict."""
    mapper = node.mapper
    found = mapper.args[0] if isinstance(mapper, partial) and mapper.args else None
    return found if isinstance(found, type) else None


def runs_code(state: type | None) -> bool:
    """Whether making or reading an instance of a state class runs code of the user's (validators, properties)."""
    if state is None:
        return False
    if any(isinstance(value, property | cached_property) for base in state.__mro__ for value in _own(base).values()):
        return True
    if issubclass(state, BaseModel):
        return not pydantic_is_plain(state)
    hooks = ("__post_init__", "__getattr__", "__getattribute__", "__init__", "__new__")
    generated = "__init__" if is_dataclass(state) else ""
    return any(hook in _own(base) and hook != generated for base in state.__mro__ for hook in hooks)


def _own(base: type) -> dict[str, object]:
    """What a class of the user's defines itself."""
    return {} if base.__module__.startswith(("builtins", "pydantic", "typing")) else dict(vars(base))


def branches_of(node: PregelNode) -> list[BranchSpec]:
    """The conditional edges that leave a node."""
    specs = (getattr(writer.func, "__self__", None) for writer in node.writers if isinstance(writer, RunnableCallable))
    return [spec for spec in specs if isinstance(spec, BranchSpec)]


def _code_facts(node: PregelNode, schema: frozenset[str]) -> CodeFacts:
    bound = node.bound
    if node.channels == START:
        return _START_FACTS
    if isinstance(bound, Pregel):
        return _subgraph_facts(_as_made(bound), schema)
    function = function_of(bound)
    if function is None:
        unseen = opaque(f"its code is a {type(bound).__name__}, which is not analysed")
        return replace(unseen, interrupts=_may_run_own_code(bound))
    facts = analysis.node_facts(function, schema_keys=schema)
    other = getattr(bound, "afunc", None)
    if other is not function and hasattr(other, "__code__"):  # a node with an implementation for each colour
        facts |= analysis.node_facts(other, schema_keys=schema)
    return facts


def _may_run_own_code(runnable: object) -> bool:
    """Whether a runnable may call a function of the user's; prompts, models and parsers of libraries do not."""
    if isinstance(runnable, RunnableSequence):
        return any(_may_run_own_code(step) for step in runnable.steps)
    if isinstance(runnable, RunnableParallel):
        return any(_may_run_own_code(step) for step in runnable.steps__.values())
    if isinstance(runnable, RunnableBinding):
        return _may_run_own_code(runnable.bound)
    library = type(runnable).__module__.startswith("langchain")
    return not (library and isinstance(runnable, BaseLanguageModel | BasePromptTemplate | BaseOutputParser))


def _as_made(graph: Pregel) -> Pregel:
    """The graph that an accelerated one was made from: its nodes are the user's code, without our checks around it."""
    acceleration = getattr(graph.nodes, "acceleration", None)
    return graph if acceleration is None else acceleration.original


def _subgraph_facts(graph: Pregel, schema: frozenset[str]) -> CodeFacts:
    """A subgraph shares values with its caller, and what its nodes may do to them it may do."""
    outputs = graph.output_channels
    names = frozenset([outputs] if isinstance(outputs, str) else outputs)
    wiring = Wiring(graph)
    inner = [_code_facts(node, wiring.input_keys(node)) for node in graph.nodes.values()]
    inputs = wiring.keys if "__start__" in graph.nodes else schema
    leaving = Keys.of()
    for facts in inner:
        named = facts.goto.keys.names
        leaving |= Keys.every() if named is None else Keys(named - set(graph.nodes))
    mutates = wiring.reducers.any_in_place or any(facts.mutates.keys for facts in inner)
    parent_writes = bool(leaving)  # Command(graph=Command.PARENT) may carry an update
    return CodeFacts(
        reads=Fact(Keys.of(inputs), Evidence.SCHEMA, "the keys that it shares with its subgraph"),
        writes=Fact(Keys.every() if parent_writes else Keys.of(names), Evidence.SCHEMA, "the outputs of its subgraph"),
        goto=Fact(leaving, Evidence.CODE, "what its subgraph's nodes may go to"),
        mutates=Fact(Keys.every() if mutates else Keys.of(), Evidence.CODE, "what its subgraph's nodes may change"),
        triggers=leaving,
        mutates_outside=any(facts.mutates_outside for facts in inner),
        assigns=False,  # a subgraph's state is its own
        leaks=reduce(Keys.__or__, (facts.leaks for facts in inner), Keys.of()),
        interrupts=any(facts.interrupts for facts in inner),
        store=any(facts.store for facts in inner),
    )


@dataclass(frozen=True, slots=True)
class _Router:
    """What is known of one conditional edge."""

    reads: Fact
    writes: Fact
    targets: Fact
    triggers: Keys
    mutates: Fact
    mutates_outside: bool
    leaks: Keys
    interrupts: bool
    store: bool

    @classmethod
    def of(cls, branch: BranchSpec, wiring: Wiring, state: type | None) -> _Router:
        schema = wiring.keys
        function = function_of(branch.path)
        if function is None:
            facts = opaque(f"its router is a {type(branch.path).__name__}, which is not analysed")
        else:
            facts = analysis.router_facts(function, schema_keys=schema)
        ends = None if branch.ends is None else frozenset(branch.ends.values())
        if ends is not None:  # labels are not names: LangGraph maps them, and refuses what is not in the map
            named = facts.goto.keys.names or frozenset()
            goto = Fact(Keys(ends | (named & wiring.nodes)), Evidence.SCHEMA, "its path map")
        else:
            goto = facts.goto
        return cls(
            reads=_within(_OWN_STATE if runs_code(state) else facts.reads, schema),
            writes=facts.writes,
            targets=goto,
            triggers=facts.triggers if branch.ends is None else _mapped(facts.triggers, branch.ends),
            mutates=facts.mutates,
            mutates_outside=facts.mutates_outside,
            leaks=facts.leaks,
            interrupts=facts.interrupts,
            store=facts.store,
        )


def _mapped(labels: Keys, ends: Mapping[Hashable, str]) -> Keys:
    """The nodes that labels stand for in a path map."""
    if labels.names is None:
        return Keys(frozenset(ends.values()))
    return Keys(frozenset(ends[label] for label in labels.names if label in ends))


def _declared_or_code(code: Fact, ends: frozenset[str] | None) -> Fact:
    """Destinations declared for LangGraph's drawing narrow what the code leaves open; the commit checks them."""
    if code.keys.is_every and ends is not None:
        return Fact(Keys(ends), Evidence.SCHEMA, "the destinations declared for it")
    return code


def _changed_by_fresh_reads(writes: Fact, wiring: Wiring) -> Fact:
    """For a conditional edge LangGraph applies the node's own writes to a copy of each channel, not of its value."""
    changed = frozenset(key for key in writes.keys.within(wiring.keys) if wiring.reducers.reduces_in_place(key))
    return Fact(Keys(changed), Evidence.CODE, "its conditional edge runs a reducer that may change a value in place")


def _no_promises(routers: list[_Router], fresh: Fact) -> str | None:
    """Why a node's conditional edge cannot be asked what it would send, before the node has ended."""
    if not routers:
        return None
    if len(routers) > 1:  # the places of what two edges send depend on how much the first one sends in the end
        return "it has two conditional edges"
    if fresh.keys:
        return fresh.why
    (router,) = routers
    if router.mutates.keys or router.writes.keys:
        return "its conditional edge may change the state"
    if router.interrupts or router.store:
        return "its conditional edge may pause the run, or touch the store"
    return None


def _streaming_note(no_promises: str | None) -> tuple[str]:
    if no_promises is None:
        return ("streams: what its updates so far lead to starts while it goes on",)
    return (f"streams to nobody: {no_promises}",)


def _unfinished(node: PregelNode, wiring: Wiring) -> tuple[frozenset[str], tuple[str, ...]]:
    """The keys that it reads in part, or piece by piece, and that can be given in part; and what to say of each."""
    function = function_of(node.bound)
    readings = readings_of(function)
    why_not = {key: _not_in_part(key, spec, function, wiring) for key, spec in readings.items()}
    notes = tuple(
        f"waits for all of {key}: {why_not[key]}" if why_not[key] else f"takes {key} in part: {spec}"
        for key, spec in readings.items()
    )
    return frozenset(key for key, reason in why_not.items() if not reason), notes


def _not_in_part(key: str, spec: Reading, function: object, wiring: Wiring) -> str | None:
    grows = wiring.reducers.appends(key) or (isinstance(spec, Stream) and wiring.reducers.commutes(key))
    if not grows:
        return "it is no list that only grows (operator.add, reducers.concatenate)"
    if not (isinstance(spec, First) or inspect.iscoroutinefunction(function)):
        return "a plain function cannot wait for more; make it async"
    return None


def _never_early(node: PregelNode, wiring: Wiring, changed_by_routers: list[Fact]) -> str | None:
    if wiring.is_deferred(node):
        return "it is deferred to the end of the run"
    if node.is_error_handler or node.error_handler_node:
        return "it has to do with error handling, which belongs to its own step"
    if node.cache_policy is not None:
        return "its cache is consulted when its step begins"
    if any(changed.keys for changed in changed_by_routers):
        return "its conditional edge may change a value of the state in place"
    if any(not isinstance(writer, ChannelWrite | RunnableCallable) for writer in node.writers):
        return "it has a writer that is not known"
    return None


def _with_hint(stage: Stage, hint: Hint) -> Stage:
    why = "declared with alto_lg.node or hints="
    if hint.reads is not None:
        stage = replace(stage, reads=Fact(Keys.of(hint.reads), Evidence.HINT, why))
    if hint.writes is not None:
        own = Fact(Keys.of(hint.writes), Evidence.HINT, why)
        stage = replace(
            stage,
            writes=own,
            mutates=Fact(own.keys & stage.mutates.keys, Evidence.HINT, why),
            mutates_outside=False,
            leaks=Keys.of(),
        )
    return replace(stage, barrier=hint.barrier, pure=hint.pure)


def _within(fact: Fact, universe: frozenset[str]) -> Fact:
    """Spell "every key" out over a schema, which is evidence of its own."""
    if fact.keys.is_every:
        return Fact(Keys(universe), fact.evidence, fact.why)
    return Fact(Keys(fact.keys.within(universe)), fact.evidence, fact.why)


def _union(facts: Iterable[Fact], otherwise: str) -> Fact:
    result = nothing(otherwise)
    for fact in facts:
        if fact.keys:
            result = fact if not result.keys else result | fact
    return result
