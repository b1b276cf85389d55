"""Other packages that run a LangGraph graph sooner: how each is found, started, and given a graph.

Owns every name of theirs. Always true: none of them is needed; one that is not installed, that refuses a graph, or that
answers otherwise says so by itself and fails nobody else. Each is applied as its own documentation says, in the process
of its own arm, and before LangGraph is imported where it changes LangGraph's modules.
"""

from __future__ import annotations

import importlib
import importlib.metadata
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from langgraph.graph.state import CompiledStateGraph

Graph = CompiledStateGraph[Any, Any, Any, Any]


class PeerRefused(Exception):
    """The peer is installed, and cannot be applied here."""


@dataclass(frozen=True, slots=True)
class Peer:
    """One package.

    distributions: what has to be installed. how: the command that installs it.
    before: Python code that the arm's process runs before it imports LangGraph.
    """

    distributions: tuple[str, ...]
    how: str
    apply: Callable[[Graph], Graph]
    before: str = ""

    def missing(self) -> str | None:
        """What is not installed; None when all is."""
        absent = [name for name in self.distributions if _version(name) is None]
        return f"{' and '.join(absent)} not installed ({self.how})" if absent else None

    def versions(self) -> dict[str, str]:
        """Of what is installed."""
        return {name: found for name in self.distributions if (found := _version(name)) is not None}


def _version(distribution: str) -> str | None:
    try:
        return importlib.metadata.version(distribution)
    except importlib.metadata.PackageNotFoundError:
        return None


def _patched(graph: Graph) -> Graph:
    """The graph itself: fast-langgraph changes LangGraph's modules, and is asked whether it has."""
    shim = importlib.import_module("fast_langgraph.shim")
    left = [name for name, done in shim.get_patch_status()["automatic"].items() if not done]
    if left:
        raise PeerRefused(f"fast-langgraph could not change {' and '.join(left)} of this LangGraph")
    return graph


def _rewritten(graph: Graph) -> Graph:
    """The graph with the edges that nvidia-nat-app finds needless taken out.

    Its other mode, which runs branches on speculation, cannot be streamed, and every arm here is.
    """
    compiler = importlib.import_module("langchain_nvidia_langgraph.compile")
    settings = importlib.import_module("langchain_nvidia_langgraph.graph")
    rewritten: Graph = compiler.compile_langgraph(
        graph, optimization=settings.OptimizationConfig(enable_parallel=True), checkpointer=graph.checkpointer
    )
    return rewritten


PEERS: Mapping[str, Peer] = {
    "fast-langgraph": Peer(
        distributions=("fast-langgraph",),
        how="pip install 'alto-lg[peers]'",
        apply=_patched,
        before="import fast_langgraph.shim; fast_langgraph.shim.patch_langgraph(verbose=False)",
    ),
    "nvidia": Peer(
        distributions=("langchain-nvidia-langgraph", "nvidia-nat-app"),
        how="pip install langchain-nvidia-langgraph",
        apply=_rewritten,
    ),
}
"""By the name of the engine."""
