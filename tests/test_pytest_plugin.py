"""The pytest plugin: a suite that knows nothing of us runs accelerated, and hears what that did."""

from __future__ import annotations

import importlib
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from alto_lg.engine.statistics import RunStatistics
from alto_lg.suite import OUTSIDE, Recorder, SuiteCounts

pytest_plugins = "pytester"

ROOT = Path(__file__).parent.parent

# ── a suite ─────────────────────────────────────────────────────────────────────────────────────────────────────

FLOW = '''
"""Three items of two hops: in supersteps 2 + 3 s, and 3 s where each goes its own way."""

import asyncio
import operator
from typing import Annotated

from langgraph.graph import START, StateGraph
from langgraph.types import Command, Send
from sim.loop import run
from typing_extensions import TypedDict


class State(TypedDict):
    items: Annotated[list, operator.add]


async def fetch(item):
    await asyncio.sleep(item["number"])
    if item["fails"] == item["number"]:
        raise ValueError(item["number"])
    return Command(goto=Send("rate", item))


async def rate(item):
    await asyncio.sleep(3 - item["number"])
    return {"items": [item["number"]]}


def build(fails=None, **options):
    graph = StateGraph(State)
    graph.add_node("fetch", fetch, destinations=("rate",))
    graph.add_node("rate", rate)
    graph.add_conditional_edges(
        START, lambda state: [Send("fetch", {"number": number, "fails": fails}) for number in range(3)], ["fetch"]
    )
    return graph.compile(name="flow", **options)


def finish(app, config=None, **options):
    return run(lambda: app.ainvoke({"items": []}, config, **options)).result
'''

SUITE = """
import asyncio

import flow
import pytest
from langchain_core.language_models import GenericFakeChatModel
from langchain_core.messages import AIMessage
from langgraph.channels import EphemeralValue, LastValue
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.func import entrypoint
from langgraph.pregel import NodeBuilder, Pregel

app = flow.build()


def test_graph():
    assert flow.finish(app) == {"items": [0, 1, 2]}


@pytest.mark.parametrize("number", range(4))
def test_steps_apart(number):
    saving = flow.build(checkpointer=InMemorySaver())
    assert flow.finish(saving, {"configurable": {"thread_id": "1"}}, durability="sync") == {"items": [0, 1, 2]}


@pytest.mark.filterwarnings("ignore:create_react_agent has been moved")
def test_agent():
    from langgraph.prebuilt import create_react_agent

    agent = create_react_agent(GenericFakeChatModel(messages=iter([AIMessage("done")])), tools=[])
    assert agent.invoke({"messages": [("user", "go")]})["messages"][-1].content == "done"


def test_entrypoint():
    @entrypoint()
    def double(number: int) -> int:
        return 2 * number

    assert double.invoke(2) == 4


def test_by_hand():
    node = NodeBuilder().subscribe_only("a").do(lambda text: text + text).write_to("b")
    channels = {"a": EphemeralValue(str), "b": LastValue(str)}
    by_hand = Pregel(nodes={"node": node}, channels=channels, input_channels=["a"], output_channels=["b"])
    assert by_hand.with_config(tags=["tagged"]).invoke({"a": "x"}) == {"b": "xx"}
"""

FALLS_BACK = """
from concurrent.futures import Future

import flow


def submit(function, *args, **settings):
    future = Future()
    future.set_result(function(*args, **{name: value for name, value in settings.items() if name[:2] != "__"}))
    return future


def test_run_elsewhere():
    elsewhere = {"configurable": {"__pregel_runner_submit": lambda: submit}}
    assert flow.build_steps().invoke({"items": []}, elsewhere) == {"items": [0, 1]}
"""

STEPS = """

def build_steps():
    graph = StateGraph(State)
    for number in range(2):
        graph.add_node(f"node_{number}", lambda state, number=number: {"items": [number]})
        graph.add_edge(START, f"node_{number}")
    return graph.compile(name="steps")
"""

