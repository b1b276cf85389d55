"""Chat models of LangChain: watched while a node runs, answered while a prediction of it does.

Owns the wrapping of `BaseChatModel`'s public methods, once for the process. Always true:
  outside of nodes that are named in `accelerate(replay=…)` a wrapped method does nothing but look at two context
  variables;
  in a prediction no model is called, and no callback handler hears of anything.
"""

from __future__ import annotations

import contextlib
import copy
import functools
import threading
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Generator, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NoReturn, cast

from langchain_core.callbacks import AsyncCallbackManager, BaseCallbackHandler, CallbackManager
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import (
    AIMessage,
    AIMessageChunk,
    BaseMessage,
    convert_to_messages,
    message_chunk_to_message,
)
from langchain_core.outputs import ChatGeneration, ChatGenerationChunk, LLMResult
from langchain_core.prompt_values import PromptValue
from langchain_core.runnables import ensure_config

from alto_lg.adapters.deltas.errors import BrokenStream
from alto_lg.adapters.deltas.langchain_events import message_news
from alto_lg.adapters.replay.cuts import Cut
from alto_lg.adapters.replay.langchain_messages import merged, shortened
from alto_lg.adapters.replay.record import PREDICTING, RECORDING, Answer, SeenCall, end_of_prediction
from alto_lg.adapters.watching import ModelCall, ModelWatcher, ToolCallDelta

_FOR_TRACES_ONLY = frozenset({"ls_structured_output_format", "structured_output_format"})
_installing = threading.Lock()
_MARK = "__alto_replay__"
_END = object()
_BROKEN = ("the stream ended without a finish reason", "The node was given nothing; ask again.")


def install() -> None:
    """Wrap the methods that every call of a chat model goes through; harmless when that is done."""
    with _installing:
        if hasattr(BaseChatModel.generate, _MARK):
            return
        _replace(CallbackManager, "configure", functools.partial(_configured, _Silent))
        _replace(AsyncCallbackManager, "configure", functools.partial(_configured, _SilentAsync))
        _replace(BaseChatModel, "stream", _pieces)
        _replace(BaseChatModel, "astream", _pieces_async)
        _replace(BaseChatModel, "agenerate", _whole_async)
        _replace(BaseChatModel, "generate", _whole)


def _replace(kind: type, name: str, wrap: Callable[[Any], Any]) -> None:
    original = vars(kind)[name]
    if isinstance(original, classmethod):
        setattr(kind, name, classmethod(wrap(original.__func__)))
    else:
        wrapper = wrap(original)
        setattr(wrapper, _MARK, True)
        setattr(kind, name, wrapper)


@dataclass(frozen=True, slots=True)
class _Request:
    """What a model was asked for. Two are equal if the model would take one for the other."""

    kind: str
    model: type
    settings: dict[str, Any]
    messages: list[BaseMessage]
    stop: list[str] | None
    options: dict[str, Any]

    @classmethod
    def of(
        cls, kind: str, model: BaseChatModel, messages: list[BaseMessage], stop: list[str] | None, options: Any
    ) -> _Request:
        kept = {name: value for name, value in options.items() if name not in _FOR_TRACES_ONLY}
        unnamed = [message.model_copy(update={"id": None}) for message in messages]
        settings = model.asdict() if hasattr(model, "asdict") else model.dict()  # the newer name, where it is known
        return cls(kind, type(model), settings, unnamed, stop, kept)


# ── whole answers: invoke, ainvoke, batch ───────────────────────────────────────────────────────────────────────────

_OF_TRACES = ("tags", "metadata", "run_name", "run_id")


def _request_of(model: BaseChatModel, messages: list[list[BaseMessage]], stop: Any, options: dict[str, Any]) -> object:
    if len(messages) != 1:
        return _NoRequest()
    asked = {name: value for name, value in options.items() if name not in _OF_TRACES}
    return _Request.of("whole", model, messages[0], stop, asked)


class _NoRequest:
    """Several prompts in one call; equal to no other."""


def _whole(original: Callable[..., LLMResult]) -> Callable[..., LLMResult]:
    @functools.wraps(original)
    def generate(
        self: BaseChatModel, messages: list[list[BaseMessage]], stop: Any = None, callbacks: Any = None, **options: Any
    ) -> LLMResult:
        replay = PREDICTING.get()
        if replay is not None:
            return LLMResult(generations=[replay.answer(_request_of(self, messages, stop, options))])
        record = RECORDING.get()
        if record is None:
            return original(self, messages, stop, callbacks, **options)
        pieces = _Pieces(record.begin(_request_of(self, messages, stop, options)), in_pieces=False)
        with pieces.call.watching():
            result = original(self, messages, stop, _with(callbacks, _Watcher(pieces)), **options)
            pieces.whole(result)
        return result

    return generate


