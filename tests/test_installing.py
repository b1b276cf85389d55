"""Installing: a call or the environment accelerates every graph of a process, and nothing else changes."""

from __future__ import annotations

import copy
import inspect
import os
import pickle
import re
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from langchain_core.language_models import GenericFakeChatModel
from langchain_core.messages import AIMessage
from langgraph.func import entrypoint
from langgraph.graph import END, START, MessagesState, StateGraph
from langgraph.graph.state import CompiledStateGraph
from langgraph.pregel import Pregel
from typing_extensions import TypedDict

import alto_lg
from alto_lg import installing, startup
from alto_lg.adapters.langgraph.acceleration import acceleration_of

ROOT = Path(__file__).parent.parent


class State(TypedDict):
    count: int


def add_one(state: State) -> State:
    return {"count": state["count"] + 1}


def is_over(state: State) -> str:
    return END


def builder() -> StateGraph[State]:
    graph = StateGraph(State)
    graph.add_node("add_one", add_one)
    graph.add_edge(START, "add_one")
    graph.add_conditional_edges("add_one", is_over, [END])
    return graph


@pytest.fixture(autouse=True)
def nothing_stays_installed() -> Iterator[None]:
    yield
    alto_lg.uninstall()


# ── install() and uninstall() ───────────────────────────────────────────────────────────────────────────────────


def test_a_compiled_graph_is_accelerated_once_installed() -> None:
    alto_lg.install(overlap="chains")
    app = builder().compile()
    found = acceleration_of(app)
    assert found is not None
    assert found.options.overlap == "chains"
    assert app.invoke({"count": 1}) == {"count": 2}


def test_what_entrypoint_makes_is_accelerated_once_installed() -> None:
    alto_lg.install()

    @entrypoint()
    def double(number: int) -> int:
        return 2 * number

    assert acceleration_of(double) is not None
    assert double.invoke(2) == 4


def outcome_of(action: Callable[[], Any]) -> str:
    try:
        return repr(action())
    except Exception as error:
        return repr(error)


def test_entrypoint_without_brackets_is_what_langgraph_makes_of_it() -> None:
    def bare() -> Any:
        made: Any = entrypoint(add_one)  # type: ignore[arg-type]
        return type(made), outcome_of(lambda: made({"count": 1}))

    plain = outcome_of(bare)
    alto_lg.install()
    assert outcome_of(bare) == plain


@pytest.mark.filterwarnings("ignore:create_react_agent has been moved")
def test_the_graph_of_a_prebuilt_agent_is_accelerated() -> None:
    from langgraph.prebuilt import create_react_agent

    alto_lg.install()
    agent = create_react_agent(GenericFakeChatModel(messages=iter([AIMessage("done")])), tools=[])
    assert acceleration_of(agent) is not None
    assert agent.invoke({"messages": [("user", "go")]})["messages"][-1].content == "done"


def test_a_graph_made_before_installing_stays_plain_and_one_made_before_uninstalling_stays_accelerated() -> None:
    before = builder().compile()
    alto_lg.install()
    between = builder().compile()
    alto_lg.uninstall()
    after = builder().compile()
    assert [acceleration_of(app) is not None for app in (before, between, after)] == [False, True, False]
    assert [app.invoke({"count": 1}) for app in (before, between, after)] == [{"count": 2}] * 3


def test_installing_twice_accelerates_once() -> None:
    alto_lg.install(overlap="chains")
    alto_lg.install(overlap="chains")
    acceleration = acceleration_of(builder().compile())
    assert acceleration is not None
    assert acceleration_of(acceleration.original) is None
    alto_lg.uninstall()
    assert acceleration_of(builder().compile()) is None


def test_an_option_that_is_given_its_default_is_no_other_option() -> None:
    alto_lg.install()
    alto_lg.install(overlap="branches")


def test_messages_carry_no_metadata_of_ours_unless_they_are_asked_for() -> None:
    alto_lg.install()

    def metadata() -> set[str]:
        agent = StateGraph(MessagesState)
        model = GenericFakeChatModel(messages=iter([AIMessage("done")]))
        agent.add_node("agent", lambda state: {"messages": model.invoke(state["messages"])})
        agent.add_edge(START, "agent")
        stream = agent.compile().stream({"messages": [("user", "go")]}, stream_mode="messages")
        return {name for _, found in stream for name in found}

    assert "langgraph_node" in metadata()
    assert "alto_ancestry" not in metadata()
    alto_lg.uninstall()
    alto_lg.install(annotate=True)
    assert "alto_ancestry" in metadata()


