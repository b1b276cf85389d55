"""Streaming: a node that yields partial updates, which may be worked on while it goes on."""

from __future__ import annotations

import contextlib
import functools
import inspect
from collections.abc import Callable
from typing import Any, TypeVar, cast

from langgraph.config import get_config

from alto_lg.adapters.langgraph.config_keys import PARTIALS
from alto_lg.adapters.langgraph.internals import CONF
from alto_lg.adapters.langgraph.partials import Folding, folding_for
from alto_lg.hints import STREAMING

NodeFunction = TypeVar("NodeFunction", bound=Callable[..., Any])


def streaming(function: NodeFunction) -> NodeFunction:
    """Make a node of a generator function: each `yield` is a partial update of the state.

        @alto_lg.streaming
        async def extract(state):
            async for claim in split.lines(model.astream(state["answer"])):
                yield {"claims": [claim]}

    On plain LangGraph it is an ordinary node: its partial updates are folded into one, keys with a reducer by that
    reducer, others by taking the last value. Accelerated, the node's conditional edge runs on each update so far, and
    each new `Send` of it starts at once. When the node has ended, the conditional edge runs as it always did: what it
    sends is compared, in order, with what was started; what differs is cancelled and dropped. So a router need not know
    about streaming, and the answer is LangGraph's.

    A partial update is a dict, a Command with an update and destinations, or None.

    Raises:
        TypeError: The function is no generator function.
    """
    if inspect.isasyncgenfunction(function):
        return cast(NodeFunction, _asynchronous(function))
    if inspect.isgeneratorfunction(function):
        return cast(NodeFunction, _synchronous(function))
    raise TypeError(
        f"alto_lg.streaming is for generator functions, and {getattr(function, '__name__', function)!r} is none: "
        "let it yield its updates one by one, or leave the decorator out"
    )


def _asynchronous(function: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(function)
    async def folded(*arguments: Any, **options: Any) -> Any:
        folding, announce = _begin(function)
        async with contextlib.aclosing(function(*arguments, **options)) as partials:
            async for partial in partials:
                folding.add(partial)
                if announce is not None:
                    await announce.arrived(folding.result)
        return folding.result

    setattr(folded, STREAMING, function)
    return folded


def _synchronous(function: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(function)
    def folded(*arguments: Any, **options: Any) -> Any:
        folding, announce = _begin(function)
        with contextlib.closing(function(*arguments, **options)) as partials:
            for partial in partials:
                folding.add(partial)
                if announce is not None:
                    announce.arrived_in_thread(folding.result)
        return folding.result

    setattr(folded, STREAMING, function)
    return folded


def _begin(function: Callable[..., Any]) -> tuple[Folding, Any]:
    try:
        config: Any = get_config()
    except RuntimeError:  # called outside of any graph
        config = {}
    return folding_for(function), config.get(CONF, {}).get(PARTIALS)
