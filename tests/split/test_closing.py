"""The source is closed as soon as nobody wants more of it."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import AsyncIterator, Callable, Iterator

import pytest
from langchain_openai import ChatOpenAI
from sim.loop import run

from alto_lg import split
from split.recorded import WHOLE, Server

RECORDING = WHOLE[0]
LINE = "Paris is the capital."


class Source:
    """An iterator of deltas that says how many it gave, and whether it was closed."""

    def __init__(self, *deltas: str) -> None:
        self._deltas = iter(deltas)
        self.given = 0
        self.is_closed = False

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        delta = next(self._deltas)
        self.given += 1
        return delta

    def close(self) -> None:
        self.is_closed = True


class AsyncSource:
    """The same, async. After its deltas it waits for ever."""

    def __init__(self, *deltas: str) -> None:
        self._deltas = list(deltas)
        self.is_closed = False

    def __aiter__(self) -> AsyncIterator[str]:
        return self

    async def __anext__(self) -> str:
        if not self._deltas:
            await asyncio.Event().wait()
        return self._deltas.pop(0)

    async def aclose(self) -> None:
        self.is_closed = True


def test_nothing_is_read_before_an_item_is_wanted_nor_ahead_of_it() -> None:
    source = Source("a\n", "b\n", "c\n")
    items = split.lines(source)
    assert source.given == 0
    assert next(items) == "a"
    assert source.given == 1


def test_a_consumer_that_breaks_off_closes_the_source() -> None:
    source = Source("a\n", "b\n")
    for _ in split.lines(source):
        break
    gc.collect()
    assert (source.given, source.is_closed) == (1, True)


def test_items_that_are_dropped_unread_close_the_source() -> None:
    source = Source("a\n")
    split.lines(source)
    gc.collect()
    assert (source.given, source.is_closed) == (0, True)


def test_a_consumer_that_fails_closes_the_source() -> None:
    source = Source("a\n", "b\n")
    with pytest.raises(ZeroDivisionError), split.lines(source) as items:
        for _ in items:
            raise ZeroDivisionError
    assert source.is_closed


@pytest.mark.parametrize("is_begun", [False, True])
def test_close_closes_the_source_and_ends_the_items(is_begun: bool) -> None:
    source = Source("a\n", "b\n")
    items = split.lines(source)
    if is_begun:
        next(items)
    items.close()
    items.close()
    assert source.is_closed
    assert list(items) == []


def test_the_end_and_an_error_close_the_source() -> None:
    whole, broken = Source("[1]"), Source("[1,", "x]", "never read")
    assert list(split.json_items(whole)) == [1]
    with pytest.raises(split.MalformedJson):
        list(split.json_items(broken))
    assert whole.is_closed
    assert (broken.is_closed, broken.given) == (True, 2)


def test_an_error_comes_with_the_delta_that_shows_it_and_behind_the_items_before_it() -> None:
    source = Source("[1, 2, x] ", "never read")
    items = split.json_items(source)
    assert [next(items), next(items)] == [1, 2]
    with pytest.raises(split.MalformedJson):
        next(items)
    assert (source.given, source.is_closed) == (1, True)


def test_a_generator_is_closed_in_its_own_code() -> None:
    ended = []

    def source() -> Iterator[str]:
        try:
            yield "a\n"
            yield "b\n"
        finally:
            ended.append(True)

    with split.lines(source()) as items:
        next(items)
    assert ended == [True]


def test_the_error_of_a_source_passes_through_untouched() -> None:
    error = ValueError("mine")

    def source() -> Iterator[str]:
        yield "a\nb"
        raise error

    items = split.lines(source())
    assert next(items) == "a"
    with pytest.raises(ValueError) as caught:
        next(items)
    assert caught.value is error


async def _break(source: AsyncSource) -> None:
    async for _ in split.lines(source):
        break
    gc.collect()
    await asyncio.sleep(0)  # the loop closes what was dropped in a task of its own
    await asyncio.sleep(0)


async def _fail(source: AsyncSource) -> None:
    with pytest.raises(ZeroDivisionError):
        async with split.lines(source) as items:
            async for _ in items:
                raise ZeroDivisionError


async def _close(source: AsyncSource) -> None:
    items = split.lines(source)
    await anext(items)
    await items.aclose()
    await items.aclose()
    assert [item async for item in items] == []


async def _drop_unread(source: AsyncSource) -> None:
    split.lines(source)
    gc.collect()
    await asyncio.sleep(0)
    await asyncio.sleep(0)


async def _drop_unread_on_a_thread(source: AsyncSource) -> None:
    held = [split.lines(source)]
    await asyncio.to_thread(held.clear)
    await asyncio.sleep(0)
    await asyncio.sleep(0)


async def _close_before_the_first(source: AsyncSource) -> None:
    await split.lines(source).aclose()


async def _cancel(source: AsyncSource) -> None:
    has_first = asyncio.Event()

    async def consume() -> None:
        async for _ in split.lines(source):
            has_first.set()

    task = asyncio.create_task(consume())
    await has_first.wait()
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


@pytest.mark.parametrize(
    "stop", [_break, _fail, _close, _close_before_the_first, _cancel, _drop_unread, _drop_unread_on_a_thread]
)
def test_an_async_consumer_that_stops_closes_the_source(stop: Callable[[AsyncSource], object]) -> None:
    source = AsyncSource("a\n")

    async def program() -> None:
        await stop(source)  # type: ignore[misc]

    run(program)
    assert source.is_closed


def test_async_items_that_no_event_loop_runs_for_are_dropped_in_peace() -> None:
    source = AsyncSource("a\n")
    split.lines(source)
    gc.collect()
    assert not source.is_closed, "there is nobody who could wait for it to close"


def test_async_items_that_outlive_their_event_loop_are_dropped_in_peace() -> None:
    source = AsyncSource("a\n")

    async def made() -> list[object]:
        return [split.lines(source)]

    asyncio.run(made()).clear()
    gc.collect()
    assert not source.is_closed, "there is nobody who could wait for it to close"


def test_the_response_of_a_stream_of_the_openai_client_is_closed_at_once() -> None:
    server = Server()
    body = RECORDING.body
    pieces = [body[at : at + 50] for at in range(0, len(body), 50)]
    stream = server.stream(RECORDING, pieces)
    with split.lines(stream) as items:
        assert next(items) == LINE
        assert not server.body.is_closed
    assert server.body.is_closed
    assert stream.response.is_closed
    assert server.body.given < len(pieces)


def test_the_response_of_an_async_stream_of_the_openai_client_is_closed_at_once() -> None:
    server = Server()
    body = RECORDING.body
    pieces = [body[at : at + 50] for at in range(0, len(body), 50)]

    async def consume() -> None:
        stream = await server.async_stream(RECORDING, pieces)
        async with split.lines(stream) as items:
            assert await anext(items) == LINE
        assert server.body.is_closed

    asyncio.run(consume())
    assert server.body.given < len(pieces)


def test_the_response_behind_a_stream_of_langchain_is_closed_at_once() -> None:
    server = Server()
    body = RECORDING.body
    pieces = [body[at : at + 50] for at in range(0, len(body), 50)]
    server.stream(RECORDING, pieces)
    model = ChatOpenAI(model="m", base_url="http://model.test/v1", api_key="any", http_client=server.http)
    with split.lines(model.stream("Hello")) as items:
        assert next(items) == LINE
    assert server.body.is_closed
    assert server.body.given < len(pieces)
