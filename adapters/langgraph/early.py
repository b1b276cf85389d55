"""An early firing, and the hand-over of what it did to LangGraph's own task.

Always true:
  the node's code runs once: LangGraph's task of an adopted firing only waits for it and takes its writes;
  whatever depends on the identity that LangGraph gives a task (`@task` calls) waits for the adoption.
"""

from __future__ import annotations

import contextvars
from collections import deque
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, nullcontext
from typing import TYPE_CHECKING, Any

from langchain_core.runnables import Runnable, RunnableConfig
from langgraph.errors import GraphInterrupt

from alto_lg.adapters.langgraph.internals import CONF, CONFIG_KEY_CHECKPOINT_NS, PregelExecutableTask, interrupt_id
from alto_lg.engine.firing import Firing

if TYPE_CHECKING:
    from alto_lg.adapters.langgraph.lookahead import Lookahead


class EarlyFiring:
    """One firing that runs before its step.

    settled: state keys that its view of the state projects to its step; the rest it provably does not read.
    values: what it was given of the state, for the check at commit. given: of lists that others still write.
    started: seconds on the run's clock. announced: whether the caller has had its update already.
    """

    def __init__(self, firing: Firing) -> None:
        self.firing = firing
        self.settled: frozenset[str] = frozenset()
        self.values: dict[str, Any] = {}
        self.given: dict[str, Any] = {}
        self.started = 0.0
        self.announced = False
        self.task: PregelExecutableTask

    def start(self, lookahead: Lookahead, task: PregelExecutableTask, context: contextvars.Context) -> None:
        """Run the task in the background; `lookahead.early_ended` is called when it has ended, in `context`."""
        raise NotImplementedError

    def gate(self) -> Callable[..., Any] | None:
        """The wait that comes before its conditional edges, if it can wait there."""
        raise NotImplementedError

    def release(self, settled: frozenset[str]) -> None:
        """The conditional edges may read these keys."""
        self.settled = self.settled | settled

    def idle(self) -> AbstractAsyncContextManager[None]:
        """Entered while its node waits for what others write."""
        return nullcontext()

    def cancel(self) -> None:
        """Its result is not wanted; what of it can be stopped is."""
        raise NotImplementedError

    def deliver(self, writes: deque[tuple[str, Any]], config: RunnableConfig) -> Any:
        """Run by LangGraph's task (an awaitable on an event loop): wait for the early one, then be it.

        Raises:
            What the node raised; an interrupt under the official task's identity.
        """
        raise NotImplementedError

    def readdressed(self, interrupt: GraphInterrupt, config: RunnableConfig) -> GraphInterrupt:
        """An interrupt's id is derived from the namespace of its task, which an early firing does not know yet."""
        early = interrupt_id(self.task.config[CONF][CONFIG_KEY_CHECKPOINT_NS], 0)
        official = interrupt_id(config[CONF][CONFIG_KEY_CHECKPOINT_NS], 0)
        interrupts = interrupt.args[0] if interrupt.args else ()
        return GraphInterrupt(tuple(_with_id(one, official) if one.id == early else one for one in interrupts))

    def forget_note(self, error: BaseException) -> None:
        """LangGraph notes the task's id on an error; the official task will note its own."""
        notes = getattr(error, "__notes__", [])
        error.__notes__ = [note for note in notes if f"id '{self.task.id}'" not in note]


def _with_id(interrupt: Any, identity: str) -> Any:
    """The same interrupt under another id."""
    copied = type(interrupt)(interrupt.value, identity)
    if hasattr(interrupt, "response_schema"):
        copied.response_schema = interrupt.response_schema
    return copied


class Handover(Runnable[Any, Any]):
    """Stands in for the node in LangGraph's task of an adopted firing."""

    def __init__(self, early: EarlyFiring, writes: deque[tuple[str, Any]]) -> None:
        self.early = early
        self._writes = writes

    @property
    def announced(self) -> bool:
        """Whether the caller has had its update already."""
        return self.early.announced

    def invoke(self, input: Any, config: RunnableConfig | None = None, **kwargs: Any) -> Any:
        assert config is not None
        return self.early.deliver(self._writes, config)

    async def ainvoke(self, input: Any, config: RunnableConfig | None = None, **kwargs: Any) -> Any:
        assert config is not None
        return await self.early.deliver(self._writes, config)

    async def astream(self, input: Any, config: RunnableConfig | None = None, **kwargs: Any) -> AsyncIterator[Any]:
        yield await self.ainvoke(input, config, **kwargs)
