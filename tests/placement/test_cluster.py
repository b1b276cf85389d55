"""Which Ray a graph uses: that of an address, and its own where nobody named one."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

PROGRAM = """
import alto_lg
from placement import stages

app = alto_lg.accelerate(stages.graph(stages.plain), placement={"n": alto_lg.ray(num_cpus=0.01)})
with app:
    print(app.invoke({"x": [], "k": 7})["x"])
"""


@pytest.mark.timeout(120)
def test_a_cluster_of_somebody_else_on_this_machine_is_left_alone() -> None:
    """Ray leaves the address of a cluster in a file, and connects to that if it is not told otherwise."""
    with tempfile.TemporaryDirectory(prefix="ray", ignore_cleanup_errors=True) as folder:  # short, for sockets
        (Path(folder) / "ray").mkdir()
        (Path(folder) / "ray" / "ray_current_cluster").write_text("127.0.0.1:1")
        environment = {name: value for name, value in os.environ.items() if name != "RAY_ADDRESS"}
        done = subprocess.run(
            [sys.executable, "-c", PROGRAM],
            cwd=Path(__file__).parents[1],
            env={**environment, "RAY_TMPDIR": folder},
            capture_output=True,
            text=True,
            timeout=100,
            check=False,
        )
    assert done.stdout.strip().endswith("[7]"), done.stderr
