"""What must keep its meaning: errors, Commands, interrupts, injected arguments, events, retries, middleware."""

from __future__ import annotations

import asyncio
from typing import Annotated, Any

import pytest
from dropin.watch import Implementation, plain_langgraph
from langchain_core.callbacks import BaseCallbackHandler
from langchain_core.messages import AIMessage, ToolMessage
from langchain_core.runnables import RunnableConfig, RunnableLambda
from langchain_core.tools import BaseTool, InjectedToolCallId, ToolException, tool
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.config import get_config, get_store, get_stream_writer
from langgraph.prebuilt import InjectedState, ToolRuntime
from langgraph.runtime import get_runtime
from langgraph.store.memory import InMemoryStore
from langgraph.types import Command, RetryPolicy, interrupt
from sim.loop import run
from watching.scripted import Breaks, call, results, said

import alto_lg
from tools.agents import DONE, GO, THREE, Log, by_hand, by_own_node, model, now, of_langchain, prebuilt, worker


def statistics(app: Any) -> alto_lg.RunStatistics:
    found = alto_lg.statistics(app)
    assert found is not None
    return found


def counts(app: Any) -> tuple[int, int]:
    """Tools that began early, and those of them that were for nothing."""
    return statistics(app).early_tools, statistics(app).dropped_tools


def one_call(made: BaseTool, **arguments: Any) -> Any:
    """A script: one call of the tool, complete after a second, and a second of silence before the message ends."""
    return [*call(made.name, arguments, 0), *said("", 1.0)]


def contents(outcome: Any) -> list[Any]:
    return [content for _, _, content in results(outcome.result["messages"])]


# ── arguments and results ───────────────────────────────────────────────────────────────────────────────────────


def test_two_equal_calls_are_two_executions(impl: Implementation) -> None:
    log = Log()
    script = [*call("work", {"n": 7}, 0), *call("work", {"n": 7}, 1)]
    app = impl(by_hand(model(script), [worker(log)]))
    outcome = run(lambda: app.ainvoke(GO))
    assert results(outcome.result["messages"]) == [("work", f"call_{n}", "worked on 7") for n in range(2)]
    assert log.numbers == [7, 7]


def test_arguments_that_are_equal_in_python_only_are_not_equal(impl: Implementation) -> None:
    """Middleware may change 1 into True: that is another call."""
    seen: list[Any] = []

    @tool
    @alto_lg.repeatable
    async def show(x: Any) -> str:
        """Show what it was given."""
        seen.append(x)
        return repr(x)

    def altered(request: Any, execute: Any) -> Any:
        raise NotImplementedError

    async def aaltered(request: Any, execute: Any) -> Any:
        return await execute(request.override(tool_call={**request.tool_call, "args": {"x": True}}))

    node = {"wrap_tool_call": altered, "awrap_tool_call": aaltered}
    app = impl(by_hand(model(one_call(show, x=1)), [show], node=node))
    assert contents(run(lambda: app.ainvoke(GO))) == ["True"]
    if impl is not plain_langgraph:
        assert seen == [1, True]
        assert counts(app) == (1, 1)


def test_a_tool_that_changes_its_arguments_is_known_by_what_it_was_given(impl: Implementation) -> None:
    @tool
    @alto_lg.repeatable
    async def consume(items: list[int]) -> str:
        """Take the items."""
        taken = [items.pop() for _ in range(len(items))]
        return f"{taken} of {items}"

    script = [*call("consume", {"items": [1, 2]}, 0), *call("consume", {"items": []}, 1), *said("", 1.0)]
    app = impl(by_hand(model(script), [consume]))
    assert contents(run(lambda: app.ainvoke(GO))) == ["[2, 1] of []", "[] of []"]
    if impl is not plain_langgraph:
        assert counts(app) == (2, 0)


