"""Chat models of LangChain: watched while a node runs, answered while a prediction of it does.

Owns the wrapping of `BaseChatModel`'s public methods, once for the process. Always true:
  outside of nodes that are named in `accelerate(replay=…)` a wrapped method does nothing but look at two context
  variables;
  in a prediction no model is called, and no callback handler hears of anything.
"""

from __future__ import annotations

import copy
import functools
import threading
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Generator, Iterator
from contextlib import aclosing, closing
from dataclasses import dataclass
from typing import Any, NoReturn

from langchain_core.callbacks import AsyncCallbackManager, BaseCallbackHandler, CallbackManager
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessageChunk, BaseMessage, message_chunk_to_message
from langchain_core.outputs import ChatGeneration, ChatGenerationChunk, LLMResult

from alto_lg.adapters.replay.langchain_messages import merged, shortened
from alto_lg.adapters.replay.cuts import Cut, Cuts
from alto_lg.adapters.replay.record import PREDICTING, RECORDING, Answer, EndOfPrediction, SeenCall

_FOR_TRACES_ONLY = frozenset({"ls_structured_output_format", "structured_output_format"})
_installing = threading.Lock()
_MARK = "__alto_replay__"


def install() -> None:
    """Wrap the methods that every call of a chat model goes through; harmless when that is done."""
    with _installing:
        if hasattr(BaseChatModel.generate, _MARK):
            return
        for name, wrap in (("generate", _whole), ("agenerate", _whole_async), ("stream", _pieces)):
            _replace(BaseChatModel, name, wrap)
        _replace(BaseChatModel, "astream", _pieces_async)
        for manager, silent in ((CallbackManager, _Silent), (AsyncCallbackManager, _SilentAsync)):
            original = vars(manager)["configure"].__func__
            setattr(manager, "configure", classmethod(_configured(original, silent)))


def _replace(kind: type, name: str, wrap: Callable[[Any], Any]) -> None:
    wrapper = wrap(getattr(kind, name))
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
        return cls(kind, type(model), model.asdict(), unnamed, stop, kept)


# ── whole answers: invoke, ainvoke, batch ───────────────────────────────────────────────────────────────────────────

_OF_TRACES = ("tags", "metadata", "run_name", "run_id")


def _request_of(model: BaseChatModel, messages: list[list[BaseMessage]], stop: Any, options: dict[str, Any]) -> object:
    if len(messages) != 1:
        return _NoRequest()
    asked = {name: value for name, value in options.items() if name not in _OF_TRACES}
    return _Request.of("whole", model, messages[0], stop, asked)


class _NoRequest:
    """A batch of prompts in one call; equal to no other."""


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
        call = record.begin(_request_of(self, messages, stop, options))
        watcher = _Watcher(_Pieces(call, _as_generations))
        try:
            result = original(self, messages, stop, _with(callbacks, watcher), **options)
        except BaseException:
            call.failed()
            raise
        call.ended(functools.partial(_again, result))
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
            return await original(self, messages, stop, callbacks, **options)
        call = record.begin(_request_of(self, messages, stop, options))
        watcher = _Watcher(_Pieces(call, _as_generations))
        try:
            result: LLMResult = await original(self, messages, stop, _with(callbacks, watcher), **options)
        except BaseException:
            call.failed()
            raise
        call.ended(functools.partial(_again, result))
        return result

    return agenerate


def _again(result: LLMResult) -> list[ChatGeneration]:
    return [copy.deepcopy(generation) for generation in result.generations[0] if isinstance(generation, ChatGeneration)]


def _as_generations(message: AIMessageChunk) -> list[ChatGeneration]:
    return [ChatGeneration(message=message_chunk_to_message(message))]


def _with(callbacks: Any, watcher: BaseCallbackHandler) -> Any:
    if callbacks is None:
        return [watcher]
    if isinstance(callbacks, list):
        return [*callbacks, watcher]
    added = callbacks.copy()
    added.add_handler(watcher)
    return added


class _Watcher(BaseCallbackHandler):
    """Hears every token of one call. LangChain asks a model for a stream where a handler has the two `tap` methods."""

    run_inline = True  # in the order of the tokens

    def __init__(self, pieces: _Pieces) -> None:
        self._pieces = pieces

    def on_chat_model_start(self, *args: Any, **kwargs: Any) -> None:
        """Known already."""

    def on_llm_new_token(self, token: Any, *, chunk: Any = None, **kwargs: Any) -> None:
        if isinstance(chunk, ChatGenerationChunk) and isinstance(chunk.message, AIMessageChunk):
            self._pieces.add(chunk.message)

    def tap_output_iter(self, run_id: Any, output: Iterator[Any]) -> Iterator[Any]:
        return output

    def tap_output_aiter(self, run_id: Any, output: AsyncIterator[Any]) -> AsyncIterator[Any]:
        return output


