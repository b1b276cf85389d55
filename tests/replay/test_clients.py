"""Replay by real clients and a real server, which writes the next item when work on the one before has begun."""

from __future__ import annotations

import asyncio
import json
import threading
from typing import Any

import openai
import pytest
from dropin.watch import Implementation, plain_langgraph
from langchain_openai import ChatOpenAI
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.types import Send
from openai import AsyncOpenAI, OpenAI

from alto_lg.adapters.deltas.errors import BrokenStream
from replay.served import USAGE, Script, Served, served
from replay.test_structured_output import Plan, State, app_of, graph, statistics

TEXTS = ["first", "second", "third"]
PLAN = {"reason": "because", "queries": [{"text": text, "weight": 1} for text in TEXTS], "remark": "done"}
QUESTION = {"question": "Why?"}
MESSAGES: Any = [{"role": "user", "content": "Why?"}]


def pieces() -> list[str]:
    """The plan as a model writes it: each item ends with its piece."""
    items = [json.dumps(query) for query in PLAN["queries"]]
    return [
        '{"reason": "because", "queries": [',
        *(f"{item}, " for item in items[:-1]),
        items[-1],
        '], "remark": "done"}',
    ]


class Work:
    """The second node, which tells when it has begun."""

    def __init__(self) -> None:
        self.begun = {text: threading.Event() for text in TEXTS}

    def __call__(self, text: str) -> dict[str, Any]:
        self.begun[text].set()
        return {"found": [text]}

    def script(self, impl: Implementation, tool: str | None = None) -> Script:
        waits: list[threading.Event | None] = [None, *self.begun.values()]
        return Script(pieces(), tool, [] if impl is plain_langgraph else waits)


def fan_out(state: State) -> list[Send]:
    plan = state["plan"]
    queries = plan["queries"] if isinstance(plan, dict) else plan.queries
    return [Send("search", query["text"] if isinstance(query, dict) else query.text) for query in queries]


def checked(impl: Implementation, app: Any, server: Served, *, requests: int = 1, sync: bool = False) -> Any:
    result = app.invoke(QUESTION) if sync else asyncio.run(app.ainvoke(QUESTION))
    assert result["found"] == TEXTS
    assert server.late == []
    assert len(server.requests) == requests, "no prediction sends a request"
    if impl is not plain_langgraph:
        counted = statistics(app)
        assert (counted.early_starts, counted.dropped, counted.unpromised) == (3, 0, 0)
    return result["plan"]


# langchain-openai says this of itself whenever it streams an answer that it parses.
pytestmark = pytest.mark.filterwarnings("ignore:Pydantic serializer warnings")


# ── LangChain's model of OpenAI ─────────────────────────────────────────────────────────────────────────────────────


def chat(server: Served) -> ChatOpenAI:
    return ChatOpenAI(model="m", base_url=server.address, api_key="none", max_retries=0)  # type: ignore[arg-type]


@pytest.mark.parametrize("sync", [False, True], ids=["async", "sync"])
@pytest.mark.parametrize("method", ["function_calling", "json_schema", "json_mode"])
@pytest.mark.parametrize("schema", [Plan, Plan.model_json_schema()], ids=["model", "schema"])
def test_every_form_of_structured_output_goes_on_item_by_item(
    impl: Implementation, method: Any, schema: Any, sync: bool
) -> None:
    work = Work()
    tool = "Plan" if method == "function_calling" else None
    with served(work.script(impl, tool)) as server:
        structured = chat(server).with_structured_output(schema, method=method)

        async def plan(state: State) -> dict[str, Any]:
            return {"plan": await structured.ainvoke(state["question"])}

        def plan_in_thread(state: State) -> dict[str, Any]:
            return {"plan": structured.invoke(state["question"])}

        made = graph(plan_in_thread if sync else plan, fan_out, work, checkpointer=None)
        found = checked(impl, app_of(impl, made), server, sync=sync)
        assert found == (Plan.model_validate(PLAN) if schema is Plan else PLAN)


