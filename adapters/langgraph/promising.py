"""Promising: what a node that still runs would write and send if it ended now.

Owns the running of conditional edges on partial updates. Always true:
  they run as LangGraph runs them, on a task of their own whose writes nobody else sees;
  nothing is promised of an update on which they raise: they are run again on the whole of it, as ever.
"""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from langchain_core.runnables import RunnableConfig

from alto_lg.adapters.langgraph.asides import Aside
from alto_lg.adapters.replay.record import EndOfPrediction
from alto_lg.engine.firing import Firing

if TYPE_CHECKING:
    from alto_lg.adapters.langgraph.lookahead import Lookahead


class Promising:
    """The partial updates of one firing of a streaming node.

    writers: of the node, as LangGraph made them. on_loop: the run has an event loop.
    """

    def __init__(
        self, lookahead: Lookahead, firing: Firing, config: RunnableConfig, writers: Sequence[Any], *, on_loop: bool
    ) -> None:
        self._lookahead = lookahead
        self._firing = firing
        self._config = config
        self._writers = writers
        self._on_loop = on_loop
        self._turn = asyncio.Lock()

    @property
    def firing(self) -> Firing:
        return self._firing

    @property
    def on_loop(self) -> bool:
        return self._on_loop

    @property
    def is_over(self) -> bool:
        """Whether the run has ended; a thread of it may not have."""
        return self._lookahead.is_over

    def submit(self, function: Callable[..., Any], *arguments: Any) -> Any:
        """Run beside the node: a coroutine function where the run has an event loop. The run's end awaits it."""
        return self._lookahead.loop.submit(function, *arguments, __cancel_on_exit__=True, __reraise_on_exit__=False)

    def cannot_promise(self) -> None:
        """There is no update so far to be asked about, though there should be one."""
        self._lookahead.cannot_promise()

    async def arrived(self, update: Any) -> None:
        """The update so far, on the run's event loop."""
        async with self._turn:  # a router may wait for something
            if not self._lookahead.may_promise(self._firing):
                return
            try:
                writes = await self._aside.writes(update)
            except (Exception, EndOfPrediction):
                self._lookahead.cannot_promise()
                return
            self._lookahead.promised(self._firing, writes)

    def arrived_in_thread(self, update: Any) -> None:
        """The same, for a node that runs on a thread."""
        if self._on_loop:  # not waited for: the node goes on
            if not self.is_over:
                self.submit(self.arrived, update)
            return
        if not self._lookahead.may_promise(self._firing):
            return
        try:
            writes = self._aside.writes_in_thread(update)
        except (Exception, EndOfPrediction):
            self._lookahead.cannot_promise()
            return
        self._lookahead.promised(self._firing, writes)

    @functools.cached_property
    def _aside(self) -> Aside:
        return Aside(self._config, self._writers)
