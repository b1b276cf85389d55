"""An early firing: the task that runs it, and the hand-over to LangGraph's own task.

Always true:
  the node's code runs once: LangGraph's task of an adopted firing only waits for it and takes its writes;
  whatever depends on the identity that LangGraph gives a task (`@task` calls) waits for the adoption.
"""

from __future__ import annotations

import asyncio
import concurrent.futures
import contextvars
from collections import deque
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Any

from langchain_core.runnables import Runnable, RunnableConfig
from langgraph.errors import GraphInterrupt

from alto_lg.adapters.langgraph.internals import (
    CONF,
    CONFIG_KEY_CALL,
    CONFIG_KEY_CHECKPOINT_NS,
    PregelExecutableTask,
    arun_with_retry,
    interrupt_id,
)
from alto_lg.adapters.langgraph.slots import OrderedSlots
from alto_lg.engine.firing import Firing

if TYPE_CHECKING:
    from alto_lg.adapters.langgraph.lookahead import Lookahead
    from alto_lg.adapters.langgraph.loop import AltoLoop


class EarlyFiring:
    """One firing that runs before its step.

    settled: state keys that its view of the state projects to its step; the rest it provably does not read.
    values: what it was given of the state, for the check at commit.
    started, ended: seconds on the event loop's clock.
    """

    def __init__(self, firing: Firing, lookahead: Lookahead, now: float) -> None:
        self.firing = firing
        self.settled: frozenset[str] = frozenset()
        self.values: dict[str, Any] = {}
        self.started = now
        self.ended = now
        self.announced = False
        self._slots: OrderedSlots | None = None
        self.task: PregelExecutableTask
        self.future: asyncio.Future[Any]
        self._lookahead = lookahead
        self._routes = asyncio.Event()
        self._official: asyncio.Future[RunnableConfig] | None = asyncio.get_running_loop().create_future()

    def run(self, loop: AltoLoop, task: PregelExecutableTask, use_astream: bool, context: contextvars.Context) -> None:
        """Start the task, as one of the loop's background tasks: they end with the run, however it ends."""
        self.task = task
        self._slots = loop.slots
        if self._slots is not None:
            context.run(self._slots.take_turn, self.firing.ancestry.order)
        submit: Any = loop.submit  # its type leaves no room for another's `run`
        self.future = context.run(
            submit,
            arun_with_retry,
            task,
            None,
            stream=use_astream,
            configurable={CONFIG_KEY_CALL: self._call},
            __name__=task.name,
            __cancel_on_exit__=True,
            __reraise_on_exit__=False,
        )

    async def routes_settled(self) -> None:
        """Wait until the conditional edges may read the state; called between the body and the edges."""
        if not self._routes.is_set():
            self._lookahead.body_ended(self.firing)
            await self._routes.wait()

    def release(self, settled: frozenset[str]) -> None:
        """The conditional edges may read these keys."""
        self.settled = self.settled | settled
        self._routes.set()

    def cancel(self) -> None:
        self.future.cancel()
        if self._official is not None and not self._official.done():
            self._official.cancel()

    async def deliver(self, writes: deque[tuple[str, Any]], config: RunnableConfig) -> Any:
        """Run by LangGraph's task: wait for the early one, then be it.

        Raises:
            What the node raised; an interrupt under the official task's identity.
        """
        if self._official is not None and not self._official.done():
            self._official.set_result(config)
        if self._slots is not None:
            self._slots.release()  # it has a slot of its own, or waits for one
        try:
            return await self.future
        except GraphInterrupt as interrupt:
            raise self._readdressed(interrupt, config) from interrupt.__cause__
        except Exception as error:
            self._forget_note(error)
            raise
        finally:
            if self._slots is not None:
                self._slots.reclaim()
            writes.extend(self.task.writes)
            self._official = None  # its config leads to the loop, which holds this: no cycle is left for the collector

    def _readdressed(self, interrupt: GraphInterrupt, config: RunnableConfig) -> GraphInterrupt:
        """An interrupt's id is derived from the namespace of its task, which an early firing does not know yet."""
        early = interrupt_id(self.task.config[CONF][CONFIG_KEY_CHECKPOINT_NS], 0)
        official = interrupt_id(config[CONF][CONFIG_KEY_CHECKPOINT_NS], 0)
        interrupts = interrupt.args[0] if interrupt.args else ()
        return GraphInterrupt(tuple(_with_id(one, official) if one.id == early else one for one in interrupts))

    def _forget_note(self, error: BaseException) -> None:
        """LangGraph notes the task's id on an error; the official task will note its own."""
        notes = getattr(error, "__notes__", [])
        error.__notes__ = [note for note in notes if f"id '{self.task.id}'" not in note]

    def _call(self, function: Any, arguments: Any, **options: Any) -> Any:
        """A `@task` called from the node: LangGraph files it under the official task, so it waits for that one."""
        running = self.future.get_loop()
        try:
            in_loop = asyncio.current_task() is not None
        except RuntimeError:
            in_loop = False

        official = self._official
        assert official is not None, f"{self.firing} called a task after it had ended"

        async def call_officially() -> Any:
            config = await asyncio.shield(official)
            return await config[CONF][CONFIG_KEY_CALL](function, arguments, **options)

        if in_loop:
            return running.create_task(call_officially())
        future: concurrent.futures.Future[Any] = asyncio.run_coroutine_threadsafe(call_officially(), running)
        return future


def _with_id(interrupt: Any, identity: str) -> Any:
    """The same interrupt under another id."""
    copied = type(interrupt)(interrupt.value, identity)
    if hasattr(interrupt, "response_schema"):
        copied.response_schema = interrupt.response_schema
    return copied


class Handover(Runnable[Any, Any]):
    """Stands in for the node in LangGraph's task of an adopted firing."""

    def __init__(self, early: EarlyFiring, writes: deque[tuple[str, Any]]) -> None:
        self._early = early
        self._writes = writes

    @property
    def announced(self) -> bool:
        """Whether the caller has had its update already."""
        return self._early.announced

    def invoke(self, input: Any, config: RunnableConfig | None = None, **kwargs: Any) -> Any:
        raise TypeError("an early firing belongs to an event loop")

    async def ainvoke(self, input: Any, config: RunnableConfig | None = None, **kwargs: Any) -> Any:
        assert config is not None
        return await self._early.deliver(self._writes, config)

    async def astream(self, input: Any, config: RunnableConfig | None = None, **kwargs: Any) -> AsyncIterator[Any]:
        yield await self.ainvoke(input, config, **kwargs)
