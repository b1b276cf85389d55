"""Draw: a seed becomes a spec.

Owns the odds. Always true:
  the same seed gives the same spec, for ever: a change here is a new generator;
  edges go forward in the order in which the nodes were drawn, and whatever goes back is counted, so most graphs end;
  kinds of keys that one step may write only once have one writer, which no packet is sent to, most of the time.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, TypeVar

from random_graphs.flavours import flavoured, run_drawn
from random_graphs.spec import END, SINGLE, START, Key, Kind, Node, Spec, Way

T = TypeVar("T")

NAMES = ("m", "b", "x", "d", "a", "k", "c", "z", "B", "Z", "b2", "b10", "a_b", "aa")
SIZES = {1: 1, 2: 4, 3: 12, 4: 20, 5: 22, 6: 18, 7: 13, 8: 10}
KINDS: dict[Kind, int] = {
    "number": 20,
    "box": 12,
    "sum": 12,
    "list": 8,
    "messages": 6,
    "weave": 12,
    "grown": 4,
    "flash": 4,
    "hidden": 4,
    "any": 4,
    "delta": 2,
}
RESTS_MS = (0, 0, 1, 5, 10, 20, 40, 80, 150, 300)
FAN_OUTS = {0: 1, 1: 3, 2: 8, 3: 5, 9: 1, 10: 1, 11: 2}
ENTRIES = {"edge": 40, "edges": 12, "join": 14, "route": 12, "goto": 8, "sends": 14}
ITEMS_MAX = 40
SLOW_MS = 900


def draw(seed: int) -> Spec:
    """The spec of a seed."""
    return _Drawing(random.Random(f"random graph {seed}"), depth=0).spec()


def chosen(chance: random.Random, odds: dict[T, int]) -> T:
    return chance.choices(list(odds), list(odds.values()))[0]


class _Drawing:
    """One graph on its way."""

    def __init__(self, chance: random.Random, depth: int, outer: Sequence[Key] = ()) -> None:
        self.chance = chance
        self.depth = depth
        self.keys = self._drawn_keys(outer)
        self.count = chosen(chance, SIZES) if depth == 0 else chance.randint(1, 3)
        self.names = chance.sample(NAMES, self.count)
        self.logging = chance.choice((0.9, 0.4, 0.15))
        self.edges: list[tuple[str, str]] = []
        self.joins: list[tuple[tuple[str, ...], str]] = []
        self.start: list[Way] = []
        self.routes: dict[str, list[Way]] = {name: [] for name in self.names}
        self.gotos: dict[str, Way] = {}
        self.items: dict[str, int] = dict.fromkeys(self.names, 0)  # packets that may be sent to it in one step

    def likely(self, probability: float) -> bool:
        return self.chance.random() < probability

    def spec(self) -> Spec:
        roots = min(self.count, chosen(self.chance, {1: 4, 2: 5, 3: 3}))
        for place, name in enumerate(self.names):
            if place < roots:
                self._begin(name)
            else:
                self._enter(name, self.names[:place])
        if self.count > 2 and self.likely(0.16):
            self._go_back()
        self._end()
        if self.depth == 0 and self.count < 8 and self.likely(0.45):
            self._add_slow()
        owners = self._owners()
        nodes = tuple(self._node(name, owners) for name in self.names)
        made = Spec(tuple(self.keys), nodes, tuple(self.edges), tuple(self.joins), tuple(self.start))
        if self.depth:
            return made
        return run_drawn(self.chance, flavoured(self.chance, made, _inner))

    # ── keys ────────────────────────────────────────────────────────────────────────────────────────────────

    def _drawn_keys(self, outer: Sequence[Key]) -> list[Key]:
        chance = self.chance
        keys = [replace(key, given=False) for key in outer if chance.random() < 0.7]
        if not any(key.name == "log" for key in keys):
            keys.append(Key("log", "list", given=chance.random() < 0.1))
        for place in range(chance.randint(1, 4) if self.depth == 0 else chance.randint(0, 1)):
            name = f"{chance.choice('pqrstuvw')}{place}{'i' * self.depth}"
            keys.append(Key(name, chosen(chance, KINDS), given=chance.random() < 0.3))
        if not any(key.kind == "count" for key in keys):
            keys.append(Key("turns" + "i" * self.depth, "count"))
        return keys

    def _owners(self) -> dict[str, str]:
        """Who writes a key that one step may write only once."""
        calm = [name for name in self.names if not self.items[name]] or self.names
        return {key.name: self.chance.choice(calm) for key in self.keys if key.kind in SINGLE}

    # ── shape ───────────────────────────────────────────────────────────────────────────────────────────────

    def _begin(self, name: str) -> None:
        if self.start or not self.likely(0.06):
            self.edges.append((START, name))
        elif self.likely(0.5):
            self._send(START, name)
        else:
            self.start.append(Way((name,), mapped=self.likely(0.5)))

    def _enter(self, name: str, before: Sequence[str]) -> None:
        """How a node is reached from the nodes before it."""
        chance = self.chance
        kind = chosen(chance, ENTRIES)
        near = before[-3:] if self.likely(0.6) else before
        if kind == "join" and len(before) > 1:
            sources = chance.sample(before, min(len(before), chance.choice((2, 2, 2, 3, 4))))
            self.joins.append((tuple(sources), name))
        elif kind == "edges" and len(before) > 1:
            self.edges += [(source, name) for source in chance.sample(before, 2)]
        elif kind == "route":
            self._route(chance.choice(near), name)
        elif kind == "goto":
            self._goto(chance.choice(near), name)
        elif kind == "sends":
            self._send(chance.choice(near), name)
        else:
            self.edges.append((chance.choice(near), name))

    def _number(self) -> str:
        """A key to choose by."""
        return self.chance.choice([key.name for key in self.keys])

    def _route(self, source: str, name: str) -> None:
        chance = self.chance
        found = self.routes[source]
        open_ones = [way for way in found if not way.sends and not way.clamp]
        if open_ones and self.likely(0.7):
            way = chance.choice(open_ones)
            found[found.index(way)] = replace(way, targets=(*way.targets, name), by=way.by or self._number())
            return
        first = chance.choice([(), (END,), (name,)]) if self.likely(0.6) else ()
        by = self._number() if first or self.likely(0.4) else ""
        found.append(Way((*first, name), by=by, mapped=self.likely(0.6)))

    def _goto(self, source: str, name: str) -> None:
        way = self.gotos.get(source)
        by = self._number() if self.likely(0.3) else ""
        if way is None:
            self.gotos[source] = Way((name,), by=by, mapped=self.likely(0.5))
        elif not way.sends and self.likely(0.7):
            self.gotos[source] = replace(way, targets=(*way.targets, name))
        else:
            self.gotos[source] = replace(way, also=name)

    def _send(self, source: str, name: str) -> None:
        """Packets to a node; a node that was itself sent packets hands them on, mostly one for one."""
        chance = self.chance
        many = self.items.get(source, 0)
        room = ITEMS_MAX // max(many, 1)
        odds = {number: odd for number, odd in FAN_OUTS.items() if number <= room} if many < 2 else {1: 8, 2: 1, 0: 1}
        sends = tuple(chosen(chance, odds) for _ in range(chance.choice((1, 1, 2, 3))))
        if self.depth == 0 and many < 2 and self.likely(0.01):
            sends = (100,)
        payload = tuple(key.name for key in self.keys if self.likely(0.12))
        by = self._number() if self.likely(0.3) else ""
        way = Way((name,), by=by, sends=sends, payload=payload, same=self.likely(0.06), mapped=self.likely(0.5))
        self.items[name] = max(self.items[name], max(many, 1) * max(sends))
        if source == START:
            self.start.append(replace(way, by="", payload=()))
        elif source not in self.gotos and (many or self.likely(0.4)):
            self.gotos[source] = way
        else:
            self.routes[source].append(way)

    def _go_back(self) -> None:
        """A way back to an earlier node, a few times."""
        count = next(key.name for key in self.keys if key.kind == "count")
        later = self.chance.randrange(1, self.count)
        source, target = self.names[later], self.names[self.chance.randrange(later)]
        if self.items[source]:
            return
        on = self.chance.choice([END, *self.names[later + 1 :]])
        way = Way((target,) * self.chance.choice((1, 1, 2, 3)) + (on,), by=count, clamp=True, mapped=self.likely(0.6))
        self.routes[source].append(way)
        self.looping = source

    looping = ""

    def _end(self) -> None:
        if self.likely(0.3):
            self.edges.append((self.names[-1], END))

    def _add_slow(self) -> None:
        """A node that all the others can run ahead of."""
        name = self.chance.choice([name for name in NAMES if name not in self.names])
        self.names.append(name)
        self.edges.append((START, name))
        self.routes[name], self.items[name] = [], 0
        self.slow = name

    slow = ""

    # ── nodes ───────────────────────────────────────────────────────────────────────────────────────────────

    def _node(self, name: str, owners: dict[str, str]) -> Node:
        chance = self.chance
        kinds = {key.name: key.kind for key in self.keys}
        reads = [key for key in kinds if self.likely(0.1 if key == "log" else 0.22)]
        if self.items[name] and self.likely(0.7):
            reads = []
        chance.shuffle(reads)
        goto = self.gotos.get(name)
        if name == self.slow:
            return Node(name, writes=tuple(key for key in kinds if owners.get(key) == name), rest_ms=SLOW_MS)
        wrong = self.likely(0.004)
        writes = [key for key in kinds if self._writes(name, key, kinds[key], owners, wrong)]
        return Node(
            name,
            reads=tuple(reads),
            writes=tuple(writes),
            rest_ms=chance.choice(RESTS_MS),
            by_item=bool(self.items[name]) and self.likely(0.7),
            late=self.likely(0.1),
            is_async=self.likely(0.88),
            whole=self.likely(0.04),
            narrow=self.likely(0.25) and goto is None,
            result=self._result(name),
            goto=goto,
            routes=tuple(self.routes[name]),
            constant=self.likely(0.05),
            speaks=self.likely(0.08),
        )

    def _result(self, name: str) -> Any:
        """What bounds a loop is counted by its node, each time."""
        drawn = chosen(self.chance, _RESULTS)
        return "dict" if name == self.looping else drawn

    def _writes(self, name: str, key: str, kind: Kind, owners: dict[str, str], wrong: bool) -> bool:
        if kind == "count":
            return name == self.looping
        if kind in SINGLE:
            return wrong or (owners[key] == name and self.likely(0.85))
        return self.likely(self.logging if key == "log" else 0.3)


_RESULTS: dict[Any, int] = {"dict": 600, "command": 80, "updates": 60, "none": 20, "empty": 3, "sometimes": 100}


def _inner(chance: random.Random, outer: Sequence[Key], depth: int) -> Spec:
    """A subgraph that shares most keys of the graph around it."""
    return _Drawing(chance, depth, outer).spec()
