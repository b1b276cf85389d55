"""Operations: all that can happen to a thread, as data.

Owns the words that an example is made of. Pure. Always true:
  an operation names checkpoints, questions and nodes by their place, never by an id, so that it means the same on both
  sides; its `repr` is the Python that makes it again.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

Durability: TypeAlias = Literal["sync", "async", "exit"]


@dataclass(frozen=True, slots=True)
class Invoke:
    """A run with a new input. choice: changes the numbers in it."""

    thread: str
    choice: int = 0
    durability: Durability = "async"
    streams: bool = False


@dataclass(frozen=True, slots=True)
class GoOn:
    """A run with no input: from a pause, from an error, or at the end."""

    thread: str
    durability: Durability = "async"


@dataclass(frozen=True, slots=True)
class Resume:
    """Answers. which: a bit for each question that waits; 0 for one answer without an id."""

    thread: str
    which: int = 0
    answer: str = "yes"
    durability: Durability = "async"


@dataclass(frozen=True, slots=True)
class Update:
    """`update_state`. node: whose update it is, by place; None leaves that to LangGraph."""

    thread: str
    key: int = 0
    node: int | None = None


@dataclass(frozen=True, slots=True)
class Bulk:
    """`bulk_update_state` with a superstep for each pair of key and node."""

    thread: str
    updates: tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True)
class Travel:
    """A run from a saved state. back: its place in the history, newest first."""

    thread: str
    back: int
    durability: Durability = "async"


@dataclass(frozen=True, slots=True)
class Fork:
    """An update in the past, and a run from there."""

    thread: str
    back: int
    key: int = 0
    node: int | None = None
    runs_on: bool = True


@dataclass(frozen=True, slots=True)
class Delete:
    thread: str


@dataclass(frozen=True, slots=True)
class StopEarly:
    """A stream that is closed after so many states; then the run is carried on, by the other app if handed over."""

    thread: str
    choice: int
    states: int
    hands_over: bool = False


@dataclass(frozen=True, slots=True)
class Cancel:
    """A run that is cancelled half a millisecond after that time, and carried on."""

    thread: str
    choice: int
    at_ms: int
    durability: Durability = "async"
    hands_over: bool = False


@dataclass(frozen=True, slots=True)
class Crash:
    """A run whose loop stops for good at that turn, and carried on on a new loop."""

    thread: str
    choice: int
    turn: int
    durability: Durability = "async"
    hands_over: bool = False


@dataclass(frozen=True, slots=True)
class HandOver:
    """From now on the other app runs each side's threads. Their savers stay."""


Calm: TypeAlias = Invoke | GoOn | Resume | Update | Bulk | Travel | Fork | Delete
"""What ends by itself."""


@dataclass(frozen=True, slots=True)
class Together:
    """Two operations on two threads at once."""

    first: Calm
    second: Calm


Cut: TypeAlias = StopEarly | Cancel | Crash
Operation: TypeAlias = Calm | Cut | Together | HandOver