def test_the_id_of_the_call_is_an_argument(impl: Implementation) -> None:
    @tool
    @alto_lg.repeatable
    async def mine(x: int, call_id: Annotated[str, InjectedToolCallId]) -> ToolMessage:
        """Answer by oneself."""
        return ToolMessage(f"{call_id} got {x}", tool_call_id=call_id, name="mine")

    script = [*call("mine", {"x": 1}, 0), *call("mine", {"x": 1}, 1)]
    app = impl(by_hand(model(script), [mine]))
    assert contents(run(lambda: app.ainvoke(GO))) == ["call_0 got 1", "call_1 got 1"]
    if impl is not plain_langgraph:
        assert counts(app) == (2, 0)


def test_a_call_without_arguments_starts_when_the_next_begins(impl: Implementation) -> None:
    began: list[float] = []

    @tool
    @alto_lg.repeatable
    async def ping() -> str:
        """Ping."""
        began.append(now())
        return "pong"

    script = [*call("ping", {}, 0, pieces=1)[:1], *call("ping", {}, 1, pieces=1)[:1], *said("", 5.0)]
    app = impl(by_hand(model(script), [ping]))
    assert contents(run(lambda: app.ainvoke(GO))) == ["pong", "pong"]
    if impl is not plain_langgraph:
        assert began == [pytest.approx(1.0), pytest.approx(6.0)]


def test_content_and_artifact_are_kept(impl: Implementation) -> None:
    @tool(response_format="content_and_artifact")
    @alto_lg.repeatable
    async def find(x: int) -> tuple[str, dict[str, int]]:
        """Find it."""
        return "found", {"x": x}

    app = impl(by_hand(model(one_call(find, x=1)), [find]))
    message = run(lambda: app.ainvoke(GO)).result["messages"][2]
    assert (message.content, message.artifact) == ("found", {"x": 1})
    if impl is not plain_langgraph:
        assert counts(app) == (1, 0)


# ── errors ──────────────────────────────────────────────────────────────────────────────────────────────────────


def failing(error: Exception, log: Log) -> BaseTool:
    @tool
    @alto_lg.repeatable
    async def work(n: int) -> str:
        """Fail."""
        log.began.append((n, now()))
        await asyncio.sleep(0.5)
        raise error

    return work


def test_an_error_is_raised_at_its_place(impl: Implementation) -> None:
    log = Log()
    app = impl(by_hand(model(THREE), [failing(KeyError("gone"), log)]))
    with pytest.raises(KeyError, match="gone"):
        run(lambda: app.ainvoke(GO))
    assert log.numbers == [0, 1, 2]


def test_an_error_that_the_node_handles_becomes_a_message(impl: Implementation) -> None:
    log = Log()
    tools = [failing(ToolException("no such page"), log)]
    app = impl(by_hand(model(THREE), tools, node={"handle_tool_errors": True}))
    messages = run(lambda: app.ainvoke(GO)).result["messages"]
    assert [(one.status, "no such page" in one.content) for one in messages if one.type == "tool"] == [
        ("error", True)
    ] * 3
    assert log.numbers == [0, 1, 2]
    if impl is not plain_langgraph:
        assert counts(app) == (3, 0)


def test_arguments_that_the_tool_refuses_are_refused_at_their_place(impl: Implementation) -> None:
    log = Log()
    script = [*call("work", {"n": "no number"}, 0), *call("work", {"n": 1}, 1)]
    app = impl(by_hand(model(script), [worker(log)]))
    first, second = contents(run(lambda: app.ainvoke(GO)))
    assert "valid integer" in first
    assert second == "worked on 1"
    assert log.numbers == [1]


def test_a_tool_that_nobody_has_is_no_tool(impl: Implementation) -> None:
    log = Log()
    app = impl(by_hand(model([*call("other", {"n": 1}, 0)]), [worker(log)]))
    (content,) = contents(run(lambda: app.ainvoke(GO)))
    assert "other is not a valid tool" in content
    assert log.numbers == []


# ── what never starts early ─────────────────────────────────────────────────────────────────────────────────────


@alto_lg.repeatable
async def with_state(n: int, state: Annotated[dict[str, Any], InjectedState]) -> str:
    """Count the messages."""
    return f"{n} after {len(state['messages'])}"


