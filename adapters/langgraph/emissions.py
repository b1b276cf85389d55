"""Emissions: what the writes of a LangGraph task mean to the engine.

Owns the packets of one run. Always true: a `Send` is known to the engine by its identity, and is held for as long as
the engine may ask for it, so that no identity is given out twice.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from langgraph.constants import START
from langgraph.types import Send

from alto_lg.adapters.langgraph.freezing import is_frozen
from alto_lg.adapters.langgraph.internals import TASKS
from alto_lg.adapters.langgraph.ownership import is_owned
from alto_lg.adapters.langgraph.projection import equal
from alto_lg.engine.firing import Firing
from alto_lg.engine.messages import Emission, Packet

if TYPE_CHECKING:
    from alto_lg.adapters.langgraph.wired import WiredPlan

_NOTHING: Mapping[int, Send] = {}


class Emissions:
    """Of one run."""

    def __init__(self, wired: WiredPlan) -> None:
        self._wired = wired
        self._packets: dict[int, Send] = {}
        self._owned: set[int] = set()  # identities of packets whose payload nobody else can see

    def of(self, writes: Sequence[tuple[str, Any]], promised: Mapping[int, Send] = _NOTHING) -> Emission:
        """What a firing gave out, besides values. promised: the packets that it promised, by place."""
        wiring = self._wired.wiring
        keys: set[str] = set()
        activates: list[str] = []
        arrives: list[tuple[str, str]] = []
        packets: list[Packet] = []
        for channel, value in writes:
            if channel in wiring.keys:
                keys.add(channel)
            elif channel == TASKS:
                if isinstance(value, Send):
                    kept = len(packets) in promised and equal(promised[len(packets)], value)
                    packets.append(self.packet(value, promised=kept))
            elif wiring.is_join(channel):
                arrives.append((channel, value))
            else:
                activates.extend(wiring.activates(channel))
        if len(packets) > 1:
            self._share_repeated([value for _, value in writes if isinstance(value, Send)])
        return Emission(frozenset(keys), tuple(activates), tuple(arrives), tuple(packets))

    def _share_repeated(self, sends: Sequence[Send]) -> None:
        """One `Send` that is sent twice has two receivers for its payload."""
        times = Counter(map(id, sends))
        self._owned -= {id(send) for send in sends if times[id(send)] > 1 and not is_frozen(send.arg)}

    def packet(self, send: Send, *, promised: bool = False) -> Packet:
        """A `Send` in the engine's words."""
        self._packets[id(send)] = send
        if is_frozen(send.arg) or is_owned(send):  # asked now: a prepared task refers to it as well
            self._owned.add(id(send))
        return Packet(send.node, id(send), promised)

    def hold(self, send: Send) -> None:
        """One of the committed step's."""
        self._packets[id(send)] = send

    def packet_of(self, firing: Firing) -> Send:
        """The `Send` whose payload a PUSH firing is for."""
        assert isinstance(firing.packet, tuple)
        return self._packets[firing.packet[0]]

    def is_shared(self, identity: int) -> bool:
        """Whether anyone else may hold the payload of a packet."""
        return identity not in self._owned

    def keep_only(self, identities: set[int]) -> None:
        """All other packets are committed."""
        self._packets = {identity: send for identity, send in self._packets.items() if identity in identities}
        self._owned &= identities

    def outside_plan(self, firing: Firing, emission: Emission) -> str | None:
        """What a firing did that the plan says it cannot do."""
        stage, nodes = firing.stage, self._wired.wiring.nodes
        if stage.name == START:
            return None  # a Command that is the input may lead anywhere
        for key in emission.keys - self._wired.tops(stage.writes.keys.within(self._wired.plan.keys)):
            return f"node {stage.name!r} wrote key {key!r}, which it was not expected to write ({stage.writes.why})"
        named = nodes.intersection(emission.activates) - stage.by_name
        sent = nodes.intersection(packet.stage for packet in emission.packets) - stage.by_packet
        for name in (*named, *sent):
            return f"node {stage.name!r} went to {name!r}, where it was not expected to go ({stage.successors_why})"
        return None
