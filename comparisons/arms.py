"""The arms of a comparison: which version of an application, run by which engine.

Always true: arms differ in nothing else; requests, seeds, server and measuring code are shared by all.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from alto_lg.apps.base import Application
from alto_lg.comparisons.errors import UsageError
from alto_lg.comparisons.peers import PEERS, Peer

Engine = Literal["langgraph", "alto", "asyncio", "staged", "fast-langgraph", "nvidia"]
"""What runs a request: LangGraph, this package, a program written by hand with asyncio, one in stages
that stream nothing, or a peer of this package."""

_FOR_ALTO_ALONE = ("streaming", "early")
"""How the names of versions end that differ in a declaration alone, which every other engine ignores."""


@dataclass(frozen=True, slots=True)
class Arm:
    """One side of a comparison.

    version: of the application's graph; empty for a program written by hand.
    pool: how it spreads its calls over several servers, by its name in `replicas/pools.py`; None for one server.
    """

    name: str
    version: str
    engine: Engine
    pool: str | None = None

    @property
    def accelerated(self) -> bool:
        """Whether this package runs it."""
        return self.engine == "alto"

    @property
    def peer(self) -> Peer | None:
        """Who else runs it. Such an arm may fail without failing the others."""
        return PEERS.get(self.engine)


@dataclass(frozen=True, slots=True)
class NotRun:
    """An arm that has no figures, and why."""

    arm: str
    reason: str


def arms_of(application: Application) -> tuple[Arm, ...]:
    """Every arm that an application could have, plain LangGraph first."""
    versions = application.versions
    by_hand = (Arm("asyncio", "", "asyncio"),) if hasattr(application, "by_hand") else ()
    peers: tuple[Engine, ...] = ("fast-langgraph", "nvidia")
    return (
        *(Arm(f"langgraph-{version}", version, "langgraph") for version in versions),
        *(Arm(f"alto-{version}", version, "alto") for version in versions),
        *by_hand,
        *(Arm(f"{engine}-{versions[0]}", versions[0], engine) for engine in peers),
    )


def choose_arms(text: str | None, available: Sequence[Arm]) -> tuple[Arm, ...]:
    """The arms of a comma-separated list, in the order given; all that tell something new when there is no list."""
    if text is None:
        return tuple(arm for arm in available if arm.accelerated or not _declares_only(arm.version))
    by_name = {arm.name: arm for arm in available}
    names = list(dict.fromkeys(part.strip() for part in text.split(",") if part.strip()))
    unknown = [name for name in names if name not in by_name]
    if unknown or not names:
        asked = f"{unknown[0]!r} is not an arm" if unknown else "the list is empty"
        raise UsageError(f"--arms: {asked}; choose from {', '.join(by_name)}, separated by commas.")
    return tuple(by_name[name] for name in names)


def installed(arms: Sequence[Arm]) -> tuple[tuple[Arm, ...], tuple[NotRun, ...]]:
    """The arms whose engine is there, and those whose engine is not."""
    missing = tuple(
        NotRun(arm.name, why) for arm in arms if arm.peer is not None and (why := arm.peer.missing()) is not None
    )
    absent = {one.arm for one in missing}
    present = tuple(arm for arm in arms if arm.name not in absent)
    if not present:
        raise UsageError(f"--arms: none of them can run: {'; '.join(f'{one.arm}: {one.reason}' for one in missing)}.")
    return present, missing


def reference_of(arms: Sequence[Arm]) -> Arm:
    """The arm that the others' answers are held against: the first that is no peer."""
    return next((arm for arm in arms if arm.peer is None), arms[0])


def _declares_only(version: str) -> bool:
    return version.rpartition("-")[2] in _FOR_ALTO_ALONE