def test_with_a_checkpointer_structured_output_goes_on_item_by_item(impl: Implementation) -> None:
    work = Work()
    with served(work.script(impl)) as server:
        structured = chat(server).with_structured_output(Plan, method="json_schema")

        async def plan(state: State) -> dict[str, Any]:
            return {"plan": await structured.ainvoke(state["question"])}

        app = app_of(impl, graph(plan, fan_out, work, checkpointer=InMemorySaver()))
        app = app.with_config({"configurable": {"thread_id": "1"}})
        assert checked(impl, app, server) == Plan.model_validate(PLAN)


def test_a_stream_of_langchain_that_ends_without_a_reason_is_no_whole_answer() -> None:
    work = Work()
    script = work.script(plain_langgraph)
    script.ends = False
    with served(script) as server:

        async def plan(state: State) -> dict[str, Any]:
            message = await chat(server).ainvoke(state["question"])
            return {"plan": json.loads(str(message.content))}

        app = app_of(lambda graph: graph, graph(plan, fan_out, work))
        with pytest.raises(BrokenStream, match="ended without a finish reason"):
            asyncio.run(app.ainvoke(QUESTION))


# ── the openai client ───────────────────────────────────────────────────────────────────────────────────────────────


def sync_client(server: Served) -> OpenAI:
    return OpenAI(base_url=server.address, api_key="none", max_retries=0)


def async_client(server: Served) -> AsyncOpenAI:
    return AsyncOpenAI(base_url=server.address, api_key="none", max_retries=0)


def by_create(server: Served) -> Any:
    def plan(state: State) -> dict[str, Any]:
        with sync_client(server) as client:
            made = client.chat.completions.create(model="m", messages=MESSAGES)
        assert made.choices[0].finish_reason == "stop"
        return {"plan": json.loads(made.choices[0].message.content or "")}

    return plan


def by_async_create(server: Served) -> Any:
    async def plan(state: State) -> dict[str, Any]:
        async with async_client(server) as client:
            made = await client.chat.completions.create(model="m", messages=MESSAGES)
        return {"plan": json.loads(made.choices[0].message.content or "")}

    return plan


def by_stream(server: Served) -> Any:
    def plan(state: State) -> dict[str, Any]:
        with (
            sync_client(server) as client,
            client.chat.completions.create(model="m", messages=MESSAGES, stream=True) as stream,
        ):
            said = [chunk.choices[0].delta.content or "" for chunk in stream if chunk.choices]
        return {"plan": json.loads("".join(said))}

    return plan


def by_async_stream(server: Served) -> Any:
    async def plan(state: State) -> dict[str, Any]:
        async with async_client(server) as client:
            stream = await client.chat.completions.create(model="m", messages=MESSAGES, stream=True)
            said = [chunk.choices[0].delta.content or "" async for chunk in stream if chunk.choices]
        return {"plan": json.loads("".join(said))}

    return plan


def by_parse(server: Served) -> Any:
    def plan(state: State) -> dict[str, Any]:
        with sync_client(server) as client:
            made = client.chat.completions.parse(model="m", messages=MESSAGES, response_format=Plan)
        return {"plan": made.choices[0].message.parsed}

    return plan


def by_async_parse(server: Served) -> Any:
    async def plan(state: State) -> dict[str, Any]:
        async with async_client(server) as client:
            made = await client.chat.completions.parse(model="m", messages=MESSAGES, response_format=Plan)
        return {"plan": made.choices[0].message.parsed}

    return plan


def by_helper(server: Served) -> Any:
    def plan(state: State) -> dict[str, Any]:
        with (
            sync_client(server) as client,
            client.chat.completions.stream(model="m", messages=MESSAGES, response_format=Plan) as stream,
        ):
            made = stream.get_final_completion()
        return {"plan": made.choices[0].message.parsed}

    return plan


