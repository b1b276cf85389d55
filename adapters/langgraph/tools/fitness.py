"""Fitness: whether the code of a tool could run before its step, by what it asks for and what it names.

Always true: a tool that asks for the state, the store or the runtime, that may pause the run, or that says it returns a
Command is unfit. What cannot be seen here is seen when it runs early (`surroundings.py`), and then counts for good.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from types import CodeType, FunctionType
from typing import Any, get_args, get_origin, get_type_hints

from langchain_core.tools import BaseTool, InjectedToolArg, InjectedToolCallId
from langgraph.prebuilt import ToolRuntime
from langgraph.types import Command, interrupt

from alto_lg.adapters.langgraph.tools.answering import functions_of, is_of_mcp


def why_unfit(tool: BaseTool) -> str | None:
    """Why a tool that may run again must not start early all the same; None if nothing speaks against it."""
    functions = functions_of(tool) or [type(tool)._run, type(tool)._arun]
    try:
        hints = [get_type_hints(function, include_extras=True) for function in functions]
    except Exception as error:
        return f"its annotations cannot be read ({type(error).__name__}: {error})"
    if not any(map(is_of_mcp, functions)):  # which are all declared alike, whatever their servers do
        if any(_mentions(found.pop("return", None), Command) for found in hints):
            return "it returns a Command"
        fields = getattr(tool.args_schema, "model_fields", {})
        declared = [(name, part) for name, field in fields.items() for part in (field.annotation, *field.metadata)]
        for name, hint in [*declared, *(item for found in hints for item in found.items())]:
            if _is_injected(hint):
                return f"LangGraph injects its argument {name!r}"
    if any(_may_interrupt(function) for function in functions):
        return "it may pause the run (interrupt)"
    if any(not callable(getattr(tool, name, None)) for name in ("_to_args_and_kwargs", "_run")):
        return "this version of langchain-core runs tools in another way"
    return None


def _is_injected(hint: Any) -> bool:
    for part in _parts(hint):
        kind = part if isinstance(part, type) else type(part)
        if issubclass(kind, InjectedToolArg) and not issubclass(kind, InjectedToolCallId):
            return True
        if issubclass(kind, ToolRuntime) or get_origin(part) is ToolRuntime:
            return True
    return False


def _mentions(hint: Any, wanted: type) -> bool:
    return any(part is wanted or get_origin(part) is wanted for part in _parts(hint))


def _parts(hint: Any) -> Iterator[Any]:
    yield hint
    for argument in get_args(hint):
        yield from _parts(argument)


def _may_interrupt(function: Callable[..., Any]) -> bool:
    """Whether the code of a function names LangGraph's `interrupt`."""
    plain = _unwrapped(function)
    if plain is None:
        return False
    names = set(_names(plain.__code__))
    cells = [cell.cell_contents for cell in plain.__closure__ or () if _is_filled(cell)]
    return any(plain.__globals__.get(name) is interrupt for name in names) or interrupt in [
        cell for cell in cells if callable(cell)
    ]


def _unwrapped(function: Any) -> FunctionType | None:
    while hasattr(function, "__wrapped__"):
        function = function.__wrapped__
    function = getattr(function, "__func__", function)
    return function if isinstance(function, FunctionType) else None


def _is_filled(cell: Any) -> bool:
    try:
        cell.cell_contents  # noqa: B018 -- raises
    except ValueError:
        return False
    return True


def _names(code: CodeType) -> Iterator[str]:
    yield from code.co_names
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _names(constant)
