"""Compare: what two runs gave, with everything removed that two equal runs may differ in.

Owns the question "is this the same?". Pure. Always true:
  ids, times and thread names are gone; names, steps, values, order and errors stay;
  what LangGraph itself orders by completion is a multiset within its step and namespace, the rest a sequence.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, is_dataclass
from itertools import groupby
from typing import Any

from langchain_core.messages import BaseMessage
from langgraph.types import Command, Interrupt, PregelTask, Send, StateSnapshot
from pydantic import BaseModel

Event = tuple[tuple[str, ...], str, Any]
"""One event of `astream(stream_mode=[…], subgraphs=True)`: namespace, mode, payload."""

Plain = Any
"""Lists, tuples, dicts, strings, numbers, None: comparable, and readable in a failure."""

DROPPED_KEYS = frozenset({"id", "timestamp", "config", "parent_config", "interrupt_id"})
DROPPED_METADATA = frozenset({"thread_id", "run_id", "checkpoint_id", "langgraph_checkpoint_ns", "checkpoint_ns"})
_GENERATED = re.compile(r"^((lc_)?run-{1,2}|lc_)?[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}(-\d+)?$")
_ADDRESS = re.compile(r" at 0x[0-9a-f]+")


def plain(value: Any) -> Plain:
    """A value without ids: equal for equal runs."""
    match value:
        case None | bool() | int() | float() | bytes():
            return value
        case str():
            return "<generated>" if _GENERATED.match(value) else value
        case BaseMessage():
            return ("message", value.type, plain(value.id), plain(value.content))
        case Interrupt():
            return ("interrupt", plain(value.value))
        case Send():
            return ("send", value.node, plain(value.arg))
        case Command():
            return ("command", value.graph, plain(value.update), plain(value.resume), plain(value.goto))
        case BaseException():
            return error(value)
        case PregelTask():
            return task(value)
        case StateSnapshot():
            return snapshot(value)
        case BaseModel():
            return (type(value).__name__, plain(value.model_dump()))
        case Mapping():
            return {str(key): plain(item) for key, item in value.items()}
        case list():
            return [plain(item) for item in value]
        case tuple() | range():
            return tuple(plain(item) for item in value)
        case set() | frozenset():
            return ("set", sorted((plain(item) for item in value), key=repr))
    if is_dataclass(value) and not isinstance(value, type):
        return (
            type(value).__name__,
            {field.name: plain(getattr(value, field.name)) for field in fields(value)},
        )
    return _ADDRESS.sub("", repr(value))


def error(raised: BaseException | None) -> Plain:
    """An error as its type and its message."""
    return None if raised is None else ("error", type(raised).__name__, _ADDRESS.sub("", str(raised)))


def task(value: PregelTask) -> Plain:
    state = value.state if isinstance(value.state, StateSnapshot) else value.state is not None
    inner = snapshot(state) if isinstance(state, StateSnapshot) else state
    return {
        "name": value.name,
        "path": plain(value.path),
        "error": value.error if value.error is None else _text(value.error),
        "interrupts": plain(value.interrupts),
        "state": inner,
        "result": _as_saved(plain(value.result)),
    }


def _as_saved(result: Plain) -> Plain:
    """`add_messages` gives ids to the very objects that a node wrote, while these are being saved."""
    match result:
        case ("message", kind, None, content):
            return ("message", kind, "<generated>", content)
        case dict():
            return {key: _as_saved(item) for key, item in result.items()}
        case list():
            return [_as_saved(item) for item in result]
    return result


def _text(raised: Any) -> Plain:
    return error(raised) if isinstance(raised, BaseException) else plain(raised)


def snapshot(value: StateSnapshot) -> Plain:
    """One saved state without ids and times."""
    return {
        "values": plain(value.values),
        "next": value.next,
        "metadata": metadata(value.metadata or {}),
        "tasks": [task(item) for item in value.tasks],
        "interrupts": plain(value.interrupts),
    }


def metadata(value: Mapping[str, Any]) -> Plain:
    kept = {key: plain(item) for key, item in value.items() if key not in DROPPED_METADATA}
    if isinstance(kept.get("parents"), dict):
        kept["parents"] = sorted(_without_ids(key) for key in kept["parents"])
    return kept


def history(snapshots: Sequence[StateSnapshot]) -> Plain:
    """Newest first, as LangGraph gives them, each with the place of its parent in the list."""
    places = {_checkpoint_id(item.config): place for place, item in enumerate(snapshots)}
    parents = [places.get(_checkpoint_id(item.parent_config)) for item in snapshots]
    return [{**snapshot(item), "parent": parent} for item, parent in zip(snapshots, parents, strict=True)]


def _checkpoint_id(config: Any) -> Any:
    return (config or {}).get("configurable", {}).get("checkpoint_id")


@dataclass(frozen=True, slots=True)
class Streams:
    """The events of one run of one graph, or of one subgraph, sorted by what their order means."""

    namespace: tuple[str, ...]
    parent_steps: tuple[int, ...]
    """Steps of the graph above during which the events came; empty for the root."""
    values: Plain
    checkpoints: Plain
    steps: Plain
    """For each step in the order seen: tasks started in order, tasks ended and updates as multisets."""
    custom: Plain
    messages: Plain


def streams(events: Iterable[Event]) -> list[Plain]:
    """All namespaces of one run; the root first, then the subgraphs as a multiset."""
    kept = list(events)
    found = [_one_namespace(namespace, kept) for namespace in dict.fromkeys(event[0] for event in kept)]
    described = [{field.name: getattr(item, field.name) for field in fields(item)} for item in found]
    return sorted(described, key=lambda item: (len(item["namespace"]), repr(item)))


def _one_namespace(namespace: tuple[str, ...], events: Sequence[Event]) -> Streams:
    own = [(mode, payload) for place, mode, payload in events if place == namespace]
    return Streams(
        namespace=tuple(_without_ids(part) for part in namespace),
        parent_steps=tuple(_parent_steps(namespace, events)),
        values=_values(plain(payload) for mode, payload in own if mode == "values"),
        checkpoints=[_payload(payload) for mode, payload in own if mode == "checkpoints"],
        steps=_steps(own),
        custom=_by_node(plain(payload) for mode, payload in own if mode == "custom"),
        messages=_messages(payload for mode, payload in own if mode == "messages"),
    )


def _values(payloads: Iterable[Plain]) -> Plain:
    """States in order; interrupts of one step, which come by completion, as a multiset."""
    found: list[Plain] = []
    for interrupting, group in groupby(payloads, key=_is_interrupt):
        together = list(group)
        found.extend(sorted(together, key=repr) if interrupting else together)
    return found


def result(events: Iterable[Event]) -> Plain:
    """What `ainvoke` would return: the last state, with all interrupts in it."""
    states = [payload for namespace, mode, payload in events if mode == "values" and not namespace]
    interrupts = sorted((plain(item) for state in states for item in _interrupts(state)), key=repr)
    last: Plain = plain(states[-1]) if states else None
    return {**last, "__interrupt__": interrupts} if interrupts else last


def _is_interrupt(payload: Plain) -> bool:
    return isinstance(payload, dict) and "__interrupt__" in payload


def _interrupts(state: Any) -> Iterable[Any]:
    return state.get("__interrupt__", ()) if isinstance(state, Mapping) else ()


def _parent_steps(namespace: tuple[str, ...], events: Sequence[Event]) -> list[int]:
    """In which steps of the graph above the ordered events of a namespace came. Live modes do not count."""
    seen: dict[int, None] = {}
    step = -1
    for place, mode, payload in events:
        if namespace and place == namespace[:-1] and mode == "debug":
            step = int(payload["step"])
        if namespace and place == namespace and mode not in ("custom", "messages"):
            seen[step] = None
    return list(seen)


def _steps(events: Sequence[tuple[str, Any]]) -> Plain:
    """Runs of events of one step; a step that comes back later shows as a second run of its number."""
    runs: list[tuple[int, dict[str, list[Plain]]]] = []
    step = -2
    for mode, payload in events:
        if mode == "debug":
            step = int(payload["step"])
        kind, content = _kind(mode, payload)
        if kind is None:
            continue
        if not runs or runs[-1][0] != step:
            runs.append((step, defaultdict(list)))
        runs[-1][1][kind].append(content)
    return [(number, _settle(kinds)) for number, kinds in runs]


def _kind(mode: str, payload: Any) -> tuple[str | None, Plain]:
    if mode == "debug":
        return f"debug {payload['type']}", _payload(payload["payload"])
    if mode == "updates":
        return "updates", plain(payload)
    return None, None


def _settle(kinds: Mapping[str, list[Plain]]) -> Plain:
    ordered = {"debug task", "debug checkpoint"}
    return {kind: items if kind in ordered else sorted(items, key=repr) for kind, items in sorted(kinds.items())}


def _payload(payload: Mapping[str, Any]) -> Plain:
    """The payload of a `tasks`, `checkpoints` or `debug` event."""
    result: dict[str, Plain] = {}
    for key, item in payload.items():
        if key in DROPPED_KEYS:
            continue
        if key == "metadata":
            result[key] = metadata(item)
        elif key == "tasks":
            result[key] = [_payload(one) for one in item]
        elif key == "interrupts":
            result[key] = [_interrupt(one) for one in item]
        elif key == "error":
            result[key] = _text(item)
        elif key == "state":
            result[key] = item is not None
        else:
            result[key] = plain(item)
    return result


def _interrupt(value: Any) -> Plain:
    return plain(value["value"]) if isinstance(value, Mapping) else plain(value.value)


def task_events(events: Iterable[Event]) -> Plain:
    """The `tasks` stream of a run, as the same multiset of starts and ends for each namespace."""
    return sorted(
        ((tuple(map(_without_ids, place)), _payload(payload)) for place, mode, payload in events if mode == "tasks"),
        key=repr,
    )


def _by_node(payloads: Iterable[Plain]) -> Plain:
    """Custom events keep their order within the firing that wrote them: its name is their `from` key."""
    found: dict[str, list[Plain]] = defaultdict(list)
    for payload in payloads:
        sender = str(payload.get("from", "")) if isinstance(payload, dict) else ""
        found[sender].append(payload)
    return dict(sorted(found.items()))


def _messages(payloads: Iterable[tuple[Any, Mapping[str, Any]]]) -> Plain:
    """Messages keep their order within the firing that streams them.

    One with an id of its own is streamed once, in the name of the firing that was first to write it.
    """
    found: dict[tuple[str, str], list[Plain]] = defaultdict(list)
    named: list[Plain] = []
    for message, about in payloads:
        place, node, described = str(about["langgraph_checkpoint_ns"]), str(about["langgraph_node"]), plain(message)
        if described[2] not in (None, "<generated>"):
            named.append(((*_namespace_names(place), node), described))
        else:
            found[place, node].append((described, about["langgraph_step"], plain(about["langgraph_triggers"])))
    items = [((*_namespace_names(place), node), items) for (place, node), items in found.items()]
    return sorted(items, key=repr), sorted(named, key=repr)


def _namespace_names(namespace: str) -> Iterator[str]:
    return (_without_ids(part) for part in namespace.split("|"))


def _without_ids(part: str) -> str:
    """`node:task id` is the node's name."""
    return part.split(":", 1)[0]
