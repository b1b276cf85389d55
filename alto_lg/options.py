"""Every setting, frozen, checked in one place."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, get_args

from alto_lg.hints import Hint
from alto_lg.placement import Placement

Overlap = Literal["branches", "chains"]
Events = Literal["steps", "eager"]


@dataclass(frozen=True, slots=True)
class Options:
    """What `accelerate` was asked for; see there.

    max_steps_ahead: how many steps beyond the committed one may be under way, in steps.
    blocking_s: how long an async node may hold the event loop before it is named; 0 leaves it alone.
    """

    overlap: Overlap = "branches"
    events: Events = "steps"
    hints: Mapping[str, Hint] = field(default_factory=dict)
    max_steps_ahead: int = 1000
    strict: bool = False
    check: bool = False
    blocking_s: float = 1.0
    allow_unchecked: bool = False
    annotate: bool = True
    replay: Mapping[str, object] = field(default_factory=dict)
    stream: tuple[str, ...] = ()
    placement: Mapping[str, Placement] = field(default_factory=dict)

    def __post_init__(self) -> None:
        _one_of("overlap", self.overlap, get_args(Overlap))
        _one_of("events", self.events, get_args(Events))
        if self.max_steps_ahead < 0:
            raise ValueError(f"max_steps_ahead must be 0 or more, got {self.max_steps_ahead}")
        if self.blocking_s < 0:
            raise ValueError(f"blocking_s must be 0 or more, got {self.blocking_s}")
        for name, hint in self.hints.items():
            if not isinstance(hint, Hint):
                raise TypeError(f"hints[{name!r}] must be an alto_lg.Hint, got {type(hint).__name__}")
        for name, placed in self.placement.items():
            if not isinstance(placed, Placement):
                raise TypeError(
                    f"placement[{name!r}] must be made by alto_lg.ray, alto_lg.processes or alto_lg.threads, got "
                    f"{type(placed).__name__}"
                )
            if name in self.predicted:
                raise ValueError(
                    f"Node {name!r} is placed elsewhere, and named by stream or replay, which watch its model here: "
                    "choose one of them"
                )
        if self.replay:
            from alto_lg.adapters.replay.asked import cuts_asked_for

            for name, splitter in self.replay.items():
                cuts_asked_for(name, splitter)

    @property
    def predicted(self) -> frozenset[str]:
        """The nodes whose updates so far are found out while they run, though they do not yield them."""
        return frozenset({*self.replay, *self.stream})


def _one_of(argument: str, value: object, allowed: tuple[str, ...]) -> None:
    if value not in allowed:
        choices = " or ".join(repr(choice) for choice in allowed)
        raise ValueError(f"{argument} must be {choices}, got {value!r}")
