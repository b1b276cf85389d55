"""Bench: one implementation in one colour, so that a test body is written once for four of them.

Owns the calls of both colours and the one slow node that the others overtake. Always true:
  an asynchronous call runs on a virtual loop of its own, which fails if a task is left behind;
  in a synchronous run the slow node ends when a node of a later step has begun, if that is possible here, so that
  an early start is forced by the order of events and not by the clock; it never waits longer than `PATIENCE_S`.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

from dropin.shapes.base import Builder, Log, Node, add_all, connect
from dropin.watch import App, Implementation
from langgraph.graph import START
from sim.loop import run

import alto_lg

Colour: TypeAlias = Literal["async", "sync"]
Config: TypeAlias = dict[str, Any]

PATIENCE_S = 20.0


@dataclass(slots=True)
class Bench:
    """What a test runs on. `overlapping` is set to False for runs that are LangGraph's alone by contract."""

    implementation: Implementation
    colour: Colour
    is_ours: bool
    overlapping: bool = True
    overtaken: threading.Event = field(default_factory=threading.Event)

    @property
    def starts_early(self) -> bool:
        """Whether a run on this bench may start a node early at all."""
        return self.is_ours and self.overlapping

    def app(self, builder: Builder, options: dict[str, Any] | None = None, **compiling: Any) -> App:
        """The graph to run: compiled, and accelerated where this bench is ours."""
        return self.implementation(builder.compile(**compiling), **(options or {}))

    # ── nodes ───────────────────────────────────────────────────────────────────────────────────────────────

    def say(self, word: str, seconds: float = 0.1) -> Node:
        """A node that reads nothing and adds one word to the log."""
        if self.colour == "async":

            async def speak(state: Log) -> dict[str, Any]:
                await asyncio.sleep(seconds)
                return {"log": [word]}

            return speak

        def speak_at_once(state: Log) -> dict[str, Any]:
            return {"log": [word]}

        return speak_at_once

    def overtakes(self, word: str) -> Node:
        """The same for a node of a later step, which lets the slow node end."""
        if self.colour == "async":
            return self.say(word)
        overtaken = self.overtaken

        def speak(state: Log) -> dict[str, Any]:
            overtaken.set()
            return {"log": [word]}

        return speak

    def slow(self, word: str = "slow", seconds: float = 1.0) -> Node:
        """The same for the node that holds its step up."""
        if self.colour == "async":
            return self.say(word, seconds)
        hold = self.hold

        def speak(state: Log) -> dict[str, Any]:
            hold()
            return {"log": [word]}

        return speak

    def hold(self) -> None:
        """Wait, in a thread, until a node of a later step has begun."""
        if self.starts_early and not self.overtaken.wait(PATIENCE_S):
            raise TimeoutError("no node of a later step began while this one ran")

    # ── calls ───────────────────────────────────────────────────────────────────────────────────────────────

    def call(self, asynchronous: Callable[..., Any], synchronous: Callable[..., Any], *args: Any, **named: Any) -> Any:
        """One method in this bench's colour; an asynchronous iterator comes as a list."""
        self.overtaken.clear()
        if self.colour == "sync":
            return synchronous(*args, **named)
        return run(lambda: _finish(asynchronous(*args, **named))).result

    def invoke(self, app: App, given: Any, config: Config | None = None, **settings: Any) -> Any:
        return self.call(app.ainvoke, app.invoke, given, config, **settings)

    def stream(self, app: App, given: Any, config: Config | None = None, **settings: Any) -> list[Any]:
        return list(self.call(app.astream, app.stream, given, config, **settings))

    def batch(self, app: App, given: Sequence[Any], config: Any = None, **settings: Any) -> Any:
        return self.call(app.abatch, app.batch, given, config, **settings)

    def state(self, app: App, config: Config, **settings: Any) -> Any:
        return self.call(app.aget_state, app.get_state, config, **settings)

    def history(self, app: App, config: Config, **settings: Any) -> list[Any]:
        return list(self.call(app.aget_state_history, app.get_state_history, config, **settings))

    def update(self, app: App, config: Config, values: Any, **settings: Any) -> Config:
        updated: Config = self.call(app.aupdate_state, app.update_state, config, values, **settings)
        return updated

    def bulk_update(self, app: App, config: Config, supersteps: Any) -> Config:
        updated: Config = self.call(app.abulk_update_state, app.bulk_update_state, config, supersteps)
        return updated

    # ── what must hold ──────────────────────────────────────────────────────────────────────────────────────

    def assert_started_early(self, app: App) -> None:
        """Equality must not be bought by falling back: on ours the last run overlapped, and threw nothing away."""
        if not self.starts_early:
            return
        found = alto_lg.statistics(app)
        assert found is not None
        assert found.plain is found.stepwise is None
        assert found.early_starts > 0
        assert found.dropped == 0, found.dropped_why


async def _finish(waiting: Any) -> Any:
    return [item async for item in waiting] if hasattr(waiting, "__aiter__") else await waiting


def uneven(bench: Bench) -> Builder:
    """Two steps beside a slow node: `after` and `last` may run while `slow` does."""
    nodes = {
        "fast": bench.say("fast"),
        "slow": bench.slow(),
        "after": bench.say("after"),
        "last": bench.overtakes("last"),
    }
    return connect(add_all(Log, nodes), (START, "fast"), (START, "slow"), ("fast", "after"), ("after", "last"))


UNEVEN_LOG = ["fast", "slow", "after", "last"]
"""What `uneven` writes: LangGraph's order, whatever ended first."""


def thread(name: str = "1", **more: Any) -> Config:
    """The config of one saved conversation."""
    return {"configurable": {"thread_id": name}, **more}