def test_installing_with_other_options_names_both() -> None:
    alto_lg.install(overlap="chains")
    with pytest.raises(ValueError, match=r"installed already with overlap='chains'; install\(\) got the default opti"):
        alto_lg.install()


def test_a_wrong_option_is_refused_and_nothing_is_installed() -> None:
    with pytest.raises(ValueError, match="overlap must be 'branches' or 'chains', got 'all'"):
        alto_lg.install(overlap="all")
    with pytest.raises(TypeError, match="overlapp"):
        alto_lg.install(overlapp="chains")
    with pytest.raises(TypeError, match=r"takes no hints.*accelerate\(graph, hints"):
        alto_lg.install(hints={})
    assert acceleration_of(builder().compile()) is None


def test_a_graph_with_a_wrong_declaration_fails_as_accelerate_does() -> None:
    @alto_lg.node(reads=["missing"])
    def wrong(state: State) -> State:
        return state

    graph = StateGraph(State)
    graph.add_node("wrong", wrong)
    graph.add_edge(START, "wrong")
    expected = outcome_of(lambda: alto_lg.accelerate(graph))
    alto_lg.install()
    assert "missing" in expected
    assert outcome_of(graph.compile) == expected


def test_what_accelerate_does_not_take_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """A program may have put its own way to compile in the place of LangGraph's."""
    compile_plainly = StateGraph.compile
    monkeypatch.setattr(StateGraph, "compile", lambda self: ("theirs", compile_plainly(self)))
    alto_lg.install()
    made: Any = builder().compile()
    assert made[0] == "theirs"
    assert acceleration_of(made[1]) is None


def test_uninstalling_restores_the_very_functions_that_were_there() -> None:
    compile_before, call_before = vars(StateGraph)["compile"], vars(entrypoint)["__call__"]
    alto_lg.install()
    assert vars(StateGraph)["compile"] is not compile_before
    alto_lg.uninstall()
    assert vars(StateGraph)["compile"] is compile_before
    assert vars(entrypoint)["__call__"] is call_before
    assert startup.patches == {}


def test_uninstalling_leaves_a_patch_that_others_put_on_top(monkeypatch: pytest.MonkeyPatch) -> None:
    alto_lg.install()
    below = StateGraph.compile

    def theirs(self: Any, *args: Any, **settings: Any) -> Any:
        return below(self, *args, **settings)

    monkeypatch.setattr(StateGraph, "compile", theirs)
    assert acceleration_of(builder().compile()) is not None
    alto_lg.uninstall()
    assert vars(StateGraph)["compile"] is theirs
    assert acceleration_of(builder().compile()) is None
    alto_lg.install()
    assert acceleration_of(builder().compile()) is not None
    alto_lg.uninstall()
    assert vars(StateGraph)["compile"] is theirs


def test_uninstalling_where_nothing_is_installed_does_nothing() -> None:
    before = vars(StateGraph)["compile"]
    alto_lg.uninstall()
    assert vars(StateGraph)["compile"] is before


def test_a_compiling_subclass_gets_an_accelerated_graph_from_langgraph() -> None:
    class Mine(StateGraph[State]):
        def compile(self, *args: Any, **settings: Any) -> Any:
            made = super().compile(*args, **settings)
            made.name = "mine"
            return made

    alto_lg.install()
    graph = Mine(State)
    graph.add_node("add_one", add_one)
    graph.add_edge(START, "add_one")
    made = graph.compile()
    assert acceleration_of(made) is not None
    assert made.name == "mine"


def test_a_graph_observer_sees_each_graph_once() -> None:
    seen: list[Any] = []
    alto_lg.install()
    installing.graph_observers.append(seen.append)
    try:
        app = builder().compile()
        alto_lg.accelerate(app)
        app.with_config(tags=["tagged"])
    finally:
        installing.graph_observers.remove(seen.append)
    assert seen == [app]


# ── what suites look at ─────────────────────────────────────────────────────────────────────────────────────────