def _whole_async(original: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(original)
    async def agenerate(
        self: BaseChatModel, messages: list[list[BaseMessage]], stop: Any = None, callbacks: Any = None, **options: Any
    ) -> LLMResult:
        replay = PREDICTING.get()
        if replay is not None:
            return LLMResult(generations=[replay.answer(_request_of(self, messages, stop, options))])
        record = RECORDING.get()
        if record is None:
            return cast(LLMResult, await original(self, messages, stop, callbacks, **options))
        pieces = _Pieces(record.begin(_request_of(self, messages, stop, options)), in_pieces=False)
        with pieces.call.watching():
            result: LLMResult = await original(self, messages, stop, _with(callbacks, _Watcher(pieces)), **options)
            pieces.whole(result)
        return result

    return agenerate


def _with(callbacks: Any, watcher: BaseCallbackHandler) -> Any:
    if callbacks is None:
        return [watcher]
    if isinstance(callbacks, list):
        return [*callbacks, watcher]
    added = callbacks.copy()
    added.add_handler(watcher)
    return added


class _Watcher(ModelWatcher):
    """Hears every piece of one call."""

    def __init__(self, pieces: _Pieces) -> None:
        super().__init__(pieces)
        self._pieces = pieces

    def on_llm_new_token(self, token: Any, *, chunk: Any = None, **kwargs: Any) -> None:
        """The piece itself says more than its text."""
        if isinstance(chunk, ChatGenerationChunk) and isinstance(chunk.message, AIMessageChunk):
            self._pieces.add(chunk.message)


# ── answers in pieces: stream, astream ──────────────────────────────────────────────────────────────────────────────


def _pieces(original: Callable[..., Iterator[Any]]) -> Callable[..., Iterator[Any]]:
    @functools.wraps(original)
    def stream(
        self: BaseChatModel, input: Any, config: Any = None, *, stop: Any = None, **options: Any
    ) -> Iterator[Any]:
        replay, record = PREDICTING.get(), RECORDING.get()
        if replay is None and record is None:
            return original(self, input, config, stop=stop, **options)
        request = _Request.of("pieces", self, _messages(input), stop, options)
        answer = replay.find(request) if replay is not None else None
        if answer is not None:
            return iter([answer()])
        if replay is not None or record is None:
            # A prediction without an answer ends where the model tells its callbacks that it begins.
            return original(self, input, config, stop=stop, **options)
        config = _watched(config, record.begin(request))
        return _unrecorded(original(self, input, config, stop=stop, **options))

    return stream


def _pieces_async(original: Callable[..., AsyncIterator[Any]]) -> Callable[..., AsyncIterator[Any]]:
    @functools.wraps(original)
    def astream(
        self: BaseChatModel, input: Any, config: Any = None, *, stop: Any = None, **options: Any
    ) -> AsyncIterator[Any]:
        replay, record = PREDICTING.get(), RECORDING.get()
        if replay is None and record is None:
            return original(self, input, config, stop=stop, **options)
        request = _Request.of("pieces", self, _messages(input), stop, options)
        answer = replay.find(request) if replay is not None else None
        if answer is not None:
            return _only(answer)
        if replay is not None or record is None:
            return original(self, input, config, stop=stop, **options)
        config = _watched(config, record.begin(request))
        return _unrecorded_async(original(self, input, config, stop=stop, **options))

    return astream


async def _only(answer: Answer) -> AsyncGenerator[Any]:
    yield answer()


def _unrecorded(source: Any) -> Generator[Any]:
    """The client that a model is made of may be watched, too, but not twice."""
    with contextlib.closing(source) as chunks:
        while True:
            token = RECORDING.set(None)
            try:
                chunk = next(chunks, _END)
            finally:
                RECORDING.reset(token)
            if chunk is _END:
                return
            yield chunk


async def _unrecorded_async(source: Any) -> AsyncGenerator[Any]:
    async with contextlib.aclosing(source) as chunks:
        while True:
            token = RECORDING.set(None)
            try:
                chunk = await anext(chunks, _END)
            finally:
                RECORDING.reset(token)
            if chunk is _END:
                return
            yield chunk


def _messages(given: Any) -> list[BaseMessage]:
    if isinstance(given, PromptValue):
        return given.to_messages()
    return convert_to_messages([("human", given)] if isinstance(given, str) else given)


def _watched(config: Any, call: SeenCall) -> Any:
    full = ensure_config(config)
    full["callbacks"] = _with(full.get("callbacks"), _Watcher(_Pieces(call, in_pieces=True)))
    return full


# ── one call ────────────────────────────────────────────────────────────────────────────────────────────────────────


class _Pieces:
    """The pieces of one call. in_pieces: the node asked for them, and not for the whole."""

    def __init__(self, call: SeenCall, *, in_pieces: bool) -> None:
        self.call = call
        self._in_pieces = in_pieces
        self._chunks: list[AIMessageChunk] = []
        self._start: tuple[int, AIMessageChunk] | None = None

    def add(self, chunk: AIMessageChunk) -> None:
        """One more piece. Its text, and the arguments of each tool call, are texts of their own."""
        self._chunks.append(chunk)
        reached = self.call.said(_deltas(chunk))
        if reached is not None:
            self.call.reached(functools.partial(self._shortened, len(self._chunks), *reached))

    def whole(self, result: LLMResult) -> None:
        """What the call gave; copied before the node has it.

        Raises:
            BrokenStream: The stream ended without a reason. Asked for the whole, as the node did, the server would
                have been heard to fail.
        """
        generations = [one for one in result.generations[0] if isinstance(one, ChatGeneration)]
        if self._chunks and generations:
            news = message_news(generations[0].message, "text")
            if news.owes_reason and news.reason is None:
                chars = len(str(generations[0].message.text))
                raise BrokenStream(f"The stream of model {news.model!r}", chars, *_BROKEN)
        self.call.ended(functools.partial(copy.deepcopy, copy.deepcopy(generations)))

    def began(self, call: ModelCall) -> None:
        """Known already."""

    def said(self, call: ModelCall, text: str) -> None:
        self.add(AIMessageChunk(content=text))

    def called(self, call: ModelCall, deltas: Sequence[ToolCallDelta]) -> None:
        pieces: list[Any] = [
            {"type": "tool_call_chunk", "index": one.index, "id": one.id, "name": one.name, "args": one.arguments}
            for one in deltas
        ]
        self.add(AIMessageChunk(content="", tool_call_chunks=pieces))

    def ended(self, call: ModelCall, message: AIMessage | None) -> None:
        if not self._in_pieces:
            return  # the caller has the whole of it
        if message is None:
            self.call.failed()
        else:
            self.call.ended(functools.partial(copy.deepcopy, copy.deepcopy(message)))

    def failed(self, call: ModelCall, error: BaseException) -> None:
        if self._in_pieces:
            self.call.failed()

    def _shortened(self, count: int, channel: Any, cut: Cut) -> Any:
        request = self.call.request
        assert isinstance(request, _Request)
        message = shortened(self._merged(count), channel, cut, request.options.get("response_format"))
        return message if self._in_pieces else [ChatGeneration(message=message_chunk_to_message(message))]

    def _merged(self, count: int) -> AIMessageChunk:
        """The first chunks as one; what was put together before is gone on from."""
        known, start = self._start or (1, self._chunks[0])
        if known > count:
            return merged(self._chunks[0], self._chunks[1:count])
        whole = merged(start, self._chunks[known:count])
        self._start = (count, whole)
        return whole


def _deltas(chunk: AIMessageChunk) -> Iterator[tuple[Any, str]]:
    text = chunk.content if isinstance(chunk.content, str) else str(chunk.text)
    if text:
        yield None, text
    for call in chunk.tool_call_chunks:
        if call["args"]:
            yield call["index"], call["args"]


# ── in a prediction ─────────────────────────────────────────────────────────────────────────────────────────────────


def _refuse(*args: Any, **kwargs: Any) -> NoReturn:
    """Every call of a LangChain model tells its callbacks first, also of kinds that cannot be answered."""
    raise end_of_prediction()


def _tell_nobody(*args: Any, **kwargs: Any) -> None:
    """Tracers of whole processes add themselves to every manager that is made."""


class _Silent(CallbackManager):
    """Tells nobody, and lets no model be called."""

    add_handler = _tell_nobody
    on_chat_model_start = _refuse
    on_llm_start = _refuse


class _SilentAsync(AsyncCallbackManager):
    """The same for the event loop."""

    add_handler = _tell_nobody
    on_chat_model_start = _refuse
    on_llm_start = _refuse


def _configured(silent: Callable[..., Any], original: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(original)
    def configure(cls: type, *args: Any, **kwargs: Any) -> Any:
        return original(cls, *args, **kwargs) if PREDICTING.get() is None else silent(handlers=[])

    return configure
