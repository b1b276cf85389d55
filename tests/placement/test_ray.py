"""Nodes on Ray: the answers are LangGraph's, or there is an error that says why not."""

from __future__ import annotations

import asyncio
import os
import threading
from pathlib import Path
from typing import Any

import pytest
from langchain_core.runnables import RunnableLambda
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.store.memory import InMemoryStore
from placement import stages
from placement.local_ray import on_ray

import alto_lg

pytestmark = [pytest.mark.usefixtures("local_ray"), pytest.mark.timeout(300)]

GIVEN = {"x": [], "k": 3}


def placed(graph: Any, **options: Any) -> Any:
    return alto_lg.accelerate(graph, placement={"n": on_ray(**options)})


SAME = {
    "a function": (stages.plain, None),
    "a coroutine function": (stages.coroutine, None),
    "a closure": (stages.adding(4), None),
    "a lambda": (lambda state: {"x": [-1]}, None),
    "a Command": (stages.command, None),
    "a runnable": (RunnableLambda(stages.plain) | RunnableLambda(lambda update: {"x": update["x"] * 2}), None),
    "a subgraph": (stages.inner(), None),
    "a graph in a function": (stages.invokes_a_graph, None),
    "a streaming coroutine": (stages.counts, None),
    "a streaming function": (stages.counts_plainly, None),
    "packets": (stages.plain, stages.many),
    "a command that leaves its subgraph": (None, lambda _: stages.leaving()),
}


@pytest.mark.parametrize("case", SAME)
def test_the_answer_is_that_of_langgraph(case: str) -> None:
    node, build = SAME[case]
    graph = (build or stages.graph)(node)

    def run(app: Any) -> Any:
        try:
            return asyncio.run(app.ainvoke(GIVEN)), app.invoke(GIVEN)
        except TypeError as error:  # of a coroutine function in a sync run
            return str(error)

    with placed(graph) as app:
        assert run(app) == run(graph)


def test_the_node_runs_in_another_process() -> None:
    with placed(stages.graph(stages.process)) as app:
        (process,) = app.invoke(GIVEN)["x"]
    assert process != os.getpid()


@pytest.mark.parametrize("node", [stages.says, stages.counts_plainly], ids=["says", "streams"])
def test_what_it_writes_is_streamed(node: Any) -> None:
    graph = stages.graph(node)
    modes: Any = ["custom", "updates", "values", ["custom", "updates"]]
    with placed(graph) as app:
        for mode in modes:
            assert list(app.stream(GIVEN, stream_mode=mode)) == list(graph.stream(GIVEN, stream_mode=mode))


def test_it_has_its_config_and_its_context() -> None:
    graph = stages.graph(stages.knows)
    options: Any = {
        "config": {"configurable": {"a": 1, "client": threading.Lock()}, "tags": ["t"]},
        "context": stages.Context("user"),
    }
    with placed(graph) as app:
        assert app.invoke(GIVEN, **options) == graph.invoke(GIVEN, **options)


def test_it_knows_its_ancestry() -> None:
    with placed(stages.many(stages.where)) as app:
        seen = asyncio.run(app.ainvoke({**GIVEN, "k": 2}))["x"]
    assert seen == ["request ▸ begin ▸ n#0", "request ▸ begin ▸ n#1"]


def test_what_a_node_raises_arrives_as_it_was_raised() -> None:
    with placed(stages.graph(stages.boom)) as app, pytest.raises(stages.Boom) as raised:
        app.invoke(GIVEN)
    assert raised.value.args == ("bad", 3)
    assert "in boom" in str(raised.value.__cause__), "the traceback of its worker"


def test_an_error_of_a_streaming_node_arrives_behind_what_it_yielded() -> None:
    graph = stages.graph(stages.counts_and_fails)
    with placed(graph) as app, pytest.raises(stages.Boom, match="after one"):
        asyncio.run(app.ainvoke(GIVEN))


