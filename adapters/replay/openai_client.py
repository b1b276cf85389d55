"""The openai client: chat completions watched while a node runs, answered while a prediction of it does.

Owns the wrapping of `chat.completions.create` and `parse`, sync and async, once for the process. Always true:
  outside of nodes that are named in `accelerate(replay=…)` a wrapped method does nothing but look at two context
  variables;
  in a prediction no request is sent: what cannot be answered ends it;
  what a node gets for a request that was not for a stream is what it would have got, though the request is for one;
  requests of a kind that is not answered (raw responses, several choices, audio) are sent as they are.
A stream that the node asked for is watched on its way, by the iterator that the client's streams have within.
"""

from __future__ import annotations

import contextlib
import copy
import functools
import threading
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import openai
from openai import AsyncStream, Stream
from openai.lib.streaming.chat import ChatCompletionStreamState
from openai.resources.chat.completions import AsyncCompletions, Completions
from openai.types.chat import ChatCompletionChunk

from alto_lg.adapters.replay.cuts import Cut, Cuts
from alto_lg.adapters.replay.openai_answers import Channel, Part, completion_of, deltas_of, require_whole
from alto_lg.adapters.replay.openai_streams import AnsweredAsyncStream, AnsweredStream
from alto_lg.adapters.replay.record import PREDICTING, RECORDING, SeenCall, end_of_prediction

_MARK = "__alto_replay__"
_NOT_SENT = frozenset({"extra_headers", "extra_query", "timeout"})
_REFUSED = (openai.BadRequestError, openai.UnprocessableEntityError)
_installing = threading.Lock()


def install() -> None:
    """Wrap the methods; harmless when that is done.

    Raises:
        RuntimeError: The client's streams are not made as this module takes them to be.
    """
    with _installing:
        if hasattr(Completions.create, _MARK):
            return
        for stream in (Stream, AsyncStream):
            if "_iterator" not in stream.__init__.__code__.co_names:
                raise RuntimeError(
                    f"replay cannot watch openai {openai.__version__}: its {stream.__name__} has no _iterator. "
                    "Install a version of openai that alto_lg was checked with, or leave replay= out."
                )
        for kind, name, wrap in (
            (AsyncCompletions, "create", _created_async),
            (Completions, "create", _created),
            (AsyncCompletions, "parse", _parsed_async),
            (Completions, "parse", _parsed),
        ):
            wrapper = wrap(vars(kind)[name])
            setattr(wrapper, _MARK, True)
            setattr(kind, name, wrapper)


@dataclass(frozen=True, slots=True)
class _Request:
    """What was asked for; how long to wait and by which headers are no part of it."""

    kind: str
    address: str
    body: Mapping[str, Any]

    @classmethod
    def of(cls, kind: str, completions: Any, options: Mapping[str, Any]) -> _Request:
        body = {name: value for name, value in options.items() if name not in _NOT_SENT and _is_given(value)}
        return cls(kind, str(completions._client.base_url), body)


def _is_given(value: object) -> bool:
    return not isinstance(value, openai.NotGiven | openai.Omit)


def _is_answered(options: Mapping[str, Any]) -> bool:
    """Whether a request is of a kind that can be put together from chunks."""
    headers = options.get("extra_headers") or {}
    if any(name.lower().startswith("x-stainless-raw") for name in headers):
        return False
    given = {name for name, value in options.items() if _is_given(value) and value}
    return options.get("n") in (None, 1) or (not _is_given(options["n"]) and not given & {"audio", "modalities"})


class _Chunks:
    """The chunks of one call."""

    def __init__(self, call: SeenCall, answer: Callable[[Part], Any]) -> None:
        self.call = call
        self.all: list[ChatCompletionChunk] = []
        self._answer = answer
        self._cuts: dict[Channel, Cuts] = {}

    def add(self, chunk: ChatCompletionChunk) -> None:
        if not isinstance(getattr(chunk, "choices", None), list):
            return  # no chunk; whoever reads the stream will see
        self.all.append(chunk)
        reached: tuple[Channel, Cut] | None = None
        for channel, delta in deltas_of(chunk):
            if channel not in self._cuts:
                self._cuts[channel] = self.call.make_cuts()
            cut = self._cuts[channel].feed(delta)
            reached = reached if cut is None else (channel, cut)
        if reached is not None:
            part = Part(tuple(self.all), *reached)
            self.call.reached(lambda: self._answer(part))

    @contextlib.contextmanager
    def watching(self) -> Iterator[None]:
        """Around a call whose parts are calls of this client, too, but not of the node."""
        token = RECORDING.set(None)
        try:
            yield
        except BaseException:
            self.call.failed()
            raise
        finally:
            RECORDING.reset(token)


# ── create ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def _streaming(options: Mapping[str, Any]) -> dict[str, Any]:
    return {**options, "stream": True, "stream_options": {"include_usage": True}}


