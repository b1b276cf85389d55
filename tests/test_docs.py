"""The examples of the documents run as printed."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

DOCS = Path(__file__).parent.parent / "docs"
EXAMPLES = [
    pytest.param(example, id=f"{path.stem} {number}")
    for path in sorted(DOCS.glob("*.md"))
    for number, example in enumerate(
        re.findall(r"<!-- runs as a test -->\n```python\n(.*?)```", path.read_text(encoding="utf-8"), re.DOTALL)
    )
]


@pytest.mark.parametrize("example", EXAMPLES)
def test_the_example_runs_as_printed(example: str, tmp_path: Path) -> None:
    script = tmp_path / "example.py"
    script.write_text(example)
    command = [sys.executable, str(script)]
    ended = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False)
    assert ended.returncode == 0, ended.stderr


def test_every_way_to_work_on_what_is_unfinished_has_an_example() -> None:
    shown = {example.id.split()[0] for example in EXAMPLES if example.id}
    assert {"streaming", "tools", "trace"} <= shown
