"""The third version of event streams: typed projections that the caller drives."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from dropin.shapes.base import Log, add_all, connect
from dropin.watch import Implementation, plain_langgraph
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import START
from langgraph.runtime import RunControl
from langgraph.stream import CustomTransformer, TasksTransformer, UpdatesTransformer
from langgraph.types import interrupt
from sim.loop import run

from surface.bench import UNEVEN_LOG, Bench, thread, uneven
from surface.talkative import talkative

pytestmark = pytest.mark.filterwarnings("ignore:The v3 streaming protocol")

ANSWER = {"log": ["fast speaks", "slow", "after speaks", "fast speaks", "slow", "after speaks", "one", "two speaks"]}


def _project(bench: Bench, app: Any, given: Any, project: Any, config: Any = None, **settings: Any) -> Any:
    """Open a run in this bench's colour and look at it."""

    async def asynchronously() -> Any:
        stream = await app.astream_events(given, config, version="v3", **settings)
        async with stream:
            return await project(stream)

    def synchronously() -> Any:
        with app.stream_events(given, config, version="v3", **settings) as stream:
            return project(stream)

    return bench.call(asynchronously, synchronously)


def _all(bench: Bench, name: str) -> Any:
    async def asynchronously(stream: Any) -> list[Any]:
        return [item async for item in getattr(stream, name)]

    def synchronously(stream: Any) -> list[Any]:
        return list(getattr(stream, name))

    return asynchronously if bench.colour == "async" else synchronously


def _output(bench: Bench) -> Any:
    async def asynchronously(stream: Any) -> Any:
        return await stream.output()

    def synchronously(stream: Any) -> Any:
        return stream.output

    return asynchronously if bench.colour == "async" else synchronously


def test_the_output_is_the_final_state(bench: Bench) -> None:
    app = bench.app(talkative(bench))
    assert _project(bench, app, {"log": []}, _output(bench)) == ANSWER
    bench.assert_started_early(app)


def test_the_values_come_step_by_step(bench: Bench) -> None:
    app = bench.app(uneven(bench))
    values = _project(bench, app, {"log": []}, _all(bench, "values"))
    assert [value["log"] for value in values] == [[], UNEVEN_LOG[:2], UNEVEN_LOG[:3], UNEVEN_LOG]
    bench.assert_started_early(app)


def test_the_updates_come_in_the_order_of_steps(bench: Bench) -> None:
    app = bench.app(uneven(bench))
    settings = {"transformers": [UpdatesTransformer]}
    updates = _project(bench, app, {"log": []}, _all(bench, "updates"), **settings)
    assert {name for update in updates[:2] for name in update} == {"fast", "slow"}
    assert updates[2:] == [{"after": {"log": ["after"]}}, {"last": {"log": ["last"]}}]
    bench.assert_started_early(app)


def test_transformers_may_be_compiled_in(bench: Bench) -> None:
    app = bench.app(talkative(bench), transformers=[CustomTransformer])
    told = _project(bench, app, {"log": []}, _all(bench, "custom"))
    for word in ("fast", "after"):
        assert [event["number"] for event in told if event["from"] == word] == [1, 2]
    bench.assert_started_early(app)


def test_each_task_starts_and_ends(bench: Bench) -> None:
    app = bench.app(uneven(bench))
    settings = {"transformers": [TasksTransformer]}
    tasks = _project(bench, app, {"log": []}, _all(bench, "tasks"), **settings)
    starts = [task["id"] for task in tasks if "triggers" in task]
    ends = [task["id"] for task in tasks if "result" in task]
    assert len(starts) == 4
    assert sorted(starts) == sorted(ends)
    bench.assert_started_early(app)


def test_each_message_of_the_root_can_be_read_whole(bench: Bench) -> None:
    app = bench.app(talkative(bench))

    async def asynchronously(stream: Any) -> list[tuple[str, str]]:
        return [(str(message.node), await message.text) async for message in stream.messages]

    def synchronously(stream: Any) -> list[tuple[str, str]]:
        return [(str(message.node), str(message.text)) for message in stream.messages]

    said = _project(bench, app, {"log": []}, asynchronously if bench.colour == "async" else synchronously)
    assert said == [("fast", "fast speaks"), ("after", "after speaks")]
    bench.assert_started_early(app)