LOOKS: dict[str, Callable[[Any], Any]] = {
    "isinstance": lambda app: isinstance(app, CompiledStateGraph) and isinstance(app, Pregel),
    "class": lambda app: (type(app).__name__, type(app).__qualname__, type(app).__module__, type(app).__doc__),
    "repr of the class": lambda app: repr(type(app)),
    "repr": repr,
    "name": lambda app: (app.name, app.get_name()),
    "drawn": lambda app: app.get_graph().draw_mermaid(),
    "drawn as JSON": lambda app: app.get_graph(xray=True).to_json(),
    "input schema": lambda app: app.get_input_jsonschema(),
    "output schema": lambda app: app.get_output_jsonschema(),
    "context schema": lambda app: app.get_context_jsonschema(),
    "public names": lambda app: [name for name in dir(app) if not name.startswith("_")],
    "signatures": lambda app: [
        inspect.signature(getattr(app, name)) for name in ("invoke", "ainvoke", "stream", "astream", "get_state")
    ],
    "nodes": lambda app: list(app.nodes),
    "channels": lambda app: app.channels,
    "builder": lambda app: type(app.builder),
    "copy.copy": lambda app: copy.copy(app).invoke({"count": 1}),
    "copy()": lambda app: app.copy().invoke({"count": 1}),
    "copy.deepcopy": lambda app: type(copy.deepcopy(app)).__name__,
    "with_config": lambda app: app.with_config(tags=["tagged"]).config,
    "pickle": lambda app: pickle.loads(pickle.dumps(app)).invoke({"count": 1}),
    "piped": lambda app: (app | (lambda state: state["count"])).invoke({"count": 1}),
}


def look(name: str, app: Any) -> str:
    return re.sub("0x[0-9a-f]+", "0x…", outcome_of(lambda: LOOKS[name](app)))


@pytest.mark.parametrize("name", LOOKS)
def test_a_graph_looks_as_without(name: str) -> None:
    plain = look(name, builder().compile(name="mine"))
    alto_lg.install()
    assert look(name, builder().compile(name="mine")) == plain


def test_the_patched_methods_look_as_without() -> None:
    def looks() -> list[Any]:
        methods: list[Any] = [StateGraph.compile, entrypoint.__call__]
        return [(one.__name__, one.__qualname__, one.__doc__, inspect.signature(one)) for one in methods]

    plain = looks()
    alto_lg.install()
    assert looks() == plain


# ── ALTO_LG in the environment ──────────────────────────────────────────────────────────────────────────────────


