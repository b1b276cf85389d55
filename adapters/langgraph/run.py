"""Run: what both of LangGraph's loops share when they have a lookahead beside them.

LangGraph commits in order; this subclass tells the lookahead when a step begins and when a task ends, and puts
adopted firings in the place of the tasks that they are. All else is LangGraph's code. Always true: `lock` is held
while the lookahead thinks, while LangGraph changes its channels, and never while a node runs or the caller has control.
"""

from __future__ import annotations

import asyncio
import contextlib
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from langgraph.constants import TAG_HIDDEN
from langgraph.types import Command as GraphCommand

from alto_lg.adapters.langgraph.caching import SettledCache
from alto_lg.adapters.langgraph.collecting import collector_at_rest
from alto_lg.adapters.langgraph.config_keys import ANCESTRY, RUN, TALLY, ancestry_of
from alto_lg.adapters.langgraph.early import EarlyFiring
from alto_lg.adapters.langgraph.events import Update
from alto_lg.adapters.langgraph.filing import Filing
from alto_lg.adapters.langgraph.internals import (
    CONF,
    CONFIG_KEY_CHECKPOINTER,
    CONFIG_KEY_RUNNER_SUBMIT,
    CONFIG_KEY_STREAM,
    ERROR,
    INTERRUPT,
    BaseChannel,
    PregelExecutableTask,
    PregelLoop,
    map_output_updates,
    with_names,
)
from alto_lg.adapters.langgraph.listening import hears_only_interrupts
from alto_lg.adapters.langgraph.lookahead import Lookahead
from alto_lg.adapters.langgraph.mistakes import RunChecks
from alto_lg.adapters.langgraph.projection import hands_itself_out, keep_apart
from alto_lg.adapters.langgraph.slots import OrderedSlots
from alto_lg.adapters.langgraph.stepping import RunChannels
from alto_lg.adapters.langgraph.strides import Stride, may_stride
from alto_lg.adapters.langgraph.supersteps import SuperstepLoop
from alto_lg.adapters.langgraph.threads import NodeThreads
from alto_lg.engine.ancestry import Ancestry
from alto_lg.engine.firing import Firing
from alto_lg.engine.messages import Conditions
from alto_lg.engine.plan import Plan
from alto_lg.engine.statistics import RunStatistics
from alto_lg.errors import AltoWarning

if TYPE_CHECKING:
    from alto_lg.adapters.langgraph.acceleration import Acceleration
    from alto_lg.adapters.langgraph.tools import RunTools
    from alto_lg.adapters.langgraph.wired import WiredPlan

_LIVE_MODES = {"messages", "custom"}
"""Modes in which a subgraph's events carry no task id that an early start would not know."""


