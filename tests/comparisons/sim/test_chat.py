"""The protocol as the official clients see it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import openai
import pytest
from langchain_openai import ChatOpenAI

from alto_lg.comparisons.sim import tokens

Connect = Callable[..., openai.OpenAI]
TEXT = "The old bridge, built in 1867, carries about 4,000 people a day. Nobody counts the cats!"
HELLO = [{"role": "user", "content": "Hello."}]


def say_text(messages: Sequence[Mapping[str, Any]], seed: int) -> str | None:
    return TEXT if messages[-1]["content"] == "Hello." else None


def say_seed(messages: Sequence[Mapping[str, Any]], seed: int) -> str:
    return f"Seed {seed}."


def ask(client: openai.OpenAI, **more: Any) -> Any:
    return client.chat.completions.create(**{"model": "sim", "messages": HELLO, **more})


def test_an_answer_holds_the_text_and_counts_its_tokens(connect: Connect) -> None:
    answer = ask(connect(text_models=[say_text]))
    assert answer.object == "chat.completion"
    assert answer.model == "sim"
    assert answer.choices[0].message.role == "assistant"
    assert answer.choices[0].message.content == TEXT
    assert answer.choices[0].finish_reason == "stop"
    assert answer.usage.completion_tokens == tokens.count(TEXT)
    assert answer.usage.prompt_tokens == len(tokens.prompt_tokens(HELLO))
    assert answer.usage.total_tokens == answer.usage.prompt_tokens + answer.usage.completion_tokens
    assert answer._request_id == answer.id


def test_a_stream_is_a_role_then_one_chunk_a_token_then_the_reason_then_the_usage(connect: Connect) -> None:
    client = connect(text_models=[say_text])
    chunks = list(ask(client, stream=True, stream_options={"include_usage": True}))
    assert {chunk.object for chunk in chunks} == {"chat.completion.chunk"}
    assert len({chunk.id for chunk in chunks}) == 1
    deltas = [chunk.choices[0].delta for chunk in chunks[:-1]]
    assert (deltas[0].role, deltas[0].content) == ("assistant", "")
    assert tuple(delta.content for delta in deltas[1:-1]) == tokens.split(TEXT)
    assert deltas[-1].content is None
    reasons = [chunk.choices[0].finish_reason for chunk in chunks[:-1]]
    assert reasons == [None] * (len(reasons) - 1) + ["stop"]
    assert chunks[-1].choices == []
    assert chunks[-1].usage.completion_tokens == tokens.count(TEXT)
    assert all(chunk.usage is None for chunk in chunks[:-1])


def test_without_include_usage_a_stream_ends_with_the_reason(connect: Connect) -> None:
    chunks = list(ask(connect(text_models=[say_text]), stream=True))
    assert chunks[-1].choices[0].finish_reason == "stop"
    assert all(chunk.usage is None for chunk in chunks)


def test_the_bytes_of_a_stream_are_server_sent_events_that_end_with_done(connect: Connect) -> None:
    client = connect(text_models=[say_text])
    with client.chat.completions.with_streaming_response.create(model="sim", messages=HELLO, stream=True) as raw:
        assert raw.headers["content-type"] == "text/event-stream; charset=utf-8"
        body = raw.read().decode()
    events = body.split("\n\n")
    assert events[-2:] == ["data: [DONE]", ""]
    assert all(event.startswith("data: {") for event in events[:-2])


def test_the_async_client_gets_the_same_text_streamed_and_whole(serve: Callable[..., str]) -> None:
    async def both(base_url: str) -> tuple[str, str]:
        async with openai.AsyncOpenAI(base_url=base_url, api_key="any", max_retries=0) as client:
            whole = await client.chat.completions.create(model="sim", messages=HELLO)
            stream = await client.chat.completions.create(model="sim", messages=HELLO, stream=True)
            pieces = [chunk.choices[0].delta.content or "" async for chunk in stream]
        return whole.choices[0].message.content or "", "".join(pieces)

    assert asyncio.run(both(serve(text_models=[say_text]))) == (TEXT, TEXT)


def test_langchain_chat_models_work(serve: Callable[..., str]) -> None:
    model = ChatOpenAI(base_url=serve(text_models=[say_text]), api_key="any", model="sim", max_retries=0)
    answer = model.invoke("Hello.")
    assert answer.content == TEXT
    assert answer.usage_metadata is not None
    assert answer.usage_metadata["output_tokens"] == tokens.count(TEXT)
    assert "".join(str(chunk.content) for chunk in model.stream("Hello.")) == TEXT


def test_several_choices_each_get_their_seed_and_their_index(connect: Connect) -> None:
    client = connect(text_models=[say_seed])
    answer = ask(client, n=3, seed=7)
    assert [choice.message.content for choice in answer.choices] == ["Seed 7.", "Seed 8.", "Seed 9."]
    assert answer.usage.completion_tokens == 3 * tokens.count("Seed 7.")
    texts = ["", "", ""]
    for chunk in ask(client, n=3, seed=7, stream=True):
        texts[chunk.choices[0].index] += chunk.choices[0].delta.content or ""
    assert texts == ["Seed 7.", "Seed 8.", "Seed 9."]


@pytest.mark.parametrize("name", ["max_tokens", "max_completion_tokens"])
def test_a_token_limit_cuts_the_text_and_says_length(connect: Connect, name: str) -> None:
    client = connect(text_models=[say_text])
    answer = ask(client, **{name: 5})
    assert answer.choices[0].message.content == "".join(tokens.split(TEXT)[:5])
    assert answer.choices[0].finish_reason == "length"
    assert answer.usage.completion_tokens == 5
    assert list(ask(client, stream=True, **{name: 5}))[-1].choices[0].finish_reason == "length"
    assert ask(client, **{name: 5_000}).choices[0].finish_reason == "stop"


def test_a_stop_sequence_ends_the_text_before_itself(connect: Connect) -> None:
    answer = ask(connect(text_models=[say_text]), stop=["people", "zebra"])
    assert answer.choices[0].message.content == TEXT[: TEXT.index("people")]
    assert answer.choices[0].finish_reason == "stop"


def test_a_repeated_prompt_is_cached_and_reported_so(connect: Connect) -> None:
    client = connect()
    long = [{"role": "user", "content": TEXT * 5}]
    counts = [ask(client, messages=long).usage.prompt_tokens_details.cached_tokens for _ in range(2)]
    assert counts[0] == 0
    assert counts[1] > len(tokens.prompt_tokens(long)) - 32
    assert counts[1] % 16 == 0


def test_what_no_text_model_knows_is_answered_with_an_extract_of_the_user_message(connect: Connect) -> None:
    client = connect(text_models=[say_text])
    parts = [{"type": "text", "text": "Oh. Ah. The river floods in spring. "}, {"type": "text", "text": "So it goes."}]
    answer = ask(client, messages=[{"role": "system", "content": "Be brief."}, {"role": "user", "content": parts}])
    assert answer.choices[0].message.content == "Oh. The river floods in spring. So it goes."


def test_the_model_is_listed_and_shown(connect: Connect) -> None:
    client = connect(model_name="org/model-8b")
    assert [model.id for model in client.models.list()] == ["org/model-8b"]
    assert client.models.retrieve("org/model-8b").id == "org/model-8b"
    with pytest.raises(openai.NotFoundError):
        client.models.retrieve("another")


def test_an_unknown_model_is_not_found(connect: Connect) -> None:
    with pytest.raises(openai.NotFoundError) as raised:
        ask(connect(), model="gpt-unknown")
    assert raised.value.code == "model_not_found"
    assert raised.value.param == "model"


@pytest.mark.parametrize(
    ("more", "param"),
    [
        ({"messages": []}, "messages"),
        ({"messages": None}, "messages"),
        ({"messages": "Hello."}, "messages"),
        ({"messages": [{"role": "robot", "content": "x"}]}, "messages[0].role"),
        ({"messages": [{"role": "user"}]}, "messages[0].content"),
        ({"messages": [{"role": "user", "content": 3}]}, "messages[0].content"),
        ({"messages": [{"role": "user", "content": [{"type": "image_url"}]}]}, "messages[0].content"),
        ({"messages": ["x"]}, "messages[0]"),
        ({"n": 0}, "n"),
        ({"n": 129}, "n"),
        ({"max_tokens": 0}, "max_tokens"),
        ({"max_tokens": 1.5}, "max_tokens"),
        ({"stop": ["a", "b", "c", "d", "e"]}, "stop"),
        ({"stop": [""]}, "stop"),
        ({"seed": "x"}, "seed"),
        ({"stream": "yes"}, "stream"),
        ({"stream_options": {"include_usage": True}}, "stream_options"),
        ({"response_format": {"type": "grammar"}}, "response_format"),
        ({"response_format": {"type": "json_schema"}}, "response_format"),
        ({"response_format": {"type": "json_schema", "json_schema": {"schema": {"not": {}}}}}, "response_format"),
        ({"tools": {"type": "function"}}, "tools"),
        ({"tools": [{"type": "function", "function": {}}]}, "tools[0]"),
        ({"tools": [{"type": "retrieval"}]}, "tools[0]"),
        ({"tool_choice": "required"}, "tool_choice"),
        (
            {
                "tools": [{"type": "function", "function": {"name": "f"}}],
                "tool_choice": {"type": "function", "function": {"name": "g"}},
            },
            "tool_choice",
        ),
        ({"messages": [{"role": "assistant", "content": None, "tool_calls": [3]}]}, "messages[0].tool_calls"),
        ({"functions": [{"name": "f"}]}, "functions"),
        ({"logprobs": True}, "logprobs"),
        ({"priority": 3}, "priority"),
        ({"sim_fault": "boom"}, "sim_fault"),
    ],
)
def test_a_malformed_request_is_refused_and_the_field_is_named(
    connect: Connect, more: Mapping[str, Any], param: str
) -> None:
    with pytest.raises(openai.BadRequestError) as raised:
        ask(connect(), extra_body=more)
    assert raised.value.param == param
    assert raised.value.type == "invalid_request_error"


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"\xff"])
def test_a_body_that_is_no_json_object_is_refused(connect: Connect, body: bytes) -> None:
    with pytest.raises(openai.BadRequestError):
        connect().post("/chat/completions", content=body, cast_to=object)


@pytest.mark.parametrize(("path", "status"), [("/nothing", 404), ("/models", 405)])
def test_an_unknown_path_or_method_gets_an_error_of_the_same_shape(connect: Connect, path: str, status: int) -> None:
    with pytest.raises(openai.APIStatusError) as raised:
        connect().post(path, body={}, cast_to=object)
    assert raised.value.status_code == status
    assert raised.value.type == "invalid_request_error"


def test_a_text_model_that_fails_is_an_internal_error(connect: Connect) -> None:
    def fail(messages: Sequence[Mapping[str, Any]], seed: int) -> str:
        raise ZeroDivisionError("no text today")

    with pytest.raises(openai.InternalServerError, match="no text today"):
        ask(connect(text_models=[fail]))
