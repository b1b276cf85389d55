"""Nodes in processes and on threads of their own."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest
from langchain_core.runnables import RunnableLambda
from langgraph.checkpoint.memory import InMemorySaver
from placement import stages

import alto_lg

GIVEN = {"x": [], "k": 3}
SAME: dict[str, Any] = {
    "a function": stages.graph(stages.plain),
    "a coroutine function": stages.graph(stages.coroutine),
    "a closure": stages.graph(stages.adding(4)),
    "a Command": stages.graph(stages.command),
    "a runnable": stages.graph(RunnableLambda(stages.plain) | RunnableLambda(lambda update: {"x": update["x"] * 2})),
    "a subgraph": stages.graph(stages.inner()),
    "packets": stages.many(stages.plain),
}


def in_processes(graph: Any, **options: Any) -> Any:
    return alto_lg.accelerate(graph, placement={"n": alto_lg.processes(**options)})


def on_threads(graph: Any, workers: int = 1) -> Any:
    return alto_lg.accelerate(graph, placement={"n": alto_lg.threads(workers=workers)})


@pytest.mark.parametrize("case", SAME)
def test_the_answer_is_that_of_langgraph(case: str) -> None:
    graph = SAME[case]

    def run(app: Any) -> Any:
        try:
            return asyncio.run(app.ainvoke(GIVEN)), app.invoke(GIVEN)
        except TypeError as error:  # of a coroutine function in a sync run
            return str(error)

    with in_processes(graph) as app:
        assert run(app) == run(graph)


def test_several_processes_share_the_firings() -> None:
    with in_processes(stages.many(stages.process), workers=2, max_in_flight=1) as app:
        processes: set[int] = set()
        while len(processes) < 2:  # one may be ready long before the other; the test's own timeout ends it
            processes.update(app.invoke({**GIVEN, "k": 20})["x"])
    assert len(processes) == 2
    assert os.getpid() not in processes


def test_a_group_has_one_process_while_others_share_the_rest() -> None:
    with in_processes(stages.claims(stages.keeps), workers=2, by_group=True) as app:
        found = asyncio.run(app.ainvoke({"x": [], "k": 4}))["x"]
    told = {claim: [(count, process) for one, count, process in found if one == claim] for claim, *_ in found}
    assert [sorted(count for count, _ in counts) for counts in told.values()] == [[1, 2, 3, 4, 5, 6]] * 4
    assert len({process for _, _, process in found}) == 2


def test_what_a_node_raises_arrives_as_it_was_raised() -> None:
    with in_processes(stages.graph(stages.boom)) as app, pytest.raises(stages.Boom) as raised:
        app.invoke(GIVEN)
    assert raised.value.args == ("bad", 3)


def test_what_cannot_be_sent_either_way_names_the_node() -> None:
    with (
        in_processes(stages.graph(stages.gives_lock)) as app,
        pytest.raises(alto_lg.NotPortable, match="Node 'n' is placed elsewhere, and what it gives cannot be sent"),
    ):
        asyncio.run(app.ainvoke(GIVEN))
    with (
        in_processes(stages.graph(stages.plain)) as app,
        pytest.raises(alto_lg.NotPortable, match="cannot be sent 'k'"),
    ):
        app.invoke({**GIVEN, "k": threading.Lock()})


def test_a_process_that_dies(tmp_path: Path) -> None:
    given = {**GIVEN, "file": str(tmp_path / "marks")}
    with in_processes(stages.graph(stages.dies)) as app, pytest.raises(alto_lg.WorkerLost, match=r"request ▸ n"):
        asyncio.run(app.ainvoke(given))
    given = {**GIVEN, "file": str(tmp_path / "others")}
    with in_processes(stages.graph(stages.dies_once), repeatable=True) as app:
        assert app.invoke(given)["x"] == ["survived"]


def test_a_script_needs_no_guard(tmp_path: Path) -> None:
    """Started processes do not run the script, though its function is defined there."""
    script = tmp_path / "script.py"
    script.write_text(
        "print('script')\n"
        "from typing import TypedDict\n"
        "from langgraph.graph import START, StateGraph\n"
        "import alto_lg\n"
        "class State(TypedDict):\n    k: int\n"
        "def double(state: State):\n    return {'k': state['k'] * 2}\n"
        "builder = StateGraph(State).add_node('n', double).add_edge(START, 'n')\n"
        "app = alto_lg.accelerate(builder.compile(), placement={'n': alto_lg.processes()})\n"
        "print(app.invoke({'k': 21}))\n"
    )
    done = subprocess.run([sys.executable, script], capture_output=True, text=True, timeout=100, check=False)
    assert done.stdout.split("\n") == ["script", "{'k': 42}", ""], done.stderr


@pytest.mark.parametrize("kind", ["ray", "processes"])
def test_a_process_that_is_killed_leaves_no_worker(kind: str, tmp_path: Path) -> None:
    """The process of the graph is killed; its workers end by themselves."""
    from placement.kill import alive_after

    program = (
        "import os, signal, sys\n"
        "import alto_lg\n"
        "from placement import stages\n"
        f"app = alto_lg.accelerate(stages.graph(stages.process), placement={{'n': alto_lg.{kind}()}})\n"
        "print(app.invoke({'x': [], 'k': 1})['x'][0], flush=True)\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=Path(__file__).parents[1],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,  # a pipe would be held by the workers
        text=True,
        timeout=100,
        check=False,
    )
    assert done.returncode == -9
    assert alive_after(60, {int(done.stdout)}) == []


# ── threads ─────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("sync", [False, True], ids=["async", "sync"])
def test_a_node_runs_on_threads_of_its_own(sync: bool) -> None:
    with on_threads(stages.many(stages.thread), workers=2) as app:
        found = app.invoke(GIVEN) if sync else asyncio.run(app.ainvoke(GIVEN))
    assert {name.rsplit("_", 1)[0] for name in found["x"]} == {"alto_lg n"}


def test_no_more_run_at_once_than_there_are_threads() -> None:
    running, most = 0, 0
    lock, all_there = threading.Lock(), threading.Barrier(2, timeout=30)

    def meets(state: stages.State) -> Any:
        nonlocal running, most
        with lock:
            running += 1
            most = max(most, running)
        all_there.wait()
        with lock:
            running -= 1
        return {}

    with on_threads(stages.many(meets), workers=2) as app:
        asyncio.run(app.ainvoke({**GIVEN, "k": 6}))
    assert most == 2


def test_on_a_thread_a_node_can_do_what_it_can_do_elsewhere() -> None:
    graph = stages.graph(stages.pauses, checkpointer=InMemorySaver())
    config: Any = {"configurable": {"thread_id": "1"}}
    with on_threads(graph) as app:
        assert app.invoke(GIVEN, config)["__interrupt__"][0].value == "why?"
        assert app.invoke(stages.Command(resume="so"), config)["x"] == ["so"]
    with on_threads(stages.graph(stages.counts_plainly)) as app:
        assert list(app.stream(GIVEN, stream_mode="custom")) == [0, 1, 2, 3, 4]


def test_closed_threads_say_so() -> None:
    app = on_threads(stages.graph(stages.plain))
    with app:
        app.invoke(GIVEN)
    with pytest.raises(alto_lg.NoWorker, match=r"Node 'n' has no worker to run on: close\(\)"):
        app.invoke(GIVEN)
