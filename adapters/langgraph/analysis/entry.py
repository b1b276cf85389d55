"""Entry: from a callable as LangGraph holds it to the facts about it.

Always true:
  the walk starts from the live callable with its own cells, defaults and bound arguments;
  whatever is no function of the user's is opaque, with the reason.
"""

from __future__ import annotations

import ast
import functools
import inspect
from collections.abc import Callable
from dataclasses import dataclass, replace
from types import FunctionType, MethodType

from langchain_core.runnables import Runnable, RunnableLambda, RunnableSequence
from langchain_core.runnables.config import run_in_executor

from alto_lg.adapters.langgraph.internals import KWARGS_CONFIG_KEYS, RunnableCallable, RunnableSeq
from alto_lg.batching import batching_of
from alto_lg.engine.facts import Advice, CodeFacts, Evidence, Fact, Keys, nothing, opaque, unknown
from alto_lg.hints import READINGS, STREAMING

from .advice import loops_of_awaits
from .attributes import class_attribute
from .batches import outputs_of, own_function
from .core import MOST_PASSES, Arguments
from .findings import CannotTell, Touched
from .known import Interpreter
from .library import is_user_code, name_of, own_package_of
from .scopes import Scope, Shape
from .updates import Outcome, node_outcome, router_outcome
from .values import NEVER, OUTSIDE, STATE, Injected, Live, Made, State, Value

# LangChain's RunnableLambda also gives `run_manager`.
_INJECTED = frozenset({"run_manager", *(name for name, *_ in KWARGS_CONFIG_KEYS)})
_EMPTY_SHAPE = Shape(frozenset(), frozenset(), frozenset(), frozenset(), frozenset(), False)


@dataclass(frozen=True, slots=True)
class Start:
    """A function to walk into: leading arguments that are already bound, and keywords.

    streams: a generator function, each of whose yields is an update.
    batches: it takes a list of what the node takes, and returns a list of what the node returns.
    """

    function: FunctionType
    leading: tuple[object, ...] = ()
    keywords: tuple[tuple[str, object], ...] = ()
    streams: bool = False
    batches: bool = False


def node_facts(function: object, *, schema_keys: frozenset[str]) -> CodeFacts:
    """What the live callable of a node may do."""
    return _facts(function, schema_keys, node_outcome, router=False)


def router_facts(function: object, *, schema_keys: frozenset[str]) -> CodeFacts:
    """What a conditional edge's path function reads, and where it may go."""
    return _facts(function, schema_keys, router_outcome, router=True)


OutcomeOf = Callable[[Interpreter, Value, str], Outcome]


def _facts(function: object, schema_keys: frozenset[str], outcome_of: OutcomeOf, *, router: bool) -> CodeFacts:
    with own_package_of(function):
        return _facts_within(function, schema_keys, outcome_of, router=router)


def _facts_within(function: object, schema_keys: frozenset[str], outcome_of: OutcomeOf, *, router: bool) -> CodeFacts:
    starts = unwrap(function)
    if isinstance(starts, str):
        return opaque(starts)
    if "__root__" in schema_keys:
        return opaque("the state has no keys of its own: it is one value")
    try:
        facts = [_facts_of(start, schema_keys, outcome_of, router=router) for start in starts]
    except CannotTell as reason:
        return replace(opaque(str(reason)), visible=True)
    except RecursionError:
        return opaque("its expressions are nested too deeply to analyse; declare its reads and writes")
    return functools.reduce(CodeFacts.__or__, facts)


def unwrap(function: object) -> list[Start] | str:
    """The functions behind a callable, or why there are none to read."""
    if isinstance(function, RunnableCallable | RunnableLambda):
        return _unwrap_pair(function)
    if isinstance(function, RunnableSeq | RunnableSequence):
        return "a sequence of runnables is not analysed; declare its reads and writes"
    if isinstance(function, Runnable):
        return f"{type(function).__name__} is a runnable of its own; declare its reads and writes"
    if isinstance(function, staticmethod | classmethod):
        return unwrap(function.__func__)
    if isinstance(function, functools.partial):
        return _unwrap_partial(function)
    if isinstance(function, MethodType):
        inner = function.__func__
        if isinstance(inner, FunctionType) and is_user_code(inner):
            return [Start(inner, (function.__self__,))]
        return f"{name_of(function)} is not code of this project"
    if isinstance(function, FunctionType):
        if READINGS in vars(function):
            return unwrap(inspect.unwrap(function, stop=lambda inner: READINGS not in vars(inner)))
        batching = batching_of(function)
        if batching is not None:
            starts = unwrap(own_function(batching.function))
            return starts if isinstance(starts, str) else [replace(start, batches=True) for start in starts]
        generator = vars(function).get(STREAMING)
        if isinstance(generator, FunctionType) and is_user_code(generator):
            return [Start(generator, streams=True)]
        if is_user_code(function):
            return [Start(function)]
        return f"{name_of(function)} is library code, whose effects are not known"
    call = class_attribute(type(function), "__call__")
    if isinstance(call, FunctionType) and is_user_code(call):
        return [Start(call, (function,))]
    return f"{name_of(function)} is not a Python function that can be read"


