"""Methods of LangChain and LangGraph that early tools rely on, though they are nobody's promise."""

from __future__ import annotations

import inspect

from langchain_core.runnables.config import set_config_context, var_child_runnable_config
from langchain_core.tools import BaseTool, StructuredTool, tool
from langgraph.prebuilt import ToolNode

from alto_lg.adapters.langgraph.tools.answering import RUNS_TWINS


def _parameters(function: object) -> list[str]:
    return list(inspect.signature(function).parameters)  # type: ignore[arg-type]


def test_a_tool_node_executes_its_tools_in_two_methods_of_its_own() -> None:
    assert RUNS_TWINS
    for name in ("_execute_tool_sync", "_execute_tool_async"):
        assert _parameters(getattr(ToolNode, name)) == ["self", "request", "input_type", "config"]


def test_a_tool_makes_arguments_of_its_input_in_one_method() -> None:
    assert _parameters(BaseTool._to_args_and_kwargs) == ["self", "tool_input", "tool_call_id"]

    @tool
    def add(a: int, b: int = 2) -> int:
        """Add."""
        return a + b

    assert add._to_args_and_kwargs({"a": "1"}, None) == ((), {"a": 1, "b": 2})


def test_a_tool_runs_in_two_methods() -> None:
    for kind in (BaseTool, StructuredTool):
        assert inspect.iscoroutinefunction(kind._arun)
        assert not inspect.iscoroutinefunction(kind._run)


def test_a_tool_runs_under_a_config_whose_callbacks_are_its_own() -> None:
    seen: list[object] = []

    @tool
    def look() -> str:
        """Look at the config."""
        config = var_child_runnable_config.get()
        assert config is not None
        seen.append(config["callbacks"].parent_run_id)  # type: ignore[union-attr]
        return ""

    with set_config_context({"configurable": {}}) as context:
        context.run(look.invoke, {})
    assert seen != [None]
