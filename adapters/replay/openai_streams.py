"""Streams that a prediction gets in the place of the openai client's: the chunks are there already."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Sequence
from typing import Any


class _NoResponse:
    """What the streams of the client have for their HTTP response; there is nothing to be closed."""

    headers: dict[str, str] = {}  # noqa: RUF012 -- never written

    def close(self) -> None:
        """Nothing is open."""

    async def aclose(self) -> None:
        """Nothing is open."""


class AnsweredStream:
    """For the sync client."""

    def __init__(self, chunks: Sequence[Any]) -> None:
        self.response = _NoResponse()
        self._chunks = iter(chunks)

    def __iter__(self) -> Iterator[Any]:
        return self._chunks

    def __next__(self) -> Any:
        return next(self._chunks)

    def __enter__(self) -> AnsweredStream:
        return self

    def __exit__(self, *failure: object) -> None:
        """Nothing is open."""

    def close(self) -> None:
        """Nothing is open."""


class AnsweredAsyncStream:
    """For the async client."""

    def __init__(self, chunks: Sequence[Any]) -> None:
        self.response = _NoResponse()
        self._chunks = iter(chunks)

    def __aiter__(self) -> AsyncIterator[Any]:
        return self

    async def __anext__(self) -> Any:
        for chunk in self._chunks:
            return chunk
        raise StopAsyncIteration

    async def __aenter__(self) -> AnsweredAsyncStream:
        return self

    async def __aexit__(self, *failure: object) -> None:
        """Nothing is open."""

    async def close(self) -> None:
        """Nothing is open."""

    async def aclose(self) -> None:
        """Nothing is open."""