WARNS = """
import flow
import pytest
from langgraph.graph import START, StateGraph


def mistaken():
    graph = StateGraph(flow.State)
    graph.add_node("mistaken", lambda state: {"items": [1], "itmes": [2]})
    graph.add_edge(START, "mistaken")
    return graph.compile()


@pytest.mark.filterwarnings("error")
def test_warned():
    assert mistaken().invoke({"items": []}) == {"items": [1]}


def test_innocent():
    assert flow.finish(flow.build()) == {"items": [0, 1, 2]}
"""

FAILS = """
import flow
import pytest


def test_node_fails():
    with pytest.raises(ValueError, match=r"^2\\b"):
        flow.finish(flow.build(fails=2))
"""

ALTO = ("-p", "alto_lg.pytest_plugin")


@pytest.fixture
def suite(pytester: pytest.Pytester) -> pytest.Pytester:
    """A folder with graphs, which have virtual time, and strict about warnings."""
    pytester.makeini(f"""
        [pytest]
        pythonpath = . {ROOT / "tests"}
        filterwarnings =
            error
            ignore::DeprecationWarning:langchain_core.*
    """)
    pytester.makepyfile(flow=FLOW + STEPS)
    return pytester


def lines_of(result: pytest.RunResult) -> list[str]:
    """The summary, from its title to the next."""
    text = result.stdout.str()
    found = re.search(r"^=+ alto_lg =+$\n(.*?)^=", text + "\n=", re.MULTILINE | re.DOTALL)
    assert found is not None, text
    return found[1].rstrip().splitlines()


# ── the summary ─────────────────────────────────────────────────────────────────────────────────────────────────

SAVES_EACH_STEP = 'durability="sync" saves each step before the next may start'


def test_a_suite_runs_accelerated_and_hears_what_that_did(suite: pytest.Pytester) -> None:
    suite.makepyfile(test_suite=SUITE)
    result = suite.runpytest_inprocess(*ALTO, "--alto")
    result.assert_outcomes(passed=8)
    assert lines_of(result) == [
        "graphs accelerated: 7",
        "graphs built by hand as Pregel(...), which cannot be: 1",
        "runs: 7, of which 4 kept step by step as the suite asks, 0 fell back to plain LangGraph",
        "firings of the other runs: 10, started early: 2 (20%), saved: 2.00 s",
        "runs kept step by step, because the suite asks for it: 4",
        f"     4  {SAVES_EACH_STEP}",
        "          test_suite.py::test_steps_apart[0]",
        "          test_suite.py::test_steps_apart[1]",
        "          test_suite.py::test_steps_apart[2]",
        "          and 1 more",
        "runs that fell back to plain LangGraph: 0",
        "results dropped: 0",
        "AltoWarnings: 0",
    ]


def test_workers_of_xdist_add_up_to_one_summary(suite: pytest.Pytester) -> None:
    suite.makepyfile(test_suite=SUITE)
    suite.makeconftest("import flow\nearliest = flow.build()\n")
    result = suite.runpytest_subprocess(*ALTO, "--alto", "-n", "2")
    result.assert_outcomes(passed=8)
    assert result.stdout.str().count("graphs accelerated") == 1
    lines = lines_of(result)
    assert lines[0] == f"graphs accelerated: {6 + 2 * 2}", "each worker imports the two graphs of modules"
    assert lines[2:6] == [
        "runs: 7, of which 4 kept step by step as the suite asks, 0 fell back to plain LangGraph",
        "firings of the other runs: 10, started early: 2 (20%), saved: 2.00 s",
        "runs kept step by step, because the suite asks for it: 4",
        f"     4  {SAVES_EACH_STEP}",
    ]


def test_graphs_that_a_conftest_makes_when_it_is_imported_count(suite: pytest.Pytester) -> None:
    suite.makeconftest("import flow\nflow.earliest = flow.build()\n")
    suite.makepyfile("import flow\ndef test_graph(): assert flow.finish(flow.earliest)['items']\n")
    result = suite.runpytest_inprocess(*ALTO, "--alto")
    result.assert_outcomes(passed=1)
    assert lines_of(result)[0] == "graphs accelerated: 1"
    assert "started early: 2" in lines_of(result)[3]


