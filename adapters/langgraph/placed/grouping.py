"""Grouping: which group a firing belongs to, of a placed node that keeps state over groups.

Owns that answer. Always true:
  the level of the groups follows from the plan (`engine/levels.py`), and nobody declares it;
  groups of two runs are never equal;
  a firing whose group nobody knows has none to share: a run that is resumed does not know who sent the packets that it
  finds, and one whose tasks another process hands out knows nobody's ancestry.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property

from langchain_core.runnables import RunnableConfig

from alto_lg.adapters.langgraph.config_keys import RUN, ancestry_of
from alto_lg.adapters.langgraph.internals import CONF, CONFIG_KEY_TASK_ID
from alto_lg.adapters.placement.leases import Group
from alto_lg.engine.levels import group_level, group_of
from alto_lg.engine.plan import Plan


class Grouping:
    """Of one node of a plan, which is asked for when it is first needed."""

    def __init__(self, node: str, plan: Callable[[], Plan]) -> None:
        self._node = node
        self._plan = plan

    @cached_property
    def level(self) -> str | None:
        """The stage each of whose firings makes a group; None: a run is one group."""
        return group_level(self._plan(), self._node)

    def of(self, config: RunnableConfig) -> Group:
        """The group of the firing that a config belongs to."""
        run, ancestry = config[CONF][RUN], ancestry_of(config)
        if self.level is None:
            return Group(run, None)
        place = None if ancestry is None else group_of(ancestry, self.level)
        if place is None or place.stage != self.level:
            return Group(run, config[CONF][CONFIG_KEY_TASK_ID], is_known=False)
        return Group(run, place)

    def in_words(self) -> str:
        """What a user should know of it."""
        whose = "a run" if self.level is None else f"one firing of {self.level!r}"
        return f"keeps state by group: all of it that comes of {whose} goes to one worker"
