"""Near the limits of the analysis something is given up, and it is the same thing in every process."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import textwrap
from pathlib import Path

_HELPERS = 6
_KEYS = [f"key_{number}" for number in range(_HELPERS)]

_NODES = """
class Worker:
    def __init__(self):
        self.kept = []

{methods}

def functions(state):
    for one in ({names}):
        one(state)

def closures(state):
    made = [{lambdas}]
    return {{"answer": str(unseen(made))}}

def methods(state, worker=Worker()):
    for method in ({bound}):
        method(state)

def named(state):
    for name in {keys!r}:
        unseen(state[name], lambda: functions(state))

def chosen(state, names=frozenset({keys!r})):
    for name in names:
        unseen(state[name], lambda: methods(state))
"""

_ASK = """
import sys
sys.path.insert(0, sys.argv[1])
import nodes
from alto_lg.adapters.langgraph.analysis import node_facts

for node in (nodes.functions, nodes.closures, nodes.methods, nodes.named, nodes.chosen):
    facts = node_facts(node, schema_keys=frozenset([*nodes.KEYS, "answer"]))
    for fact in (facts.reads, facts.writes, facts.goto, facts.mutates):
        print(node.__name__, str(fact.keys), fact.evidence, fact.why, sep=" | ")
    print(node.__name__, facts.leaks, facts.mutates_outside, facts.interrupts, facts.store, facts.visible)
"""


def _large(name: str, key: str, indent: str = "") -> str:
    """A function so large that not all of its kind can be followed; which ones are shows in what the node reads."""
    lines = [f"    total = total + len(state[{key!r}]) + {number}" for number in range(120)]
    first = "self, state" if indent else "state"
    text = "\n".join([f"def {name}({first}):", "    total = 0", *lines, f"    state[{key!r}].append(total)"])
    return textwrap.indent(text, indent)


def _write_nodes(folder: Path) -> None:
    helpers = [_large(f"large_{key}", key) for key in _KEYS]
    nodes = _NODES.format(
        methods="\n\n".join(_large(f"large_{key}", key, "    ") for key in _KEYS),
        names=", ".join(f"large_{key}" for key in _KEYS),
        lambdas=", ".join(f"lambda: large_{key}(state)" for key in _KEYS),
        bound=", ".join(f"worker.large_{key}" for key in _KEYS),
        keys=tuple(_KEYS),
    )
    head = f"from json import JSONEncoder\n\nKEYS = {_KEYS!r}\nunseen = JSONEncoder().encode"
    (folder / "nodes.py").write_text("\n\n\n".join([head, *helpers, nodes]))


def test_the_findings_near_the_limits_are_the_same_under_every_seed_of_hashes(tmp_path: Path) -> None:
    _write_nodes(tmp_path)
    asked = [
        subprocess.Popen(
            [sys.executable, "-c", _ASK, str(tmp_path)],
            env={**os.environ, "PYTHONHASHSEED": str(seed)},
            stdout=subprocess.PIPE,
            text=True,
        )
        for seed in range(1, 5)
    ]
    answers = [process.communicate(timeout=60)[0] for process in asked]
    assert all(process.returncode == 0 for process in asked)
    for kind in ("large_key", "Worker.large_key"):  # else none was given up, and the order made no difference
        assert re.search(rf"to '{kind}_\d', which could not be followed", answers[0])
    assert len(set(answers)) == 1, "\n\n".join(sorted(set(answers)))
