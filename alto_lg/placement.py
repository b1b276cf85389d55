"""Placement: where a node runs, if not in the process of the graph."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class RayPlacement:
    """On actors of Ray; made by `alto_lg.ray`, which says what the fields mean."""

    replicas: int = 1
    num_cpus: float = 1
    num_gpus: float = 0
    resources: Mapping[str, float] = field(default_factory=dict)
    address: str | None = None
    runtime_env: Mapping[str, Any] = field(default_factory=dict)
    concurrency: int | None = None
    max_in_flight: int | None = None
    stream_ahead: int = 64
    by_group: bool = False
    repeatable: bool = False
    max_attempts: int = 5
    start_timeout_s: float = 120.0

    def __post_init__(self) -> None:
        _at_least(1, replicas=self.replicas, stream_ahead=self.stream_ahead, max_attempts=self.max_attempts)
        _at_least(1, concurrency=self.concurrency, max_in_flight=self.max_in_flight)
        _at_least(0, num_cpus=self.num_cpus, num_gpus=self.num_gpus, **self.resources)
        _positive(start_timeout_s=self.start_timeout_s)


@dataclass(frozen=True, slots=True, kw_only=True)
class ProcessPlacement:
    """In processes of this machine; made by `alto_lg.processes`, which says what the fields mean."""

    workers: int = 1
    max_in_flight: int = 2
    by_group: bool = False
    repeatable: bool = False
    max_attempts: int = 5
    start_timeout_s: float = 120.0

    def __post_init__(self) -> None:
        _at_least(1, workers=self.workers, max_in_flight=self.max_in_flight, max_attempts=self.max_attempts)
        _positive(start_timeout_s=self.start_timeout_s)


@dataclass(frozen=True, slots=True, kw_only=True)
class ThreadPlacement:
    """On threads of its own; made by `alto_lg.threads`."""

    workers: int = 1

    def __post_init__(self) -> None:
        _at_least(1, workers=self.workers)


Placement = RayPlacement | ProcessPlacement | ThreadPlacement


def ray(
    *,
    replicas: int = 1,
    num_cpus: float = 1,
    num_gpus: float = 0,
    resources: Mapping[str, float] | None = None,
    address: str | None = None,
    runtime_env: Mapping[str, Any] | None = None,
    concurrency: int | None = None,
    max_in_flight: int | None = None,
    stream_ahead: int = 64,
    by_group: bool = False,
    repeatable: bool = False,
    max_attempts: int = 5,
    start_timeout_s: float = 120.0,
) -> RayPlacement:
    """Run a node on actors of Ray: `accelerate(graph, placement={"embed": alto_lg.ray(replicas=4)})`.

    Needs the extra `ray`. Ray that runs in this process is used as it is; otherwise one is started for this machine,
    and stopped with the last graph that uses it. What the actors get is what the node reads; see docs/scaling.md.

    Args:
        replicas: Actors that run the node.
        num_cpus, num_gpus, resources: What Ray is to set aside for each of them.
        address: Of a cluster, as `ray.init` takes it; "auto" finds one that was started on this machine. None: that of
            `RAY_ADDRESS`, if that is set; otherwise Ray is started for this process.
        runtime_env: Of the actors, as Ray takes it: the code and packages that the machines of a cluster lack.
        concurrency: Firings that one replica runs at once. None: 1 for a plain function, 64 for an async one.
        max_in_flight: Firings that are at one replica, running or waiting there; all others wait here. None: one more
            than run at once for a plain function, so that the next is there when one ends; else as many.
        stream_ahead: Items that a streaming node may be ahead of those who read them.
        by_group: The node keeps something in the memory of its process for each group of items, such as the passages of
            one claim: every item of a group goes to one replica, as long as that lives. The groups follow from the
            graph; `explain` names them.
        repeatable: The node may run more than once for one firing, as `@alto_lg.repeatable` says on a function: a
            firing whose replica died runs again on another one. A streaming node must then yield the same again, and
            one with `by_group` can do without what it kept; otherwise, all later firings of the group fail as well.
        max_attempts: Times that such a firing runs, at the most, before `WorkerLost` is raised.
        start_timeout_s: Seconds within which a first replica must be ready.

    Raises:
        ValueError: A number is too small.
    """
    return RayPlacement(
        replicas=replicas,
        num_cpus=num_cpus,
        num_gpus=num_gpus,
        resources=dict(resources or {}),
        address=address,
        runtime_env=dict(runtime_env or {}),
        concurrency=concurrency,
        max_in_flight=max_in_flight,
        stream_ahead=stream_ahead,
        by_group=by_group,
        repeatable=repeatable,
        max_attempts=max_attempts,
        start_timeout_s=start_timeout_s,
    )


def processes(
    *,
    workers: int = 1,
    max_in_flight: int = 2,
    by_group: bool = False,
    repeatable: bool = False,
    max_attempts: int = 5,
    start_timeout_s: float = 120.0,
) -> ProcessPlacement:
    """Run a node in processes of this machine, one firing at a time in each: for plain functions that compute.

    Needs the extra `processes` (loky). The arguments are those of `alto_lg.ray`; `workers` is the number of processes.

    Raises:
        ValueError: A number is too small.
    """
    return ProcessPlacement(
        workers=workers,
        max_in_flight=max_in_flight,
        by_group=by_group,
        repeatable=repeatable,
        max_attempts=max_attempts,
        start_timeout_s=start_timeout_s,
    )


def threads(*, workers: int = 1) -> ThreadPlacement:
    """Run a plain function that blocks on threads of its own, `workers` of them: at most so many run at once.

    It shares nothing with the threads of other nodes, so that a slow service cannot take them all. All that a node may
    do it may do there, too.

    Raises:
        ValueError: workers is less than 1.
    """
    return ThreadPlacement(workers=workers)


def _at_least(least: int, **numbers: float | None) -> None:
    for name, number in numbers.items():
        if number is not None and number < least:
            raise ValueError(f"{name} must be {least} or more, got {number}")


def _positive(**numbers: float) -> None:
    for name, number in numbers.items():
        if number <= 0:
            raise ValueError(f"{name} must be more than 0, got {number}")
