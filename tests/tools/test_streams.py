"""What streams, checkpoints and tracers show of a run whose tools started early."""

from __future__ import annotations

from typing import Any

import pytest
from dropin.watch import Implementation, plain_langgraph
from langchain_core.callbacks import BaseCallbackHandler
from langchain_core.messages import BaseMessage
from langchain_core.runnables import RunnableConfig
from langchain_core.tools import tool
from langgraph.checkpoint.memory import InMemorySaver
from sim.loop import run
from watching.scripted import Breaks, call, results, said

import alto_lg
from tools.agents import AGENTS, DONE, GO, THREE, Agent, Log, by_hand, model, prebuilt, worker

THREAD: RunnableConfig = {"configurable": {"thread_id": "1"}}


def early_tools(app: Any) -> tuple[int, int]:
    found = alto_lg.statistics(app)
    assert found is not None
    return found.early_tools, found.dropped_tools


def shown(messages: list[BaseMessage]) -> list[Any]:
    return [(one.type, one.content, getattr(one, "tool_calls", None)) for one in messages]


@pytest.mark.filterwarnings("ignore:The v3 streaming protocol")
def test_the_third_version_of_event_streams_starts_them_too(impl: Implementation) -> None:
    log = Log()
    app = impl(by_hand(model(), [worker(log)]))

    async def drive() -> Any:
        async with await app.astream_events(GO, version="v3") as stream:
            return await stream.output()

    outcome = run(drive)
    assert len(results(outcome.result["messages"])) == 3
    assert log.numbers == [0, 1, 2]
    if impl is not plain_langgraph:
        assert log.began[0] == (0, pytest.approx(1.0))
        assert early_tools(app) == (3, 0)


@pytest.mark.parametrize("agent", AGENTS.values(), ids=AGENTS)
def test_checkpoints_are_those_of_langgraph(agent: Agent) -> None:
    def history(impl: Implementation) -> list[Any]:
        app = impl(agent(model(), [worker(Log())], checkpointer=InMemorySaver()))

        async def drive() -> list[Any]:
            await app.ainvoke(GO, THREAD)
            return [state async for state in app.aget_state_history(THREAD)]

        states = run(drive).result
        return [(shown(one.values.get("messages", [])), one.next, one.metadata["step"], one.metadata) for one in states]

    plain, accelerated = history(plain_langgraph), history(alto_lg.accelerate)
    assert [one[:3] for one in accelerated] == [one[:3] for one in plain]
    assert [set(one[3]) for one in accelerated] == [set(one[3]) for one in plain]


@pytest.mark.parametrize("first", ["plain", "accelerated"])
def test_a_run_that_broke_off_is_taken_up_by_either(first: str) -> None:
    """The tools fail the first time; what their model said is saved, and the other side goes on from there."""
    saver, fails = InMemorySaver(), [True]

    @tool
    @alto_lg.repeatable
    async def work(n: int) -> str:
        """Work on a number, when it is possible."""
        if fails[0]:
            raise ConnectionError("down")
        return f"worked on {n}"

    def made(accelerated: bool, *scripts: Any) -> Any:
        graph = by_hand(model(*scripts), [work], checkpointer=saver)
        return alto_lg.accelerate(graph) if accelerated else graph

    with pytest.raises(ConnectionError, match="down"):
        run(lambda: made(first == "accelerated").ainvoke(GO, THREAD))
    fails[0] = False
    second = made(first == "plain", DONE)
    messages = run(lambda: second.ainvoke(None, THREAD)).result["messages"]
    assert results(messages) == [("work", f"call_{n}", f"worked on {n}") for n in range(3)]


class Tools(BaseCallbackHandler):
    """Every event of a tool, with what it carries."""

    def __init__(self) -> None:
        self.events: list[Any] = []

    def on_tool_start(self, serialized: Any, input_str: str, **options: Any) -> None:
        self.events.append(("start", serialized["name"], options["inputs"], options["metadata"]["langgraph_node"]))

    def on_tool_end(self, output: Any, **options: Any) -> None:
        self.events.append(("end", output.content, output.tool_call_id))

    def on_tool_error(self, error: BaseException, **options: Any) -> None:
        self.events.append(("error", str(error)))


