"""The README's example runs as printed, and its commands are there."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

_README = (Path(__file__).parent.parent / "README.md").read_text()


def test_the_example_runs_as_printed(tmp_path: Path) -> None:
    (example,) = re.findall(r"<!-- runs as a test -->\n```python\n(.*?)```", _README, re.DOTALL)
    script = tmp_path / "example.py"
    script.write_text(example)
    ended = subprocess.run([sys.executable, str(script)], capture_output=True, text=True, timeout=60, check=False)
    assert ended.returncode == 0, ended.stderr
    printed = ended.stdout
    assert re.search(r"^summarize +yes", printed, re.MULTILINE)
    assert "early_starts=1, dropped=0" in printed


def test_the_commands_at_the_top_are_targets_of_the_makefile() -> None:
    makefile = (Path(__file__).parent.parent / "Makefile").read_text()
    for target in re.findall(r"^make (\w+)", _README, re.MULTILINE):
        assert re.search(rf"^{target}:", makefile, re.MULTILINE), target
