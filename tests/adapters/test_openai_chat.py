"""The client against a real HTTP server in the same process that answers as each test says."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from langchain_openai import ChatOpenAI

from alto_lg.adapters.openai_chat import (
    AnswerTruncated,
    ClientOptions,
    ModelServerError,
    OpenAIChat,
    RequestRefused,
    ServerUnreachable,
)
from alto_lg.apps.chat import as_chat

_MESSAGES = [{"role": "user", "content": "Good morning"}]
_SECRET = "sk-secret-key"
Seen = list[dict[str, Any]]


def _completion(text: str, finish_reason: str = "stop") -> dict[str, Any]:
    choice = {"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": finish_reason}
    usage = {"prompt_tokens": 7, "completion_tokens": 3, "total_tokens": 10}
    return {"id": "c", "object": "chat.completion", "created": 1, "model": "m", "choices": [choice], "usage": usage}


def _served(
    status: int, body: dict[str, Any], use: Callable[[str, Seen], Awaitable[Any]], seen: Seen | None = None
) -> Any:
    """Run `use(base address, requests seen)` while a server answers every request with the same body."""
    requests: Seen = [] if seen is None else seen

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        lengths = [line.split(":")[1] for line in head.split("\r\n") if line.lower().startswith("content-length")]
        sent = await reader.readexactly(int(lengths[0])) if lengths else b"{}"
        requests.append({"path": head.split()[1], **json.loads(sent)})
        payload = json.dumps(body).encode()
        writer.write(f"HTTP/1.1 {status} X\r\nContent-Type: application/json\r\nConnection: close\r\n".encode())
        writer.write(f"Content-Length: {len(payload)}\r\n\r\n".encode() + payload)
        await writer.drain()
        writer.close()
        await writer.wait_closed()

    async def run() -> Any:
        server = await asyncio.start_server(answer, "127.0.0.1", 0)
        async with server:
            return await use(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", requests)

    return asyncio.run(run())


async def _ask(base_url: str, **settings: Any) -> str:
    chat = OpenAIChat(base_url, "m", api_key=_SECRET, options=ClientOptions(max_retries=0))
    try:
        return await chat.complete(_MESSAGES, **settings)
    finally:
        await chat.close()


def _refusal(status: int, body: dict[str, Any], path: str = "/v1") -> ModelServerError:
    async def use(address: str, _: Seen) -> None:
        await _ask(address + path)

    with pytest.raises(ModelServerError) as refused:
        _served(status, body, use)
    assert _SECRET not in str(refused.value)
    return refused.value


def test_the_answer_is_the_text_of_the_first_choice() -> None:
    seen: Seen = []

    async def use(address: str, _: Seen) -> str:
        return await _ask(address + "/v1", max_tokens=50)

    assert _served(200, _completion("Hello"), use, seen) == "Hello"
    assert seen[0]["path"] == "/v1/chat/completions"
    assert (seen[0]["model"], seen[0]["max_tokens"], seen[0]["temperature"]) == ("m", 50, 0)


def test_usage_is_added_up_over_calls() -> None:
    async def use(address: str, _: Seen) -> tuple[int, int, int]:
        chat = OpenAIChat(address + "/v1", "m")
        await chat.complete(_MESSAGES)
        await chat.complete(_MESSAGES)
        await chat.close()
        return chat.usage.calls, chat.usage.prompt_tokens, chat.usage.completion_tokens

    assert _served(200, _completion("Hello"), use) == (2, 14, 6)


async def _sample(base_url: str, count: int) -> list[str]:
    chat = OpenAIChat(base_url, "m", options=ClientOptions(max_retries=0))
    try:
        return await chat.samples(_MESSAGES, count=count, max_tokens=50, temperature=0.7)
    finally:
        await chat.close()


def test_several_answers_are_asked_for_at_once_and_come_in_the_order_of_their_numbers() -> None:
    body = _completion("second")
    body["choices"] = [{**body["choices"][0], "index": 1}, *_completion("first")["choices"]]
    seen: Seen = []

    async def use(address: str, _: Seen) -> list[str]:
        return await _sample(address + "/v1", 2)

    assert _served(200, body, use, seen) == ["first", "second"]
    assert [(one["n"], one["temperature"], one["max_tokens"]) for one in seen] == [(2, 0.7, 50)]


def test_a_server_that_gives_one_answer_at_a_time_is_asked_again() -> None:
    seen: Seen = []

    async def use(address: str, _: Seen) -> list[str]:
        return await _sample(address + "/v1", 3)

    assert _served(200, _completion("one"), use, seen) == ["one"] * 3
    assert [one["n"] for one in seen] == [3, 2, 1]


def test_one_truncated_answer_of_several_is_an_error() -> None:
    body = _completion("whole")
    body["choices"] += [{**_completion("half a", "length")["choices"][0], "index": 1}]

    async def use(address: str, _: Seen) -> None:
        await _sample(address + "/v1", 2)

    with pytest.raises(AnswerTruncated, match="cut at 50 tokens"):
        _served(200, body, use)


def test_a_client_works_in_one_event_loop_after_another() -> None:
    chats: list[OpenAIChat] = []

    async def use(address: str, _: Seen) -> str:
        chats.append(OpenAIChat(address + "/v1", "m"))
        answer = await chats[0].complete(_MESSAGES)
        await chats[0].close()
        return answer

    assert _served(200, _completion("one"), use) == "one"

    async def again(address: str, _: Seen) -> str:
        chats[0].base_url = address + "/v1"
        answer = await chats[0].complete(_MESSAGES)
        await chats[0].close()
        return answer

    assert _served(200, _completion("two"), again) == "two"


def test_a_server_that_is_not_there_is_named() -> None:
    with pytest.raises(ServerUnreachable, match=r"model 'm' at http://127.0.0.1:9/v1: no server answers there"):
        asyncio.run(_ask("http://127.0.0.1:9/v1"))


def test_a_base_url_without_v1_is_pointed_out() -> None:
    assert "try http://" in str(_refusal(404, {"error": {"message": "no"}}, path=""))


def test_an_unknown_model_points_to_the_list_of_models() -> None:
    assert "/v1/models lists the models" in str(_refusal(404, {"error": {"message": "no such model"}}))


def test_a_refused_key_is_said_without_the_key() -> None:
    refusal = _refusal(401, {"error": {"message": f"Incorrect API key provided: {_SECRET}"}})
    assert isinstance(refusal, RequestRefused)
    assert "refused the key" in str(refusal)


def test_any_other_status_is_given_with_the_server_s_words() -> None:
    assert "status 500" in str(_refusal(500, {"error": {"message": "out of memory"}}))


def test_a_truncated_answer_is_an_error() -> None:
    refused = _refusal(200, _completion("half a", "length"))
    assert isinstance(refused, AnswerTruncated)
    assert refused.text == "half a"


def test_an_answer_without_choices_is_an_error() -> None:
    body = _completion("x") | {"choices": []}
    assert "no choices" in str(_refusal(200, body))


def test_a_langchain_model_answers_through_the_same_interface() -> None:
    async def use(address: str, _: Seen) -> str:
        model = ChatOpenAI(model="m", base_url=address + "/v1", api_key=lambda: "none", max_retries=0)
        return await as_chat(model).complete(_MESSAGES)

    assert _served(200, _completion("Hello"), use) == "Hello"
