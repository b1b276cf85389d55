"""Event loops: one app on several, real ones, in debug mode, with eager tasks, and many runs at once."""

from __future__ import annotations

import asyncio
import importlib
import importlib.util
import sys
import threading
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from dropin.shapes.base import Builder, Log, add_all, connect
from dropin.watch import Implementation, plain_langgraph
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import START
from sim.loop import run

from surface.bench import UNEVEN_LOG, Bench, thread, uneven

PAUSE_S = 0.05


def _real_bench(impl: Implementation) -> Bench:
    return Bench(impl, "async", is_ours=impl is not plain_langgraph)


def _quick(bench: Bench) -> Builder:
    """The uneven graph for a real clock."""
    nodes = {"fast": bench.say("fast", 0.0), "slow": bench.slow(seconds=PAUSE_S)}
    builder = add_all(Log, {**nodes, "after": bench.say("after", 0.0), "last": bench.say("last", 0.0)})
    return connect(builder, (START, "fast"), (START, "slow"), ("fast", "after"), ("after", "last"))


async def _once(app: Any) -> list[str]:
    state = await app.ainvoke({"log": []})
    seen = [event["log"] async for event in app.astream({"log": []}, stream_mode="values")]
    assert seen[-1] == state["log"]
    log: list[str] = state["log"]
    return log


def test_one_app_on_one_loop_after_the_other(impl: Implementation) -> None:
    bench = _real_bench(impl)
    app = bench.app(_quick(bench))
    for _ in range(3):
        assert asyncio.run(_once(app)) == UNEVEN_LOG
        bench.assert_started_early(app)
    assert run(lambda: _once(app)).result == UNEVEN_LOG
    bench.assert_started_early(app)


def test_one_saved_thread_goes_on_on_another_loop(impl: Implementation) -> None:
    bench = _real_bench(impl)
    app = bench.app(_quick(bench), checkpointer=InMemorySaver(), interrupt_before=["last"])
    assert asyncio.run(app.ainvoke({"log": []}, thread()))["log"] == UNEVEN_LOG[:3]
    assert asyncio.run(app.ainvoke(None, thread()))["log"] == UNEVEN_LOG


def test_loops_of_two_threads_at_once_share_an_app(impl: Implementation) -> None:
    bench = _real_bench(impl)
    app = bench.app(_quick(bench))
    together = threading.Barrier(2)

    def one(_: int) -> list[str]:
        together.wait(10)
        return asyncio.run(_once(app))

    with ThreadPoolExecutor(2) as pool:
        assert list(pool.map(one, range(2))) == [UNEVEN_LOG, UNEVEN_LOG]


def test_the_debug_mode_of_asyncio_finds_nothing_to_say(impl: Implementation) -> None:
    bench = _real_bench(impl)
    app = bench.app(_quick(bench))
    said: list[Any] = []

    async def main() -> list[str]:
        loop = asyncio.get_running_loop()
        loop.slow_callback_duration = 60.0  # how busy the machine is does not matter here
        loop.set_exception_handler(lambda _, context: said.append(context))
        return await _once(app)

    assert asyncio.run(main(), debug=True) == UNEVEN_LOG
    assert said == []
    bench.assert_started_early(app)


def _run_on(factory: Callable[[], asyncio.AbstractEventLoop], work: Coroutine[Any, Any, Any]) -> Any:
    with asyncio.Runner(loop_factory=factory) as runner:
        return runner.run(work)


@pytest.mark.skipif(importlib.util.find_spec("uvloop") is None, reason="uvloop is not installed")
def test_the_answers_are_the_same_on_uvloop(impl: Implementation) -> None:
    uvloop = importlib.import_module("uvloop")
    bench = _real_bench(impl)
    app = bench.app(_quick(bench))
    assert _run_on(uvloop.new_event_loop, _once(app)) == UNEVEN_LOG
    bench.assert_started_early(app)


@pytest.mark.skipif(sys.version_info < (3, 12), reason="eager tasks came with Python 3.12")
def test_the_answers_are_the_same_with_eager_tasks(impl: Implementation) -> None:
    bench = _real_bench(impl)
    app = bench.app(_quick(bench))

    async def main() -> list[str]:
        factory = getattr(asyncio, "eager_task_factory")  # noqa: B009  (the type checker looks at Python 3.11)
        asyncio.get_running_loop().set_task_factory(factory)
        return await _once(app)

    assert asyncio.run(main()) == UNEVEN_LOG
    bench.assert_started_early(app)


def test_fifty_runs_at_once_share_an_app(impl: Implementation) -> None:
    bench = _real_bench(impl)
    app = bench.app(uneven(bench), checkpointer=InMemorySaver())

    async def main() -> list[Any]:
        runs = (app.ainvoke({"log": [str(number)]}, thread(str(number))) for number in range(50))
        return await asyncio.gather(*runs)

    answers = run(main, seed=1, schedule="shuffle").result
    assert [answer["log"] for answer in answers] == [[str(number), *UNEVEN_LOG] for number in range(50)]
    bench.assert_started_early(app)
    for number in range(50):
        assert bench.state(app, thread(str(number))).values == answers[number]


def test_twenty_synchronous_runs_at_once_share_an_app(impl: Implementation) -> None:
    bench = Bench(impl, "sync", is_ours=impl is not plain_langgraph)
    app = bench.app(uneven(bench), checkpointer=InMemorySaver())

    def one(number: int) -> Any:
        return app.invoke({"log": [str(number)]}, thread(str(number)))["log"]

    with ThreadPoolExecutor(20) as pool:
        assert list(pool.map(one, range(20))) == [[str(number), *UNEVEN_LOG] for number in range(20)]


def test_a_synchronous_and_an_asynchronous_run_share_an_app(impl: Implementation) -> None:
    """The nodes are plain functions, which both colours can run."""
    bench = Bench(impl, "sync", is_ours=impl is not plain_langgraph)
    app = bench.app(uneven(bench))
    assert app.invoke({"log": []})["log"] == UNEVEN_LOG
    bench.assert_started_early(app)
    assert asyncio.run(_once(app)) == UNEVEN_LOG
