"""The client's streams against a real HTTP server in the same process, whole and broken off."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from split.recorded import BROKEN, WHOLE, Recording

from alto_lg.adapters.openai_chat import (
    AnswerBrokenOff,
    AnswerTruncated,
    ClientOptions,
    ModelServerError,
    OpenAIChat,
    RequestRefused,
    ServerUnreachable,
)
from alto_lg.apps.chat import StreamingChat

MESSAGES = [{"role": "user", "content": "Good morning"}]
SECRET = "sk-secret-key"
LINES = next(recording for recording in WHOLE if recording.name == "openai_lines")
USAGE = (9, 4)
"""Tokens of the prompt and of the answer, as that recording has them."""


def _served(body: bytes, content_type: str, use: Callable[[OpenAIChat], Awaitable[Any]], status: int = 200) -> Any:
    """Run `use` with a client whose server answers every request with this body, and then closes the connection."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
        await reader.readexactly(int(head.partition("content-length:")[2].split()[0]))
        writer.write(
            f"HTTP/1.1 {status} X\r\nContent-Type: {content_type}\r\nConnection: close\r\n\r\n".encode() + body
        )
        await writer.drain()
        writer.close()
        await writer.wait_closed()

    async def run() -> Any:
        async with await asyncio.start_server(answer, "127.0.0.1", 0) as server:
            address = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1"
            chat = OpenAIChat(address, "m", api_key=SECRET, options=ClientOptions(max_retries=0))
            try:
                return await use(chat)
            finally:
                await chat.close()

    return asyncio.run(run())


async def _text(chat: OpenAIChat) -> str:
    return "".join([delta async for delta in chat.stream(MESSAGES)])


def test_the_deltas_together_are_the_answer() -> None:
    text = _served(LINES.body, LINES.content_type, _text)
    assert text.splitlines() == LINES.items


def test_what_a_stream_used_is_added_up() -> None:
    async def use(chat: OpenAIChat) -> tuple[int, int, int]:
        await _text(chat)
        await _text(chat)
        return chat.usage.calls, chat.usage.prompt_tokens, chat.usage.completion_tokens

    assert _served(LINES.body, LINES.content_type, use) == (2, 2 * USAGE[0], 2 * USAGE[1])


@pytest.mark.parametrize("recording", BROKEN, ids=lambda recording: recording.name)
def test_a_stream_that_breaks_off_raises_behind_the_text_that_came(recording: Recording) -> None:
    deltas: list[str] = []

    async def use(chat: OpenAIChat) -> None:
        async for delta in chat.stream(MESSAGES):
            deltas.append(delta)

    with pytest.raises(ModelServerError) as broken:
        _served(recording.body, recording.content_type, use)
    assert type(broken.value) is (AnswerTruncated if recording.name == "broken_length" else AnswerBrokenOff)
    assert "".join(deltas).startswith("".join(f"{item}\n" for item in recording.items))
    assert str(broken.value).startswith("model 'm' at http://127.0.0.1")


def test_a_stream_that_is_refused_says_so_without_the_key() -> None:
    body = f'{{"error": {{"message": "Incorrect API key provided: {SECRET}"}}}}'.encode()
    with pytest.raises(RequestRefused, match="refused the key") as refused:
        _served(body, "application/json", _text, status=401)
    assert SECRET not in str(refused.value)


def test_a_server_that_is_not_there_is_named() -> None:
    chat = OpenAIChat("http://127.0.0.1:9/v1", "m", options=ClientOptions(max_retries=0))
    with pytest.raises(ServerUnreachable, match="no server answers there"):
        asyncio.run(_text(chat))


def test_the_client_is_a_chat_model_that_streams() -> None:
    assert isinstance(OpenAIChat("http://127.0.0.1:9/v1", "m"), StreamingChat)