REFUSED: dict[str, tuple[Any, dict[str, Any], str]] = {
    "the store": (stages.uses_store, {"store": InMemoryStore()}, "the graph's store is not there"),
    "interrupt": (stages.pauses, {"checkpointer": InMemorySaver()}, r"interrupt\(\) is not there"),
    "interrupt inside": (stages.inner(stages.pauses), {}, r"interrupt\(\) is not there"),
    "a task": (stages.uses_task, {}, "@task is not there"),
    "a client in the config": (stages.uses_client, {}, r"configurable\['client'\] is not there: it cannot be pickled"),
    "a change in place": (stages.changes, {}, "changed 'x' in place"),
    "an odd error": (stages.odd, {}, "raised Odd: 1 2, which cannot be pickled"),
    "an odd result": (stages.gives_lock, {}, "what it gives cannot be sent back"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_a_node_cannot_have_there_is_an_error_that_names_it(case: str) -> None:
    node, compiled, message = REFUSED[case]
    config: Any = {"configurable": {"thread_id": case, "client": threading.Lock()}}
    given = {**GIVEN, "x": [0]}
    said = f"Node 'n' is placed elsewhere, and .*{message}"
    with placed(stages.graph(node, **compiled)) as app:
        with pytest.raises(alto_lg.NotPortable, match=said):
            app.invoke(given, config)
        with pytest.raises(alto_lg.NotPortable, match=said):
            asyncio.run(app.ainvoke(given, config))


def test_an_input_that_cannot_be_sent_is_an_error_that_names_the_key() -> None:
    def reads(state: stages.State) -> Any:
        return {"x": [str(state["unread"])]}

    with placed(stages.graph(reads)) as app, pytest.raises(alto_lg.NotPortable, match="cannot be sent 'unread'"):
        app.invoke({**GIVEN, "unread": threading.Lock()})


def test_of_the_state_goes_what_the_node_reads() -> None:
    graph = stages.graph(stages.plain)
    given = {**GIVEN, "unread": threading.Lock()}  # could not be sent
    with placed(graph) as app:
        assert app.invoke(given) == graph.invoke(given)
        notes = alto_lg.explain(app)["n"].notes
    assert "runs on Ray: 1 x 0.01 cpu; is sent k [code], and packets whole" in notes


def test_what_a_log_line_names_is_not_sent_and_does_no_harm() -> None:
    with placed(stages.graph(stages.logs)) as app:
        assert app.invoke({**GIVEN, "unread": threading.Lock()})["x"] == [3]


def test_a_declared_read_that_is_not_true_says_so() -> None:
    @alto_lg.node(reads=["k"])
    def reads(state: stages.State) -> Any:
        return {"x": [state["unread"]]}

    with placed(stages.graph(reads)) as app, pytest.raises(alto_lg.UndeclaredRead, match="'unread'"):
        app.invoke({**GIVEN, "unread": 1})


def test_what_it_costs_is_explained() -> None:
    with placed(stages.many(stages.plain), replicas=2) as app:
        assert "not known before it has run" in " ".join(alto_lg.explain(app)["n"].notes)
        app.invoke({**GIVEN, "k": 8})
        app.invoke({**GIVEN, "k": 1})
        explained = str(alto_lg.explain(app))
    assert "ms more than that" in explained
    assert "9 firings" in " ".join(explained.split())


def test_a_lost_worker_names_node_and_ancestry(tmp_path: Path) -> None:
    with placed(stages.graph(stages.dies)) as app, pytest.raises(alto_lg.WorkerLost) as lost:
        asyncio.run(app.ainvoke({**GIVEN, "file": str(tmp_path / "marks")}))
    assert (lost.value.node, str(lost.value.ancestry), lost.value.attempts) == ("n", "request ▸ n", 1)
    assert "@alto_lg.repeatable" in str(lost.value)
    assert stages.marks(tmp_path / "marks") == ["began"]


@pytest.mark.parametrize("declared", ["decorator", "placement"])
@pytest.mark.parametrize("sync", [False, True], ids=["async", "sync"])
def test_a_repeatable_node_runs_again_elsewhere(declared: str, sync: bool, tmp_path: Path) -> None:
    given = {**GIVEN, "file": str(tmp_path / "marks")}
    by_decorator = declared == "decorator"
    node = alto_lg.repeatable(stages.dies_once) if by_decorator else stages.dies_once
    with placed(stages.graph(node), repeatable=not by_decorator) as app:
        found = app.invoke(given) if sync else asyncio.run(app.ainvoke(given))
    assert found["x"] == ["survived"]
    assert stages.marks(tmp_path / "marks") == ["began", "began"]


def test_a_repeatable_node_that_kills_each_worker_is_given_up(tmp_path: Path) -> None:
    given = {**GIVEN, "file": str(tmp_path / "marks")}
    graph = stages.graph(stages.dies)
    with placed(graph, repeatable=True, max_attempts=2) as app, pytest.raises(alto_lg.WorkerLost, match="ran 2 times"):
        app.invoke(given)
    assert stages.marks(tmp_path / "marks") == ["began"] * 2


def test_a_repeatable_stream_goes_on_where_it_was(tmp_path: Path) -> None:
    given = {**GIVEN, "file": str(tmp_path / "marks")}
    with placed(stages.graph(stages.streams_and_dies_once), repeatable=True) as app:
        assert asyncio.run(app.ainvoke(given))["x"] == [0, 1, 2, 3, 4]
    assert stages.marks(tmp_path / "marks") == ["began", "began"]


def test_a_stream_that_is_another_one_when_it_runs_again_is_lost(tmp_path: Path) -> None:
    given = {**GIVEN, "file": str(tmp_path / "marks")}
    graph = stages.graph(stages.streams_what_is_new)
    with placed(graph, repeatable=True) as app, pytest.raises(alto_lg.WorkerLost, match="something else"):
        asyncio.run(app.ainvoke(given))


def test_a_cancelled_run_cancels_its_firing_there(tmp_path: Path) -> None:
    file = tmp_path / "marks"

    async def cancel(app: Any) -> None:
        run = asyncio.create_task(app.ainvoke({**GIVEN, "file": str(file)}))
        await asyncio.to_thread(stages.until, file, "began")
        run.cancel()
        with pytest.raises(asyncio.CancelledError):
            await run
        await asyncio.to_thread(stages.until, file, "cancelled")

    with placed(stages.graph(stages.waits_for_ever)) as app:
        asyncio.run(cancel(app))


def test_items_of_a_streaming_node_start_what_they_lead_to_while_it_goes_on(tmp_path: Path) -> None:
    """The stream waits for a word that only the receiver of its first item leaves."""
    file = str(tmp_path / "marks")

    @alto_lg.streaming
    async def finds(state: stages.State) -> Any:
        yield {"x": [1]}
        await asyncio.to_thread(stages.until, Path(state["file"]), "received")
        yield {"x": [2]}

    async def takes(packet: Any) -> Any:
        stages.mark(packet, "received")
        return {}

    from langgraph.graph import START, StateGraph
    from langgraph.types import Send

    builder = StateGraph(stages.State)
    builder.add_node("n", finds)
    builder.add_node("takes", takes)
    builder.add_edge(START, "n")
    builder.add_conditional_edges(
        "n", lambda state: [Send("takes", {"k": one, "file": state["file"]}) for one in state["x"]], ["takes"]
    )
    with placed(builder.compile()) as app:
        assert asyncio.run(app.ainvoke({**GIVEN, "file": file}))["x"] == [1, 2]
        statistics = alto_lg.statistics(app)
    assert statistics is not None
    assert statistics.early_starts >= 1


def test_one_graph_serves_several_event_loops_and_threads() -> None:
    graph = stages.many(stages.plain)
    with placed(graph, replicas=2) as app:
        found = [asyncio.run(app.ainvoke({**GIVEN, "k": 5})), app.invoke({**GIVEN, "k": 5})]
        threads = [threading.Thread(target=lambda: found.append(app.invoke({**GIVEN, "k": 5}))) for _ in range(3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert found == [graph.invoke({**GIVEN, "k": 5})] * 5


def test_close_leaves_no_actor(local_ray: Any) -> None:
    app = placed(stages.graph(stages.plain), replicas=3)
    with app:
        app.invoke(GIVEN)
    with pytest.raises(alto_lg.NoWorker, match=r"close\(\) has ended them"):
        app.invoke(GIVEN)
    app.close()
    assert local_ray.is_initialized(), "it was not started by us"


def test_a_graph_that_is_forgotten_ends_its_workers(tmp_path: Path) -> None:
    import gc

    app = placed(stages.graph(stages.process))
    (process,) = app.invoke(GIVEN)["x"]
    del app
    gc.collect()
    _until_gone(process)


def test_resources_that_are_not_there_are_named(local_ray: Any) -> None:
    app = alto_lg.accelerate(
        stages.graph(stages.plain),
        placement={"n": alto_lg.ray(resources={"unobtainium": 1}, start_timeout_s=0.5)},
    )
    with pytest.raises(alto_lg.NoWorker, match=r"Node 'n' has no worker to run on: none was ready within 0.5 s"):
        app.invoke(GIVEN)
    app.close()


def _until_gone(process: int) -> None:
    import time

    deadline = time.monotonic() + 30
    while Path(f"/proc/{process}").exists():
        assert time.monotonic() < deadline
        time.sleep(0.05)