def test_without_alto_the_plugin_does_nothing(suite: pytest.Pytester) -> None:
    suite.makepyfile(test_suite=SUITE)
    result = suite.runpytest_inprocess(*ALTO)
    result.assert_outcomes(passed=8)
    result.stdout.no_fnmatch_line("*alto_lg*")


def test_chains_overlap_where_they_are_asked_for(suite: pytest.Pytester) -> None:
    suite.makepyfile("""
        import flow
        from alto_lg.adapters.langgraph.acceleration import acceleration_of

        def test_overlap(): assert acceleration_of(flow.build()).options.overlap == "chains"
    """)
    suite.runpytest_inprocess(*ALTO, "--alto", "--alto-overlap", "chains").assert_outcomes(passed=1)


def test_the_options_alone_are_refused(suite: pytest.Pytester) -> None:
    for options in (["--alto-strict"], ["--alto-overlap", "chains"]):
        result = suite.runpytest_inprocess(*ALTO, *options)
        assert result.ret == pytest.ExitCode.USAGE_ERROR
        result.stderr.fnmatch_lines("*--alto-strict and --alto-overlap say how to accelerate: add --alto")


def test_a_suite_that_fails_itself_fails_as_without(suite: pytest.Pytester) -> None:
    suite.makepyfile("import flow\ndef test_graph(): assert flow.finish(flow.build()) == 1\n")
    suite.runpytest_inprocess(*ALTO, "--alto", "--alto-strict").assert_outcomes(failed=1)


# ── fallbacks, drops, warnings ──────────────────────────────────────────────────────────────────────────────────


def test_a_fallback_is_told_with_its_reason_and_test(suite: pytest.Pytester) -> None:
    suite.makepyfile(test_falls=FALLS_BACK)
    result = suite.runpytest_inprocess(*ALTO, "--alto")
    result.assert_outcomes(passed=1)
    assert lines_of(result)[5:8] == [
        "runs that fell back to plain LangGraph: 1",
        "     1  its tasks are run by another process",
        "          test_falls.py::test_run_elsewhere",
    ]


def test_strict_fails_the_test_that_fell_back_and_no_other(suite: pytest.Pytester) -> None:
    suite.makepyfile(test_falls=FALLS_BACK, test_suite=SUITE)
    result = suite.runpytest_inprocess(*ALTO, "--alto", "--alto-strict")
    result.assert_outcomes(passed=8, failed=1)
    result.stdout.fnmatch_lines(
        "--alto-strict: a run of graph 'steps' fell back to plain LangGraph: its tasks are run by another process"
    )
    result.stdout.fnmatch_lines("FAILED test_falls.py::test_run_elsewhere*")


def test_strict_works_under_xdist(suite: pytest.Pytester) -> None:
    suite.makepyfile(test_falls=FALLS_BACK)
    suite.runpytest_subprocess(*ALTO, "--alto", "--alto-strict", "-n", "1").assert_outcomes(failed=1)


def test_what_happens_in_a_fixture_is_an_error_of_that_test(suite: pytest.Pytester) -> None:
    moved = FALLS_BACK.replace("def test_run_elsewhere", "import pytest\n@pytest.fixture\ndef ran")
    suite.makepyfile(moved + "\ndef test_it(ran): pass\ndef test_other(): pass\n")
    result = suite.runpytest_inprocess(*ALTO, "--alto", "--alto-strict")
    result.assert_outcomes(errors=1, passed=1)
    result.stdout.fnmatch_lines("ERROR *::test_it*")


def test_what_happens_while_a_suite_is_collected_is_no_fault_of_the_first_test(suite: pytest.Pytester) -> None:
    suite.makepyfile(FALLS_BACK + "\ntest_run_elsewhere()\ndel test_run_elsewhere\ndef test_it(): pass\n")
    result = suite.runpytest_inprocess(*ALTO, "--alto", "--alto-strict")
    result.assert_outcomes(passed=1)
    assert f"          {OUTSIDE}" in lines_of(result)


def test_a_warning_of_ours_fails_no_test_although_warnings_are_errors(suite: pytest.Pytester) -> None:
    suite.makepyfile(test_warns=WARNS)
    result = suite.runpytest_inprocess(*ALTO, "--alto")
    result.assert_outcomes(passed=2)
    lines = lines_of(result)
    place = lines.index("AltoWarnings: 1")
    assert "itmes" in lines[place + 1]
    assert lines[place + 2 :] == ["          test_warns.py::test_warned"]


