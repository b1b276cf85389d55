"""Random graphs give on ours what they give on LangGraph: the first of them on every change."""

from __future__ import annotations

import pytest

from random_graphs import spec as words
from random_graphs.batches import draw_batched
from random_graphs.campaign import Tally, chunk, judged
from random_graphs.differ import assert_same
from random_graphs.draw import draw
from random_graphs.left_over import LEFT_BY_LANGGRAPH
from random_graphs.partly import draw_partly
from random_graphs.shrink import shrunk
from random_graphs.spec import Key, Node, Run, Spec, Way

pytestmark = pytest.mark.filterwarnings(LEFT_BY_LANGGRAPH)

GRAPHS, PARTS, BATCHES, CHUNK = 2000, 300, 300, 50
RELEASE_FROM, RELEASE_CHUNK = 1_000_000, 1000


@pytest.mark.timeout(600)
@pytest.mark.parametrize("first", range(0, GRAPHS, CHUNK))
def test_random_graphs_give_what_langgraph_gives(first: int, release: bool) -> None:
    """With --release other graphs are added to these; the rest of the 100,000 is `python -m random_graphs`."""
    tally = chunk(range(first, first + CHUNK))
    if release:
        start = RELEASE_FROM + first // CHUNK * RELEASE_CHUNK
        tally.include(chunk(range(start, start + RELEASE_CHUNK)))
    assert tally.failures == []


@pytest.mark.timeout(600)
@pytest.mark.parametrize("first", range(0, PARTS, CHUNK))
def test_random_graphs_that_stream_and_read_in_part_give_what_langgraph_gives(first: int, release: bool) -> None:
    tally = chunk(range(first, first + CHUNK), draw_partly)
    if release:
        start = RELEASE_FROM + first // CHUNK * RELEASE_CHUNK
        tally.include(chunk(range(start, start + RELEASE_CHUNK), draw_partly))
    assert tally.failures == []


@pytest.mark.timeout(600)
@pytest.mark.parametrize("first", range(0, BATCHES, CHUNK))
def test_random_graphs_of_batched_nodes_give_what_langgraph_gives(first: int, release: bool) -> None:
    tally = chunk(range(first, first + CHUNK), draw_batched)
    if release:
        start = RELEASE_FROM + first // CHUNK * RELEASE_CHUNK
        tally.include(chunk(range(start, start + RELEASE_CHUNK), draw_batched))
    assert tally.failures == []


def test_much_can_start_early_and_does() -> None:
    """Equality is not bought by falling back."""
    tally = Tally()
    for seed in range(0, 400, 5):  # every fifth is measured
        verdict, share, threads = judged(seed)
        tally.add(seed, verdict, share, threads=threads)
    counts = tally.counts
    assert counts["could start early"] > 100
    assert counts["could and did"] >= 0.6 * counts["could start early"]
    assert counts["with early starts"] >= 0.4 * counts["graphs"]
    assert counts["fallen back"] == 0


@pytest.mark.parametrize("seed", range(40))
def test_a_spec_prints_as_the_test_that_makes_it_again(seed: int) -> None:
    made: list[Spec] = []
    names = {**vars(words), "assert_same": made.append}
    exec(str(draw(seed)), names)
    names["test_a_graph_that_once_differed"]()
    assert made == [draw(seed)]


def test_a_spec_shrinks_to_what_fails() -> None:
    def fails(spec: Spec) -> bool:
        return any("log" in node.writes for node in spec.nodes)

    spec = next(one for one in map(draw, range(100)) if len(one.nodes) > 4 and fails(one))
    smallest = shrunk(spec, fails)
    assert len(smallest.nodes) == 1
    assert smallest.nodes[0].writes == ("log",)
    assert smallest.edges == ()


# Graphs that once differed, as they were printed.


def test_a_reader_waits_for_what_a_join_of_one_source_leads_to() -> None:
    spec = Spec(
        keys=(Key(name="log", kind="list"),),
        nodes=(
            Node(name="a", rest_ms=10),
            Node(name="c", writes=("log",), rest_ms=1),
            Node(name="x", goto=Way(targets=("z",))),
            Node(name="z", reads=("log",), rest_ms=10, takes="stream"),
        ),
        edges=(("__start__", "a"), ("a", "x")),
        joins=((("a",), "c"),),
        run=Run(overlap="chains"),
    )
    assert_same(spec)


