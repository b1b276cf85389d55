"""Sources: the two that wait, one sync and one async, and that close what they read.

Always true: closing closes the iterator that is read and the object that it came from, for a stream of the openai
client the HTTP response, however far it was read.
"""

from __future__ import annotations

import inspect
from collections.abc import AsyncIterable, AsyncIterator, Iterable, Iterator, Mapping
from typing import Any

from alto_lg.adapters.deltas.endings import Take
from alto_lg.adapters.deltas.errors import SourceRefused
from alto_lg.adapters.deltas.reading import Reading


class TextSource:
    """The text deltas of a sync source."""

    def __init__(self, source: Iterable[Any], take: Take, accept: Iterable[str]) -> None:
        self._reading = Reading(source, take, accept)
        self._source = source
        self._events: Iterator[Any] = iter((source,) if isinstance(source, str) else source)

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        try:
            event = next(self._events)
        except StopIteration:
            self._reading.finish()
            raise
        except Exception as error:
            explained = self._reading.explained(error)
            if explained is None:
                raise
            raise explained from error
        return event if type(event) is str else self._reading.text_of(event)

    def close(self) -> None:
        for one in _distinct(self._events, self._source):
            close = getattr(one, "close", None)
            if close is not None:
                close()


class AsyncTextSource:
    """The text deltas of an async source."""

    def __init__(self, source: AsyncIterable[Any], take: Take, accept: Iterable[str]) -> None:
        self._reading = Reading(source, take, accept)
        self._source = source
        # A stream of the openai client is its own iterator; its __aiter__ would be one generator more to close.
        self._events: AsyncIterator[Any] = source if isinstance(source, AsyncIterator) else aiter(source)

    def __aiter__(self) -> AsyncIterator[str]:
        return self

    async def __anext__(self) -> str:
        try:
            event = await anext(self._events)
        except StopAsyncIteration:
            self._reading.finish()
            raise
        except Exception as error:
            explained = self._reading.explained(error)
            if explained is None:
                raise
            raise explained from error
        return event if type(event) is str else self._reading.text_of(event)

    async def aclose(self) -> None:
        for one in _distinct(self._events, self._source):
            close = getattr(one, "aclose", None) or getattr(one, "close", None)
            closing = None if close is None else close()
            if inspect.isawaitable(closing):
                await closing


def source_of(source: Any, take: Take, accept: Iterable[str]) -> TextSource | AsyncTextSource:
    """The text deltas of whatever may be split, or `SourceRefused`."""
    why_not = _why_no_source(source)
    if why_not is not None:
        raise SourceRefused(f"A {type(source).__name__} is no source of text deltas: {why_not}")
    if isinstance(source, AsyncIterable) and not isinstance(source, Iterable):
        return AsyncTextSource(source, take, accept)
    return TextSource(source, take, accept)


def _why_no_source(source: Any) -> str | None:
    if inspect.isawaitable(source):
        if inspect.iscoroutine(source):
            source.close()
        return "await it, and split what it gives."
    if isinstance(source, (bytes, bytearray, memoryview)):
        return "decode it first, for example by bytes.decode()."
    if hasattr(source, "iter_bytes") or hasattr(source, "iter_content"):
        return "pass its text (response.iter_text() of httpx), or better the stream of a model client."
    if isinstance(source, Mapping) or hasattr(type(source), "model_fields"):
        return "it is one whole object; pass its text, or ask for a stream (stream=True, or .stream())."
    if not isinstance(source, (Iterable, AsyncIterable)):
        return "pass an iterator or an async iterator (enter a stream's manager with `with` first)."
    return None


def _distinct(events: Any, source: Any) -> tuple[Any, ...]:
    return (events,) if events is source else (events, source)