def by_response(server: Served) -> Any:
    def plan(state: State) -> dict[str, Any]:
        with sync_client(server) as client:
            made = client.responses.create(model="m", input="Why?")
        assert made.status == "completed"
        return {"plan": json.loads(made.output_text)}

    return plan


def by_async_response(server: Served) -> Any:
    async def plan(state: State) -> dict[str, Any]:
        async with async_client(server) as client:
            made = await client.responses.create(model="m", input="Why?")
        return {"plan": json.loads(made.output_text)}

    return plan


def by_response_stream(server: Served) -> Any:
    def plan(state: State) -> dict[str, Any]:
        with sync_client(server) as client, client.responses.create(model="m", input="Why?", stream=True) as stream:
            events = list(stream)
        text = "".join(event.delta for event in events if event.type == "response.output_text.delta")
        assert events[-1].type == "response.completed"
        assert events[-1].response.output_text == text
        return {"plan": json.loads(text)}

    return plan


CLIENTS = [
    by_create,
    by_async_create,
    by_stream,
    by_async_stream,
    by_parse,
    by_async_parse,
    by_helper,
    by_response,
    by_async_response,
    by_response_stream,
]


@pytest.mark.parametrize("client", CLIENTS)
def test_every_call_of_the_openai_client_goes_on_item_by_item(impl: Implementation, client: Any) -> None:
    work = Work()
    with served(work.script(impl)) as server:
        app = app_of(impl, graph(client(server), fan_out, work))
        found = checked(impl, app, server, sync="async" not in client.__name__)
        assert found in (PLAN, Plan.model_validate(PLAN))


def test_a_tool_call_of_the_openai_client_goes_on_item_by_item(impl: Implementation) -> None:
    work = Work()
    with served(work.script(impl, "Plan")) as server:

        async def plan(state: State) -> dict[str, Any]:
            async with async_client(server) as client:
                made = await client.chat.completions.create(model="m", messages=MESSAGES, tools=[])
            (call,) = made.choices[0].message.tool_calls or []
            assert call.type == "function"
            return {"plan": json.loads(call.function.arguments)}

        assert checked(impl, app_of(impl, graph(plan, fan_out, work)), server) == PLAN


def test_a_function_call_of_a_response_goes_on_item_by_item(impl: Implementation) -> None:
    work = Work()
    with served(work.script(impl, "Plan")) as server:

        async def plan(state: State) -> dict[str, Any]:
            async with async_client(server) as client:
                made = await client.responses.create(model="m", input="Why?")
            (call,) = made.output
            assert call.type == "function_call"
            return {"plan": json.loads(call.arguments)}

        assert checked(impl, app_of(impl, graph(plan, fan_out, work)), server) == PLAN


def test_a_response_equals_what_the_server_would_have_sent_whole() -> None:
    got: list[Any] = []
    with served(Script(pieces())) as server:

        async def plan(state: State) -> dict[str, Any]:
            async with async_client(server) as client:
                got.append(await client.responses.create(model="m", input="Why?"))
            return {"plan": Plan(queries=[])}

        made = graph(plan)
        for app in (made, app_of(lambda graph: graph, made)):
            asyncio.run(app.ainvoke(QUESTION))
        assert [request.get("stream", False) for request in server.requests] == [False, True]
    assert got[0] == got[-1]
    assert got[0].model_dump() == got[-1].model_dump()


