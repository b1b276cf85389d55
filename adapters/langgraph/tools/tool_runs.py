"""Tool runs: which call of a message each execution of a tool belongs to.

Always true: the id is known before the tool's own code runs, and forgotten when it has ended.
"""

from __future__ import annotations

from typing import Any
from uuid import UUID

from langchain_core.callbacks import BaseCallbackHandler


class ToolRuns(BaseCallbackHandler):
    """Hears of the tools of a run. call_ids: of those under way, by LangChain's run id."""

    run_inline = True  # it must have heard before the tool runs
    ignore_llm = ignore_chain = ignore_retriever = ignore_retry = ignore_custom_event = ignore_chat_model = True

    def __init__(self) -> None:
        self.call_ids: dict[UUID, str] = {}

    def on_tool_start(
        self, serialized: Any, input_str: str, *, run_id: UUID, tool_call_id: str | None = None, **options: Any
    ) -> None:
        if tool_call_id is not None:
            self.call_ids[run_id] = tool_call_id

    def on_tool_end(self, output: Any, *, run_id: UUID, **options: Any) -> None:
        self.call_ids.pop(run_id, None)

    def on_tool_error(self, error: BaseException, *, run_id: UUID, **options: Any) -> None:
        self.call_ids.pop(run_id, None)