@alto_lg.repeatable
async def with_runtime(n: int, runtime: ToolRuntime) -> str:
    """Count the messages."""
    return f"{n} after {len(runtime.state['messages'])}"


@alto_lg.repeatable
async def with_command(n: int, call_id: Annotated[str, InjectedToolCallId]) -> Command[Any]:
    """Say it by a Command."""
    return Command(update={"messages": [ToolMessage(f"{n} by command", tool_call_id=call_id)]})


@alto_lg.repeatable
async def with_secret_command(n: int, call_id: Annotated[str, InjectedToolCallId]) -> Any:
    """Say it by a Command, and say nothing of that."""
    return Command(update={"messages": [ToolMessage(f"{n} by command", tool_call_id=call_id)]})


@alto_lg.repeatable
async def with_store(n: int) -> str:
    """Ask the store."""
    store = get_store()
    found = await store.aget(("numbers",), "one")
    return f"{n} and {found.value['x'] if found else None}"


@alto_lg.repeatable
async def with_writer(n: int) -> str:
    """Tell how it goes."""
    get_stream_writer()(f"at {n}")
    return f"told {n}"


@alto_lg.repeatable
async def with_place(n: int) -> str:
    """Ask where it is."""
    return f"{n} in {get_config()['metadata']['langgraph_node']}"


UNFIT = {
    "with_state": ("0 after 2", "LangGraph injects its argument 'state'"),
    "with_runtime": ("0 after 2", "LangGraph injects its argument 'runtime'"),
    "with_command": ("0 by command", "it returns a Command"),
    "with_secret_command": ("0 by command", "it returns a Command"),
    "with_store": ("0 and 5", "it uses the store"),
    "with_place": ("0 in tools", "it looks at something of its step"),
}


@pytest.mark.parametrize("name", UNFIT)
def test_a_tool_that_needs_its_step_runs_in_it(impl: Implementation, name: str) -> None:
    expected, why = UNFIT[name]
    store = InMemoryStore()
    store.put(("numbers",), "one", {"x": 5})
    made = tool(globals()[name])
    app = impl(by_hand(model(one_call(made, n=0), DONE, one_call(made, n=0)), [made], store=store))
    for turn in range(2):
        outcome = run(lambda: app.ainvoke(GO))
        assert contents(outcome) == [expected]
        if impl is not plain_langgraph:
            assert counts(app)[0] == counts(app)[1]
            assert counts(app)[0] <= (turn == 0), "it is tried once"
            (verdict,) = alto_lg.explain(app).tools
            assert verdict.why_not is not None
            assert name == "with_place" or why in verdict.why_not


def test_what_a_tool_writes_to_the_stream_comes_once_and_in_its_step(impl: Implementation) -> None:
    async def drive(app: Any) -> list[Any]:
        return [event async for event in app.astream(GO, stream_mode=["custom", "updates"])]

    made = tool(with_writer)
    app = impl(by_hand(model(one_call(made, n=0)), [made]))
    events = run(lambda: drive(app)).result
    assert [mode if mode == "custom" else next(iter(event)) for mode, event in events] == [
        "ask",
        "custom",
        "tools",
        "ask",
    ]
    if impl is not plain_langgraph:
        assert counts(app) == (1, 1)


def test_a_tool_may_write_to_a_stream_that_nobody_reads(impl: Implementation) -> None:
    made = tool(with_writer)
    app = impl(by_hand(model(one_call(made, n=0)), [made]))
    assert contents(run(lambda: app.ainvoke(GO))) == ["told 0"]
    if impl is not plain_langgraph:
        assert counts(app) == (1, 0)


class Heard(BaseCallbackHandler):
    """Writes down which runnables began."""

    def __init__(self) -> None:
        self.names: list[str] = []

    def on_chain_start(self, serialized: Any, inputs: Any, **options: Any) -> None:
        if options.get("name") == "inner":
            self.names.append("inner")

    def on_tool_start(self, serialized: Any, input_str: str, **options: Any) -> None:
        self.names.append(serialized["name"])


