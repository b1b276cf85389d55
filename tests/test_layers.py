"""Layers: who may import whom, and how long a file may grow, read from the syntax trees."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
FOLDERS = ("alto_lg", "adapters", "apps", "comparisons")
INTERNALS = "adapters/langgraph/internals.py"
LINES_MAX = 500


@dataclass(frozen=True, slots=True)
class Module:
    """One source file of ours; `path` is relative to the root."""

    path: str
    text: str

    def imports(self) -> Iterator[tuple[str, int]]:
        """Full names of what it imports, at the top or inside functions, with the line."""
        for item in ast.walk(ast.parse(self.text, self.path)):
            if isinstance(item, ast.Import):
                yield from ((alias.name, item.lineno) for alias in item.names)
            elif isinstance(item, ast.ImportFrom):
                source = _absolute(self.path, item.level, item.module)
                yield from ((f"{source}.{alias.name}", item.lineno) for alias in item.names)


@cache
def _modules() -> tuple[Module, ...]:
    paths = [path for folder in FOLDERS for path in sorted((ROOT / folder).rglob("*.py"))]
    return tuple(Module(path.relative_to(ROOT).as_posix(), path.read_text(encoding="utf-8")) for path in paths)


def _under(folder: str) -> tuple[Module, ...]:
    found = tuple(one for one in _modules() if one.path.startswith(folder + "/"))
    assert found, f"there is no module under {folder}"
    return found


def _absolute(path: str, level: int, module: str | None) -> str:
    """The full name of what `from ..module import` means in a file, as it is installed."""
    if level == 0:
        return module or ""
    folder, _, _ = path.rpartition("/")
    parts = folder.split("/")
    installed = parts if parts[0] == "alto_lg" else ["alto_lg", *parts]
    return ".".join([*installed[: len(installed) - level + 1], *([module] if module else [])])


def _is_standard(name: str) -> bool:
    return name.split(".")[0] in sys.stdlib_module_names


def _is_within(name: str, *packages: str) -> bool:
    return any(name == package or name.startswith(package + ".") for package in packages)


def test_relative_imports_are_resolved_as_the_package_is_installed() -> None:
    assert _absolute("adapters/langgraph/analysis/entry.py", 1, "core") == "alto_lg.adapters.langgraph.analysis.core"
    assert _absolute("adapters/langgraph/analysis/entry.py", 2, None) == "alto_lg.adapters.langgraph"
    assert _absolute("alto_lg/engine/plan.py", 1, "facts") == "alto_lg.engine.facts"


@pytest.mark.parametrize("package", ["engine", "routing"])
def test_what_decides_imports_the_standard_library_and_itself_only(package: str) -> None:
    found = [
        f"{module.path}:{line} {name}"
        for module in _under(f"alto_lg/{package}")
        for name, line in module.imports()
        if not (_is_standard(name) or _is_within(name, f"alto_lg.{package}"))
    ]
    assert found == []


_ACTING = ("asyncio", "threading", "time", "datetime", "random", "secrets", "os", "io", "socket", "logging")


@pytest.mark.parametrize(("package", "may"), [("engine", ()), ("routing", ("random.Random",))])
def test_what_decides_neither_waits_nor_reads_the_clock_nor_draws(package: str, may: tuple[str, ...]) -> None:
    """Routing draws from a generator that it is given the seed of."""
    found = [
        f"{module.path}:{line} {name}"
        for module in _under(f"alto_lg/{package}")
        for name, line in module.imports()
        if _is_within(name, *_ACTING) and name not in may
    ]
    assert found == []


@pytest.mark.parametrize("folder", ["apps", "comparisons"])
def test_applications_and_comparisons_use_what_is_public(folder: str) -> None:
    """They may use adapters, but neither the engine nor the adapter that carries it out."""
    hidden = ("alto_lg.engine", "alto_lg.adapters.langgraph")
    found = [
        f"{module.path}:{line} {name}"
        for module in _under(folder)
        for name, line in module.imports()
        if _is_within(name, *hidden)
    ]
    assert found == []


def test_applications_do_not_import_comparisons() -> None:
    """Their command line alone may, to start the simulated server."""
    found = [
        f"{module.path}:{line} {name}"
        for module in _under("apps")
        if module.path != "apps/__main__.py"
        for name, line in module.imports()
        if _is_within(name, "alto_lg.comparisons")
    ]
    assert found == []


def test_adapters_import_no_application_and_no_comparison() -> None:
    found = [
        f"{module.path}:{line} {name}"
        for module in _under("adapters")
        for name, line in module.imports()
        if _is_within(name, "alto_lg.apps", "alto_lg.comparisons")
    ]
    assert found == []


def test_private_names_of_langgraph_are_imported_in_one_module_only() -> None:
    found = [
        f"{module.path}:{line} {name}"
        for module in _modules()
        if module.path != INTERNALS
        for name, line in module.imports()
        if _is_within(name, "langgraph") and any(part.startswith("_") for part in name.split("."))
    ]
    assert found == []


def test_langgraph_is_known_to_its_adapter_and_the_public_modules_only() -> None:
    """`apps` hold graphs, and `comparisons` run them; the other adapters know nothing of them."""
    found = [
        f"{module.path}:{line} {name}"
        for module in _under("adapters")
        if not module.path.startswith("adapters/langgraph/")
        for name, line in module.imports()
        if _is_within(name, "langgraph")
    ]
    assert found == []


def test_nobody_imports_a_folder_by_the_name_that_it_has_in_the_repository() -> None:
    tests = [Module(path.relative_to(ROOT).as_posix(), path.read_text()) for path in sorted(ROOT.glob("tests/**/*.py"))]
    found = [
        f"{module.path}:{line} {name}"
        for module in (*_modules(), *tests)
        for name, line in module.imports()
        if _is_within(name, "adapters", "apps", "comparisons")
    ]
    assert found == []


def test_no_file_is_longer_than_it_can_be_read() -> None:
    lengths = {module.path: len(module.text.splitlines()) for module in _modules()}
    assert {path: length for path, length in lengths.items() if length > LINES_MAX} == {}


def test_every_module_says_what_it_owns() -> None:
    found = [module.path for module in _modules() if not ast.get_docstring(ast.parse(module.text))]
    assert found == []
