"""Loop: LangGraph's own loop and runner, with the lookahead listening.

LangGraph commits in order; this subclass tells the lookahead when a step begins and when a task ends, and puts
adopted firings in the place of the tasks that they are. All else is LangGraph's code.
"""

from __future__ import annotations

import asyncio
import warnings
from collections.abc import Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Any

from langgraph.constants import TAG_HIDDEN

from alto_lg.adapters.langgraph.early import EarlyFiring
from alto_lg.adapters.langgraph.events import Update
from alto_lg.adapters.langgraph.internals import (
    CONF,
    CONFIG_KEY_CHECKPOINTER,
    CONFIG_KEY_RUNNER_SUBMIT,
    CONFIG_KEY_STREAM,
    ERROR,
    INTERRUPT,
    AsyncPregelLoop,
    PregelExecutableTask,
    PregelRunner,
    map_output_updates,
)
from alto_lg.adapters.langgraph.lookahead import Lookahead, ancestry_of
from alto_lg.adapters.langgraph.preparation import TALLY
from alto_lg.adapters.langgraph.slots import OrderedSlots
from alto_lg.adapters.langgraph.wired import WiredPlan
from alto_lg.engine.ancestry import Ancestry
from alto_lg.engine.messages import Conditions
from alto_lg.engine.statistics import RunStatistics
from alto_lg.errors import AltoWarning

if TYPE_CHECKING:
    from alto_lg.adapters.langgraph.acceleration import Acceleration

_LIVE_MODES = {"messages", "custom"}
"""Modes in which a subgraph's events carry no task id that an early start would not know."""