def _created(original: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(original)
    def create(self: Completions, *args: Any, **options: Any) -> Any:
        replay, record = PREDICTING.get(), RECORDING.get()
        if replay is None and record is None:
            return original(self, *args, **options)
        streams, request = _kind_of(self, args, options)
        if replay is not None:
            if request is None:
                raise end_of_prediction()
            answer = replay.answer(request)
            return AnsweredStream(answer) if streams else answer
        if record is None or request is None:
            return original(self, *args, **options)
        call = record.begin(request)
        chunks = _Chunks(call, Part.stream if streams else Part.completion)
        with chunks.watching():
            if streams:
                return _watched(original(self, **options), chunks)
            result = _whole(original, self, options, chunks)
        call.ended(functools.partial(copy.deepcopy, copy.deepcopy(result)))
        return result

    return create


def _whole(original: Callable[..., Any], completions: Completions, options: dict[str, Any], chunks: _Chunks) -> Any:
    try:
        stream = original(completions, **_streaming(options))
    except _REFUSED:  # perhaps the stream only
        return original(completions, **options)
    with stream:
        for chunk in stream:
            chunks.add(chunk)
    return completion_of(chunks.all)


def _watched(stream: Any, chunks: _Chunks) -> Any:
    def seen(source: Iterator[Any]) -> Iterator[Any]:
        try:
            for chunk in source:
                chunks.add(chunk)
                yield chunk
        except BaseException:
            chunks.call.failed()
            raise
        chunks.call.ended(lambda: list(chunks.all))

    stream._iterator = seen(stream._iterator)
    return stream


def _created_async(original: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(original)
    async def create(self: AsyncCompletions, *args: Any, **options: Any) -> Any:
        replay, record = PREDICTING.get(), RECORDING.get()
        if replay is None and record is None:
            return await original(self, *args, **options)
        streams, request = _kind_of(self, args, options)
        if replay is not None:
            if request is None:
                raise end_of_prediction()
            answer = replay.answer(request)
            return AnsweredAsyncStream(answer) if streams else answer
        if record is None or request is None:
            return await original(self, *args, **options)
        call = record.begin(request)
        chunks = _Chunks(call, Part.stream if streams else Part.completion)
        with chunks.watching():
            if streams:
                return _watched_async(await original(self, **options), chunks)
            result = await _whole_async(original, self, options, chunks)
        call.ended(functools.partial(copy.deepcopy, copy.deepcopy(result)))
        return result

    return create


async def _whole_async(
    original: Callable[..., Any], completions: AsyncCompletions, options: dict[str, Any], chunks: _Chunks
) -> Any:
    try:
        stream = await original(completions, **_streaming(options))
    except _REFUSED:
        return await original(completions, **options)
    async with stream:
        async for chunk in stream:
            chunks.add(chunk)
    return completion_of(chunks.all)


def _watched_async(stream: Any, chunks: _Chunks) -> Any:
    async def seen(source: AsyncIterator[Any]) -> AsyncIterator[Any]:
        try:
            async for chunk in source:
                chunks.add(chunk)
                yield chunk
        except BaseException:
            chunks.call.failed()
            raise
        chunks.call.ended(lambda: list(chunks.all))

    stream._iterator = seen(stream._iterator)
    return stream


def _kind_of(completions: Any, args: tuple[Any, ...], options: dict[str, Any]) -> tuple[bool, _Request | None]:
    """Whether a stream is asked for, and the request; None if it is of a kind that is not answered."""
    streams = options.get("stream") is True
    if args or not _is_answered(options):
        return streams, None
    return streams, _Request.of("stream" if streams else "whole", completions, options)


# ── parse ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def _parsed(original: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(original)
    def parse(self: Completions, *args: Any, **options: Any) -> Any:
        replay, record = PREDICTING.get(), RECORDING.get()
        if replay is None and record is None:
            return original(self, *args, **options)
        request = None if args or not _is_answered(options) else _Request.of("parse", self, options)
        if replay is not None:
            if request is None:
                raise end_of_prediction()
            return replay.answer(request)
        if record is None or request is None:
            return original(self, *args, **options)
        chunks = _Chunks(record.begin(request), functools.partial(_parsed_part, options))
        with chunks.watching():
            try:
                with self.stream(**_with_usage(options)) as stream:
                    for event in stream:
                        if event.type == "chunk":
                            chunks.add(event.chunk)
                    require_whole(chunks.all)
                    result: Any = stream.get_final_completion()
            except _REFUSED:
                result = original(self, **options)
        chunks.call.ended(functools.partial(copy.deepcopy, copy.deepcopy(result)))
        return result

    return parse


def _parsed_async(original: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(original)
    async def parse(self: AsyncCompletions, *args: Any, **options: Any) -> Any:
        replay, record = PREDICTING.get(), RECORDING.get()
        if replay is None and record is None:
            return await original(self, *args, **options)
        request = None if args or not _is_answered(options) else _Request.of("parse", self, options)
        if replay is not None:
            if request is None:
                raise end_of_prediction()
            return replay.answer(request)
        if record is None or request is None:
            return await original(self, *args, **options)
        chunks = _Chunks(record.begin(request), functools.partial(_parsed_part, options))
        with chunks.watching():
            try:
                async with self.stream(**_with_usage(options)) as stream:
                    async for event in stream:
                        if event.type == "chunk":
                            chunks.add(event.chunk)
                    require_whole(chunks.all)
                    result: Any = await stream.get_final_completion()
            except _REFUSED:
                result = await original(self, **options)
        chunks.call.ended(functools.partial(copy.deepcopy, copy.deepcopy(result)))
        return result

    return parse


def _with_usage(options: Mapping[str, Any]) -> dict[str, Any]:
    return {**options, "stream_options": {"include_usage": True}}


def _parsed_part(options: Mapping[str, Any], part: Part) -> Any:
    known = {"response_format": options.get("response_format"), "input_tools": options.get("tools")}
    given = {name: value for name, value in known.items() if value is not None}
    state: ChatCompletionStreamState[Any] = ChatCompletionStreamState(**given)
    for chunk in part.stream():
        state.handle_chunk(chunk)
    return state.get_final_completion()