@pytest.mark.parametrize("call", ["parse", "stream"])
def test_calls_that_are_not_answered_end_the_prediction_and_are_made_once(impl: Implementation, call: str) -> None:
    runs: list[str] = []
    entered = threading.Event()
    waits: list[threading.Event | None] = [None, entered]  # the server goes on when a prediction has begun
    with served(Script(pieces(), waits=[] if impl is plain_langgraph else waits)) as server:

        def plan(state: State) -> dict[str, Any]:
            runs.append(call)
            is_prediction = len(runs) > 1
            with sync_client(server) as client:
                made = client.chat.completions.create(model="m", messages=MESSAGES)
                if is_prediction:
                    entered.set()
                if call == "parse":
                    client.responses.parse(model="m", input="Good?")
                else:
                    with client.responses.stream(model="m", input="Good?") as stream:
                        stream.until_done()
            return {"plan": json.loads(made.choices[0].message.content or "")}

        app = app_of(impl, graph(plan, fan_out, Work()))
        assert app.invoke(QUESTION)["found"] == TEXTS
        assert [len(server.requests), *server.late] == [2]
        if impl is not plain_langgraph:
            assert statistics(app).early_starts == 0


@pytest.mark.parametrize("tool", [None, "Plan"])
@pytest.mark.parametrize("sync", [False, True], ids=["async", "sync"])
def test_what_the_node_gets_equals_what_the_server_would_have_sent_whole(tool: str | None, sync: bool) -> None:
    got: list[Any] = []
    with served(Script(pieces(), tool)) as server:

        async def plan(state: State) -> dict[str, Any]:
            async with async_client(server) as client:
                got.append(await client.chat.completions.create(model="m", messages=MESSAGES))
            return {"plan": Plan(queries=[])}

        def plan_in_thread(state: State) -> dict[str, Any]:
            with sync_client(server) as client:
                got.append(client.chat.completions.create(model="m", messages=MESSAGES))
            return {"plan": Plan(queries=[])}

        made = graph(plan_in_thread if sync else plan)
        for app in (made, app_of(lambda graph: graph, made)):
            app.invoke(QUESTION) if sync else asyncio.run(app.ainvoke(QUESTION))
        assert [request.get("stream", False) for request in server.requests] == [False, True]
    plain, ours = got[0], got[-1]
    assert type(plain) is type(ours)
    assert plain == ours
    assert plain.model_dump() == ours.model_dump()
    assert ours.usage.model_dump(exclude_none=True) == USAGE


def test_a_server_that_knows_no_streams_is_asked_for_the_whole(impl: Implementation) -> None:
    script = Work().script(plain_langgraph)
    script.refuses_streams = True
    with served(script) as server:
        app = app_of(impl, graph(by_async_create(server), fan_out, Work()))
        assert asyncio.run(app.ainvoke(QUESTION))["found"] == TEXTS
        assert [bool(request.get("stream")) for request in server.requests][-1] is False


@pytest.mark.parametrize("client", [by_create, by_async_create, by_parse, by_async_parse, by_response])
def test_a_stream_that_ends_without_a_reason_is_no_whole_answer(client: Any) -> None:
    script = Script(pieces()[:3], ends=False)
    with served(script) as server:
        app = app_of(lambda graph: graph, graph(client(server), fan_out, Work()))
        with pytest.raises(BrokenStream, match=r"finish reason|before the response was complete"):
            asyncio.run(app.ainvoke(QUESTION))


def test_a_raw_response_is_left_alone(impl: Implementation) -> None:
    with served(Script(pieces())) as server:

        async def plan(state: State) -> dict[str, Any]:
            async with async_client(server) as client:
                raw = await client.chat.completions.with_raw_response.create(model="m", messages=MESSAGES)
            return {"plan": json.loads(raw.parse().choices[0].message.content or "")}

        app = app_of(impl, graph(plan, fan_out, Work()))
        assert asyncio.run(app.ainvoke(QUESTION))["found"] == TEXTS
        assert [request.get("stream") for request in server.requests] == [None]


def test_the_client_is_as_ever_outside_of_replayed_nodes() -> None:
    with served(Script(pieces())) as server, sync_client(server) as client:
        client.chat.completions.create(model="m", messages=MESSAGES)
        with pytest.raises(openai.OpenAIError):
            client.with_options(base_url="http://127.0.0.1:9").chat.completions.create(model="m", messages=MESSAGES)
        assert "stream" not in server.requests[0]
