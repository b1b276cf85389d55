"""The page of a trace, and the command that makes it."""

from __future__ import annotations

import importlib
import json
import re
import sys
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

import pytest

import alto_lg
from alto_lg.__main__ import main
from alto_lg.tracing.markup import element, page, table
from alto_lg.tracing.timeline import Bar, Panel, Row, timeline

APP = """
from tracing import graphs

app = graphs.fan()
builder = app.builder
make = graphs.fan
number = 5
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    (tmp_path / "own_graph.py").write_text(APP)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    before = set(sys.modules)
    yield tmp_path
    for name in set(sys.modules) - before:
        if str(getattr(sys.modules[name], "__file__", "")).startswith(str(tmp_path)):
            del sys.modules[name]


class _Tree(HTMLParser):
    """Whether every element is closed where it should be, and the texts of the cells."""

    VOID = ("meta", "br", "link", "img")

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[str] = []
        self.addresses: list[str] = []
        self.texts: list[str] = []

    def handle_data(self, data: str) -> None:
        self.texts.append(data.strip())

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.addresses += [value or "" for name, value in attributes if name in ("src", "href", "data", "action")]
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def well_formed(text: str) -> _Tree:
    tree = _Tree()
    tree.feed(text)
    assert tree.open == []
    return tree


def test_a_page_is_well_formed_and_asks_for_nothing_outside_itself() -> None:
    with alto_lg.trace() as traced:
        pass
    assert traced.tasks == ()
    text = page("Title", timeline([Panel("run", (Row("a", (Bar(0, 1, "#0", "said"),)),))], "name"))
    tree = well_formed(text)
    assert not {"script", "link", "img", "iframe", "object"} & set(tree.tags)
    assert all(address.startswith("#") for address in tree.addresses)
    assert "url(" not in text and "@import" not in text


def test_what_users_name_their_nodes_is_text_and_never_markup() -> None:
    name = "</style><script>alert(1)</script>"
    drawn = timeline([Panel(name, (Row(name, (Bar(0, 1, name, name),)),))], name)
    text = page(name, drawn, table([name], [[name]], caption=name))
    tree = well_formed(text)
    assert "script" not in tree.tags and tree.tags.count("style") == 1
    assert tree.texts.count(name) >= 5


def test_an_attribute_is_escaped_too() -> None:
    assert "script" not in well_formed(page("t", element("p", title='"><script>'))).tags


def _run(*arguments: str) -> int:
    return main(["trace", *arguments])


def test_the_command_shows_both_engines_and_that_they_agree(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    outputs = ("--perfetto", "out/t.json", "--output", "t.html")
    assert _run("own_graph.py:app", "--input", '{"seen": []}', "--both", *outputs) == 0
    said = capsys.readouterr().out
    assert "The results are equal." in said
    assert re.search(r"accelerated: .* 8 tasks, \d+ started early, 0 dropped", said)
    text = (folder / "t.html").read_text(encoding="utf-8")
    well_formed(text)
    assert re.findall(r"<h4>(\w+) ·", text) == ["LangGraph", "accelerated"]
    assert "request ▸ ask ▸ find#2" in text
    events = json.loads((folder / "out" / "t.json").read_text())["traceEvents"]
    assert {event["args"]["name"] for event in events if event["name"] == "process_name"} == {
        "LangGraph",
        "accelerated",
    }


@pytest.mark.parametrize("named", ["own_graph:builder", "own_graph:make", "own_graph.py:app"])
def test_a_graph_may_be_compiled_or_not_or_made_by_a_function(folder: Path, named: str) -> None:
    assert _run(named, "--input", '{"seen": []}') == 0
    assert (folder / "trace.html").exists()


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["own_graph.py:nothing", "--input", "{}"], "own_graph.py has no 'nothing'"),
        (["own_graph.py:number", "--input", "{}"], "a int is no graph"),
        (["nowhere.py:app", "--input", "{}"], "there is no file nowhere.py"),
        (["no.such.module:app", "--input", "{}"], "there is no module 'no.such.module'"),
        (["app", "--input", "{}"], "'app' names no graph"),
        (["own_graph.py:app", "--input", "{"], "--input is not JSON"),
        (["own_graph.py:app", "--input", "@none.json"], "--input @none.json: cannot be read"),
        (["own_graph.py:app", "--input", "{}", "--output", "t.txt"], "has to end in .html"),
        (["own_graph.py:app", "--input", "{}", "--perfetto", "t.html"], "has to end in .json"),
    ],
)
def test_what_cannot_be_run_is_refused_before_anything_is(
    folder: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], reason: str
) -> None:
    assert _run(*arguments) == 2
    assert reason in capsys.readouterr().err
    assert not list(folder.glob("*.html"))


def test_the_two_runs_of_a_graph_with_a_checkpointer_have_threads_of_their_own(folder: Path) -> None:
    (folder / "threaded.py").write_text(
        "from langgraph.checkpoint.memory import InMemorySaver\n"
        "from tracing import graphs\n"
        "saver = InMemorySaver()\n"
        "app = graphs.fan().builder.compile(checkpointer=saver)\n"
    )
    assert _run("threaded.py:app", "--input", '{"seen": []}', "--both", "--thread", "mine") == 0
    saver = importlib.import_module("threaded").saver
    assert {one.config["configurable"]["thread_id"] for one in saver.list(None)} == {"mine/langgraph", "mine/alto"}


def test_a_file_is_found_by_its_place_whatever_else_has_its_name(folder: Path) -> None:
    (folder / "json.py").write_text("from tracing import graphs\napp = graphs.fan()\n")
    assert _run("json.py:app", "--input", '{"seen": []}') == 0
    assert importlib.import_module("json") is json


def test_a_run_that_raises_is_traced_until_then(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "failing.py").write_text(
        "from langgraph.graph import START, StateGraph\n"
        "def fail(state): raise ValueError('no')\n"
        "app = StateGraph(dict).add_node('fail', fail).add_edge(START, 'fail')\n"
    )
    assert _run("failing.py:app", "--input", "{}", "--sync") == 1
    assert "it raised ValueError: no" in capsys.readouterr().out
    assert "failed ValueError" in (folder / "trace.html").read_text()


def test_a_trace_is_saved_by_its_suffix(tmp_path: Path) -> None:
    with alto_lg.trace() as traced:
        pass
    traced.save(tmp_path / "t.json")
    traced.save(tmp_path / "t.html", traced)
    with pytest.raises(ValueError, match=r"\.html .* or \.json"):
        traced.save(tmp_path / "t.svg")