class AltoLoop(AsyncPregelLoop):
    """One run of an accelerated graph."""

    def __init__(self, acceleration: Acceleration, step_timeout: float | None, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.acceleration = acceleration
        self.lookahead: Lookahead | None = None
        self.slots: OrderedSlots | None = None
        self._step_timeout = step_timeout
        self._plain: str | None = None

    async def __aenter__(self) -> AltoLoop:
        await super().__aenter__()
        self._plain = self._against_lookahead()
        wired = await self._wired() if self._plain is None else None
        if wired is not None:
            self.lookahead = Lookahead(self, wired, self._conditions(), ancestry_of(self.config) or Ancestry.request())
            executor = self.submit.__self__  # type: ignore[attr-defined]
            slots = self.config.get("max_concurrency")
            if slots:
                executor.semaphore = self.slots = OrderedSlots(slots)
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc_value: BaseException | None,
        traceback: TracebackType | None,
    ) -> bool | None:
        lookahead = self.lookahead
        if lookahead is None:
            self.acceleration.statistics = RunStatistics(plain=self._plain)
            return await super().__aexit__(exc_type, exc_value, traceback)
        self.lookahead = None  # what ends from now on ends because the run does
        lookahead.run_ended(f"the run ended by {exc_type.__name__}" if exc_type else f"the run ended ({self.status})")
        self.acceleration.statistics = lookahead.tally.result()
        outer = self.config[CONF].get(TALLY)
        if outer is not None:
            outer.include(self.acceleration.statistics)
        return await super().__aexit__(exc_type, exc_value, traceback)

    def tick(self) -> bool:
        more = super().tick()
        if more and self.lookahead is not None:
            self.lookahead.step_began()
        return more

    def put_writes(self, task_id: str, writes: Sequence[tuple[str, Any]], **cached: bool) -> None:
        super().put_writes(task_id, writes, **cached)  # `cached` came with a later version than the oldest supported
        if self.lookahead is not None and hasattr(self, "tasks"):
            self.lookahead.task_ended(task_id, writes)

    def output_writes(self, task_id: str, writes: Sequence[tuple[str, Any]], *, cached: bool = False) -> None:
        if self.acceleration.options.events != "eager" or not writes or writes[0][0] in (INTERRUPT, ERROR):
            super().output_writes(task_id, writes, cached=cached)
            return
        task = self.tasks.get(task_id)
        modes = self.stream.modes if self.stream is not None else set()
        if task is None or "updates" not in modes or TAG_HIDDEN in task.config.get("tags", ()):
            super().output_writes(task_id, writes, cached=cached)
            return
        if not getattr(task.proc, "announced", False):
            self._announce(task, writes, cached)
        modes.discard("updates")  # everything but that is still to come, in its order
        try:
            super().output_writes(task_id, writes, cached=cached)
        finally:
            modes.add("updates")

    def early_ended(self, early: EarlyFiring) -> None:
        """An early firing has its result: with `events="eager"` the caller hears of it now."""
        if self.acceleration.options.events == "eager" and early.task.writes:
            early.announced = True
            self._announce(early.task, early.task.writes, cached=False)

    def _announce(self, task: PregelExecutableTask, writes: Sequence[tuple[str, Any]], cached: bool) -> None:
        step = task.config["metadata"]["langgraph_step"]
        ancestry = ancestry_of(task.config)
        self._emit(
            "updates",
            lambda: (
                Update(chunk, step=step, ancestry=ancestry)
                for chunk in map_output_updates(self.output_keys, [(task, writes)], cached)
            ),
        )

    # ── what this run allows ────────────────────────────────────────────────────────────────────────────────

    async def _wired(self) -> WiredPlan | None:
        """The plan; a graph that none can be made of runs as LangGraph runs it, and says so."""
        acceleration = self.acceleration
        try:
            if not acceleration.is_planned:  # reads the source of every node: not on the event loop
                await asyncio.get_running_loop().run_in_executor(None, acceleration.plan)
            return acceleration.wired
        except Exception as error:
            self._plain = f"no plan could be made of it: {error!r}"
            warnings.warn(f"This graph is not accelerated: {self._plain}. Please report it.", AltoWarning, stacklevel=2)
            return None

    def _against_lookahead(self) -> str | None:
        if self.config[CONF].get(CONFIG_KEY_RUNNER_SUBMIT) is not None:
            return "its tasks are run by another process"
        if self._step_timeout is not None:
            return "step_timeout bounds each superstep, so steps do not overlap"
        if self.durability == "sync" and self.checkpointer is not None:
            return 'durability="sync" saves each step before the next may start'
        if "*" in (self.interrupt_before, self.interrupt_after):
            return "it pauses at every node"
        return None

    def _conditions(self) -> Conditions:
        options = self.acceleration.options
        return Conditions(
            last_step=self.stop,
            max_steps_ahead=options.max_steps_ahead,
            chains=options.overlap == "chains",
            has_store=self.store is not None,
            can_pause=self._can_pause(),
            stops_before=frozenset(self.interrupt_before),
            stops_after=frozenset(self.interrupt_after),
            gate_at_start=bool(self.config.get("max_concurrency")),
            withheld=self._withheld(),
        )

    def _can_pause(self) -> bool:
        return self.checkpointer is not None or bool(self.config[CONF].get(CONFIG_KEY_CHECKPOINTER))

    def _withheld(self) -> dict[str, str]:
        """A subgraph files its checkpoints and events under its task's id, which an early start does not know."""
        withheld = {}
        stream = self.config[CONF].get(CONFIG_KEY_STREAM)
        for name, node in self.nodes.items():
            if node.subgraphs and self._can_pause():
                withheld[name] = "its subgraph saves checkpoints under the id of its task"
            elif node.subgraphs and stream is not None and not stream.modes <= _LIVE_MODES:
                withheld[name] = "its subgraph streams events under the id of its task"
            elif node.cache_policy is None and self.cache_policy is not None and self.cache is not None:
                withheld[name] = "its cache is consulted when its step begins"
        return withheld


class AltoRunner(PregelRunner):
    """LangGraph's runner, which knows how nodes are to be run."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        put_writes = kwargs["put_writes"]()
        loop = getattr(put_writes, "__self__", None)
        if isinstance(loop, AltoLoop) and loop.lookahead is not None:
            loop.lookahead.use_astream = self.use_astream