@pytest.mark.parametrize("heard", [True, False])
def test_events_of_what_runs_inside_a_tool_come_once(impl: Implementation, heard: bool) -> None:
    @tool
    @alto_lg.repeatable
    async def nested(n: int) -> str:
        """Run a chain."""
        return str(await RunnableLambda(lambda x: x + 1).with_config(run_name="inner").ainvoke(n))

    handler = Heard()
    app = impl(by_hand(model(one_call(nested, n=0)), [nested]))
    config: Any = {"callbacks": [handler]} if heard else {}
    assert contents(run(lambda: app.ainvoke(GO, config))) == ["1"]
    assert handler.names == (["nested", "inner"] if heard else [])
    if impl is not plain_langgraph:
        assert counts(app) == ((1, 1) if heard else (1, 0))


def test_a_tool_may_read_what_is_settled_for_the_whole_run(impl: Implementation) -> None:
    @tool
    @alto_lg.repeatable
    async def who(n: int, config: RunnableConfig) -> str:
        """Say who asks."""
        return f"{config['configurable']['user']}, {get_config()['configurable']['user']}, {get_runtime().context}"

    app = impl(by_hand(model(one_call(who, n=0)), [who]))
    outcome = run(lambda: app.ainvoke(GO, {"configurable": {"user": "ann"}}, context="berlin"))
    assert contents(outcome) == ["ann, ann, berlin"]
    if impl is not plain_langgraph:
        assert counts(app) == (1, 0)


def test_a_tool_that_pauses_the_run_pauses_it_in_its_step(impl: Implementation) -> None:
    log = Log()

    @tool
    @alto_lg.repeatable
    async def ask_person(n: int) -> str:
        """Ask a person."""
        log.began.append((n, now()))
        return f"{n}: {interrupt('may I?')}"

    config: Any = {"configurable": {"thread_id": "1"}}
    app = impl(by_hand(model(one_call(ask_person, n=0)), [ask_person], checkpointer=InMemorySaver()))
    paused = run(lambda: app.ainvoke(GO, config)).result
    assert [one.value for one in paused["__interrupt__"]] == ["may I?"]
    assert log.began == [(0, pytest.approx(2.0))]
    assert contents(run(lambda: app.ainvoke(Command(resume="yes"), config))) == ["0: yes"]


@alto_lg.repeatable
async def helped(n: int) -> str:
    """Ask a person, in a helper."""
    return await _helper(n)


async def _helper(n: int) -> str:
    return f"{n}: {interrupt('may I?')}"


def test_a_pause_that_nobody_can_see_before_is_made_in_its_step(impl: Implementation) -> None:
    config: Any = {"configurable": {"thread_id": "1"}}
    made = tool(helped)
    app = impl(by_hand(model(one_call(made, n=0)), [made], checkpointer=InMemorySaver()))
    paused = run(lambda: app.ainvoke(GO, config)).result
    assert [one.value for one in paused["__interrupt__"]] == ["may I?"]
    if impl is not plain_langgraph:
        assert statistics(app).dropped_tools_why == {"it calls interrupt()": 1}
    assert contents(run(lambda: app.ainvoke(Command(resume="yes"), config))) == ["0: yes"]


# ── models, nodes and people ────────────────────────────────────────────────────────────────────────────────────


def test_a_message_that_breaks_off_leaves_nothing(impl: Implementation) -> None:
    log = Log()
    script = [*call("work", {"n": 0}, 0), *call("work", {"n": 1}, 1)[:2], Breaks(ConnectionError("closed"))]
    app = impl(by_hand(model(script), [worker(log, 5.0)]))
    with pytest.raises(ConnectionError, match="closed"):
        run(lambda: app.ainvoke(GO))
    if impl is not plain_langgraph:
        assert log.cancelled == [0]
        assert statistics(app).dropped_tools_why == {"the model's message broke off": 1}


