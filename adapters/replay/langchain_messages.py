"""Messages of LangChain: chunks put together, and cut where an item ends.

Always true: a message that is cut says what the model would have said if it had ended there; no object of it is one
that the node has been given.
"""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import Any

from langchain_core.messages import AIMessageChunk
from pydantic import BaseModel

from alto_lg.adapters.replay.cuts import Cut


def merged(first: AIMessageChunk, others: Sequence[AIMessageChunk]) -> AIMessageChunk:
    """Several chunks as one."""
    if not others:
        return first
    whole = first + list(others)
    assert isinstance(whole, AIMessageChunk)
    return whole


def shortened(message: AIMessageChunk, channel: Any, cut: Cut, schema: Any) -> AIMessageChunk:
    """The message up to a cut, closed. channel: the index of the tool call that is cut; None for the text.

    schema: the Pydantic class that the text is to be of, which some clients parse it to themselves.
    """
    extra = {name: copy.deepcopy(value) for name, value in message.additional_kwargs.items() if name != "tool_calls"}
    content: Any = copy.deepcopy(message.content)
    calls = list(message.tool_call_chunks)
    if channel is None:
        content, text = _cut_content(content, cut)
        calls = []
        if isinstance(schema, type) and issubclass(schema, BaseModel):
            extra["parsed"] = schema.model_validate_json(text)
    else:
        place = next(place for place, call in enumerate(calls) if call["index"] == channel)
        arguments = (calls[place]["args"] or "")[: cut.length] + cut.closing
        calls = [*calls[:place], {**calls[place], "args": arguments}]
    told = {**copy.deepcopy(message.response_metadata), "finish_reason": "tool_calls" if calls else "stop"}
    return AIMessageChunk(
        content=content,
        additional_kwargs=extra,
        response_metadata=told,
        tool_call_chunks=calls,
        id=message.id,
        name=message.name,
    )


def _cut_content(content: Any, cut: Cut) -> tuple[Any, str]:
    """Content up to a cut: a text, or blocks of which some are texts."""
    if isinstance(content, str):
        text = content[: cut.length] + cut.closing
        return text, text
    left, kept, texts = cut.length, [], []
    for block in content:
        is_text = isinstance(block, str) or block.get("type") == "text"
        if not is_text:
            kept.append(block)
            continue
        piece: str = block if isinstance(block, str) else block["text"]
        is_last = len(piece) >= left
        part = piece[:left] + (cut.closing if is_last else "")
        kept.append(part if isinstance(block, str) else {**block, "text": part})
        texts.append(part)
        left -= len(piece)
        if is_last:
            break
    return kept, "".join(texts)
