"""In place: who changed a value of the state instead of returning a new one. Only with `check=True`.

Owns the comparison of what a node, or a reducer, was given with what is left of it. Always true: a change is noticed
when the next holder of the value begins or ends, so that it is laid at the door of those who held it until then.
"""

from __future__ import annotations

import copy
import functools
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from langgraph.config import get_config

from alto_lg.adapters.langgraph.internals import PUSH, BinaryOperatorAggregate, RunnableCallable
from alto_lg.adapters.langgraph.mistakes.fingerprints import fingerprint, is_container
from alto_lg.adapters.langgraph.mistakes.reporter import Reporter
from alto_lg.adapters.langgraph.mistakes.words import quoted

_PACKET = "the packet of its Send"


@dataclass(slots=True)
class _Held:
    """A value that nodes are working with; held here, so that its identity stays its own."""

    value: Any
    print: Any
    holders: list[tuple[str, str]] = field(default_factory=list)
    suspects: tuple[str, ...] = ()

    def look(self) -> None:
        """Whoever holds it now is suspect if it has changed since the last look."""
        now = fingerprint(self.value)
        if now != self.print:
            self.print = now
            self.suspects = tuple(sorted({node for node, _ in self.holders}))


class InPlaceChecks:
    """The values that the running nodes of one graph hold."""

    def __init__(self, reporter: Reporter) -> None:
        self._reporter = reporter
        self._held: dict[int, _Held] = {}
        self._lock = threading.Lock()

    def watched(self, name: str, bound: Any) -> Any:
        """A node's function, with a look at its input before and after."""
        if not isinstance(bound, RunnableCallable):
            return bound
        made = copy.copy(bound)
        made.func = self._sync(name, bound.func) if bound.func is not None else None
        made.afunc = self._async(name, bound.afunc) if bound.afunc is not None else None
        return made

    def _sync(self, name: str, function: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(function)
        def checked(given: Any, *args: Any, **kwargs: Any) -> Any:
            with self._holding(name, given):
                return function(given, *args, **kwargs)

        return checked

    def _async(self, name: str, function: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(function)
        async def checked(given: Any, *args: Any, **kwargs: Any) -> Any:
            with self._holding(name, given):
                return await function(given, *args, **kwargs)

        return checked

    @contextmanager
    def _holding(self, name: str, given: Any) -> Iterator[None]:
        values = _values(given)
        for key, value in values.items():
            self._take(name, key, value)
        failed = True
        try:
            yield
            failed = False
        finally:
            changed = [change for key, value in values.items() if (change := self._put_back(name, key, value))]
            if not failed:  # or the node's own error would be lost
                for key, holders in changed:
                    self._reporter.report(("in place", key, holders), _changed(key, holders))

    def _take(self, name: str, key: str, value: Any) -> None:
        with self._lock:
            held = self._held.get(id(value))
            if held is None:
                held = self._held[id(value)] = _Held(value, fingerprint(value))
            held.look()
            held.holders.append((name, key))

    def _put_back(self, name: str, key: str, value: Any) -> tuple[str, tuple[str, ...]] | None:
        """The key, and who held it, if the value is no longer what it was."""
        with self._lock:
            held = self._held[id(value)]
            held.look()
            held.holders.remove((name, key))
            if not held.holders:
                del self._held[id(value)]
            suspects, held.suspects = held.suspects, ()
            return (key, suspects) if suspects else None


def _values(given: Any) -> dict[str, Any]:
    """The values of the state that a node was given, and the packet itself if it was given one."""
    found = dict(given) if isinstance(given, Mapping) else dict(getattr(given, "__dict__", {}))
    if get_config()["metadata"]["langgraph_path"][0] == PUSH:
        found = {_PACKET: given}  # the state itself is made anew for each node, and its to change; a packet is not
    return {key: value for key, value in found.items() if is_container(value)}


def _changed(key: str, holders: tuple[str, ...]) -> str:
    who = f"Node {holders[0]!r}" if len(holders) == 1 else f"One of the nodes {quoted(holders)}"
    if key == _PACKET:
        return (
            f"{who} changed the packet of its Send in place. Whoever shares it may or may not see that, depending on "
            "timing. Copy it first."
        )
    return (
        f"{who} changed {key!r} in place. Other nodes may or may not see that, depending on timing. "
        f"Return {{{key!r}: …}} instead."
    )


def checked_channels(channels: Mapping[str, Any], reporter: Reporter) -> dict[str, Any]:
    """The channels whose reducer is to be looked at, made to look."""
    kind = type("CheckedAggregate", (_CheckedAggregate,), {"reporter": reporter, "__slots__": ()})
    found = {}
    for key, channel in channels.items():
        if type(channel) is BinaryOperatorAggregate:
            found[key] = made = kind(channel.typ, channel.operator)
            made.key, made.value = channel.key, channel.value
    return found


class _CheckedAggregate(BinaryOperatorAggregate[Any]):
    """A channel with a reducer that may not change its left side."""

    __slots__ = ()
    reporter: Reporter

    def update(self, values: Sequence[Any]) -> bool:
        left = self.value
        before = fingerprint(left)
        updated = super().update(values)
        if fingerprint(left) != before:
            name = getattr(self.operator, "__name__", type(self.operator).__name__)
            self.reporter.report(
                ("reducer", self.key),
                f"Reducer {name!r} changed the left side of {self.key!r} in place. Other nodes may or may not see "
                "that, depending on timing. Return a new value instead.",
            )
        return updated