def test_a_model_node_that_is_retried_begins_anew(impl: Implementation) -> None:
    log = Log()
    broken = [*call("work", {"n": 0}, 0), Breaks(ConnectionError("closed"))]
    retry = RetryPolicy(initial_interval=0.1, jitter=False)
    app = impl(by_hand(model(broken, THREE), [worker(log)], ask_options={"retry_policy": retry}))
    outcome = run(lambda: app.ainvoke(GO))
    assert results(outcome.result["messages"]) == [("work", f"call_{n}", f"worked on {n}") for n in range(3)]
    assert log.numbers == [0, 1, 2] if impl is plain_langgraph else [0, 0, 1, 2]
    if impl is not plain_langgraph:
        assert counts(app) == (4, 1)


def test_a_tool_node_that_is_retried_runs_its_tools(impl: Implementation) -> None:
    attempts: list[int] = []

    @tool
    @alto_lg.repeatable
    async def flaky(n: int) -> str:
        """Fail once."""
        attempts.append(n)
        if len(attempts) == 1:
            raise ConnectionError("first")
        return f"attempt {len(attempts)}"

    retry = RetryPolicy(initial_interval=0.1, jitter=False)
    app = impl(by_hand(model(one_call(flaky, n=0)), [flaky], tools_options={"retry_policy": retry}))
    assert contents(run(lambda: app.ainvoke(GO))) == ["attempt 2"]
    if impl is not plain_langgraph:
        assert counts(app) == (1, 0), "the first attempt took what there was"


@pytest.mark.parametrize("stop", [{"interrupt_before": ["tools"]}, {"interrupt_after": ["ask"]}])
def test_a_run_that_stops_before_its_tools_starts_none(impl: Implementation, stop: Any) -> None:
    log = Log()
    config: Any = {"configurable": {"thread_id": "1"}}
    app = impl(by_hand(model(THREE), [worker(log)], checkpointer=InMemorySaver(), **stop))
    run(lambda: app.ainvoke(GO, config))
    assert log.numbers == []
    outcome = run(lambda: app.ainvoke(None, config))
    assert len(contents(outcome)) == 3


def test_a_barrier_starts_no_tool_early(impl: Implementation) -> None:
    log = Log()
    graph = by_hand(model(THREE), [worker(log)])
    hints = {"tools": alto_lg.Hint(barrier=True)}
    app = graph if impl is plain_langgraph else alto_lg.accelerate(graph, hints=hints)
    assert len(contents(run(lambda: app.ainvoke(GO)))) == 3
    assert log.began == [(n, pytest.approx(3.0)) for n in range(3)]


def test_max_concurrency_starts_no_tool_early(impl: Implementation) -> None:
    """Whoever bounds what runs at once wants a bound on the calls of tools, too."""
    log = Log()
    app = impl(prebuilt("v2")(model(THREE), [worker(log)]))
    outcome = run(lambda: app.ainvoke(GO, {"max_concurrency": 1}))
    assert len(contents(outcome)) == 3
    assert log.began == [(n, pytest.approx(3.0 + n)) for n in range(3)]


@pytest.mark.parametrize("decision", ["approve", "edit", "reject"])
@pytest.mark.parametrize("named", [True, False])
def test_a_person_decides_about_a_call(impl: Implementation, decision: str, named: bool) -> None:
    middleware = pytest.importorskip("langchain.agents.middleware", reason="langchain is not installed")
    log = Log()
    asked = middleware.HumanInTheLoopMiddleware(interrupt_on={"work" if named else "other": True})

    @tool
    @alto_lg.repeatable
    async def other(n: int) -> str:
        """Something else."""
        return f"other {n}"

    script = [*call("work", {"n": 1}, 0), *call("other", {"n": 2}, 1), *said("", 1.0)]
    app = impl(of_langchain(model(script), [worker(log), other], middleware=[asked], checkpointer=InMemorySaver()))
    config: Any = {"configurable": {"thread_id": "1"}}
    paused = run(lambda: app.ainvoke(GO, config)).result
    assert len(paused["__interrupt__"]) == 1
    if named:
        assert log.numbers == [], "nobody has approved it"
    resume: dict[str, Any] = {"type": decision}
    if decision == "edit":
        resume["edited_action"] = {"name": "work" if named else "other", "args": {"n": 9}}
    answer = run(lambda: app.ainvoke(Command(resume={"decisions": [resume]}), config)).result
    contents = {name: content for name, _, content in results(answer["messages"])}
    mine, theirs = contents["work"], contents["other"]
    asked_about = mine if named else theirs
    if decision == "edit":
        assert asked_about.endswith("9")
    elif decision == "reject":
        assert "reject" in asked_about.lower()
    else:
        assert asked_about.endswith("1" if named else "2")


