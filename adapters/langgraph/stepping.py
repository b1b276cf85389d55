"""Which channels have to be told of a step that did not write to them.

At each commit LangGraph walks through all channels of the graph, twice, because some change by a step alone: what is
written to them lasts one step, or counts when the run is about to end. Most do not, and a graph has one for each of its
nodes; so a chain of n nodes takes n² looks. Here only those are walked through for which it could make a difference.

Always true: a channel of a class that is not known here is walked through each time, as by LangGraph.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
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

    highest: the highest version of any channel, if it is known.
    template: what the tasks of the run have in common, once there were some.
    versions_are_ours: whether only commits give channels new versions; LangGraph also does where it saves deltas.
    """

    def __init__(self, channels: Mapping[str, Channel]) -> None:
        super().__init__(channels)
        self.walked = Walked(channels)
        self.highest: Any = None
        self.template: Template | None = None
        self.versions_are_ours = not any(isinstance(channels[name], DeltaChannel) for name in self.walked.restless)


class Walked(dict[str, Channel]):
    """The same channels; going through them meets only those that a step may change without writing to them."""

    def __init__(self, channels: Mapping[str, Channel]) -> None:
        super().__init__(channels)
        self.restless = [name for name, one in channels.items() if type(one) not in _STEADY]
        self._lit: list[str] | None = None  # ephemeral ones that hold something; not known before the first commit

    def __iter__(self) -> Iterator[str]:
        return super().__iter__() if self._lit is None else iter((*self.restless, *self._lit))

    def committed(self, written: Iterable[str]) -> None:
        """The writes to these channels have been applied."""
        touched = {*(super().__iter__() if self._lit is None else self._lit), *written}
        self._lit = [name for name in touched if type(one := self.get(name)) is EphemeralValue and one.is_available()]
