"""Code that is installed with the node counts as the user's, and code that is too large is looked at by its names."""

from __future__ import annotations

import importlib.util
import sys
import textwrap
from pathlib import Path
from types import ModuleType

import pytest

from alto_lg.adapters.langgraph.analysis import node_facts

_KEYS = frozenset({"docs", "answer"})


def _installed(folder: Path, name: str, source: str) -> ModuleType:
    """A module that lies where installed packages lie."""
    packages = folder / "lib" / "site-packages"
    packages.mkdir(parents=True)
    path = packages / f"{name}.py"
    path.write_text(textwrap.dedent(source))
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


def test_a_node_of_an_installed_application_is_analysed(tmp_path: Path) -> None:
    module = _installed(
        tmp_path,
        "installed_application",
        """
        def helper(docs):
            return len(docs)

        def node(state):
            return {"answer": helper(state["docs"])}
        """,
    )
    facts = node_facts(module.node, schema_keys=_KEYS)
    assert facts.visible
    assert facts.reads.keys.names == {"docs"}
    assert facts.writes.keys.names == {"answer"}


def test_a_change_in_a_helper_of_an_installed_application_is_seen(tmp_path: Path) -> None:
    module = _installed(
        tmp_path,
        "installed_changer",
        """
        def helper(docs):
            docs.append("more")

        def node(state):
            helper(state["docs"])
        """,
    )
    assert "docs" in node_facts(module.node, schema_keys=_KEYS).mutates.keys


def _deep(levels: int, last: str) -> str:
    """A chain of helpers that is deeper than the analysis follows."""
    helpers = [f"def helper_{level}(text):\n    return helper_{level + 1}(text)" for level in range(levels)]
    end = f"def helper_{levels}(text):\n    {last}"
    node = 'def node(state):\n    return {"answer": helper_0("x")}'
    return "\n\n".join(["from langgraph.types import interrupt", *helpers, end, node])


@pytest.mark.parametrize(("last", "pauses"), [("return interrupt(text)", True), ("return text", False)])
def test_a_helper_that_is_too_deep_may_pause_only_if_its_names_lead_to_it(
    tmp_path: Path, last: str, pauses: bool
) -> None:
    module = _installed(tmp_path, f"deep_{pauses}".lower(), _deep(12, last))
    facts = node_facts(module.node, schema_keys=_KEYS)
    assert facts.interrupts is pauses
    assert ("docs" in facts.writes.keys) is pauses  # a graph that runs inside could leave with an update of its own


def test_a_helper_that_is_too_deep_is_taken_to_change_what_it_is_given(tmp_path: Path) -> None:
    source = _deep(12, "return text").replace('helper_0("x")', 'helper_0(state["docs"])')
    assert "docs" in node_facts(_installed(tmp_path, "deep_given", source).node, schema_keys=_KEYS).mutates.keys


def _wide(helpers: int, lines: int) -> str:
    """A node whose helpers are each too large to follow, and a loop that makes the analysis go over all of it again."""
    large = [
        f"def helper_{number}(docs):\n    total = 0\n"
        + "    total = total + len(docs) + 1\n" * lines
        + "    return total"
        for number in range(helpers)
    ]
    calls = " + ".join(f"helper_{number}(state['docs'])" for number in range(helpers))
    return "\n\n".join([*large, f"def node(state):\n    return {{'answer': {calls}}}"])


def test_helpers_that_use_all_steps_up_leave_enough_for_the_node_itself(tmp_path: Path) -> None:
    facts = node_facts(_installed(tmp_path, "wide", _wide(40, 600)).node, schema_keys=_KEYS)
    assert facts.reads.keys.names == {"docs"}
    assert facts.writes.keys.names == {"answer"}
    assert "docs" in facts.mutates.keys  # by one of those that were not followed
