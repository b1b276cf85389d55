"""LangGraph's loop, with the preparation and the commit of a step that `templates.py` and `applying.py` own."""

from __future__ import annotations

from alto_lg.adapters.langgraph.applying import commit
from alto_lg.adapters.langgraph.internals import PregelLoop, with_names
from alto_lg.adapters.langgraph.stepping import RunChannels
from alto_lg.adapters.langgraph.templates import prepare


class SuperstepLoop(PregelLoop):
    """One run; decides nothing of its own."""

    if hasattr(PregelLoop, "_prepare_tasks_and_emit_checkpoint"):
        _prepare_tasks_and_emit_checkpoint = with_names(
            PregelLoop._prepare_tasks_and_emit_checkpoint, prepare_next_tasks=prepare
        )
        _tick = PregelLoop.tick
    else:  # before 1.2.14 or so
        _tick = with_names(PregelLoop.tick, prepare_next_tasks=prepare)
    _after_tick = with_names(PregelLoop.after_tick, apply_writes=commit)

    def tick(self) -> bool:
        if type(self.channels) is dict:
            self.channels = RunChannels(self.channels)
        return self._tick()

    def after_tick(self) -> None:
        self._after_tick()