def process(program: str, folder: Path, *options: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run a program whose interpreter reads our .pth file when it starts, wherever this package is installed."""
    site_folder = folder / "site"
    site_folder.mkdir(exist_ok=True)
    shutil.copy(ROOT / "alto_lg.pth", site_folder)
    (folder / "sitecustomize.py").write_text(f"import site; site.addsitedir({str(site_folder)!r})")
    inherited = {name: value for name, value in os.environ.items() if name != startup.VARIABLE}
    return subprocess.run(
        [sys.executable, *options, "-c", program],
        env={**inherited, "PYTHONPATH": str(folder), **environment},
        capture_output=True,
        text=True,
        timeout=60,
    )


MAKES_GRAPHS = """
import sys
from typing import TypedDict
early = sorted(name for name in sys.modules if name.startswith(("alto_lg", "langgraph")))
from langgraph.func import entrypoint
from langgraph.graph import START, StateGraph
imported = "alto_lg" in sys.modules

class State(TypedDict):
    count: int

graph = StateGraph(State)
graph.add_node("add_one", lambda state: {"count": state["count"] + 1})
graph.add_edge(START, "add_one")
app = graph.compile()
double = entrypoint()(lambda number: 2 * number)
values = app.invoke({"count": 1}), double.invoke(2)

from alto_lg.adapters.langgraph.acceleration import acceleration_of
print([early, imported, *values, acceleration_of(app) is not None, acceleration_of(double) is not None])
"""


def test_alto_lg_1_accelerates_a_process_and_imports_nothing_before_a_graph_is_made(tmp_path: Path) -> None:
    done = process(MAKES_GRAPHS, tmp_path, ALTO_LG="1")
    assert (done.stderr, done.stdout) == ("", "[['alto_lg.startup'], False, {'count': 2}, 4, True, True]\n")


@pytest.mark.parametrize("environment", [{}, {"ALTO_LG": ""}, {"ALTO_LG": "0"}])
def test_without_it_a_process_is_left_alone(environment: dict[str, str], tmp_path: Path) -> None:
    done = process(MAKES_GRAPHS, tmp_path, **environment)
    assert (done.stderr, done.stdout) == ("", "[[], False, {'count': 2}, 4, False, False]\n")


def test_another_value_is_named_in_a_warning_once_and_the_process_goes_on(tmp_path: Path) -> None:
    done = process(MAKES_GRAPHS, tmp_path, ALTO_LG="yes")
    assert done.stderr.count("ALTO_LG='yes' says nothing to alto_lg: graphs run as plain LangGraph. Set ALTO_LG=1") == 1
    assert done.stdout.endswith("4, False, False]\n")


def test_a_process_may_uninstall_what_the_environment_installed(tmp_path: Path) -> None:
    done = process("import alto_lg; alto_lg.uninstall()\n" + MAKES_GRAPHS, tmp_path, ALTO_LG="1")
    assert (done.stderr, done.stdout[-14:]) == ("", "False, False]\n")


def test_options_that_a_program_installs_go_before_the_environment(tmp_path: Path) -> None:
    program = "import alto_lg; alto_lg.install(overlap='chains')\n" + MAKES_GRAPHS
    program += "print(acceleration_of(app).options.overlap)"
    done = process(program, tmp_path, ALTO_LG="1")
    assert (done.stderr, done.stdout.splitlines()[-1]) == ("", "chains")


def test_the_import_hook_leaves_no_trace_in_the_modules_that_it_loads(tmp_path: Path) -> None:
    program = """
import importlib.machinery, inspect, sys
import langgraph.func, langgraph.graph.state
for module in (langgraph.func, langgraph.graph.state):
    assert type(module.__loader__) is importlib.machinery.SourceFileLoader, module.__loader__
    assert module.__spec__.loader is module.__loader__
assert "def compile(" in inspect.getsource(langgraph.graph.state.StateGraph.compile)
import alto_lg
alto_lg.uninstall()
assert not any(type(finder).__module__.startswith("alto_lg") for finder in sys.meta_path)
assert langgraph.graph.state.StateGraph.compile.__code__.co_filename == langgraph.graph.state.__file__
"""
    done = process(program, tmp_path, "-W", "error", ALTO_LG="1")
    assert (done.returncode, done.stderr) == (0, "")


def test_a_process_that_makes_no_graph_imports_little(tmp_path: Path) -> None:
    program = "import sys; print([name for name in ('typing', 'langgraph', 'alto_lg') if name in sys.modules])"
    assert process(program, tmp_path, ALTO_LG="1").stdout == process(program, tmp_path).stdout


def test_importing_the_package_does_not_import_pytest(tmp_path: Path) -> None:
    done = process("import sys, alto_lg; print('pytest' in sys.modules, 'pluggy' in sys.modules)", tmp_path)
    assert done.stdout == "False False\n"


# ── where the .pth file goes ────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("kind", ["wheel", "editable"])
def test_a_build_holds_the_pth_file_beside_the_package(kind: str, tmp_path: Path) -> None:
    source = tmp_path / "source"
    hidden = shutil.ignore_patterns("__pycache__", "data")
    for folder in ("alto_lg", "adapters", "apps", "comparisons"):
        shutil.copytree(ROOT / folder, source / folder, ignore=hidden)
    for file in ("pyproject.toml", "setup.py", "alto_lg.pth", "README.md", "LICENSE"):
        shutil.copy(ROOT / file, source)
    program = f"from setuptools import build_meta; print(build_meta.build_{kind}({str(tmp_path)!r}))"
    built = subprocess.run([sys.executable, "-c", program], cwd=source, capture_output=True, text=True, timeout=100)
    assert built.returncode == 0, built.stderr
    with zipfile.ZipFile(tmp_path / built.stdout.splitlines()[-1]) as wheel:
        assert wheel.read("alto_lg.pth") == (ROOT / "alto_lg.pth").read_bytes()


def test_options_that_a_program_chooses_for_one_graph_go_before_those_that_are_installed() -> None:
    alto_lg.install()
    chosen = alto_lg.accelerate(builder(), overlap="chains")
    again = alto_lg.accelerate(builder().compile().with_config(tags=["kept"]), overlap="chains")
    usual = alto_lg.accelerate(builder())
    found = [acceleration_of(app) for app in (chosen, again, usual)]
    assert [one and one.options.overlap for one in found] == ["chains", "chains", "branches"]
    assert again.config["tags"] == ["kept"]
    assert again.invoke({"count": 0}) == chosen.invoke({"count": 0}) == {"count": 1}
