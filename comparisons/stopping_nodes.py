"""Nodes that have read enough: one for each colour and kind, and the clients whose streams they read.

Always true: nobody closes anything. The node leaves its loop by `break`, and that is all.
"""

from __future__ import annotations

import asyncio
import functools
import operator
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from typing import Annotated, Any, Protocol, TypedDict

import openai

import alto_lg
from alto_lg import split
from alto_lg.apps.factool import prompts

LINES_READ = 2
_LINES = 12
_TEXT = " ".join(f"Number {number} is a claim that the server has to write out." for number in range(_LINES))
_WORKS_ON_S = 10.0


class State(TypedDict, total=False):
    """What the node has read."""

    lines: Annotated[list[str], operator.add]


class Watched(Protocol):
    """Whoever wants to know that the node has read enough, and says when it may end."""

    @property
    def free(self) -> Any: ...

    def watch(self) -> None: ...


@dataclass(frozen=True, slots=True)
class Reading:
    """What a node reads. slot: None for reading to the end and ignoring the rest."""

    base_url: str
    model: str
    slot: Watched | None

    def wants(self, lines: int) -> bool:
        """Whether to read on."""
        return self.slot is None or lines < LINES_READ


@dataclass(frozen=True, slots=True)
class Client:
    """A library, and what it gives for a request: something to iterate, or to await and iterate."""

    name: str
    is_async: bool
    open: Callable[[Reading], Any]


def node_of(client: Client, reading: Reading, *, streams: bool) -> Callable[..., Any]:
    """The node of one kind and of the client's colour."""
    make = (
        (_async_streaming if streams else _async_ordinary)
        if client.is_async
        else (_streaming if streams else _ordinary)
    )
    return make(client, reading)


def _ordinary(client: Client, reading: Reading) -> Callable[..., Any]:
    def read(state: State) -> dict[str, Any]:
        found = []
        for line in split.lines(client.open(reading)):
            found.append(line)
            if not reading.wants(len(found)):
                break
        _work_on(reading)
        return {"lines": found[:LINES_READ]}

    return read


def _streaming(client: Client, reading: Reading) -> Callable[..., Any]:
    @alto_lg.streaming
    def read(state: State) -> Iterator[dict[str, Any]]:
        for place, line in enumerate(split.lines(client.open(reading)), 1):
            if place <= LINES_READ:
                yield {"lines": [line]}
            if not reading.wants(place):
                break
        _work_on(reading)

    return read


def _async_ordinary(client: Client, reading: Reading) -> Callable[..., Any]:
    async def read(state: State) -> dict[str, Any]:
        found = []
        async for line in split.lines(await client.open(reading)):
            found.append(line)
            if not reading.wants(len(found)):
                break
        await _work_on_async(reading)
        return {"lines": found[:LINES_READ]}

    return read


def _async_streaming(client: Client, reading: Reading) -> Callable[..., Any]:
    @alto_lg.streaming
    async def read(state: State) -> AsyncIterator[dict[str, Any]]:
        place = 0
        async for line in split.lines(await client.open(reading)):
            place += 1
            if place <= LINES_READ:
                yield {"lines": [line]}
            if not reading.wants(place):
                break
        await _work_on_async(reading)

    return read


def _work_on(reading: Reading) -> None:
    if reading.slot is not None:
        reading.slot.watch()
        reading.slot.free.wait(_WORKS_ON_S)


async def _work_on_async(reading: Reading) -> None:
    if reading.slot is not None:
        reading.slot.watch()
        await asyncio.to_thread(reading.slot.free.wait, _WORKS_ON_S)


def _openai(reading: Reading) -> Any:
    return _client(openai.OpenAI, reading.base_url).chat.completions.create(
        model=reading.model, messages=_asked(), stream=True
    )


async def _openai_async(reading: Reading) -> Any:
    return await _client(openai.AsyncOpenAI, reading.base_url).chat.completions.create(
        model=reading.model, messages=_asked(), stream=True
    )


@functools.cache
def _client(kind: Callable[..., Any], base_url: str) -> Any:
    return kind(base_url=base_url, api_key="not-needed")


def _langchain(reading: Reading) -> Any:
    return _chat_model(reading).stream(_asked())


async def _langchain_async(reading: Reading) -> Any:
    return _chat_model(reading).astream(_asked())


def _chat_model(reading: Reading) -> Any:
    from langchain_openai import ChatOpenAI

    return ChatOpenAI(base_url=reading.base_url, api_key=lambda: "not-needed", model=reading.model)


def _asked() -> Any:
    return prompts.extracting(_TEXT)


CLIENTS = (
    Client("openai", False, _openai),
    Client("openai, async", True, _openai_async),
    Client("langchain-openai", False, _langchain),
    Client("langchain-openai, async", True, _langchain_async),
)
