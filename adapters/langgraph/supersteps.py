"""LangGraph's loop, with the preparation and the commit of a step that `templates.py` and `applying.py` own."""

from __future__ import annotations

from typing import Any

from uuid_utils import uuid6

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
    after_tick = with_names(PregelLoop.after_tick, apply_writes=commit)

    def tick(self) -> bool:
        if type(self.channels) is dict:
            self.channels = RunChannels(self.channels, self.checkpoint["channel_versions"])
        return self._tick()

    def _put_checkpoint(self, metadata: Any) -> None:
        channels = self.channels
        is_saved = self._checkpointer_put_after_previous is not None
        if is_saved or not isinstance(channels, RunChannels) or not channels.versions_are_ours:
            super()._put_checkpoint(metadata)
        elif metadata is not self.checkpoint_metadata:  # else the run is over
            self.checkpoint_metadata = metadata
            self.count_step()

    def count_step(self) -> None:
        """What is left of a step's checkpoint where nothing is saved: an id, which the tasks of the next one know."""
        self.checkpoint["id"] = str(uuid6())
        self.step += 1
