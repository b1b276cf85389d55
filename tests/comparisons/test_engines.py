"""Who runs an arm: LangGraph, this package, a program written by hand, or a peer, which fails nobody else."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path

import pytest

from alto_lg.comparisons.applications import load_application
from alto_lg.comparisons.arms import arms_of, choose_arms
from alto_lg.comparisons.compare import REFUSED, UNEQUAL, run
from alto_lg.comparisons.peers import PEERS
from alto_lg.comparisons.results import Results, read_results

Options = Callable[..., argparse.Namespace]
HOW_TO_INSTALL = "not installed (pip install 'alto-lg[peers]')"
PEER_ARMS = ("--arms", "langgraph-flat,fast-langgraph-flat", "--requests", "2")

AGREES = ""
REFUSES = "raise ValueError('this graph is not for me')"
ANSWERS_OTHERWISE = "graph.nodes['total'].bound.afunc = lost"
BREAKS = "graph.nodes['total'].bound.afunc = broken"
SHIM = """
def patch_langgraph(verbose=True):
    print("changed everything")

def get_patch_status():
    return {{"automatic": {{"apply_writes": {done}}}}}
"""
COMPILER = """
async def lost(state):
    return {{"total": 0}}

async def broken(state):
    raise ArithmeticError("the peer broke")

def compile_langgraph(graph, *, optimization, checkpointer):
    assert optimization.enable_parallel
    {does}
    return graph
"""
SETTINGS = """
class OptimizationConfig:
    def __init__(self, *, enable_parallel):
        self.enable_parallel = enable_parallel
