"""The workflow of the hosted project runs what this repository has: its Python versions, its make targets."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parent.parent
WORKFLOW: Any = yaml.safe_load((ROOT / ".github" / "workflows" / "ci.yml").read_text(encoding="utf-8"))
STEPS = [step for job in WORKFLOW["jobs"].values() for step in job["steps"]]


def test_tests_run_on_every_python_version_that_the_package_names() -> None:
    classifiers = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["classifiers"]
    named = [found[1] for one in classifiers if (found := re.search(r":: (3\.\d+)$", one))]
    assert WORKFLOW["jobs"]["test"]["strategy"]["matrix"]["python-version"] == named


def test_every_command_is_a_target_of_the_makefile_and_what_matters_is_among_them() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    commands = [step["run"] for step in STEPS if "run" in step]
    targets = [re.match(r"make ([\w-]+)", command) for command in commands]
    assert {target[1] for target in targets if target} == {"lint", "types", "test", "bench"}
    assert all(target and re.search(rf"^{target[1]}:", makefile, re.MULTILINE) for target in targets), commands


def test_the_workflow_may_read_and_nothing_else_and_its_actions_are_pinned() -> None:
    assert WORKFLOW["permissions"] == {"contents": "read"}
    assert not any("permissions" in job for job in WORKFLOW["jobs"].values())
    assert all(re.fullmatch(r"actions/[\w-]+@v\d+", step["uses"]) for step in STEPS if "uses" in step)
