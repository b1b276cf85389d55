"""Shrink: the smallest spec that still fails.

Owns the ways to make a spec smaller. Greedy: each is tried again and again until none of them keeps the failure.
Always true: what is yielded is smaller than what it came from, so shrinking ends.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import fields, replace
from typing import Any

from random_graphs.spec import Node, Run, Spec, Way

ATTEMPTS_MAX = 400


def shrunk(spec: Spec, fails: Callable[[Spec], bool], attempts_max: int = ATTEMPTS_MAX) -> Spec:
    """The smallest spec found for which `fails` is still true."""
    attempts = 0
    while True:
        for smaller in _smaller(spec):
            attempts += 1
            if attempts > attempts_max:
                return spec
            if _still(smaller, fails):
                spec = smaller
                break
        else:
            return spec


def _still(spec: Spec, fails: Callable[[Spec], bool]) -> bool:
    try:
        return fails(spec)
    except Exception:  # it cannot be built any more
        return False


def _smaller(spec: Spec) -> Iterator[Spec]:
    for node in spec.nodes:
        if len(spec.nodes) > 1:
            yield _without_node(spec, node.name)
    for edge in spec.edges:
        yield replace(spec, edges=tuple(one for one in spec.edges if one != edge))
    for join in spec.joins:
        yield replace(spec, joins=tuple(one for one in spec.joins if one != join))
    for way in spec.start:
        yield replace(spec, start=tuple(one for one in spec.start if one != way))
    for key in spec.keys:
        if len(spec.keys) > 1:
            yield _without_key(spec, key.name)
    for node in spec.nodes:
        for simpler in _simpler_nodes(node):
            yield replace(spec, nodes=tuple(simpler if one is node else one for one in spec.nodes))
    yield from _simpler_runs(spec)


def _simpler_nodes(node: Node) -> Iterator[Node]:
    for field in fields(Node):
        if field.name not in ("name", "routes", "goto", "inner", "reads", "writes"):
            value = getattr(node, field.name)
            if value != field.default and not (field.name == "rest_ms" and value <= 10):
                yield replace(node, **{field.name: field.default})
    for way in node.routes:
        others = tuple(one for one in node.routes if one is not way)
        yield replace(node, routes=others)
        yield from (replace(node, routes=(*others, simpler)) for simpler in _simpler_ways(way))
    if node.goto is not None:
        yield replace(node, goto=None)
        yield from (replace(node, goto=simpler) for simpler in _simpler_ways(node.goto))
    for name in node.reads:
        yield replace(node, reads=tuple(one for one in node.reads if one != name))
    for name in node.writes:
        yield replace(node, writes=tuple(one for one in node.writes if one != name))
    if node.inner is not None:
        yield replace(node, inner=None, saver=None)
        yield from (replace(node, inner=inner) for inner in _smaller(node.inner))
    if node.rest_ms > 10:
        yield replace(node, rest_ms=10)


def _simpler_ways(way: Way) -> Iterator[Way]:
    for field in fields(Way):
        if field.name not in ("targets", "sends") and getattr(way, field.name) != field.default:
            yield replace(way, **{field.name: field.default})
    if len(way.targets) > 1:
        yield from (replace(way, targets=way.targets[:place]) for place in range(1, len(way.targets)))
    if len(way.sends) > 1:
        yield from (replace(way, sends=(many,)) for many in way.sends)
    for place, many in enumerate(way.sends):
        if many > 1:
            fewer = (many // 2, many - 1)
            yield from (replace(way, sends=(*way.sends[:place], one, *way.sends[place + 1 :])) for one in fewer)


def _simpler_runs(spec: Spec) -> Iterator[Spec]:
    for field in fields(Run):
        value: Any = getattr(spec.run, field.name)
        if value != field.default:
            yield replace(spec, run=replace(spec.run, **{field.name: field.default}))
    if spec.run.modes not in ((), ("values",)):
        yield replace(spec, run=replace(spec.run, modes=("values",)))


def _without_node(spec: Spec, name: str) -> Spec:
    def way(one: Way) -> Way | None:
        targets = tuple(target for target in one.targets if target != name)
        return replace(one, targets=targets, also="" if one.also == name else one.also) if targets else None

    def ways(many: tuple[Way, ...]) -> tuple[Way, ...]:
        return tuple(found for found in map(way, many) if found is not None)

    nodes = tuple(
        replace(node, routes=ways(node.routes), goto=node.goto and way(node.goto))
        for node in spec.nodes
        if node.name != name
    )
    joins = tuple(
        (tuple(source for source in sources if source != name), target)
        for sources, target in spec.joins
        if target != name and set(sources) != {name}
    )
    run = replace(
        spec.run,
        stops_before=tuple(one for one in spec.run.stops_before if one != name),
        stops_after=tuple(one for one in spec.run.stops_after if one != name),
    )
    edges = tuple(edge for edge in spec.edges if name not in edge)
    return Spec(spec.keys, nodes, edges, joins, ways(spec.start), run)


def _without_key(spec: Spec, name: str) -> Spec:
    def way(one: Way) -> Way:
        payload = tuple(key for key in one.payload if key != name)
        fresh = "" if one.fresh == name else one.fresh
        return replace(one, by="" if one.by == name else one.by, payload=payload, fresh=fresh)

    nodes = tuple(
        replace(
            node,
            reads=tuple(key for key in node.reads if key != name),
            writes=tuple(key for key in node.writes if key != name),
            mutates="" if node.mutates == name else node.mutates,
            passes="" if name in (node.passes, *node.reads[:1]) else node.passes,
            keeps="" if node.keeps == name else node.keeps,
            routes=tuple(map(way, node.routes)),
            goto=node.goto and way(node.goto),
        )
        for node in spec.nodes
    )
    keys = tuple(key for key in spec.keys if key.name != name)
    return replace(spec, keys=keys, nodes=nodes, start=tuple(map(way, spec.start)))
