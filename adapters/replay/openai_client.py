"""The openai client: its calls watched while a node runs, answered while a prediction of it does.

Owns the wrapping of `chat.completions.create` and `parse` and of `responses.create`, sync and async, once for the
process. Always true:
  outside of nodes that are named in `accelerate(replay=…)` a wrapped method does nothing but look at two context
  variables;
  in a prediction no request is sent: what cannot be answered ends it;
  what a node gets for a request that was not for a stream is what it would have got, though the request is for one;
  requests of a kind that is not answered (raw responses, several choices, audio) are sent as they are.
A stream that the node asked for is watched on its way, by the iterator that the client's streams have within.
"""

from __future__ import annotations

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
from openai.resources.completions import AsyncCompletions as AsyncTextCompletions
from openai.resources.completions import Completions as TextCompletions
from openai.resources.responses import AsyncResponses, Responses

from alto_lg.adapters.replay.openai_answers import CHAT, is_answered, require_whole, with_usage
from alto_lg.adapters.replay.openai_api import Api, Part, is_given
from alto_lg.adapters.replay.openai_responses import RESPONSES
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
        wrapped: tuple[tuple[type, str, Callable[[Any], Any]], ...] = (
            *((kind, name, _ending) for kind in (Responses, AsyncResponses) for name in ("parse", "stream")),
            (TextCompletions, "create", _ending),
            (AsyncTextCompletions, "create", _ending),
            (AsyncResponses, "create", functools.partial(_created_async, RESPONSES)),
            (Responses, "create", functools.partial(_created, RESPONSES)),
            (AsyncCompletions, "parse", _parsed_async),
            (Completions, "parse", _parsed),
            (AsyncCompletions, "create", functools.partial(_created_async, CHAT)),
            (Completions, "create", functools.partial(_created, CHAT)),
        )
        for kind, name, wrap in wrapped:
            wrapper = wrap(vars(kind)[name])
            setattr(wrapper, _MARK, True)
            setattr(kind, name, wrapper)


@dataclass(frozen=True, slots=True)
class _Request:
    """What was asked for; how long to wait and by which headers are no part of it."""

    kind: tuple[str, str]
    address: str
    body: Mapping[str, Any]

    @classmethod
    def of(cls, api: Api, kind: str, resource: Any, options: Mapping[str, Any]) -> _Request:
        body = {name: value for name, value in options.items() if name not in _NOT_SENT and is_given(value)}
        return cls((api.name, kind), str(resource._client.base_url), body)


class _Events:
    """The events of one call. answer: what a prediction gets of a part."""

    def __init__(self, api: Api, call: SeenCall, answer: Callable[[Part], Any]) -> None:
        self.call = call
        self.all: list[Any] = []
        self._api = api
        self._answer = answer

    def add(self, event: Any) -> None:
        self.all.append(event)
        reached = self.call.said(self._api.deltas_of(event))
        if reached is not None:
            part = self._api.part(tuple(self.all), *reached)
            self.call.reached(lambda: self._answer(part))

    def whole(self) -> Any:
        """What the request would have given, had it not been for a stream."""
        return self._api.whole_of(self.all)


# ── create ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def _created(api: Api, original: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(original)
    def create(self: Any, *args: Any, **options: Any) -> Any:
        replay, record = PREDICTING.get(), RECORDING.get()
        if replay is None and record is None:
            return original(self, *args, **options)
        streams, request = _kind_of(api, self, args, options)
        if replay is not None:
            if request is None:
                raise end_of_prediction()
            answer = replay.answer(request)
            return AnsweredStream(answer) if streams else answer
        if record is None or request is None:
            return original(self, *args, **options)
        events = _Events(api, record.begin(request), _stream_of if streams else _whole_of)
        with events.call.watching():
            if streams:
                return _watched(original(self, **options), events)
            result = _whole(api, original, self, options, events)
        events.call.ended(functools.partial(copy.deepcopy, copy.deepcopy(result)))
        return result

    return create


def _stream_of(part: Part) -> Any:
    return part.stream()


def _whole_of(part: Part) -> Any:
    return part.whole()


def _whole(api: Api, original: Callable[..., Any], resource: Any, options: dict[str, Any], events: _Events) -> Any:
    try:
        stream = original(resource, **api.streaming(options))
    except _REFUSED:  # perhaps the stream only
        return original(resource, **options)
    with stream:
        for event in stream:
            events.add(event)
    return events.whole()


def _watched(stream: Any, events: _Events) -> Any:
    def seen(source: Iterator[Any]) -> Iterator[Any]:
        try:
            for event in source:
                events.add(event)
                yield event
        except BaseException:
            events.call.failed()
            raise
        events.call.ended(lambda: list(events.all))

    stream._iterator = seen(stream._iterator)
    return stream


