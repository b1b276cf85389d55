"""Which channels have to be told of a step that did not write to them.

At each commit LangGraph walks through all channels of the graph, twice, because some change by a step alone: what is
written to them lasts one step, or counts when the run is about to end. Most do not, and a graph has one for each of its
nodes; so a chain of n nodes takes n² looks. Here only those are walked through for which it could make a difference.

Always true: a channel of a class that is not known here is walked through each time, as by LangGraph.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from langgraph.channels import BinaryOperatorAggregate, DeltaChannel, EphemeralValue, LastValue, UntrackedValue

from alto_lg.adapters.langgraph.internals import BaseChannel

if TYPE_CHECKING:
    from alto_lg.adapters.langgraph.templates import Template

Channel = BaseChannel[Any, Any, Any]

INERT = frozenset({LastValue, BinaryOperatorAggregate, UntrackedValue})
"""An update with no values and the end of the run leave them as they are."""
_STEADY = INERT | {EphemeralValue}


class RunChannels(dict[str, Channel]):
    """The channels of one run, as LangGraph keeps them.

    versions: of those that were ever written to; when None, all may have been.
    highest: the highest version of any channel, if it is known.
    template: what the tasks of the run have in common, once there were some.
    versions_are_ours: whether only commits give channels new versions; LangGraph also does where it saves deltas.
    """

    def __init__(self, channels: Mapping[str, Channel], versions: Iterable[str] | None = None) -> None:
        super().__init__(channels)
        self._restless = [name for name, one in channels.items() if type(one) not in _STEADY]
        self._lit = self._lit_among(channels if versions is None else versions)
        self.highest: Any = None
        self.template: Template | None = None
        self.versions_are_ours = not any(isinstance(channels[name], DeltaChannel) for name in self._restless)

    def walked(self) -> list[str]:
        """Those that a step may change without writing to them."""
        return [*self._restless, *self._lit]

    def committed(self, written: Iterable[str]) -> None:
        """The writes to these channels have been applied."""
        self._lit = self._lit_among({*self._lit, *written})

    def _lit_among(self, names: Iterable[str]) -> list[str]:
        """Those that last one step, and hold something."""
        return [name for name in names if type(one := self.get(name)) is EphemeralValue and one.is_available()]

    def for_langgraph(self) -> dict[str, Channel]:
        """The same for LangGraph's own commit."""
        return _Walked(self, self.walked())


class _Walked(dict[str, Channel]):
    """Channels; going through them meets only some."""

    def __init__(self, channels: RunChannels, names: Sequence[str]) -> None:
        super().__init__(channels)
        self._names = names

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)