def _unwrap_pair(function: RunnableCallable | RunnableLambda[object, object]) -> list[Start] | str:
    """A runnable that holds a sync function, an async one, or both."""
    found: list[Start] = []
    extra = tuple(getattr(function, "kwargs", {}).items())
    for name in ("func", "afunc"):
        inner = getattr(function, name, None)
        if inner is None or _runs_the_sync_one(inner):
            continue
        starts = unwrap(inner)
        if isinstance(starts, str):
            return starts
        found += [replace(start, keywords=(*start.keywords, *extra)) for start in starts]
    return found or "it holds no function"


def _runs_the_sync_one(function: object) -> bool:
    """LangGraph's own async twin of a sync function."""
    return (
        isinstance(function, functools.partial)
        and function.func is run_in_executor
        and len(function.args) == 2
        and getattr(function, "__wrapped__", None) is function.args[1]
    )


def _unwrap_partial(function: functools.partial[object]) -> list[Start] | str:
    starts = unwrap(function.func)
    if isinstance(starts, str):
        return starts
    return [
        replace(
            start,
            leading=(*start.leading, *function.args),
            keywords=(*start.keywords, *function.keywords.items()),
        )
        for start in starts
    ]


def run(interpreter: Interpreter, start: Start, arguments: Arguments) -> Value:
    """Walk until nothing new is found; the value that the function gives."""
    where = ast.Pass(lineno=start.function.__code__.co_firstlineno, col_offset=0)
    code = start.function.__code__
    scope = Scope("function", ("start",), _EMPTY_SHAPE, code.co_filename, {}, {})
    result: Value = NEVER
    for _ in range(MOST_PASSES):
        interpreter.heap.changed = False
        followed = interpreter.follow_function(start.function, arguments, scope, where)
        if isinstance(followed, str):
            raise NotReadable(followed)
        result = followed
        if not interpreter.heap.changed:
            return result
    raise CannotTell("the code is too entangled to analyse; declare its reads and writes")


class NotReadable(Exception):
    """The function to start from has no verified source."""


def _facts_of(start: Start, schema_keys: frozenset[str], outcome_of: OutcomeOf, *, router: bool) -> CodeFacts:
    interpreter = Interpreter(schema_keys)
    arguments = _arguments(interpreter, start)
    if isinstance(arguments, str):
        return opaque(arguments)
    try:
        result = run(interpreter, start, arguments)
    except NotReadable as reason:
        return opaque(str(reason))
    code = start.function.__code__
    where = f"{code.co_filename.rsplit('/', 1)[-1]}:{code.co_firstlineno}"
    if start.streams:
        result = interpreter.elements_of_made(result)
    if start.batches:
        result = outputs_of(interpreter, result)
    outcome = outcome_of(interpreter, result, where)
    _note_returned(interpreter, result, outcome, where, router=router)
    return _collect(interpreter, outcome, where, router=router)