def _created_async(api: Api, original: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(original)
    async def create(self: Any, *args: Any, **options: Any) -> Any:
        replay, record = PREDICTING.get(), RECORDING.get()
        if replay is None and record is None:
            return await original(self, *args, **options)
        streams, request = _kind_of(api, self, args, options)
        if replay is not None:
            if request is None:
                raise end_of_prediction()
            answer = replay.answer(request)
            return AnsweredAsyncStream(answer) if streams else answer
        if record is None or request is None:
            return await original(self, *args, **options)
        events = _Events(api, record.begin(request), _stream_of if streams else _whole_of)
        with events.call.watching():
            if streams:
                return _watched_async(await original(self, **options), events)
            result = await _whole_async(api, original, self, options, events)
        events.call.ended(functools.partial(copy.deepcopy, copy.deepcopy(result)))
        return result

    return create


async def _whole_async(
    api: Api, original: Callable[..., Any], resource: Any, options: dict[str, Any], events: _Events
) -> Any:
    try:
        stream = await original(resource, **api.streaming(options))
    except _REFUSED:
        return await original(resource, **options)
    async with stream:
        async for event in stream:
            events.add(event)
    return events.whole()


def _watched_async(stream: Any, events: _Events) -> Any:
    async def seen(source: AsyncIterator[Any]) -> AsyncIterator[Any]:
        try:
            async for event in source:
                events.add(event)
                yield event
        except BaseException:
            events.call.failed()
            raise
        events.call.ended(lambda: list(events.all))

    stream._iterator = seen(stream._iterator)
    return stream


def _kind_of(api: Api, resource: Any, args: tuple[Any, ...], options: dict[str, Any]) -> tuple[bool, _Request | None]:
    """Whether a stream is asked for, and the request; None if it is of a kind that is not answered."""
    streams = options.get("stream") is True
    if args or not api.is_answered(options):
        return streams, None
    return streams, _Request.of(api, "stream" if streams else "whole", resource, options)


def _ending(original: Callable[..., Any]) -> Callable[..., Any]:
    """For calls of models that are not answered."""

    @functools.wraps(original)
    def unanswered(self: Any, *args: Any, **options: Any) -> Any:
        if PREDICTING.get() is not None:
            raise end_of_prediction()
        return original(self, *args, **options)

    return unanswered


# ── parse ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def _parsed(original: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(original)
    def parse(self: Completions, *args: Any, **options: Any) -> Any:
        replay, record = PREDICTING.get(), RECORDING.get()
        if replay is None and record is None:
            return original(self, *args, **options)
        request = None if args or not is_answered(options) else _Request.of(CHAT, "parse", self, options)
        if replay is not None:
            if request is None:
                raise end_of_prediction()
            return replay.answer(request)
        if record is None or request is None:
            return original(self, *args, **options)
        events = _Events(CHAT, record.begin(request), functools.partial(_parsed_part, options))
        with events.call.watching():
            try:
                with self.stream(**with_usage(options)) as stream:
                    for event in stream:
                        if event.type == "chunk":
                            events.add(event.chunk)
                    require_whole(events.all)
                    result: Any = stream.get_final_completion()
            except _REFUSED:
                result = original(self, **options)
        events.call.ended(functools.partial(copy.deepcopy, copy.deepcopy(result)))
        return result

    return parse


def _parsed_async(original: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(original)
    async def parse(self: AsyncCompletions, *args: Any, **options: Any) -> Any:
        replay, record = PREDICTING.get(), RECORDING.get()
        if replay is None and record is None:
            return await original(self, *args, **options)
        request = None if args or not is_answered(options) else _Request.of(CHAT, "parse", self, options)
        if replay is not None:
            if request is None:
                raise end_of_prediction()
            return replay.answer(request)
        if record is None or request is None:
            return await original(self, *args, **options)
        events = _Events(CHAT, record.begin(request), functools.partial(_parsed_part, options))
        with events.call.watching():
            try:
                async with self.stream(**with_usage(options)) as stream:
                    async for event in stream:
                        if event.type == "chunk":
                            events.add(event.chunk)
                    require_whole(events.all)
                    result: Any = await stream.get_final_completion()
            except _REFUSED:
                result = await original(self, **options)
        events.call.ended(functools.partial(copy.deepcopy, copy.deepcopy(result)))
        return result

    return parse


def _parsed_part(options: Mapping[str, Any], part: Part) -> Any:
    known = {"response_format": options.get("response_format"), "input_tools": options.get("tools")}
    given = {name: value for name, value in known.items() if value is not None}
    state: ChatCompletionStreamState[Any] = ChatCompletionStreamState(**given)
    for chunk in part.stream():
        state.handle_chunk(chunk)
    return state.get_final_completion()
