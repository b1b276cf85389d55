"""What cannot be placed is refused when the graph is accelerated, and the reason names node and next move."""

from __future__ import annotations

import copy
import pickle
import threading
from typing import Any

import pytest
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.func import entrypoint
from placement import stages

import alto_lg
from alto_lg.errors import NotPortable, NoWorker, WorkerLost

LOCK = threading.Lock()


def closing_over(thing: Any) -> Any:
    def uses(state: stages.State) -> Any:
        with thing:
            return {"x": [1]}

    return uses


@alto_lg.reading(x=alto_lg.Stream())
async def takes_live(state: stages.State) -> Any:
    return {"k": len([one async for one in state["x"]])}


@pytest.mark.parametrize("placement", [alto_lg.ray(), alto_lg.processes()], ids=["ray", "processes"])
@pytest.mark.parametrize(
    ("graph", "reason"),
    [
        (stages.graph(closing_over(LOCK)), "it uses 'thing', which cannot be pickled"),
        (stages.graph(takes_live), "reads a list while others still write it"),
        (stages.graph(stages.inner(checkpointer=True)), "is a graph with a memory of its own"),
        (stages.graph(stages.inner(), checkpointer=InMemorySaver()), "compile it with checkpointer=False"),
    ],
    ids=["closure", "live list", "memory", "checkpoints"],
)
def test_what_cannot_run_elsewhere_is_refused(graph: Any, reason: str, placement: Any) -> None:
    with pytest.raises(NotPortable, match=f"Node 'n' is placed elsewhere, and .*{reason}"):
        alto_lg.accelerate(graph, placement={"n": placement})


def test_a_streaming_node_is_refused_where_nothing_can_stream_back() -> None:
    with pytest.raises(NotPortable, match=r"streams, .* use alto_lg.ray"):
        alto_lg.accelerate(stages.graph(stages.counts), placement={"n": alto_lg.processes()})


@pytest.mark.parametrize(
    "node", [stages.coroutine, stages.inner(), stages.counts], ids=["coroutine", "graph", "stream"]
)
def test_threads_are_for_plain_functions(node: Any) -> None:
    with pytest.raises(NotPortable, match="threads are for plain functions"):
        alto_lg.accelerate(stages.graph(node), placement={"n": alto_lg.threads()})


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"placement": {"m": alto_lg.threads()}}, ValueError, r"node 'm', which the graph does not have \(nodes: n\)"),
        ({"placement": {"n": "ray"}}, TypeError, "must be made by alto_lg.ray, .* got str"),
        ({"placement": {"n": alto_lg.ray()}, "replay": {"n": None}}, ValueError, "choose one of them"),
    ],
)
def test_what_is_no_placement_is_refused(options: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        alto_lg.accelerate(stages.graph(stages.plain), **options)


def test_a_function_of_entrypoint_has_no_nodes_to_place() -> None:
    @entrypoint()
    def run(given: int) -> int:
        return given

    with pytest.raises(ValueError, match="@entrypoint has none"):
        alto_lg.accelerate(run, placement={"run": alto_lg.threads()})
    with pytest.raises(TypeError, match="takes no placement"):
        alto_lg.install(placement={"run": alto_lg.threads()})


@pytest.mark.parametrize(
    "make",
    [
        lambda: alto_lg.ray(replicas=0),
        lambda: alto_lg.ray(num_cpus=-1),
        lambda: alto_lg.ray(resources={"tpu": -1}),
        lambda: alto_lg.ray(max_in_flight=0),
        lambda: alto_lg.ray(start_timeout_s=0),
        lambda: alto_lg.processes(workers=0),
        lambda: alto_lg.processes(max_attempts=0),
        lambda: alto_lg.threads(workers=0),
    ],
)
def test_a_number_that_is_too_small_is_refused(make: Any) -> None:
    with pytest.raises(ValueError, match="must be"):
        make()


def test_a_graph_without_placed_nodes_has_nothing_to_close() -> None:
    assert not hasattr(alto_lg.accelerate(stages.graph(stages.plain)), "close")


def test_copies_share_their_workers() -> None:
    app = alto_lg.accelerate(stages.graph(stages.plain), placement={"n": alto_lg.threads()})
    twin = copy.copy(app)
    app.close()
    with pytest.raises(NoWorker):
        twin.invoke({"x": [], "k": 1})


@pytest.mark.parametrize(
    "error", [NotPortable("n", "why"), NoWorker("n", "why"), WorkerLost("n", "request ▸ n", "why", 1)], ids=str
)
def test_the_errors_travel(error: Any) -> None:
    again = pickle.loads(pickle.dumps(error))
    assert (type(again), str(again), vars(again)) == (type(error), str(error), vars(error))


@pytest.mark.parametrize(
    ("attempts", "next_move"), [(0, "can do without"), (1, "@alto_lg.repeatable"), (4, "max_attempts")]
)
def test_a_lost_worker_says_the_next_move(attempts: int, next_move: str) -> None:
    assert next_move in str(WorkerLost("n", "request ▸ n", "why", attempts))
