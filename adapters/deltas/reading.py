"""Reading: one stream, what came of it, and whether it ended as a whole answer.

Owns every decision about a stream; no I/O. Always true: `finish` returns only if the model, where there is one, has
said that it was done. Strings have no end to be told: for them, the end of the iterator is the end of the text.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, get_args

from alto_lg.adapters.deltas import openai_events
from alto_lg.adapters.deltas.endings import MISSING, Take, is_whole, normal
from alto_lg.adapters.deltas.errors import BrokenStream, MixedStream, SourceRefused, TruncatedStream
from alto_lg.adapters.deltas.news import NOTHING, News

_CLIENTS = frozenset(("openai", "httpx", "httpx2", "httpcore", "httpcore2", "anthropic"))
_ASK_AGAIN = "What was given so far may be cut in the middle; ask again."
_NOT_A_MODEL = "Is this address a chat endpoint that can stream (the path usually ends in /v1)?"


class Reading:
    """The state of one stream. take: what of it is text. accept: reasons to stop that will do, though not whole."""

    def __init__(self, source: object, take: Take, accept: Iterable[str]) -> None:
        if take not in get_args(Take):
            raise ValueError(f"take must be one of {get_args(Take)}, not {take!r}.")
        if isinstance(accept, str):
            raise TypeError(f"accept={accept!r} is a single string; write accept=({accept!r},).")
        self._source = source
        self._take = take
        self._accepted = frozenset(map(normal, accept))
        self._is_model = _is_of_openai(source)
        self._is_graph = False
        """Whether a graph streams, in which an error may be that of any node."""
        self._owes_reason = self._is_model
        self._chars = self._events = 0
        self._reason: str | None = None
        self._is_last = False
        self._ended_message: str | None = None
        self._answer: str | None = None
        self._model: str | None = None
        self._readers: dict[type, Callable[[Any], News]] = {}

    def text_of(self, event: object) -> str:
        """The text that an event adds; most add none or a few characters."""
        if isinstance(event, str):
            return str(event)
        reader = self._readers.get(type(event))
        if reader is None:
            reader = self._readers[type(event)] = self._reader(event)
        news = reader(event)
        self._learn(news)
        return news.text

    def finish(self) -> None:
        """The source has no more events; raises unless the answer is whole, or accepted as it is."""
        if not self._is_model:
            return
        if self._reason is not None:
            if not (is_whole(self._reason) or self._reason in self._accepted):
                raise TruncatedStream(self._name(), self._chars, self._reason)
        elif (self._owes_reason or not self._is_last) and MISSING not in self._accepted:
            raise self._ended_early()

    def explained(self, error: Exception) -> Exception | None:
        """What to raise for an error of the source, or None if it is the user's and passes through."""
        if not self._is_model or self._is_graph or not _is_of_client(error):
            return None
        shown = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
        return self._broken(f"the stream broke off ({shown})")

    def _reader(self, event: object) -> Callable[[Any], News]:
        found = self._reader_of_openai(event)
        if found is not None:
            self._owes_reason = True
        else:
            found = self._reader_of_langchain(event)
        if found is None:
            raise SourceRefused(_why_refused(event))
        self._is_model = True
        return found

    def _reader_of_openai(self, event: Any) -> Callable[[Any], News] | None:
        kind = getattr(event, "type", None)
        if hasattr(event, "choices") or (_is_of_openai(self._source) and not isinstance(kind, str)):
            return lambda chunk: openai_events.chat_news(chunk, self._take)
        if not _is_of_openai(event):
            return None
        if kind == "chunk":  # of the helper `client.chat.completions.stream`, which repeats each as events of its own
            return lambda helped: openai_events.chat_news(helped.chunk, self._take)
        if isinstance(kind, str) and (kind == "error" or kind.startswith("response.")):
            return lambda one: openai_events.response_news(one, self._take)
        return lambda _: NOTHING

    def _reader_of_langchain(self, event: object) -> Callable[[Any], News] | None:
        if not _is_of_langchain(event[0] if isinstance(event, tuple) and event else event):
            return None
        from alto_lg.adapters.deltas import langchain_events

        if langchain_events.is_message(event):
            return lambda message: langchain_events.message_news(message, self._take)
        if langchain_events.is_message_with_metadata(event):
            self._is_graph = True
            return lambda pair: langchain_events.message_news(pair[0], self._take, pair[1])
        return None

    def _learn(self, news: News) -> None:
        self._events += 1
        self._model = news.model or self._model
        self._owes_reason = self._owes_reason or news.owes_reason
        if news.fault is not None:
            raise self._broken(news.fault)
        if news.text:
            self._require_one_answer(news)
            self._chars += len(news.text)
        if news.reason is not None and (self._reason is None or is_whole(self._reason)):
            self._reason = normal(news.reason)  # the worst one: a refusal, too, ends in "stop"
        self._is_last = self._is_last or news.is_last
        if self._reason is not None or self._is_last:
            self._ended_message = news.message

    def _require_one_answer(self, news: News) -> None:
        has_ended = self._reason is not None or self._is_last
        if has_ended and (news.message is None or news.message != self._ended_message):
            what = "text came after the end of an answer"
        elif self._answer is not None and news.answer is not None and news.answer != self._answer:
            what = f"text of {news.answer!r} came after text of {self._answer!r}"
        else:
            self._answer = news.answer or self._answer
            return
        advice = "Split one answer at a time: ask for one (n=1), or filter the stream by its metadata."
        raise MixedStream(self._name(), self._chars, what, advice)

    def _ended_early(self) -> BrokenStream:
        if self._events:
            return self._broken("the stream ended without a finish reason")
        headers = getattr(getattr(self._source, "response", None), "headers", {})
        kind = headers.get("content-type", "unknown")
        return BrokenStream(self._name(), 0, f"there was no event in the stream (content type {kind!r})", _NOT_A_MODEL)

    def _broken(self, what: str) -> BrokenStream:
        return BrokenStream(self._name(), self._chars, what, _ASK_AGAIN)

    def _name(self) -> str:
        """The address is shown without its query, where some services have their key."""
        model = f"The stream of model {self._model!r}" if self._model else "The stream of a model"
        url = getattr(getattr(self._source, "response", None), "url", None)
        return f"{model} at {url.scheme}://{url.netloc.decode()}{url.path}" if url is not None else model


def _is_of_openai(value: object) -> bool:
    return type(value).__module__.partition(".")[0] == "openai"


def _is_of_langchain(value: object) -> bool:
    """Asked by name, because LangChain takes long to import."""
    return any(kind.__module__.partition(".")[0] == "langchain_core" for kind in type(value).__mro__)


def _is_of_client(error: Exception) -> bool:
    if isinstance(error, UnicodeDecodeError) or type(error).__name__ == "JSONDecodeError":
        return True
    return any(kind.__module__.partition(".")[0] in _CLIENTS for kind in type(error).__mro__)


def _why_refused(event: object) -> str:
    if isinstance(event, (bytes, bytearray)):
        return (
            "The source gives bytes, which may be cut inside a character. Decode them first: "
            "response.iter_text() of httpx, or codecs.iterdecode(source, 'utf-8')."
        )
    return (
        f"The source gives {type(event).__name__} objects. Text can be taken from strings, chunks of the openai "
        "client, message chunks of LangChain, and (message, metadata) pairs; "
        "for others pass (text_of(event) for event in source)."
    )