"""


@pytest.fixture
def packages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, tiny_path: None) -> Path:
    """A folder from which this process and the workers import as well."""
    folder = tmp_path / "packages"
    folder.mkdir()
    monkeypatch.syspath_prepend(str(folder))
    monkeypatch.setenv("PYTHONPATH", f"{Path(__file__).parent}:{folder}")
    return folder


def add_distribution(folder: Path, name: str, **modules: str) -> None:
    """An installed package that stands in for a peer."""
    info = folder / f"{name.replace('-', '_')}-9.9.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 9.9\n")
    package = folder / name.replace("-", "_")
    package.mkdir()
    for module, text in {"__init__": "", **modules}.items():
        (package / f"{module}.py").write_text(text)


def add_fast_langgraph(folder: Path, *, done: bool = True) -> None:
    add_distribution(folder, "fast-langgraph", shim=SHIM.format(done=done))


def add_nvidia(folder: Path, does: str) -> None:
    add_distribution(folder, "nvidia-nat-app")
    does = does or "pass"
    add_distribution(folder, "langchain-nvidia-langgraph", compile=COMPILER.format(does=does), graph=SETTINGS)


def results_of(chosen: argparse.Namespace) -> Results:
    assert run(chosen) == 0
    return read_results(chosen.output)


def measured_arms(results: Results) -> set[str]:
    assert results.summary is not None
    arms = {arm["arm"] for arm in results.summary["arms"]}
    assert arms <= {one.arm for one in results.measurements}
    return arms


def test_by_default_a_version_that_only_declares_is_run_by_alto_alone(tiny_path: None) -> None:
    arms = arms_of(load_application("tiny_app:BOTH"))
    names = [arm.name for arm in choose_arms(None, arms)]
    assert names == ["langgraph-flat", "alto-flat", "alto-flat-early", "asyncio", "fast-langgraph-flat", "nvidia-flat"]
    assert choose_arms("langgraph-flat-early", arms)[0].engine == "langgraph"


def test_an_application_without_a_program_has_no_arm_for_it() -> None:
    class Graphs:
        versions = ("flat",)

    assert "asyncio" not in {arm.name for arm in arms_of(Graphs())}  # type: ignore[arg-type]


def test_a_program_by_hand_is_measured_like_a_graph(options: Options) -> None:
    results = results_of(options("--arms", "langgraph-flat,asyncio"))
    (by_hand, *_) = [one for one in results.measurements if one.arm == "asyncio"]
    assert measured_arms(results) == {"langgraph-flat", "asyncio"}
    assert by_hand.first_result_s is not None and 0 < by_hand.first_result_s <= by_hand.latency_s
    assert by_hand.early is None
    assert {span.stage for span in by_hand.spans} == {"split", "clean", "count", "total"}
    assert results.header["engines"] == {"langgraph-flat": "langgraph", "asyncio": "asyncio"}


def test_a_program_by_hand_that_answers_otherwise_ends_the_comparison(options: Options) -> None:
    assert run(options("--app", "tiny_app:DISAGREEING", "--arms", "langgraph-subgraph,asyncio")) == UNEQUAL


def test_a_peer_that_is_not_installed_says_so_and_the_others_have_figures(
    options: Options, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    if PEERS["fast-langgraph"].missing() is None:
        pytest.skip("fast-langgraph is installed here")
    results = results_of(options(*PEER_ARMS))
    assert measured_arms(results) == {"langgraph-flat"}
    assert [(one.arm, one.reason) for one in results.not_run] == [
        ("fast-langgraph-flat", f"fast-langgraph {HOW_TO_INSTALL}")
    ]
    assert "Not run: fast-langgraph-flat: fast-langgraph not installed" in capsys.readouterr().out


def test_a_comparison_of_missing_peers_alone_is_refused(options: Options, capsys: pytest.CaptureFixture[str]) -> None:
    if PEERS["nvidia"].missing() is None:
        pytest.skip("the peer is installed here")
    assert run(options("--arms", "nvidia-flat")) == REFUSED
    assert "--arms: none of them can run: nvidia-flat" in capsys.readouterr().err


def test_a_peer_that_changes_langgraph_comes_first_and_prints_nothing_among_the_answers(
    options: Options, packages: Path
) -> None:
    add_fast_langgraph(packages)
    results = results_of(options(*PEER_ARMS))
    assert measured_arms(results) == {"langgraph-flat", "fast-langgraph-flat"}
    assert results.header["peers"] == {"fast-langgraph": "9.9"}
    assert not results.not_run


def test_a_peer_that_could_not_change_langgraph_has_no_figures(options: Options, packages: Path) -> None:
    add_fast_langgraph(packages, done=False)
    results = results_of(options(*PEER_ARMS))
    assert measured_arms(results) == {"langgraph-flat"}
    assert "could not change apply_writes of this LangGraph" in results.not_run[0].reason


@pytest.mark.parametrize(
    ("does", "said"),
    [
        (REFUSES, "building the graph: ValueError: this graph is not for me"),
        (BREAKS, "request 0: ArithmeticError: the peer broke"),
        (ANSWERS_OTHERWISE, "other answers, first to request-0 (position 0) at $.total: 0"),
    ],
)
def test_a_peer_that_cannot_run_the_graph_says_why_and_the_others_have_figures(
    options: Options, packages: Path, does: str, said: str
) -> None:
    add_nvidia(packages, does)
    # Named first, it is still not the one whose answers count.
    results = results_of(options("--arms", "nvidia-flat,langgraph-flat,asyncio", "--requests", "2"))
    assert measured_arms(results) == {"langgraph-flat", "asyncio"}
    assert [one.arm for one in results.not_run] == ["nvidia-flat"]
    assert said in results.not_run[0].reason


def test_a_peer_that_agrees_has_figures(options: Options, packages: Path) -> None:
    add_nvidia(packages, AGREES)
    results = results_of(options("--arms", "langgraph-flat,nvidia-flat", "--requests", "2"))
    assert measured_arms(results) == {"langgraph-flat", "nvidia-flat"}


def test_with_sync_the_graphs_run_in_a_thread_and_their_spans_are_noted(options: Options) -> None:
    chosen = options("--app", "tiny_app:BOTH", "--arms", "langgraph-flat,alto-flat", "--sync", "--requests", "2")
    for one in results_of(chosen).measurements:
        assert [span.stage for span in one.spans] == ["count"]
        assert one.first_result_s is not None
        assert (one.early is not None) == (one.arm == "alto-flat")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--sync",), "--sync: the nodes of tiny_app:TINY are async functions alone"),
        (("--app", "tiny_app:BOTH", "--sync", "--rate", "2"), "--sync runs one request at a time"),
    ],
)
def test_sync_is_refused_where_it_cannot_be(
    options: Options, capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], said: str
) -> None:
    assert run(options(*arguments)) == REFUSED
    assert said in capsys.readouterr().err
