"""Tool calls of the simulated server, as the official clients see them."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import openai
import pytest
from hypothesis import given
from hypothesis import strategies as st
from langchain_core.tools import tool
from langchain_openai import ChatOpenAI

from alto_lg.comparisons.sim import tokens
from alto_lg.comparisons.sim.tool_calls import Call, Offer, block, calls_in, instance_of, pieces_of

Connect = Callable[..., openai.OpenAI]
Serve = Callable[..., str]

SCHEMA = {
    "type": "object",
    "properties": {
        "query": {"type": "string"},
        "kind": {"enum": ["page", "book"]},
        "limits": {"type": "array", "items": {"$ref": "#/$defs/Limit"}, "minItems": 2},
        "note": {"type": "string"},
    },
    "required": ["query", "kind", "limits"],
    "$defs": {"Limit": {"type": "object", "properties": {"n": {"type": "integer", "minimum": 3}}, "required": ["n"]}},
}
TOOLS = [
    {"type": "function", "function": {"name": "search", "parameters": SCHEMA}},
    {"type": "function", "function": {"name": "stop"}},
]
GO = [{"role": "user", "content": "Find the tides."}]


def calling(messages: Sequence[Mapping[str, Any]], seed: int) -> str:
    """Calls two tools, and then says what they gave."""
    given = [message["content"] for message in messages if message["role"] == "tool"]
    if given:
        return "Found: " + ", ".join(given)
    return "Let me look. " + block("search", {"query": 'a "tide"', "n": 1}) + block("stop", {})


def ask(client: openai.OpenAI, **more: Any) -> Any:
    return client.chat.completions.create(**{"model": "sim", "messages": GO, "tools": TOOLS, **more})


def test_a_reply_that_calls_tools_has_calls_and_its_text(connect: Connect) -> None:
    choice = ask(connect(text_models=[calling])).choices[0]
    assert choice.finish_reason == "tool_calls"
    assert choice.message.content == "Let me look."
    assert [(call.function.name, json.loads(call.function.arguments)) for call in choice.message.tool_calls] == [
        ("search", {"query": 'a "tide"', "n": 1}),
        ("stop", {}),
    ]
    assert len({call.id for call in choice.message.tool_calls}) == 2


def test_a_streamed_call_has_id_and_name_first_and_then_its_arguments_in_pieces(connect: Connect) -> None:
    client = connect(text_models=[calling])
    chunks = list(ask(client, stream=True, stream_options={"include_usage": True}))
    deltas = [chunk.choices[0].delta for chunk in chunks if chunk.choices]
    pieces = [call for delta in deltas for call in delta.tool_calls or ()]
    first = [piece for piece in pieces if piece.id is not None]
    assert [(piece.index, piece.function.name, piece.function.arguments) for piece in first] == [
        (0, "search", ""),
        (1, "stop", ""),
    ]
    texts = ["".join(piece.function.arguments for piece in pieces if piece.index == number) for number in range(2)]
    assert [json.loads(text) for text in texts] == [{"query": 'a "tide"', "n": 1}, {}]
    assert sum(piece.index == 0 for piece in pieces) > 5
    assert "".join(delta.content or "" for delta in deltas) == "Let me look."
    assert [chunk.choices[0].finish_reason for chunk in chunks if chunk.choices][-1] == "tool_calls"
    whole = ask(client)
    assert [call.id for call in whole.choices[0].message.tool_calls] == [piece.id for piece in first]
    assert chunks[-1].usage.completion_tokens == whole.usage.completion_tokens > tokens.count("".join(texts))


def test_results_of_tools_come_back_to_the_model(connect: Connect) -> None:
    client = connect(text_models=[calling])
    message = ask(client).choices[0].message
    given = [{"role": "tool", "tool_call_id": call.id, "content": call.function.name} for call in message.tool_calls]
    answer = ask(client, messages=[*GO, message, *given])
    assert answer.choices[0].message.content == "Found: search, stop"
    assert answer.choices[0].finish_reason == "stop"
    shorter = ask(client).usage.prompt_tokens
    assert answer.usage.prompt_tokens > shorter + tokens.count('{"query": "a tide"}'), "earlier calls are in the prompt"


def test_tools_are_in_the_prompt(connect: Connect) -> None:
    client = connect(text_models=[calling])
    assert ask(client).usage.prompt_tokens > ask(client, tools=openai.omit).usage.prompt_tokens + 50


@pytest.mark.parametrize("stream", [False, True])
def test_a_named_tool_is_called_whatever_the_reply(connect: Connect, stream: bool) -> None:
    choice: Any = {"type": "function", "function": {"name": "search"}}
    client = connect(text_models=[])
    if stream:
        deltas = [chunk.choices[0].delta for chunk in ask(client, tool_choice=choice, stream=True) if chunk.choices]
        arguments = "".join(call.function.arguments for delta in deltas for call in delta.tool_calls or ())
    else:
        answer = ask(client, tool_choice=choice).choices[0]
        assert answer.finish_reason == "stop", "as with OpenAI, where the caller named the tool"
        (called,) = answer.message.tool_calls
        arguments = called.function.arguments
    assert json.loads(arguments) == {"query": "Find the tides.", "kind": "page", "limits": [{"n": 3}, {"n": 3}]}


def test_some_tool_is_called_where_one_is_required(connect: Connect) -> None:
    choice = ask(connect(text_models=[]), tool_choice="required").choices[0]
    assert [call.function.name for call in choice.message.tool_calls] == ["search"]


def test_no_tool_is_called_where_none_may_be(connect: Connect) -> None:
    choice = ask(connect(text_models=[calling]), tool_choice="none").choices[0]
    assert choice.message.tool_calls is None
    assert "<tool_call>" in choice.message.content


def test_one_call_at_a_time_if_asked_for(connect: Connect) -> None:
    choice = ask(connect(text_models=[calling]), parallel_tool_calls=False).choices[0]
    assert [call.function.name for call in choice.message.tool_calls] == ["search"]


def test_a_limit_of_tokens_cuts_a_call_in_the_middle(connect: Connect) -> None:
    choice = ask(connect(text_models=[calling]), max_tokens=20).choices[0]
    assert choice.finish_reason == "length"
    (called,) = choice.message.tool_calls
    with pytest.raises(ValueError):
        json.loads(called.function.arguments)


def test_a_stream_that_is_cut_breaks_off(connect: Connect) -> None:
    with pytest.raises(openai.APIError):
        list(ask(connect(text_models=[calling]), stream=True, extra_headers={"x-sim-fault": "cut:15"}))


def test_langchain_reads_the_calls_streamed_and_whole(serve: Serve) -> None:
    @tool
    def search(query: str, n: int) -> str:
        """Search."""
        return query

    model = ChatOpenAI(base_url=serve(text_models=[calling]), api_key="any", model="sim").bind_tools([search])
    whole = model.invoke("go")
    streamed: Any = None
    for chunk in model.stream("go"):
        streamed = chunk if streamed is None else streamed + chunk
    assert streamed.tool_calls == whole.tool_calls
    assert [(call["name"], call["args"]) for call in whole.tool_calls] == [
        ("search", {"query": 'a "tide"', "n": 1}),
        ("stop", {}),
    ]


OFFER = Offer(tuple(TOOLS), "auto")


@pytest.mark.parametrize("written", ["<tool_call>{broken</tool_call>", "<tool_call>[1]</tool_call>", "<tool_call>"])
def test_a_block_that_is_no_call_is_text(written: str) -> None:
    assert calls_in(f"Look: {written}", OFFER, "") == (f"Look: {written}", [])


@given(st.text(max_size=30), st.lists(st.tuples(st.text("ab_", min_size=1), st.text(max_size=20)), max_size=3))
def test_the_pieces_of_a_reply_give_it_back(content: str, given: list[tuple[str, str]]) -> None:
    calls = [Call(name, json.dumps({"text": text})) for name, text in given]
    written = [piece for _, piece in pieces_of(content, calls)]
    assert "".join(piece.content for piece in written) == content
    assert [piece.name for piece in written if piece.name is not None] == [call.name for call in calls]
    for number, call in enumerate(calls):
        assert "".join(piece.arguments for piece in written if piece.call == number) == call.arguments


def test_a_schema_that_refers_to_itself_has_an_end() -> None:
    schema = {
        "$ref": "#/$defs/T",
        "$defs": {"T": {"type": "object", "required": ["t"], "properties": {"t": {"$ref": "#/$defs/T"}}}},
    }
    assert "t" in instance_of(schema, "x")