@pytest.mark.parametrize("version", ["v1", "v2"])
@pytest.mark.parametrize("on_tool", [True, False])
def test_a_tracer_hears_each_tool_once(impl: Implementation, version: str, on_tool: bool) -> None:
    """Also one that hangs on the tool itself."""
    heard, made = Tools(), worker(Log())
    if on_tool:
        made.callbacks = [heard]
    app = impl(prebuilt(version)(model(), [made]))
    run(lambda: app.ainvoke(GO, {} if on_tool else {"callbacks": [heard]}))
    assert sorted(heard.events, key=str) == sorted(
        [
            *(("start", "work", {"n": n}, "tools") for n in range(3)),
            *(("end", f"worked on {n}", f"call_{n}") for n in range(3)),
        ],
        key=str,
    )


def test_a_tracer_hears_an_error_once_and_in_the_step(impl: Implementation) -> None:
    heard = Tools()

    @tool
    @alto_lg.repeatable
    async def work(n: int) -> str:
        """Fail."""
        raise ValueError(f"no {n}")

    app = impl(by_hand(model(), [work], node={"handle_tool_errors": True}))
    run(lambda: app.ainvoke(GO, {"callbacks": [heard]}))
    assert [event for event in heard.events if event[0] == "error"] == [("error", f"no {n}") for n in range(3)]


def test_a_model_with_retries_of_its_own_begins_anew(impl: Implementation) -> None:
    log = Log()
    broken = [*call("work", {"n": 0}, 0), Breaks(ConnectionError("closed"))]
    chat = model(broken, THREE)
    graph = by_hand(_Retrying(chat), [worker(log)])  # type: ignore[arg-type]
    app = impl(graph)
    outcome = run(lambda: app.ainvoke(GO))
    assert len(results(outcome.result["messages"])) == 3
    assert log.numbers == [0, 1, 2] if impl is plain_langgraph else [0, 0, 1, 2]
    if impl is not plain_langgraph:
        assert early_tools(app) == (4, 1)


class _Retrying:
    """What `model.bind_tools(...).with_retry(...)` is in real graphs."""

    def __init__(self, chat: Any) -> None:
        self._chat = chat

    def bind_tools(self, tools: Any) -> Any:
        return self._chat.bind_tools(tools).with_retry(wait_exponential_jitter=False)


def test_a_node_that_streams_the_model_itself_starts_them(impl: Implementation) -> None:
    log = Log()
    chat = model()
    made = worker(log)
    graph = by_hand(chat, [made])

    async def ask(state: Any) -> Any:
        whole: Any = None
        async for chunk in chat.astream(state["messages"]):
            whole = chunk if whole is None else whole + chunk
        return {"messages": [whole]}

    graph.builder.nodes["ask"].runnable.afunc = ask
    app = impl(graph.builder.compile())
    assert len(results(run(lambda: app.ainvoke(GO)).result["messages"])) == 3
    if impl is not plain_langgraph:
        assert early_tools(app) == (3, 0)


def test_a_model_that_does_not_stream_is_left_alone(impl: Implementation) -> None:
    log, chat = Log(), model(streams=False)
    app = impl(by_hand(chat, [worker(log)]))
    assert len(results(run(lambda: app.ainvoke(GO)).result["messages"])) == 3
    assert set(chat.asked) == {"whole"}
    assert log.numbers == [0, 1, 2]


def test_calls_that_come_in_one_piece_start_at_once(impl: Implementation) -> None:
    """As from servers that send a call when it is whole, without an index."""
    log = Log()
    whole = [piece for n in range(2) for piece in [*said("", 1.0), *_in_one(n)]]
    app = impl(by_hand(model([*whole, *said("", 5.0)]), [worker(log)]))
    assert len(results(run(lambda: app.ainvoke(GO)).result["messages"])) == 2
    if impl is not plain_langgraph:
        assert log.began == [(0, pytest.approx(1.0)), (1, pytest.approx(2.0))]


def _in_one(number: int) -> Any:
    from langchain_core.messages import AIMessageChunk
    from langchain_core.messages.tool import tool_call_chunk
    from watching.scripted import Piece

    chunk = tool_call_chunk(name="work", args=f'{{"n": {number}}}', id=f"call_{number}", index=None)
    return [Piece(AIMessageChunk(content="", tool_call_chunks=[chunk]))]
