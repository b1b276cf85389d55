"""A cluster of Ray on this machine: several nodes, each with processes of its own, that can be killed and replaced.

Ray counts what a node has and does not measure it, so the nodes have as much room for replicas as they are given.
Always true: no other process finds the cluster, because what Ray leaves on disk is in a folder of its own.
"""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import Any

import ray
from ray.cluster_utils import Cluster

NODES = 3
ROOM = 2
"""Replicas that a node has room for: with three of them there is room for all when one of three nodes is gone."""


class RayNodes:
    """The head, which runs no replica, and `NODES` nodes, as a context."""

    def __enter__(self) -> RayNodes:
        self._folder = tempfile.TemporaryDirectory(prefix="ray", ignore_cleanup_errors=True)
        os.environ.update(RAY_USAGE_STATS_ENABLED="0", RAY_TMPDIR=self._folder.name)
        self._cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 0, "include_dashboard": False})
        self._nodes = [self._added() for _ in range(NODES)]
        return self

    def __exit__(self, *exc_info: object) -> None:
        ray.shutdown()
        self._cluster.shutdown()
        del os.environ["RAY_TMPDIR"]
        self._folder.cleanup()

    @property
    def address(self) -> str:
        found: str = self._cluster.address
        return found

    @property
    def placement(self) -> dict[str, Any]:
        """Where a replica goes: to one of the nodes."""
        return {"address": self.address, "num_cpus": 0, "resources": {"replica": 1}}

    def with_any(self, pids: set[int]) -> list[Any]:
        """The nodes that have one of these processes."""
        parents = {parent_of(pid) for pid in pids}
        return [node for node in self._nodes if _raylet(node) in parents]

    def kill(self, node: Any) -> None:
        """Kill what Ray runs on a node, with signal 9. Its replicas are left, for a moment, without a node."""
        self._nodes.remove(node)
        self._cluster.remove_node(node, allow_graceful=False)

    def replace(self) -> None:
        self._nodes.append(self._added())

    def _added(self) -> Any:
        return self._cluster.add_node(num_cpus=1, resources={"replica": ROOM})


def _raylet(node: Any) -> int:
    (raylet,) = node.all_processes["raylet"]
    found: int = raylet.process.pid
    return found


def parent_of(pid: int) -> int | None:
    """The process that started one; None if that has ended."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return None
    return int(stat.rpartition(")")[2].split()[1])