class AcceleratedRun(SuperstepLoop):
    """One run of an accelerated graph, whatever runs its nodes.

    holds_firings: an early firing may wait half-way, before its conditional edges, at no cost.
    on_event_loop: its nodes are coroutines, or run in threads beside one loop.
    """

    holds_firings = True
    on_event_loop = True
    lock: AbstractContextManager[Any] = contextlib.nullcontext()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.acceleration: Acceleration = self.nodes.acceleration  # type: ignore[attr-defined]
        if self.cache is not None:
            self.cache = SettledCache(self.cache)  # type: ignore[assignment]
        self.use_astream = False
        self.lookahead: Lookahead | None = None
        self._tools: RunTools | None = None
        self.annotates = self.acceleration.options.annotate
        self._eager = self.acceleration.options.events == "eager"
        self.is_unheard = hears_only_interrupts(self.config)
        self._wired: WiredPlan | None = None
        self._may_stride = False
        self._checks = RunChecks(self, self.acceleration.options)
        self._filing = Filing()
        self._handed_out: tuple[BaseChannel[Any, Any, Any], ...] = ()
        placements = self.acceleration.placements
        self._groups = placements if placements is not None and placements.keeps_groups else None
        if self._groups is not None:
            self.config = {**self.config, CONF: {**self.config[CONF], RUN: uuid4().hex}}
        self._plain: str | None = None
        self._stepwise: str | None = None

    def early_firing(self, firing: Firing) -> EarlyFiring:
        """A firing that is to run before its step, not started yet."""
        raise NotImplementedError

    def clock(self) -> Callable[[], float]:
        """Tells the seconds on the clock that this run's nodes live by."""
        raise NotImplementedError

    # ── what LangGraph does, and the lookahead hears ────────────────────────────────────────────────────────

    @property
    def places(self) -> OrderedSlots | NodeThreads | None:
        """What bounds how many nodes of the run are under way."""
        raise NotImplementedError

    def tick(self) -> bool:
        if self.places is not None:
            self.places.hold()
        with collector_at_rest():
            more = super().tick()
            if more:
                if self._wired is not None:
                    self._look_ahead(self._wired)  # only now is it known what of the run is streamed
                    self._wired = None
                if self.lookahead is not None:
                    self.lookahead.step_began()
        return more

    def stride(self, task: PregelExecutableTask) -> Stride | None:
        """What the only task of a step begins, if the steps after it are to follow at once."""
        lookahead = self.lookahead
        if not self._may_stride or lookahead is None or not lookahead.is_in_quiet(task):
            return None
        return Stride(self, lookahead, task)

    def after_tick(self) -> None:
        super().after_tick()
        if self.lookahead is not None:
            self.lookahead.step_committed()

    def put_writes(self, task_id: str, writes: Sequence[tuple[str, Any]], **cached: bool) -> None:
        last, failure = writes[-1] if writes else ("", None)
        if last == ERROR and isinstance(failure, asyncio.CancelledError):
            writes = [writes[-1]]  # saved with the rest, it would count as finished when the run is taken up again
        put = partial(super().put_writes, task_id, writes, **cached)  # `cached` is younger than the oldest version
        self._filing.file(self, task_id, put)
        if self.checkpointer is not None and writes and last != ERROR and writes[0][0] != INTERRUPT:
            task = self.tasks.get(task_id) if hasattr(self, "tasks") else None
            if task is not None:
                self._checks.committed(task, writes)
        if self.lookahead is not None:
            self.lookahead.task_ended(task_id, writes)

    def _put_checkpoint(self, metadata: Any) -> None:
        super()._put_checkpoint(metadata)
        for channel in self._handed_out:
            keep_apart(channel)

    def save_to_await(self) -> Any:
        """The save that is under way, if the commit of the next step could change in place what it saves.

        LangGraph saves a step while the nodes of the next one run, so their commit comes late enough; an adopted firing
        may have ended long ago.
        """
        save = getattr(self, "_put_checkpoint_fut", None)
        return save if save is not None and not save.done() and self._reduces_in_place() else None

    def _reduces_in_place(self) -> bool:
        return self.lookahead is not None and self.acceleration.wired.wiring.reducers.any_in_place

    def output_writes(self, task_id: str, writes: Sequence[tuple[str, Any]], *, cached: bool = False) -> None:
        if self.is_unheard and writes and writes[0][0] != INTERRUPT:
            return
        if not self._eager or not writes or writes[0][0] in (INTERRUPT, ERROR):
            if self.annotates:
                _output_annotated(self, task_id, writes, cached=cached)
            else:
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
        if self._eager and not self.is_unheard and early.task.writes:
            early.announced = True
            self._announce(early.task, early.task.writes, cached=False)

    def _announce(self, task: PregelExecutableTask, writes: Sequence[tuple[str, Any]], cached: bool) -> None:
        self._emit("updates", _with_ancestry, self.output_keys, [(task, writes)], cached)

    # ── begin and end ───────────────────────────────────────────────────────────────────────────────────────

    def plan(self, wired: WiredPlan) -> None:
        """Look ahead from the first step on."""
        from alto_lg.adapters.langgraph.tools import RunTools  # loaded by now, with the plan

        self._wired = wired
        self._tools = RunTools.attached(self)

    def _look_ahead(self, wired: WiredPlan) -> None:
        if self.checkpointer is not None:
            self._handed_out = tuple(filter(hands_itself_out, self.channels.values()))
        self.lookahead = Lookahead(self, wired, ancestry_of(self.config) or Ancestry.request())
        self._may_stride = may_stride(self)

    def finish(self, exc_type: type[BaseException] | None) -> None:
        """The run is over, before LangGraph waits for what still runs."""
        if isinstance(self.channels, RunChannels):
            self.channels.template = None  # which knows the channels: no cycle is left for the collector
        tools, self._tools = self._tools, None
        tool_counts = tools.close() if tools is not None else None
        with self.lock:
            lookahead, self.lookahead = self.lookahead, None  # what ends from now on ends because the run does
            if lookahead is None:
                self.acceleration.run_ended(partial(RunStatistics, plain=self._plain, stepwise=self._stepwise))
                return
            lookahead.run_ended(
                f"the run ended by {exc_type.__name__}" if exc_type else f"the run ended ({self.status})"
            )
            if tool_counts is not None:
                lookahead.tally.tools(tool_counts.started, tool_counts.dropped_why)
        outer = self.config[CONF].get(TALLY)
        tally, stepwise = lookahead.tally, self._stepwise  # no more than these outlive the run
        if outer is None:
            self.acceleration.run_ended(lambda: replace(tally.result(), stepwise=stepwise))
        else:
            statistics = replace(tally.result(), stepwise=stepwise)
            outer.include(statistics)
            self.acceleration.run_ended(partial(replace, statistics, nested=True))

    def left(self, error: BaseException | None) -> None:
        """LangGraph has left the run, with an error if with any.

        Raises:
            Mistake: The run ended in a way that `strict=True` does not allow.
        """
        if self._groups is not None:
            self._groups.run_ended(self.config[CONF][RUN])
        self._checks.ended(error)

    # ── what this run allows ────────────────────────────────────────────────────────────────────────────────

    def allows_lookahead(self) -> bool:
        """Whether steps of this run may overlap at all; why not is kept for the statistics.

        A run with groups that keeps LangGraph's steps has a lookahead all the same, which starts nothing: it knows who
        comes from whom.

        Raises:
            Mistake: The run was asked for in a way that `strict=True` does not allow.
        """
        self._checks.began()
        self._plain = self._unsupported()
        self._stepwise = None if self._plain else self._asks_for_steps()
        return self._plain is None and (self._stepwise is None or self._groups is not None)

    def cannot_plan(self, error: Exception) -> None:
        """A graph that no plan can be made of runs as LangGraph runs it, and says so."""
        self._plain = f"no plan could be made of it: {error!r}"
        warnings.warn(f"This graph is not accelerated: {self._plain}. Please report it.", AltoWarning, stacklevel=3)

    def _unsupported(self) -> str | None:
        if self.config[CONF].get(CONFIG_KEY_RUNNER_SUBMIT) is not None:
            return "its tasks are run by another process"
        return None

    def _asks_for_steps(self) -> str | None:
        if self.nodes.step_timeout is not None:  # type: ignore[attr-defined]
            return "step_timeout bounds each superstep, so steps do not overlap"
        if self.durability == "sync" and self.checkpointer is not None:
            return 'durability="sync" saves each step before the next may start'
        if "*" in (self.interrupt_before, self.interrupt_after):
            return "it pauses at every node"
        return None

    @property
    def chains(self) -> bool:
        """Whether early firings may follow early ones; not where the input is a Command, which says where to begin."""
        return self.acceleration.options.overlap == "chains" and not isinstance(self.input, GraphCommand)

    def conditions(self, wired: WiredPlan) -> Conditions:
        """What the lookahead has to go by."""
        options = self.acceleration.options
        return Conditions(
            last_step=self.stop,
            max_steps_ahead=0 if self._stepwise else options.max_steps_ahead,
            chains=self.chains,
            has_store=self.store is not None,
            can_pause=self._can_pause(),
            stops_before=frozenset(self.interrupt_before),
            stops_after=frozenset(self.interrupt_after),
            gate_at_start=not self.holds_firings or bool(self.config.get("max_concurrency")),
            withheld=self._withheld(wired.plan, wired.graphs),
        )

    def _can_pause(self) -> bool:
        return self.checkpointer is not None or bool(self.config[CONF].get(CONFIG_KEY_CHECKPOINTER))

    def _withheld(self, plan: Plan, graphs: Mapping[str, bool]) -> dict[str, str]:
        """A subgraph files its checkpoints and events under its task's id, which an early start does not know."""
        withheld = {}
        stream = self.config[CONF].get(CONFIG_KEY_STREAM)
        streams_steps = stream is not None and not stream.modes <= _LIVE_MODES
        if self.cache_policy is not None and self.cache is not None:
            uncached = (name for name, node in self.nodes.items() if node.cache_policy is None)
            withheld.update(dict.fromkeys(uncached, "its cache is consulted when its step begins"))
        if streams_steps:
            nested = plan.may_interrupt | graphs.keys()
            withheld.update(dict.fromkeys(nested, "a graph in it may stream events under the id of its task"))
        if self._can_pause():
            saving = (name for name, keeps_memory in graphs.items() if keeps_memory)
            withheld.update(dict.fromkeys(saving, "its subgraph saves checkpoints under the id of its task"))
        return withheld


def _with_ancestry(output_keys: Any, tasks: Any, cached: bool = False) -> Iterator[Update]:
    """LangGraph's updates of one task, which say which firing they come from."""
    ((task, _),) = tasks
    made = []
    for update in map_output_updates(output_keys, tasks, cached):
        told = Update(update)  # without an __init__ of its own, because there is one for every task
        told.step, told.ancestry = task.config["metadata"]["langgraph_step"], task.config[CONF].get(ANCESTRY)
        made.append(told)
    return iter(made)


_output_annotated = with_names(PregelLoop.output_writes, map_output_updates=_with_ancestry)
"""What LangGraph streams of a task that has ended, with the ancestry in its updates."""
