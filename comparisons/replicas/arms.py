"""The arms of a comparison over several servers: who runs a request, and how its calls are spread.

Always true: every arm has the same servers and the same client; the arms of this package differ from the whole (`alto`)
in one thing each.
"""

from __future__ import annotations

from alto_lg.apps.base import Application
from alto_lg.comparisons.arms import Arm

ALTO = "alto"
STAGED = "staged"


def replica_arms(application: Application) -> tuple[Arm, ...]:
    """LangGraph's versions and the staged program with a round-robin client, then this package with all it has, and
    with all but one thing."""
    plain = [version for version in application.versions if version in ("flat", "subgraph")] or application.versions[:1]
    streaming = next((one for one in application.versions if one.endswith("streaming")), plain[-1])
    staged = (Arm(STAGED, "", "staged", "round-robin"),) if hasattr(application, "staged") else ()
    return (
        *(Arm(f"langgraph-{version}", version, "langgraph", "round-robin") for version in plain),
        *staged,
        Arm(ALTO, streaming, "alto", "all"),
        *((Arm("alto-no-streaming", plain[0], "alto", "all"),) if streaming not in plain else ()),
        Arm("alto-no-routing", streaming, "alto", "no-routing"),
        Arm("alto-no-prefixes", streaming, "alto", "no-prefixes"),
        Arm("alto-no-scheduling", streaming, "alto", "no-scheduling"),
        Arm("alto-no-lengths", streaming, "alto", "no-lengths"),
    )
