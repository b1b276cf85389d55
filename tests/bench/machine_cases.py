"""Machine cases: the engine alone, without LangGraph, beside LangGraph's own run of the same graph.

The ratio is the share that deciding adds to a run. Always true: the machine is given the events of a real run, in
order, and ends with as many firings as LangGraph has run nodes.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial
from typing import Any

from engine.plans import Known, conditions, plan, stage

from alto_lg.engine.ancestry import Ancestry
from alto_lg.engine.machine import Machine
from alto_lg.engine.messages import Adopt, Command, Emission, FiringEnded, Key, Official, Packet, Start, StepBegan
from bench.case import Sides
from bench.engine_cases import add_one, chain, fan_out, fan_out_and_join
from bench.function_case import FunctionCase
from bench.graph_case import Builder
from bench.verdict import UNLIKE_WORSE_MAX


def _machine(*stages: Any) -> Machine:
    return Machine(plan(*stages), conditions(last_step=10_000), Known(), Ancestry.request())


def _pushed(packet: Packet) -> Key:
    return ("push", (packet.identity, 0))


def _pulled(machine: Machine, step: int, name: str, emission: Emission) -> None:
    """One step of one triggered node, from its beginning to its end."""
    machine.handle(StepBegan(step, (Official(("pull", name), name, None),)))
    _end(machine, step, ("pull", name), emission)


def _end(machine: Machine, step: int, key: Key, emission: Emission) -> list[Command]:
    firing = machine.firing(step, key)
    assert firing is not None, f"the machine does not know {key} at step {step}"
    return machine.handle(FiringEnded(firing, emission))


def walk_chain(length: int) -> int:
    """A chain: every step has one firing."""
    names = [f"step_{place}" for place in range(length)]
    following = [*names[1:], ""]
    machine = _machine(
        *(
            stage(name, reads="count", writes="count", certain=after)
            for name, after in zip(names, following, strict=True)
        )
    )
    for step, (name, after) in enumerate(zip(names, following, strict=True)):
        _pulled(machine, step, name, Emission(frozenset({"count"}), (after,) if after else ()))
    return length


def walk_fan_out(items: int) -> int:
    """A fan-out: one step with so many packets."""
    machine = _machine(stage("start", may="work"), stage("work", writes="results"))
    packets = tuple(Packet("work", place) for place in range(items))
    _pulled(machine, 0, "start", Emission(packets=packets))
    keys = [_pushed(packet) for packet in packets]
    machine.handle(StepBegan(1, tuple(Official(key, "work", place) for place, key in enumerate(keys))))
    for key in keys:
        _end(machine, 1, key, Emission(frozenset({"results"})))
    return items


def walk_two_hops(items: int) -> int:
    """Two hops by `Send`, the second of which starts early each time, and a join that reads all results."""
    machine = _machine(
        stage("start", may="prepare"),
        stage("prepare", may="work"),
        stage("work", writes="results", certain="add_up"),
        stage("add_up", reads="results", writes="total"),
    )
    first = tuple(Packet("prepare", place) for place in range(items))
    second = [Packet("work", items + place) for place in range(items)]
    _pulled(machine, 0, "start", Emission(packets=first))
    machine.handle(StepBegan(1, tuple(Official(_pushed(one), "prepare", place) for place, one in enumerate(first))))
    done, told = Emission(frozenset({"results"}), ("add_up",)), list[Command]()
    for one, packet in zip(first, second, strict=True):
        told += _end(machine, 1, _pushed(one), Emission(packets=(packet,)))
    for command in [command for command in told if isinstance(command, Start)]:
        told += machine.handle(FiringEnded(command.firing, done))
    officials = tuple(Official(_pushed(one), "work", place) for place, one in enumerate(second))
    told += machine.handle(StepBegan(2, officials))
    adopted = {command.key for command in told if isinstance(command, Adopt)}
    for official in officials:
        if official.key not in adopted:
            told += _end(machine, 2, official.key, done)
    assert len(adopted) == items - 1, f"{len(adopted)} of {items} were adopted; all but the last start early"
    _pulled(machine, 3, "add_up", Emission(frozenset({"total"})))
    return 2 * items + 1


def _beside(build: Callable[[], Builder], given: dict[str, Any], firings: int, walk: Callable[[], int]) -> Sides:
    graph = build().compile()

    def langgraph() -> int:
        asyncio.run(graph.ainvoke(given, {"recursion_limit": 10_000}))
        return firings

    return Sides(langgraph, walk)


def _case(name: str, build: Callable[[], Builder], given: dict[str, Any], walk: Callable[[], int]) -> FunctionCase:
    return FunctionCase(
        f"machine alone: {name}",
        lambda: _beside(build, given, walk(), walk),
        figures=("cpu", "calls"),
        cpu_worse_max=UNLIKE_WORSE_MAX,
    )


MACHINE_CASES = (
    _case("chain of 100", partial(chain, add_one, 100), {"count": 0}, partial(walk_chain, 100)),
    _case("fan-out of 100", fan_out, {"items": list(range(100))}, partial(walk_fan_out, 100)),
    _case("fan-out of 1,000", fan_out, {"items": list(range(1000))}, partial(walk_fan_out, 1000)),
    _case("two hops of 100", fan_out_and_join, {"items": list(range(100))}, partial(walk_two_hops, 100)),
)