def test_middleware_around_a_tool_stays_around_it(impl: Implementation) -> None:
    order: list[str] = []

    async def around(request: Any, execute: Any) -> Any:
        order.append(f"before {request.tool.name} {request.tool is made}")
        result = await execute(request)
        order.append("after")
        return result.model_copy(update={"content": f"<{result.content}>"})

    made = worker(Log())
    app = impl(by_hand(model(one_call(made, n=0)), [made], node={"awrap_tool_call": around}))
    assert contents(run(lambda: app.ainvoke(GO))) == ["<worked on 0>"]
    assert order == ["before work True", "after"]
    if impl is not plain_langgraph:
        assert counts(app) == (1, 0)


def test_middleware_that_answers_itself_drops_the_early_result(impl: Implementation) -> None:
    async def instead(request: Any, execute: Any) -> Any:
        return ToolMessage("cached", tool_call_id=request.tool_call["id"])

    log = Log()
    app = impl(by_hand(model(one_call(worker(log), n=0)), [worker(log)], node={"awrap_tool_call": instead}))
    assert contents(run(lambda: app.ainvoke(GO))) == ["cached"]
    if impl is not plain_langgraph:
        assert statistics(app).dropped_tools_why == {"the step ran no such call": 1}


@pytest.mark.parametrize("by_id", [True, False])
def test_a_result_of_an_earlier_turn_is_not_taken_for_one_of_now(impl: Implementation, by_id: bool) -> None:
    """The first turn's call is answered by the node itself; by the second turn, what the tool reads has changed."""
    balance = [100]

    @tool
    @alto_lg.repeatable
    async def read() -> str:
        """Read the balance."""
        return str(balance[0])

    turns: list[int] = []

    async def run_tools(state: Any) -> Any:
        turns.append(1)
        (asked,) = state["messages"][-1].tool_calls
        if len(turns) == 1:
            balance[0] = 200
            return {"messages": [ToolMessage("not now", tool_call_id=asked["id"])]}
        given = await read.ainvoke(asked) if by_id else await read.ainvoke(asked["args"])
        message = given if by_id else ToolMessage(given, tool_call_id=asked["id"])
        return {"messages": [message]}

    scripts = [[*call("read", {}, turn if by_id else 0), *said("", 1.0)] for turn in range(2)]
    graph = by_hand(model(*scripts), [read])
    graph.builder.nodes["tools"].runnable = RunnableLambda(run_tools)
    app = impl(graph.builder.compile())
    messages = run(lambda: app.ainvoke(GO)).result["messages"]
    assert [one.content for one in messages if one.type == "tool"] == ["not now", "200"]
    if impl is not plain_langgraph:
        assert counts(app) == (2, 1)


def test_a_node_that_changes_the_message_has_its_own_calls_run(impl: Implementation) -> None:
    log = Log()
    chat = model(one_call(worker(log), n=0))
    graph = by_own_node(chat, [worker(log)])
    builder = graph.builder

    async def double(state: Any) -> Any:
        last = state["messages"][-1]
        calls = [{**one, "args": {"n": 5}} for one in last.tool_calls]
        return {"messages": [AIMessage(content="", id=last.id, tool_calls=calls)]}

    builder.add_node("double", double)
    del builder.branches["ask"]
    builder.add_conditional_edges("ask", lambda s: "double" if s["messages"][-1].tool_calls else "__end__")
    builder.add_edge("double", "tools")
    app = impl(builder.compile())
    assert contents(run(lambda: app.ainvoke(GO))) == ["worked on 5"]
    if impl is not plain_langgraph:
        assert log.numbers == [0, 5]
        assert counts(app) == (1, 1)
