"""Talkative: a graph with something for every stream mode, a subgraph included."""

from __future__ import annotations

import asyncio
from typing import Any

from dropin.shapes.base import Builder, Log, add_all, connect
from langchain_core.language_models import GenericFakeChatModel
from langchain_core.messages import AIMessage
from langgraph.config import get_stream_writer
from langgraph.graph import START

from surface.bench import Bench

MODES = ("values", "updates", "tasks", "checkpoints", "debug", "custom", "messages")


def speaker(bench: Bench, word: str, *, overtakes: bool = False) -> Any:
    """A node that streams a model's answer word by word, and a custom event before and after it."""
    overtaken, starts_early = bench.overtaken, overtakes
    if bench.colour == "async":

        async def speak(state: Log) -> dict[str, Any]:
            writer = get_stream_writer()
            writer({"from": word, "number": 1})
            await asyncio.sleep(0.1)
            model = GenericFakeChatModel(messages=iter([AIMessage(f"{word} speaks", id=f"said-{word}")]))
            said = await model.ainvoke("go")
            writer({"from": word, "number": 2})
            return {"log": [str(said.text)]}

        return speak

    def speak_at_once(state: Log) -> dict[str, Any]:
        if starts_early:
            overtaken.set()
        writer = get_stream_writer()
        writer({"from": word, "number": 1})
        model = GenericFakeChatModel(messages=iter([AIMessage(f"{word} speaks", id=f"said-{word}")]))
        said = model.invoke("go")
        writer({"from": word, "number": 2})
        return {"log": [str(said.text)]}

    return speak_at_once


def talkative(bench: Bench) -> Builder:
    """`after` may run while `slow` does; `inner` is a subgraph of two nodes in the last step."""
    inner = add_all(Log, {"one": bench.say("one"), "two": speaker(bench, "two")})
    connect(inner, (START, "one"), ("one", "two"))
    builder = add_all(
        Log,
        {
            "fast": speaker(bench, "fast"),
            "slow": bench.slow(),
            "after": speaker(bench, "after", overtakes=True),
        },
    )
    builder.add_node("inner", inner.compile())
    return connect(builder, (START, "fast"), (START, "slow"), ("fast", "after"), ("after", "inner"))
