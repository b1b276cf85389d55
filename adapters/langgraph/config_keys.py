"""Config keys: what an accelerated run puts into the config of a node, and takes out of it again."""

from __future__ import annotations

from typing import Any

from alto_lg.adapters.langgraph.internals import CONF
from alto_lg.engine.ancestry import Ancestry

ANCESTRY = "__alto_ancestry"
"""Where a node's config holds the `Ancestry` of its firing; LangGraph saves no key that begins with two underscores."""
TALLY = "__alto_tally"
"""Where a node's config holds the counts of its run, for the runs of subgraphs inside."""
PARTIALS = "__alto_partials"
"""Where in its config a streaming node finds whom to tell of its partial updates."""
GATE = "__alto_gate"
"""Where the config of an early firing holds the wait that comes before its conditional edges."""
RUN = "__alto_run"
"""Where a config holds what tells its run from all others, in a graph with stages that keep state over groups."""
KEPT = "__alto_kept"
"""Where the config of a firing on a worker holds what gives out the object that is kept for its group."""
TOOLS = "__alto_tools"
"""Where a config holds the early results of the tools of its run."""


def ancestry_of(config: Any) -> Ancestry | None:
    """The ancestry of the firing that a config belongs to."""
    found = config.get(CONF, {}).get(ANCESTRY)
    return found if isinstance(found, Ancestry) else None
