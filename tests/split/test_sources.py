"""Sources: what text is taken from, when it is a whole answer, and what is refused."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from typing import Any, TypedDict

import pytest
from langchain_core.language_models.fake_chat_models import GenericFakeChatModel
from langchain_core.messages import AIMessage, AIMessageChunk, HumanMessage, ToolMessage
from langchain_openai import ChatOpenAI
from langgraph.graph import START, StateGraph
from openai.types.chat import ChatCompletion

from alto_lg import split
from split.recorded import BROKEN, HTTP, WHOLE, Recording, Server

RECORDINGS = {one.name: one for one in (*WHOLE, *BROKEN)}


def _chat(recording: Recording) -> ChatOpenAI:
    server = Server()
    server.stream(recording, [recording.body])
    return ChatOpenAI(
        model="m",
        base_url="http://model.test/v1",
        api_key="any",  # type: ignore[arg-type]
        http_client=server.http,
        http_async_client=server.async_http,
        max_retries=0,
    )


async def _listed(items: AsyncIterator[Any]) -> list[Any]:
    return [item async for item in items]


async def _async(deltas: list[Any]) -> AsyncIterator[Any]:
    for delta in deltas:
        yield delta


# ── strings ─────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("source", ["a b\nc", ["a b", "\nc"], iter(["a ", "", "b\nc"]), (one for one in "a b\nc")])
def test_a_string_and_anything_that_gives_strings_is_a_source(source: Any) -> None:
    assert list(split.lines(source)) == ["a b", "c"]


def test_an_async_iterator_of_strings_is_a_source() -> None:
    assert asyncio.run(_listed(split.lines(_async(["a ", "b\nc"])))) == ["a b", "c"]


def test_a_splitter_without_a_source_is_a_value_that_can_be_used_again() -> None:
    splitter = split.lines(skip_blank=True)
    assert list(splitter("a\n\nb")) == list(splitter(["a\n", "\nb"])) == ["a", "b"]
    pushed = splitter.fresh()
    assert [pushed.feed("a\nb"), pushed.feed("\n"), pushed.end()] == [["a"], ["b"], []]
    assert asyncio.run(_listed(splitter(_async(["a\n"])))) == ["a"]


def test_a_splitter_that_has_ended_says_so() -> None:
    splitter = split.words()
    splitter.end()
    for call in (lambda: splitter.feed("a"), lambda: splitter.feed("é"), splitter.end):
        with pytest.raises(ValueError, match=r"call fresh\(\) for another text"):
            call()


# ── messages of LangChain ───────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("name", ["openai_lines", "vllm_lines", "vllm_cjk", "azure_bullets"])
def test_a_stream_of_langchain_gives_the_same_items(name: str) -> None:
    recording = RECORDINGS[name]
    assert list(recording.splitter(_chat(recording).stream("Hello"))) == recording.items
    assert asyncio.run(_listed(recording.splitter(_chat(recording).astream("Hello")))) == recording.items


@pytest.mark.parametrize("name", ["broken_no_reason", "broken_length", "broken_utf8", "broken_json_event"])
def test_a_broken_stream_of_langchain_raises(name: str) -> None:
    recording = RECORDINGS[name]
    assert recording.error is not None
    items = split.lines(_chat(recording).stream("Hello"))
    assert next(items) == "One."
    with pytest.raises(recording.error):
        next(items)


def test_the_arguments_of_a_tool_call_are_taken_from_a_stream_of_langchain() -> None:
    recording = RECORDINGS["openai_tool_call"]
    items = recording.splitter(_chat(recording).stream("Hello"), take="arguments")
    assert list(items) == recording.items


def test_blocks_of_content_are_text_where_they_are_text() -> None:
    chunks = [
        AIMessageChunk(content=[{"type": "reasoning", "reasoning": "hm\n", "index": 0}]),
        AIMessageChunk(content=[{"type": "text", "text": "a\nb", "index": 1}]),
        AIMessageChunk(content="", response_metadata={"stop_reason": "end_turn", "model_provider": "anthropic"}),
    ]
    assert list(split.lines(chunks)) == ["a", "b"]


@pytest.mark.parametrize("reason", ["MAX_TOKENS", "max_tokens", "length"])
def test_all_words_for_too_long_are_one(reason: str) -> None:
    chunks = [AIMessageChunk(content="a", response_metadata={"finish_reason": reason, "model_provider": "x"})]
    with pytest.raises(split.TruncatedStream) as truncated:
        list(split.lines(chunks))
    assert truncated.value.reason == "length"
    assert list(split.lines(chunks, accept=("length",))) == ["a"]


def test_a_model_that_names_no_provider_need_not_say_why_it_stopped() -> None:
    model = GenericFakeChatModel(messages=iter([AIMessage(content="one two\nthree")]))
    assert list(split.lines(model.stream("Hello"))) == ["one two", "three"]


def _pieces(*reasons: str | None) -> list[AIMessageChunk]:
    told = [{"model_provider": "x", **({"finish_reason": reason} if reason else {})} for reason in reasons]
    return [AIMessageChunk("a\n", id="1", response_metadata=one) for one in told]


def test_a_provider_may_give_a_reason_with_each_piece() -> None:
    assert list(split.lines(_pieces("STOP", "STOP"))) == ["a", "a"]
    with pytest.raises(split.TruncatedStream, match="length"):
        list(split.lines(_pieces("STOP", "MAX_TOKENS")))
    with pytest.raises(split.BrokenStream, match="without a finish reason"):
        list(split.lines(_pieces(None, None)))


class State(TypedDict):
    text: str


def test_a_stream_of_messages_of_a_graph_is_a_source() -> None:
    recording = RECORDINGS["openai_lines"]
    model = _chat(recording)
    builder = StateGraph(State)
    builder.add_node("write", lambda state: {"text": str(model.invoke("Hello").content)})
    builder.add_edge(START, "write")
    stream = builder.compile().stream({"text": ""}, stream_mode="messages")
    assert list(split.lines(stream)) == recording.items


def test_the_error_of_a_node_passes_through_a_stream_of_messages_untouched() -> None:
    model = GenericFakeChatModel(messages=iter([AIMessage(content="a\nb")]))

    def write(state: State) -> State:
        model.invoke("Hello")
        return json.loads("no JSON")  # type: ignore[no-any-return]

    builder = StateGraph(State)
    builder.add_node("write", write)
    builder.add_edge(START, "write")
    items = split.lines(builder.compile().stream({"text": ""}, stream_mode="messages"))
    assert next(items) == "a"
    with pytest.raises(json.JSONDecodeError):
        next(items)


def test_messages_of_users_and_tools_are_no_text() -> None:
    messages = [HumanMessage("question\n"), AIMessageChunk("a\nb"), ToolMessage("result\n", tool_call_id="1")]
    assert list(split.lines([*messages, AIMessageChunk("", chunk_position="last")])) == ["a", "b"]


def test_messages_of_two_nodes_are_not_taken_for_one() -> None:
    pairs = [(AIMessageChunk("a\nb"), {"langgraph_node": "x"}), (AIMessageChunk("c\n"), {"langgraph_node": "y"})]
    items = split.lines(pairs)
    assert next(items) == "a"
    with pytest.raises(split.MixedStream, match=r"text of 'y' came after text of 'x'.*filter the stream"):
        next(items)


def test_a_second_answer_is_not_taken_for_more_of_the_first() -> None:
    with pytest.raises(split.MixedStream, match="text came after the end of an answer"):
        list(split.lines([AIMessage("a"), AIMessage("b")]))


# ── events of the openai client ─────────────────────────────────────────────────────────────────────────────────


def _chunk(**choice: Any) -> bytes:
    head = b'data: {"id":"c","object":"chat.completion.chunk","created":1,"model":"m","choices":['
    whole = {"index": 0, "delta": {}, "finish_reason": None, **choice}
    return head + json.dumps(whole).encode() + b"]}\n\n"


def _stream(*events: bytes) -> Any:
    return Server().stream(Recording("made", split.lines(), []), events)


def test_several_choices_are_not_taken_for_one() -> None:
    stream = _stream(_chunk(delta={"content": "a\n"}), _chunk(index=1, delta={"content": "b\n"}))
    with pytest.raises(split.MixedStream, match="ask for one"):
        list(split.lines(stream))


def test_several_tool_calls_are_not_taken_for_one() -> None:
    calls = [{"tool_calls": [{"index": index, "function": {"arguments": "[1]"}}]} for index in (0, 1)]
    with pytest.raises(split.MixedStream, match="tool call 1"):
        list(split.json_items(_stream(*(_chunk(delta=call) for call in calls)), take="arguments"))


def test_a_refusal_is_no_answer() -> None:
    stream = _stream(_chunk(delta={"refusal": "I will not."}), _chunk(finish_reason="stop"))
    with pytest.raises(split.TruncatedStream, match="refusal"):
        list(split.lines(stream))


@pytest.mark.parametrize("reason", ["content_filter", "abort", "a word of tomorrow"])
def test_a_reason_that_is_not_known_to_be_an_end_is_loud(reason: str) -> None:
    stream = _stream(_chunk(delta={"content": "a"}), _chunk(finish_reason=reason))
    with pytest.raises(split.TruncatedStream, match=reason):
        list(split.lines(stream))


@pytest.mark.parametrize("body", [b"data: {}\n\n", b"data: [1]\n\n", b'data: {"choices": {}}\n\n', b"data: 7\n\n"])
def test_any_other_json_is_a_broken_stream(body: bytes) -> None:
    with pytest.raises(split.BrokenStream):
        list(split.lines(_stream(body)))


def test_the_stream_helper_of_the_client_is_a_source() -> None:
    recording = RECORDINGS["openai_lines"]
    server = Server()
    server.stream(recording, [recording.body])
    messages: Any = [{"role": "user", "content": "Hello"}]
    with server.client.chat.completions.stream(model="m", messages=messages) as stream:
        assert list(split.lines(stream)) == recording.items


# ── what is refused ─────────────────────────────────────────────────────────────────────────────────────────────

COMPLETION = ChatCompletion(id="c", choices=[], created=1, model="m", object="chat.completion")


@pytest.mark.parametrize(
    ("source", "advice"),
    [
        (b"abc", "decode it first"),
        ([b"abc"], "Decode them first"),
        (HTTP.Response(200, content=b"abc"), "pass its text"),
        ({"content": "abc"}, "it is one whole object"),
        (COMPLETION, "it is one whole object"),
        (AIMessage("abc"), "it is one whole object"),
        (7, "pass an iterator"),
        ([7], "gives int objects"),
    ],
)
def test_what_is_no_source_of_text_is_refused(source: Any, advice: str) -> None:
    with pytest.raises(split.SourceRefused, match=advice) as refused:
        list(split.lines(source))
    assert isinstance(refused.value, TypeError)


async def _create() -> None:
    """As the async client's `create`."""


def test_a_call_that_was_not_awaited_is_refused() -> None:
    with pytest.raises(split.SourceRefused, match="await it"):
        split.lines(_create())  # type: ignore[call-overload]


def test_an_option_of_a_source_needs_one() -> None:
    with pytest.raises(TypeError, match="when the splitter is called"):
        split.lines(accept=("length",))  # type: ignore[call-overload]
    with pytest.raises(TypeError, match=r"write accept=\('length',\)"):
        split.lines("a", accept="length")
    with pytest.raises(ValueError, match="take must be one of"):
        split.lines("a", take="tools")  # type: ignore[call-overload]


def test_an_iterator_that_is_sync_gives_items_that_are_sync() -> None:
    assert isinstance(split.lines(""), Iterator)
    assert isinstance(split.lines(_async([])), AsyncIterator)
