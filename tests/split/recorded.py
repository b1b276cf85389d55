"""Recorded bodies of model servers, given through the real openai client over a transport without a network."""

from __future__ import annotations

import importlib
from collections.abc import AsyncIterator, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import openai

from alto_lg import split

# The client's own HTTP library: httpx2 since version 3, httpx before.
HTTP = importlib.import_module(openai.DefaultHttpxClient.__mro__[1].__module__.partition(".")[0])
FOLDER = Path(__file__).parent / "streams"


@dataclass(frozen=True, slots=True)
class Recording:
    """A body, how it is split, and what comes of it."""

    name: str
    splitter: split.Splitter[Any]
    items: list[Any]
    error: type[Exception] | None = None
    options: dict[str, Any] = field(default_factory=dict)

    @property
    def body(self) -> bytes:
        return (FOLDER / f"{self.name}.sse").read_bytes()

    @property
    def content_type(self) -> str:
        return "text/html" if "html" in self.name else "text/event-stream"


ARGUMENTS: dict[str, Any] = {"take": "arguments"}
WHOLE = (
    Recording("openai_lines", split.lines(), ["Paris is the capital.", "It has two million people."]),
    Recording("vllm_lines", split.lines(), ["First claim", 'Second "claim"', "Third"]),
    Recording("openai_json", split.json_items(path="queries"), ['who "is" ]?', "😀", 12]),
    Recording("vllm_fence", split.json_items(), [{"a": [1]}, {"b": "]"}]),
    Recording("openai_tool_call", split.json_items(path="sections"), [{"t": 1}, {"t": 2}], options=ARGUMENTS),
    Recording("vllm_cjk", split.sentences(), ["他说：“走吧。”", "她点头。", "終わり！", "𠮷野家"]),
    Recording("azure_bullets", split.bullets(), ["Plan ahead 2 items", "Go"]),
    Recording("responses_lines", split.lines(), ["One.", "Two."]),
)
BROKEN = (
    Recording("broken_no_reason", split.lines(), ["One."], split.BrokenStream),
    Recording("broken_error_object", split.lines(), ["One."], split.BrokenStream),
    Recording("broken_error_event", split.lines(), ["One."], split.BrokenStream),
    Recording("broken_json_event", split.lines(), ["One."], split.BrokenStream),
    Recording("broken_utf8", split.lines(), ["One."], split.BrokenStream),
    Recording("broken_html", split.lines(), [], split.BrokenStream),
    Recording("broken_length", split.lines(), ["One."], split.TruncatedStream),
)


class Body:
    """A body in pieces, sync and async at once; `is_closed` when the client is done with it."""

    def __init__(self, pieces: Iterable[bytes]) -> None:
        self._pieces = pieces
        self.given = 0
        self.is_closed = False

    def __iter__(self) -> Iterator[bytes]:
        for piece in self._pieces:
            self.given += 1
            yield piece

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for piece in self:
            yield piece

    def close(self) -> None:
        self.is_closed = True

    async def aclose(self) -> None:
        self.is_closed = True


class _Stream(HTTP.SyncByteStream, HTTP.AsyncByteStream):  # type: ignore[misc, name-defined]
    def __init__(self, body: Body) -> None:
        self._body = body

    def __iter__(self) -> Iterator[bytes]:
        return iter(self._body)

    def __aiter__(self) -> AsyncIterator[bytes]:
        return aiter(self._body)

    def close(self) -> None:
        self._body.close()

    async def aclose(self) -> None:
        await self._body.aclose()


class Server:
    """Answers every request with `body`; has a sync and an async client, of openai."""

    def __init__(self) -> None:
        self.body = Body(())
        self.content_type = "text/event-stream"
        transport = HTTP.MockTransport(self._answer)
        settings: dict[str, Any] = {"base_url": "http://model.test/v1", "api_key": "any", "max_retries": 0}
        self.http = HTTP.Client(transport=transport)
        self.async_http = HTTP.AsyncClient(transport=transport)
        self.client = openai.OpenAI(http_client=self.http, **settings)
        self.async_client = openai.AsyncOpenAI(http_client=self.async_http, **settings)

    def _answer(self, request: Any) -> Any:
        return HTTP.Response(200, headers={"content-type": self.content_type}, stream=_Stream(self.body))

    def stream(self, recording: Recording, pieces: Iterable[bytes]) -> Any:
        """What the client gives for a recording whose body comes in these pieces."""
        self.body, self.content_type = Body(pieces), recording.content_type
        return self._create(self.client, recording)

    async def async_stream(self, recording: Recording, pieces: Iterable[bytes]) -> Any:
        self.body, self.content_type = Body(pieces), recording.content_type
        return await self._create(self.async_client, recording)

    def _create(self, client: Any, recording: Recording) -> Any:
        if recording.name.startswith("responses"):
            return client.responses.create(model="m", input="Hello", stream=True)
        return client.chat.completions.create(model="m", messages=[{"role": "user", "content": "Hello"}], stream=True)
