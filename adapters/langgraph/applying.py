"""The commit of a step: what its tasks wrote is applied to the channels, as LangGraph applies it.

LangGraph's own commit looks at every channel of the graph for the highest version, and makes a text of each task's
path to sort by. This one remembers the version, and compares the paths themselves, which come in the same order.

Always true: a step with a task or a write of a kind that is not known here is committed by LangGraph's own function.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from alto_lg.adapters.langgraph.internals import (
    ERROR,
    ERROR_SOURCE_NODE,
    INTERRUPT,
    NO_WRITES,
    PUSH,
    RESERVED,
    RESUME,
    RETURN,
    apply_writes,
    is_of_node,
)
from alto_lg.adapters.langgraph.reducing import apply
from alto_lg.adapters.langgraph.stepping import RunChannels

NOT_FOR_CHANNELS = frozenset({NO_WRITES, PUSH, RESUME, INTERRUPT, RETURN, ERROR, ERROR_SOURCE_NODE})
_NOTHING: Sequence[Any] = ()


def commit(
    checkpoint: Any,
    channels: Any,
    tasks: Iterable[Any],
    get_next_version: Callable[[Any, None], Any] | None,
    trigger_to_nodes: Mapping[str, Sequence[str]],
) -> set[str]:
    """LangGraph's `apply_writes`: the channels that a step has updated."""
    tasks = tuple(tasks)
    if not isinstance(channels, RunChannels):
        return apply_writes(checkpoint, channels, tasks, get_next_version, trigger_to_nodes)
    ordered = _in_order(tasks)
    written = _by_channel(ordered, channels) if ordered is not None else None
    if ordered is None or written is None:
        channels.highest = None
        updated = apply_writes(checkpoint, channels.for_langgraph(), tasks, get_next_version, trigger_to_nodes)
        channels.committed(channel for task in tasks for channel, _ in task.writes)
        return updated
    _see(checkpoint, ordered)
    updated = _apply(checkpoint, channels, ordered, written, get_next_version, trigger_to_nodes)
    channels.committed(written)
    return updated


def _in_order(tasks: Sequence[Any]) -> Sequence[Any] | None:
    """Nodes that are triggered by name, by their names, and then those with a packet, by its place."""
    if len(tasks) == 1:
        return tasks if is_of_node(tasks[0].path) else None
    return sorted(tasks, key=lambda task: task.path) if all(is_of_node(task.path) for task in tasks) else None


def _by_channel(tasks: Sequence[Any], channels: RunChannels) -> dict[str, list[Any]] | None:
    """What was written to each channel; None if something was written to none."""
    written: dict[str, list[Any]] = {}
    for task in tasks:
        for channel, value in task.writes:
            values = written.get(channel)
            if values is not None:
                values.append(value)
            elif channel in NOT_FOR_CHANNELS:
                continue
            elif channel in channels:
                written[channel] = [value]
            else:
                return None
    return written


def _see(checkpoint: Any, tasks: Sequence[Any]) -> None:
    """Note the versions of what triggered each task: it is not triggered by them again."""
    versions, last = checkpoint["channel_versions"], None
    for task in tasks:
        if (task.name, task.triggers) == last:
            continue
        last = task.name, task.triggers
        seen = checkpoint["versions_seen"].setdefault(task.name, {})
        for channel in task.triggers:
            if channel in versions:
                seen[channel] = versions[channel]


def _apply(
    checkpoint: Any,
    channels: RunChannels,
    tasks: Sequence[Any],
    written: Mapping[str, Sequence[Any]],
    get_next_version: Callable[[Any, None], Any] | None,
    trigger_to_nodes: Mapping[str, Sequence[str]],
) -> set[str]:
    versions = checkpoint["channel_versions"]
    highest = channels.highest if channels.versions_are_ours else None
    if highest is None and versions:
        highest = max(versions.values())
    version = get_next_version(highest, None) if get_next_version is not None else None
    updated: set[str] = set()

    def changed(name: str) -> None:
        if version is not None:
            versions[name] = channels.highest = version
            if channels[name].is_available():  # else it triggers nobody
                updated.add(name)

    channels.highest = highest
    for name in {trigger for task in tasks for trigger in task.triggers}:
        if name not in RESERVED and name in channels and channels[name].consume() and version is not None:
            versions[name] = channels.highest = version
    for name, values in written.items():
        if apply(channels[name], values):
            changed(name)
    for name in channels.walked():
        if name not in updated and channels[name].is_available() and channels[name].update(_NOTHING):
            changed(name)
    if trigger_to_nodes.keys().isdisjoint(updated):  # as far as is known, this was the last step
        for name in channels.walked():
            if channels[name].finish():
                changed(name)
    return updated
