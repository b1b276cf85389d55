"""Chat completions: what the openai client would have returned, from the chunks of a stream; whole, or up to a cut.

Owns the reading of chunks. Always true: what is put together by the client's own helper; pieces of one text are joined
before, so that the work grows with the length of the answer and not with its square.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from openai.lib.streaming.chat import ChatCompletionStreamState
from openai.types.chat import ChatCompletion, ChatCompletionChunk

from alto_lg.adapters.deltas.errors import BrokenStream
from alto_lg.adapters.deltas.openai_events import chat_news
from alto_lg.adapters.replay.cuts import Cut
from alto_lg.adapters.replay.openai_api import Api, Channel, is_given, is_raw

_Text = int | None
"""The index of a tool call, or None for the content."""


def deltas_of(chunk: ChatCompletionChunk) -> Iterator[tuple[Channel, str]]:
    """What a chunk adds to each text of the first choice."""
    for choice in _choices(chunk)[:1]:
        if choice.delta.content:
            yield None, choice.delta.content
        for call in choice.delta.tool_calls or ():
            if call.function is not None and call.function.arguments:
                yield call.index, call.function.arguments


def _choices(chunk: Any) -> list[Any]:
    """None of an event that is no chunk, as an error is."""
    found = getattr(chunk, "choices", None)
    return found if isinstance(found, list) else []


def completion_of(chunks: Sequence[ChatCompletionChunk]) -> ChatCompletion:
    """The answer of a request that was not for a stream.

    Raises:
        BrokenStream: The stream was not that of a whole answer.
    """
    require_whole(chunks)
    return _completed(chunks)


def require_whole(chunks: Sequence[ChatCompletionChunk]) -> None:
    """Refuse a stream that broke off, which the client takes for one that ended.

    Raises:
        BrokenStream: No reason to stop has come, or an error.
    """
    chars, reason, model = 0, None, None
    for chunk in chunks:
        news = chat_news(chunk, "text")
        if news.fault is not None:
            raise BrokenStream(f"The stream of model {model!r}", chars, news.fault, _ASK_AGAIN)
        chars, reason, model = chars + len(news.text), news.reason or reason, news.model or model
    if reason is None:
        raise BrokenStream(f"The stream of model {model!r}", chars, "it ended without a finish reason", _ASK_AGAIN)


_ASK_AGAIN = "The node was given nothing; ask again."


@dataclass(frozen=True, slots=True)
class ChatPart:
    """See `Part`."""

    chunks: Sequence[ChatCompletionChunk]
    channel: Any
    cut: Cut

    def whole(self) -> ChatCompletion:
        return _completed(self.stream())

    def stream(self) -> list[ChatCompletionChunk]:
        """The chunks of such an answer."""
        kept: list[dict[str, Any]] = []
        left = self.cut.length
        for chunk in _joined(self.chunks):
            left = _shorten(chunk, self.channel, left, self.cut.closing)
            kept.append(chunk)
            if left <= 0:
                break
        reason = "stop" if self.channel is None else "tool_calls"
        end = {**kept[-1], "choices": [{"index": 0, "delta": {}, "finish_reason": reason, "logprobs": None}]}
        return [ChatCompletionChunk.construct(**chunk) for chunk in (*kept, end)]


def _shorten(chunk: dict[str, Any], channel: _Text, left: int, closing: str) -> int:
    """Leave `left` characters of a text in a chunk, and close it there; how many are left after it."""
    for choice in chunk["choices"][:1]:
        for holder, name in _texts(choice["delta"], channel):
            text = holder[name]
            if len(text) >= left:
                holder[name] = text[:left] + closing
            left -= len(text)
    return left


def _texts(delta: dict[str, Any], channel: _Text) -> Iterator[tuple[dict[str, Any], str]]:
    """Where a delta has its piece of a text."""
    if channel is None:
        if delta.get("content"):
            yield delta, "content"
        return
    for call in delta.get("tool_calls") or ():
        if call["index"] == channel and (call.get("function") or {}).get("arguments"):
            yield call["function"], "arguments"


def _completed(chunks: Sequence[ChatCompletionChunk]) -> ChatCompletion:
    state: ChatCompletionStreamState[Any] = ChatCompletionStreamState()
    usage = None
    for chunk in _joined(chunks):
        usage = chunk.get("usage") or usage
        state.handle_chunk(ChatCompletionChunk.construct(**chunk))
    found: dict[str, Any] = state.current_completion_snapshot.to_dict()
    found["usage"] = usage
    for choice in found["choices"]:
        message = choice["message"]
        choice.setdefault("logprobs", None)
        message.setdefault("content", None)
        message.pop("parsed", None)
        for call in message.get("tool_calls") or ():
            call.pop("index", None)
            call["function"].pop("parsed_arguments", None)
        if message.get("tool_calls") and not message["content"]:
            message["content"] = None
    return ChatCompletion.construct(**found)


def _joined(chunks: Sequence[ChatCompletionChunk]) -> list[dict[str, Any]]:
    """The same chunks, in which pieces of one text that follow each other are one."""
    joined: list[dict[str, Any]] = []
    run: tuple[_Text, list[str]] | None = None
    for chunk in chunks:
        piece = _piece(chunk)
        if piece is not None and run is not None and run[0] == piece[0]:
            run[1].append(piece[1])
            continue
        _write(joined, run)
        run = None if piece is None else (piece[0], [piece[1]])
        joined.append(chunk.to_dict())
    _write(joined, run)
    return joined


def _write(joined: list[dict[str, Any]], run: tuple[_Text, list[str]] | None) -> None:
    if run is not None:
        for holder, name in _texts(joined[-1]["choices"][0]["delta"], run[0]):
            holder[name] = "".join(run[1])


def _piece(chunk: ChatCompletionChunk) -> tuple[_Text, str] | None:
    """The text of a chunk that says nothing else."""
    if len(chunk.choices) != 1 or chunk.usage is not None:
        return None
    choice = chunk.choices[0]
    said = [name for name in choice.delta.model_fields_set if getattr(choice.delta, name) is not None]
    if choice.index or choice.finish_reason or choice.logprobs or choice.delta.model_extra or len(said) != 1:
        return None
    if said == ["content"] and choice.delta.content:
        return None, choice.delta.content
    calls = choice.delta.tool_calls or []
    if len(calls) != 1 or calls[0].id or calls[0].function is None or calls[0].function.name:
        return None
    arguments = calls[0].function.arguments
    return (calls[0].index, arguments) if arguments else None


def with_usage(options: Mapping[str, Any]) -> dict[str, Any]:
    """A stream gives the counts of tokens only if it is asked for them."""
    return {**options, "stream_options": {"include_usage": True}}


def is_answered(options: Mapping[str, Any]) -> bool:
    """One choice, of text or tool calls."""
    several = is_given(options.get("n")) and options["n"] != 1
    sounds = any(is_given(options.get(name)) for name in ("audio", "modalities"))
    return not (is_raw(options) or several or sounds)


def _streaming(options: Mapping[str, Any]) -> dict[str, Any]:
    return with_usage({**options, "stream": True})


CHAT = Api("chat", _streaming, is_answered, deltas_of, completion_of, ChatPart)
