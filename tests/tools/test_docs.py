"""The example of docs/tools.md runs as printed."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

_DOCS = Path(__file__).parents[2] / "docs" / "tools.md"


def test_the_example_runs_as_printed(tmp_path: Path) -> None:
    (example,) = re.findall(r"<!-- runs as a test -->\n```python\n(.*?)```", _DOCS.read_text(), re.DOTALL)
    script = tmp_path / "example.py"
    script.write_text(example)
    ended = subprocess.run([sys.executable, str(script)], capture_output=True, text=True, timeout=60, check=False)
    assert ended.returncode == 0, ended.stderr