# ── answers in pieces: stream, astream ──────────────────────────────────────────────────────────────────────────────


def _pieces(original: Callable[..., Iterator[Any]]) -> Callable[..., Iterator[Any]]:
    @functools.wraps(original)
    def stream(
        self: BaseChatModel, input: Any, config: Any = None, *, stop: Any = None, **options: Any
    ) -> Iterator[Any]:
        replay, record = PREDICTING.get(), RECORDING.get()
        if replay is None and record is None:
            return original(self, input, config, stop=stop, **options)
        request = _Request.of("pieces", self, self._convert_input(input).to_messages(), stop, options)
        if replay is not None:
            answer = replay.find(request)
            if answer is not None:
                return iter([answer()])
            # A model that cannot stream is called whole, which is answered; any other call of a model ends there.
            return original(self, input, config, stop=stop, **options)
        assert record is not None
        return teed(original(self, input, config, stop=stop, **options), record.begin(request))

    def teed(source: Any, call: SeenCall) -> Generator[Any]:
        pieces = _Pieces(call, lambda message: message)
        try:
            with closing(source) as chunks:
                for chunk in chunks:
                    pieces.add(chunk)
                    yield chunk
        except BaseException:
            call.failed()
            raise
        pieces.end()

    return stream


def _pieces_async(original: Callable[..., AsyncIterator[Any]]) -> Callable[..., AsyncIterator[Any]]:
    @functools.wraps(original)
    def astream(
        self: BaseChatModel, input: Any, config: Any = None, *, stop: Any = None, **options: Any
    ) -> AsyncIterator[Any]:
        replay, record = PREDICTING.get(), RECORDING.get()
        if replay is None and record is None:
            return original(self, input, config, stop=stop, **options)
        request = _Request.of("pieces", self, self._convert_input(input).to_messages(), stop, options)
        if replay is not None:
            answer = replay.find(request)
            if answer is not None:
                return answered(answer)
            return original(self, input, config, stop=stop, **options)
        assert record is not None
        return teed(original(self, input, config, stop=stop, **options), record.begin(request))

    async def answered(answer: Answer) -> AsyncGenerator[Any]:
        yield answer()

    async def teed(source: Any, call: SeenCall) -> AsyncGenerator[Any]:
        pieces = _Pieces(call, lambda message: message)
        try:
            async with aclosing(source) as chunks:
                async for chunk in chunks:
                    pieces.add(chunk)
                    yield chunk
        except BaseException:
            call.failed()
            raise
        pieces.end()

    return astream


# ── one call ────────────────────────────────────────────────────────────────────────────────────────────────────────


class _Pieces:
    """The chunks of one call. made: what the client makes of the message that they are put together to."""

    def __init__(self, call: SeenCall, made: Callable[[AIMessageChunk], Any]) -> None:
        self._call = call
        self._made = made
        self._cuts: dict[Any, Cuts] = {}
        self._chunks: list[AIMessageChunk] = []
        self._is_known = True
        self._start: tuple[int, AIMessageChunk] | None = None

    def add(self, chunk: object) -> None:
        """One more chunk: its text, and the arguments of each tool call, are texts of their own."""
        if not isinstance(chunk, AIMessageChunk):
            self._is_known = False  # a model that cannot stream gave all at once: that is another call, which is seen
            return
        self._chunks.append(chunk)
        reached: tuple[Any, Cut] | None = None
        for channel, delta in _deltas(chunk):
            cut = self._cuts.setdefault(channel, self._call.make_cuts()).feed(delta)
            reached = reached if cut is None else (channel, cut)
        if reached is not None:
            self._call.reached(functools.partial(self._shortened, len(self._chunks), *reached))

    def end(self) -> None:
        if self._is_known and self._chunks:
            self._call.ended(lambda: self._made(copy.deepcopy(self._merged(len(self._chunks)))))
        else:
            self._call.failed()

    def _shortened(self, count: int, channel: Any, cut: Cut) -> Any:
        return self._made(shortened(self._merged(count), channel, cut, self._call.request))

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
    replay = PREDICTING.get()
    raise EndOfPrediction() if replay is None else replay.end()


class _Silent(CallbackManager):
    """Tells nobody, and lets no model be called."""

    on_chat_model_start = _refuse
    on_llm_start = _refuse


class _SilentAsync(AsyncCallbackManager):
    """The same for the event loop."""

    on_chat_model_start = _refuse
    on_llm_start = _refuse


def _configured(original: Callable[..., Any], silent: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(original)
    def configure(cls: type, *args: Any, **kwargs: Any) -> Any:
        return original(cls, *args, **kwargs) if PREDICTING.get() is None else silent(handlers=[])

    return configure