def _arguments(interpreter: Interpreter, start: Start) -> Arguments | str:
    """What LangGraph calls the function with."""
    try:
        parameters = list(inspect.signature(start.function, follow_wrapped=False).parameters.values())
    except (TypeError, ValueError):
        return "its signature cannot be read"
    leading = tuple(frozenset({Live(value)}) for value in start.leading)
    positional = [p for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
    starred = any(p.kind is p.VAR_POSITIONAL for p in parameters)
    if len(positional) <= len(leading) and not starred:
        return "no parameter is left to take the state"
    keywords: dict[str, Value] = {name: frozenset({Live(value)}) for name, value in start.keywords}
    optional: set[str] = set()
    taken = {p.name for p in positional[: len(leading) + 1]}
    for parameter in parameters:
        if parameter.name in taken | set(keywords) or parameter.kind in (
            parameter.VAR_POSITIONAL,
            parameter.VAR_KEYWORD,
        ):
            continue
        if parameter.name in _INJECTED or parameter.default is parameter.empty:
            keywords[parameter.name] = _injected(parameter.name)
            optional.add(parameter.name)
    if any(p.kind is p.VAR_KEYWORD for p in parameters):
        # A wrapper's `**kwargs` carry what LangGraph injects, by the signature that it shows.
        shown = inspect.signature(start.function).parameters
        for name in sorted(_INJECTED & set(shown) - taken - set(keywords)):
            keywords[name] = _injected(name)
            optional.add(name)
    given = STATE
    if start.batches:
        inputs = interpreter.heap.make(("inputs",), "list", "")
        interpreter.heap.add_elements(interpreter.heap.things[inputs.site], STATE)
        given = frozenset({inputs})
    return Arguments((*leading, given), keywords, NEVER, frozenset(optional))


def _injected(name: str) -> Value:
    if name in ("config", "runtime", "store", "writer"):
        return frozenset({Injected(name)})
    return OUTSIDE


def _note_returned(interpreter: Interpreter, result: Value, outcome: Outcome, where: str, *, router: bool) -> None:
    findings = interpreter.findings
    if outcome.may_run:
        findings.reads.add_every(outcome.may_run)
        findings.mutates.add_every(outcome.may_run)
        findings.assigns = findings.assigns or outcome.may_run
        findings.leaks.add_every(outcome.may_run)
        findings.store = findings.store or outcome.may_run
        interpreter.run_own_code(outcome.may_run)
        outcome.goto.add_every(outcome.may_run)
    if findings.leaves and not router:
        why = f"may run a graph that leaves by a Command of its own: {findings.leaves}"
        outcome.writes.add_every(why)
        outcome.goto.add_every(why)
    if findings.sends:
        outcome.writes.add_every(findings.sends)
    if _kept_objects(interpreter) & interpreter.heap.reach(result):
        # What it wrote is also held outside, where it may be changed when it is part of the state.
        for key in outcome.writes.keys:
            findings.leaks.add(key, f"keeps what it returns ({where})")
        if outcome.writes.every:
            findings.leaks.add_every(outcome.writes.every)
    if State() in interpreter.heap.reach(result) - result:
        findings.reads.add_every(f"returns the whole state inside another value ({where})")


def _kept_objects(interpreter: Interpreter) -> frozenset[Made]:
    """Changeable objects made by the code that something outside holds now."""
    kept = interpreter.heap.reach(interpreter.heap.slot(("outside",)))
    return frozenset(atom for atom in kept if isinstance(atom, Made))


def _collect(interpreter: Interpreter, outcome: Outcome, where: str, *, router: bool) -> CodeFacts:
    findings = interpreter.findings
    logged = f"; the use at {findings.quiet_reads} only logs" if findings.quiet_reads else ""
    reads = _fact(findings.reads, "reads", "reads nothing of the state", where, logged)
    writes = _fact(outcome.writes, "returns", "returns no update", where)
    return CodeFacts(
        reads=reads,
        writes=nothing(f"a router writes nothing ({where})") if router and not findings.sends else writes,
        goto=_fact(outcome.goto, "goes to", "goes nowhere by itself", where),
        triggers=Keys.every() if outcome.goto.every else Keys.of(outcome.named),
        mutates=_fact(findings.mutates, "may change", "changes no value in place", where, details=True),
        mutates_outside=bool(findings.changes_outside),
        assigns=bool(findings.assigns),
        leaks=Keys.every() if findings.leaks.every else Keys.of(findings.leaks.keys),
        interrupts=bool(findings.interrupts),
        store=bool(findings.store),
        advice=_advice(interpreter),
    )


def _fact(touched: Touched, verb: str, none: str, where: str, more: str = "", *, details: bool = False) -> Fact:
    if touched.every:
        if touched.proven:
            return Fact(Keys.every(), Evidence.CODE, touched.every)
        return unknown(touched.every)
    if not touched.keys:
        return nothing(f"{none} ({where}){more}")
    if details:
        why = "; ".join(touched.keys[name] for name in sorted(touched.keys))
        return Fact(Keys.of(touched.keys), Evidence.CODE, why)
    names = ", ".join(sorted(touched.keys))
    return Fact(Keys.of(touched.keys), Evidence.CODE, f"{verb} only {names} ({where}){more}")


def _advice(interpreter: Interpreter) -> tuple[Advice, ...]:
    found = [
        advice for node, filename in interpreter.function_nodes.values() for advice in loops_of_awaits(node, filename)
    ]
    return tuple(dict.fromkeys(found))
