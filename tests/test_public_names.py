"""Public names: the list is sorted, complete, documented, and in the README."""

from __future__ import annotations

import inspect
import subprocess
import sys
from pathlib import Path

import pytest

import alto_lg

README = Path(__file__).parent.parent / "README.md"

PUBLIC = (
    "AltoError",
    "AltoWarning",
    "Ancestry",
    "BatchMismatch",
    "BatchStatistics",
    "EndpointStatistics",
    "Explanation",
    "First",
    "Group",
    "Hint",
    "MissingCheckpointer",
    "Mistake",
    "NoEndpoint",
    "NoWorker",
    "NodeExplanation",
    "NotPortable",
    "PerGroup",
    "Pool",
    "PoolStatistics",
    "RunStatistics",
    "Stream",
    "ToolVerdict",
    "Trace",
    "TracedTask",
    "UndeclaredRead",
    "UndeclaredWrite",
    "Update",
    "WorkerLost",
    "accelerate",
    "ancestry",
    "batch_statistics",
    "batched",
    "current_ancestry",
    "explain",
    "install",
    "kept",
    "node",
    "processes",
    "ray",
    "reading",
    "reducers",
    "repeatable",
    "split",
    "statistics",
    "streaming",
    "threads",
    "trace",
    "uninstall",
)


def test_the_public_names_are_these_and_no_others() -> None:
    assert tuple(alto_lg.__all__) == PUBLIC


def test_the_list_is_sorted() -> None:
    assert alto_lg.__all__ == sorted(alto_lg.__all__)


@pytest.mark.parametrize("name", PUBLIC)
def test_a_public_name_is_there_and_says_what_it_is(name: str) -> None:
    found = getattr(alto_lg, name)
    own = vars(found).get("__doc__") if inspect.isclass(found) else found.__doc__
    assert own, f"{name} has no docstring of its own"
    assert not own.startswith(f"{name}("), f"the docstring of {name} is only its signature"


@pytest.mark.parametrize("name", ["accelerate", "explain", "node", "statistics", "current_ancestry"])
def test_arguments_after_the_second_are_named_by_the_caller(name: str) -> None:
    parameters = list(inspect.signature(getattr(alto_lg, name)).parameters.values())
    positional = [one for one in parameters if one.kind in (one.POSITIONAL_ONLY, one.POSITIONAL_OR_KEYWORD)]
    assert len(positional) <= 2


@pytest.mark.parametrize("name", PUBLIC)
def test_a_public_method_of_a_class_says_what_it_does(name: str) -> None:
    found = getattr(alto_lg, name)
    if inspect.isclass(found):
        for method, function in vars(found).items():
            if inspect.isfunction(function) and not method.startswith("_"):
                assert function.__doc__, f"{name}.{method} has no docstring"


def test_importing_the_package_imports_no_optional_library() -> None:
    optional = ("openai", "faiss", "numpy", "bm25s", "starlette", "uvicorn", "ray", "loky")
    program = f"import sys, alto_lg; print([name for name in {optional!r} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize("name", PUBLIC)
def test_a_public_name_is_in_the_readme(name: str) -> None:
    assert name in README.read_text(encoding="utf-8")