def test_strict_fails_the_test_that_was_warned_in(suite: pytest.Pytester) -> None:
    suite.makepyfile(test_warns=WARNS)
    result = suite.runpytest_inprocess(*ALTO, "--alto", "--alto-strict")
    result.assert_outcomes(passed=1, failed=1)
    result.stdout.fnmatch_lines("--alto-strict: AltoWarning: *itmes*")


def test_results_that_a_failed_run_drops_are_told_and_are_no_fault(suite: pytest.Pytester) -> None:
    suite.makepyfile(test_fails=FAILS)
    result = suite.runpytest_inprocess(*ALTO, "--alto", "--alto-strict")
    result.assert_outcomes(passed=1)
    lines = lines_of(result)
    place = next(number for number, line in enumerate(lines) if line.startswith("results dropped: "))
    assert "the run ended by ValueError" in lines[place + 1]
    assert lines[place + 2] == "          test_fails.py::test_node_fails"


def test_every_module_that_warns_is_one_whose_warnings_are_kept() -> None:
    """A module that is imported later, or that imports `warn` by name, would slip through."""
    program = "import json, sys, alto_lg.pytest_plugin; print(json.dumps(list(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    imported = json.loads(done.stdout)
    warning = []
    for folder, package in (
        (ROOT / "alto_lg", "alto_lg"),
        (ROOT / "adapters" / "langgraph", "alto_lg.adapters.langgraph"),
    ):
        for path in folder.rglob("*.py"):
            if re.search(r"\bAltoWarning,\n|, AltoWarning\b", path.read_text()) and "warn(" in path.read_text():
                warning.append(".".join([package, *path.relative_to(folder).with_suffix("").parts]))
    assert len(warning) >= 3, warning
    for name in warning:
        assert name in imported
        assert hasattr(sys.modules.get(name) or importlib.import_module(name), "warnings"), name


# ── counting ────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_result_that_a_failed_proof_drops_is_an_incident_and_one_that_the_end_of_a_run_drops_is_not() -> None:
    recorder = Recorder()
    recorder.test = "test_it"
    recorder.run_ended("flow", RunStatistics(dropped=1, dropped_why={"the run ended by ValueError": 1}))
    assert recorder.take_incidents() == []
    recorder.run_ended("flow", RunStatistics(dropped=2, dropped_why={"node 'a' wrote key 'b'": 2}))
    assert recorder.take_incidents() == ["a run of graph 'flow' dropped 2 early result(s): node 'a' wrote key 'b'"]
    assert recorder.take_incidents() == []
    assert recorder.counts.dropped.total() == 3


def test_counts_of_two_processes_add_up_and_keep_their_tests() -> None:
    recorders = [Recorder(), Recorder()]
    for number, recorder in enumerate(recorders):
        recorder.test = f"test_{number}"
        recorder.graph_made()
        recorder.built_by_hand("Pregel")
        recorder.warned("careful")
        recorder.warned("careful")
        recorder.run_ended("flow", RunStatistics(firings=4, early_starts=3, time_saved_s=0.5, plain="none"))
    counts = SuiteCounts()
    for recorder in recorders:
        counts.include(SuiteCounts.from_plain(json.loads(json.dumps(recorder.counts.to_plain()))))
    assert (counts.graphs, counts.runs, counts.firings, counts.early_starts, counts.saved_s) == (2, 2, 8, 6, 1.0)
    assert (counts.by_hand.total(), counts.warned.total(), counts.plain.total()) == (2, 4, 2)
    assert counts.warned.tests == {"careful": ["test_0", "test_1"]}
    assert next(line for line in counts.lines() if line.startswith("firings")) == (
        "firings of the other runs: 8, started early: 6 (75%), saved: 1.00 s"
    )


def test_what_happens_between_tests_is_said_to_have_happened_there() -> None:
    recorder = Recorder()
    recorder.warned("early")
    assert recorder.counts.warned.tests == {"early": [OUTSIDE]}
