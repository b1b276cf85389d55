"""From a code object to its syntax tree: of the statement that it stands in, and of no other one."""

from __future__ import annotations

import ast
import gc
import importlib.util
import linecache
import sys
from pathlib import Path
from textwrap import indent
from types import FunctionType, ModuleType

import pytest

from alto_lg.adapters.langgraph.analysis.source import Located, NotLocated, locate


def module_of(folder: Path, text: str) -> ModuleType:
    path = folder / "subject.py"
    change(folder, text)
    spec = importlib.util.spec_from_file_location("subject", path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def change(folder: Path, text: str) -> None:
    (folder / "subject.py").write_text(text)
    linecache.checkcache(str(folder / "subject.py"))


def written(function: FunctionType) -> str:
    """What the function was written as, by its syntax tree."""
    found = locate(function.__code__)
    assert isinstance(found, Located), found
    return ast.unparse(found.node)


NODE = "def node(s):\n    return {'a': 1}"
MARGIN = "".join(f"line {number}\n" for number in range(30))

PLACES = {
    "top": NODE,
    "decorated": f"def same(f): return f\n\n@same\n@same\n{NODE}",
    "under a condition": f"if False:\n  pass\nelse:\n  try:\n{indent(NODE, '   ')}\n  finally:\n    pass",
    "in a class": f"def same(c): return c.node\n\n@same\nclass node:\n  __slots__ = ()\n{indent(NODE, '  ')}",
    "in a function": f"def make():\n{indent(NODE, '  ')}\n  return node\nnode = make()",
    "after a text at the margin": f'TEXT = """\n{NODE.replace("1", "2")}\n"""\n{NODE}',
    "before and after texts at the margin": f'A = """\n{MARGIN}"""\n{NODE}\nB = """\n{MARGIN}"""',
    "around a text": f"def make():\n  t = '''\n{MARGIN}'''\n{indent(NODE, '  ')}\n  return node\nnode = make()",
    "after statements on one line": f"x = 1; y = 2\nif x: node = None\n{NODE}",
}


@pytest.mark.parametrize("place", PLACES)
def test_a_function_is_found_wherever_it_stands(place: str, tmp_path: Path) -> None:
    assert written(module_of(tmp_path, PLACES[place]).node).endswith(NODE)


def test_statements_that_share_a_line_are_told_apart(tmp_path: Path) -> None:
    module = module_of(tmp_path, "one = lambda s: {'a': 1}; two = lambda s: {'b': 22}\n")
    assert written(module.one) == "lambda s: {'a': 1}" and written(module.two) == "lambda s: {'b': 22}"


def test_a_statement_that_begins_where_another_one_ends_is_found(tmp_path: Path) -> None:
    module = module_of(tmp_path, "one = [\n    lambda s: {'a': 1}][0]; two = lambda s: {'b': 22}\n")
    assert written(module.one) == "lambda s: {'a': 1}" and written(module.two) == "lambda s: {'b': 22}"


def test_what_the_file_imports_from_the_future_counts(tmp_path: Path) -> None:
    node = "def node(s: Missing) -> Missing:\n    return {}"
    text = f"'''Text.'''\nfrom __future__ import annotations\ndef make():\n{indent(node, '    ')}\n    return node\n"
    assert written(module_of(tmp_path, text).make()) == node


@pytest.mark.parametrize(
    "imported",
    ["import math", "try:\n    import math\nexcept ImportError as error:\n    raise", "from os import path as math"],
)
def test_what_the_file_imports_counts(imported: str, tmp_path: Path) -> None:
    node = "def node(s):\n    return math.sqrt(s)"
    assert written(module_of(tmp_path, f"{imported}\n{node}").node) == node


def test_a_text_in_a_function_may_look_like_statements(tmp_path: Path) -> None:
    node = f"def node(s):\n    text = '''{MARGIN}'''\n    return {{'a': text}}"
    assert (
        ast.literal_eval(written(module_of(tmp_path, node).node).split("text = ")[1].split("\n    return")[0]) == MARGIN
    )


def test_a_statement_elsewhere_in_the_file_does_no_harm(tmp_path: Path) -> None:
    module = module_of(tmp_path, NODE)
    change(tmp_path, f"{NODE}\n\nreturn\n")
    assert written(module.node) == NODE


@pytest.mark.parametrize("changed", [NODE.replace("1", "2"), f"\n{NODE}", "", "def", "x = 1\nx = 2"])
def test_source_that_is_not_what_runs_is_refused(changed: str, tmp_path: Path) -> None:
    module = module_of(tmp_path, NODE)
    change(tmp_path, changed)
    assert isinstance(locate(module.node.__code__), NotLocated)


@pytest.mark.skipif(sys.version_info >= (3, 12), reason="collects garbage between instructions, not in a parse")
def test_a_parse_that_another_one_disturbs_is_done_again(tmp_path: Path) -> None:
    module = module_of(tmp_path, NODE)
    disturbed = []

    def disturb(phase: str, info: object) -> None:
        if not disturbed and sys._getframe(1).f_code is ast.parse.__code__:
            disturbed.append(ast.parse("1"))

    threshold = gc.get_threshold()
    gc.callbacks.append(disturb)
    gc.set_threshold(5)
    try:
        assert written(module.node) == NODE
    finally:
        gc.set_threshold(*threshold)
        gc.callbacks.remove(disturb)
    assert disturbed
