"""LangGraph's loop, with the preparation and the commit of a step that `templates.py` and `applying.py` own."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import uuid_utils
from langgraph.checkpoint.base.id import uuid6

from alto_lg.adapters.langgraph.applying import commit
from alto_lg.adapters.langgraph.internals import CONF, CONFIG_KEY_CHECKPOINT_MAP, PregelLoop, with_names
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
            self.channels = RunChannels(self.channels)
        return self._tick()

    def _put_checkpoint(self, metadata: Any) -> None:
        channels = self.channels
        if (
            self._checkpointer_put_after_previous is None
            and isinstance(channels, RunChannels)
            and channels.versions_are_ours
        ):
            if metadata is not self.checkpoint_metadata:  # else the run is over
                self._count_step(metadata)
        else:
            super()._put_checkpoint(metadata)

    def count_step(self) -> None:
        """The next step begins; of this one's checkpoint nobody is to see more than the id, which its tasks know."""
        self.checkpoint["id"] = str(uuid_utils.uuid6())
        self.step += 1

    def _count_step(self, metadata: Any) -> None:
        """What LangGraph does where nothing is saved: the step has a checkpoint to be named by, and no more."""
        metadata["step"] = self.step
        metadata["parents"] = self.config[CONF].get(CONFIG_KEY_CHECKPOINT_MAP, {})
        self.checkpoint_metadata = metadata
        self.checkpoint = {
            **self.checkpoint,
            "id": str(uuid6(clock_seq=self.step)),
            "ts": datetime.now(UTC).isoformat(),
            "updated_channels": None if self.updated_channels is None else sorted(self.updated_channels),
        }
        self.step += 1