def test_a_subgraph_has_a_run_of_its_own(bench: Bench) -> None:
    app = bench.app(talkative(bench))

    async def asynchronously(stream: Any) -> list[Any]:
        return [(list(inner.path), [value async for value in inner.values]) async for inner in stream.subgraphs]

    def synchronously(stream: Any) -> list[Any]:
        return [(list(inner.path), list(inner.values)) for inner in stream.subgraphs]

    found = _project(bench, app, {"log": []}, asynchronously if bench.colour == "async" else synchronously)
    ((path, values),) = found
    assert [part.split(":")[0] for part in path] == ["inner"]
    assert [len(value["log"]) for value in values] == [4, 5]


def test_projections_of_a_sync_run_interleave_in_the_order_of_their_events(impl: Implementation) -> None:
    bench = Bench(impl, "sync", is_ours=impl is not plain_langgraph)
    app = bench.app(uneven(bench))
    with app.stream_events({"log": []}, version="v3", transformers=[UpdatesTransformer]) as stream:
        names = [name for name, _ in stream.interleave("values", "updates")]
    assert names == ["values", "updates", "updates", "values", "updates", "values", "updates", "values"]
    bench.assert_started_early(app)


def test_projections_of_an_async_run_can_be_read_at_once(impl: Implementation) -> None:
    bench = Bench(impl, "async", is_ours=impl is not plain_langgraph)
    app = bench.app(talkative(bench))

    async def words(stream: Any) -> list[str]:
        return [await message.text async for message in stream.messages]

    async def logs(stream: Any) -> list[int]:
        return [len(value["log"]) async for value in stream.values]

    async def main() -> Any:
        async with await app.astream_events({"log": []}, version="v3") as stream:
            return await asyncio.gather(words(stream), logs(stream))

    assert run(main).result == [["fast speaks", "after speaks"], [0, 2, 3, 8]]
    bench.assert_started_early(app)


def test_the_life_of_a_subgraph_is_told(bench: Bench) -> None:
    app = bench.app(talkative(bench))
    told = _project(bench, app, {"log": []}, _all(bench, "lifecycle"))
    assert [(part["event"], [name.split(":")[0] for name in part["namespace"]]) for part in told] == [
        ("started", ["inner"]),
        ("completed", ["inner"]),
    ]
    bench.assert_started_early(app)


def test_an_interrupted_run_says_so(bench: Bench) -> None:
    def ask(state: Log) -> dict[str, Any]:
        return {"log": [interrupt("name?")]}

    nodes = {"fast": bench.say("fast"), "slow": bench.say("slow", 1.0), "ask": ask}
    builder = connect(add_all(Log, nodes), (START, "fast"), (START, "slow"), ("fast", "ask"))
    app = bench.app(builder, checkpointer=InMemorySaver())

    async def asynchronously(stream: Any) -> Any:
        return await stream.interrupted(), [one.value for one in await stream.interrupts()]

    def synchronously(stream: Any) -> Any:
        return stream.interrupted, [one.value for one in stream.interrupts]

    project = asynchronously if bench.colour == "async" else synchronously
    assert _project(bench, app, {"log": []}, project, thread()) == (True, ["name?"])


def test_an_error_reaches_the_reader(bench: Bench) -> None:
    def fail(state: Log) -> dict[str, Any]:
        raise ValueError("no")

    nodes = {"fast": bench.say("fast"), "slow": bench.say("slow", 1.0), "fail": fail}
    app = bench.app(connect(add_all(Log, nodes), (START, "fast"), (START, "slow"), ("fast", "fail")))
    with pytest.raises(ValueError, match="no"):
        _project(bench, app, {"log": []}, _output(bench))


def test_a_drained_run_stops_between_steps(bench: Bench) -> None:
    app = bench.app(uneven(bench), checkpointer=InMemorySaver())
    control = RunControl()
    control.request_drain("enough")
    with pytest.raises(Exception, match="enough"):
        _project(bench, app, {"log": []}, _output(bench), thread(), control=control)


def test_the_modes_of_a_run_are_not_the_callers_to_choose(bench: Bench) -> None:
    app = bench.app(uneven(bench))
    with pytest.raises(TypeError, match="stream_mode"):
        _project(bench, app, {"log": []}, _output(bench), stream_mode="values")