def test_a_deferred_node_fires_beside_packets_and_before_a_later_reader() -> None:
    spec = Spec(
        keys=(Key(name="log", kind="list"),),
        nodes=(
            Node(name="x"),
            Node(name="b10", rest_ms=5, goto=Way(targets=("Z",), sends=(1,))),
            Node(name="z", writes=("log",), defers=True),
            Node(name="Z", rest_ms=10),
            Node(name="d", goto=Way(targets=("aa",), sends=(1,))),
            Node(name="aa"),
            Node(name="k", reads=("log",)),
        ),
        edges=(("__start__", "x"), ("__start__", "z"), ("x", "d")),
        joins=((("aa", "b10"), "k"),),
        start=(Way(targets=("b10",), sends=(9, 2)),),
        run=Run(modes=("values",)),
    )
    assert_same(spec)


def test_a_subgraph_without_memory_streams_in_its_own_step() -> None:
    inner = Spec(
        keys=(Key(name="log", kind="list"),),
        nodes=(Node(name="b", writes=("log",), rest_ms=80), Node(name="aa", writes=("log",), rest_ms=20)),
        edges=(("__start__", "b"), ("__start__", "aa")),
    )
    spec = Spec(
        keys=(Key(name="log", kind="list"),),
        nodes=(
            Node(name="d", rest_ms=40),
            Node(name="aa", writes=("log",), goto=Way(targets=("B",), mapped=True)),
            Node(name="B", inner=inner, saver=False),
        ),
        edges=(("__start__", "d"), ("__start__", "aa")),
        run=Run(saver=True),
    )
    assert_same(spec)


def test_a_conditional_edge_runs_its_nodes_reducer_in_its_own_step() -> None:
    spec = Spec(
        keys=(Key(name="s1", kind="grown"),),
        nodes=(
            Node(name="b10", routes=(Way(targets=("Z",)),)),
            Node(name="b", writes=("s1",), routes=(Way(targets=("b10",)),)),
            Node(name="Z", reads=("s1",)),
        ),
        edges=(("__start__", "b10"), ("b10", "b")),
        run=Run(limit=5, overlap="chains"),
    )
    assert_same(spec)


def test_a_packet_that_carries_a_list_waits_for_the_commit_that_grows_it() -> None:
    spec = Spec(
        keys=(Key(name="t0", kind="grown"),),
        nodes=(
            Node(name="b", rest_ms=5, routes=(Way(targets=("x",), sends=(1,), payload=("t0",)),)),
            Node(name="Z", writes=("t0",)),
            Node(name="x", reads=("t0",), rest_ms=10),
            Node(name="c", rest_ms=10),
        ),
        edges=(("__start__", "b"), ("__start__", "Z"), ("__start__", "c")),
        run=Run(modes=("values",)),
    )
    assert_same(spec)


def test_early_firings_leave_the_slots_of_their_step_to_its_tasks() -> None:
    spec = Spec(
        keys=(Key(name="box", kind="box", given=True),),
        nodes=(
            Node(name="Z"),
            Node(name="a", routes=(Way(targets=("b10",), sends=(3,), payload=("box",)),)),
            Node(name="b10", reads=("box",), by_item=True, mutates="box"),
            Node(name="x", rest_ms=5),
        ),
        edges=(("__start__", "Z"), ("Z", "a"), ("b10", "x")),
        run=Run(at_once=3, overlap="chains"),
    )
    assert_same(spec)


def test_the_only_task_of_a_step_counts_among_those_that_run_at_once() -> None:
    spec = Spec(
        keys=(Key(name="turns", kind="count"),),
        nodes=(
            Node(name="m", by_item=True),
            Node(name="aa", rest_ms=10, declares=("pure",)),
            Node(name="c", rest_ms=10, declares=("pure",)),
        ),
        edges=(("m", "aa"), ("aa", "c"), ("m", "c")),
        start=(Way(targets=("m",), sends=(1,)),),
        run=Run(modes=(), at_once=3),
    )
    assert_same(spec)


def test_what_a_packet_carries_out_of_the_state_is_the_states_own() -> None:
    spec = Spec(
        keys=(Key(name="log", kind="list"),),
        nodes=(
            Node(name="B", routes=(Way(targets=("a_b",), sends=(1,)),)),
            Node(name="d", writes=("log",)),
            Node(name="a_b", rest_ms=10),
            Node(name="b2", rest_ms=10, routes=(Way(targets=("a",), sends=(1,), payload=("log",)),)),
            Node(name="a", mutates="log"),
        ),
        edges=(("__start__", "B"), ("B", "d"), ("d", "b2")),
        run=Run(saver=True),
    )
    assert_same(spec)
