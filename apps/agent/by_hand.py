"""The agent by hand: a loop, the openai client, and each tool as soon as its call is whole.

Owns what a person would write who wants it as soon as it can be. Always true: its messages are those of the graphs, in
their order; every tool that was started has ended, or was cancelled, when a run is over.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from langchain_core.messages import (
    AIMessage,
    AnyMessage,
    HumanMessage,
    SystemMessage,
    ToolMessage,
    convert_to_openai_messages,
)
from langchain_core.tools import BaseTool
from langchain_core.utils.function_calling import convert_to_openai_tool
from openai import AsyncOpenAI

from alto_lg.adapters.watching import ToolCallDelta
from alto_lg.apps.agent.prompts import SYSTEM
from alto_lg.apps.agent.recording import CallNotes
from alto_lg.apps.base import ModelEndpoint

TOOLS_NODE = "tools"


@dataclass(slots=True)
class _Answer:
    """One answer of the model while it is written. tools: by the ids of their calls."""

    notes: CallNotes = field(default_factory=CallNotes)
    text: list[str] = field(default_factory=list)
    calls: list[dict[str, Any]] = field(default_factory=list)
    tools: dict[str, asyncio.Task[str]] = field(default_factory=dict)


class ByHand:
    """The agent as a program."""

    def __init__(self, endpoint: ModelEndpoint, tools: Sequence[BaseTool]) -> None:
        self._client = AsyncOpenAI(base_url=endpoint.base_url, api_key=endpoint.api_key)
        self._model = endpoint.model
        self._tools = {tool.name: tool for tool in tools}
        self._offered: list[Any] = [convert_to_openai_tool(tool) for tool in tools]

    async def run(self, given: Mapping[str, Any], told: Callable[[str], None]) -> Mapping[str, Any]:
        """The messages of a run, from the question to the answer."""
        messages: list[AnyMessage] = [HumanMessage(one["content"]) for one in given["messages"]]
        try:
            async with asyncio.TaskGroup() as group:
                while True:
                    answer = await self._ask(messages, group, told)
                    messages.append(AIMessage("".join(answer.text), tool_calls=answer.calls))
                    if not answer.calls:
                        return {"messages": messages}
                    for call in answer.calls:
                        content = await answer.tools[call["id"]]
                        messages.append(ToolMessage(content, tool_call_id=call["id"], name=call["name"]))
        except ExceptionGroup as failed:
            raise failed.exceptions[0] from None

    async def _ask(
        self, messages: Sequence[AnyMessage], group: asyncio.TaskGroup, told: Callable[[str], None]
    ) -> _Answer:
        answer = _Answer()
        asked: Any = convert_to_openai_messages([SystemMessage(SYSTEM), *messages])
        stream = await self._client.chat.completions.create(
            model=self._model, messages=asked, tools=self._offered, stream=True
        )
        async with stream:
            async for chunk in stream:
                for choice in chunk.choices:
                    answer.text.append(choice.delta.content or "")
                    for piece in choice.delta.tool_calls or ():
                        self._hear(answer, piece, group, told)
        answer.notes.end(answer.calls)
        return answer

    def _hear(self, answer: _Answer, piece: Any, group: asyncio.TaskGroup, told: Callable[[str], None]) -> None:
        function = piece.function
        name, arguments = (function.name, function.arguments or "") if function else (None, "")
        delta = ToolCallDelta(piece.index, piece.id, name, arguments)
        for call in answer.notes.feed(delta):
            assert call.id is not None, "a call of OpenAI's protocol has an id"
            answer.calls.append({"name": call.name, "args": call.arguments, "id": call.id})
            task = group.create_task(self._work(call.name, call.arguments))
            task.add_done_callback(lambda _: told(TOOLS_NODE))
            answer.tools[call.id] = task

    async def _work(self, name: str, arguments: Mapping[str, Any]) -> str:
        tool = self._tools.get(name)
        if tool is None:
            return f"There is no tool {name!r}; there are {', '.join(self._tools)}."
        return str(await tool.coroutine(**arguments))  # type: ignore[attr-defined]
