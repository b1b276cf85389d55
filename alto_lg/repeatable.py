"""Repeatable: a tool that may run again, or for nothing, so that it may start before its step."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from types import FunctionType
from typing import TYPE_CHECKING, Any, TypeVar, cast

if TYPE_CHECKING:
    from langchain_core.tools import BaseTool

Declarable = TypeVar("Declarable", bound="Callable[..., Any] | BaseTool")


def repeatable(tool: Declarable) -> Declarable:
    """Declare that a tool may run more than once, and for nothing: then it starts while the model is still writing.

        @tool
        @alto_lg.repeatable
        async def search(query: str) -> str: ...

        fetch = alto_lg.repeatable(fetch)  # a tool that somebody else made

    In an accelerated graph such a tool begins when the arguments of its call are complete in the model's stream, though
    the message, and the step, are not finished. The step that runs the call takes the result; if no step runs it (the
    model's message broke off, a person rejected the call, a router went elsewhere), it was for nothing. So its result
    must depend on its arguments, the context and the config of the run alone, and nobody must mind that it ran: it
    reads, or it writes what may be written twice.

    On the function of a node that is placed on workers (`accelerate(graph, placement=…)`) it says that a firing whose
    worker died may run again on another one.

    On plain LangGraph, and for a call that has no early result, the tool is what it was.

    Returns:
        The same kind of object: a function, or a tool of the same type that shares its fields with the one given.

    Raises:
        TypeError: It is neither a function nor a tool.
    """
    from langchain_core.tools import BaseTool

    from alto_lg.adapters.langgraph.tools import answering_tool, repeatable_function

    if isinstance(tool, BaseTool):
        return cast(Declarable, answering_tool(tool, declared=True))
    generates = inspect.isgeneratorfunction(tool) or inspect.isasyncgenfunction(tool)
    if isinstance(tool, FunctionType) and not generates:
        return cast(Declarable, repeatable_function(tool))
    kind = tool.__name__ if isinstance(tool, type) else type(tool).__name__
    raise TypeError(
        f"alto_lg.repeatable got {kind}, which is neither a function nor a tool: decorate the function under @tool, or "
        "pass the tool itself, as in search = alto_lg.repeatable(search)"
    )
