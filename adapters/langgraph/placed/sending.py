"""Sending: what of a firing goes to its worker.

Owns the choice. Always true:
  of the state goes what the node reads, where that is known and the state is a dict; a packet goes whole;
  what cannot be pickled of the config or the context stays here, and is missed only by a node that uses it;
  what cannot be pickled of the input is an error that names the key.
"""

from __future__ import annotations

import copy
import dataclasses
from collections.abc import Callable, Mapping
from typing import Any

from langchain_core.runnables import RunnableConfig
from langgraph.runtime import ExecutionInfo

from alto_lg.adapters.langgraph.config_keys import ANCESTRY
from alto_lg.adapters.langgraph.internals import CONF, CONFIG_KEY_RUNTIME, CONFIG_KEY_TASK_ID, PUSH
from alto_lg.adapters.langgraph.placed.code import Absent, Dumps, Sent
from alto_lg.adapters.langgraph.placed.grouping import Grouping
from alto_lg.engine.plan import Stage
from alto_lg.errors import NotPortable

_CONFIG = ("tags", "metadata", "recursion_limit", "max_concurrency")
_INFO = tuple(field.name for field in dataclasses.fields(ExecutionInfo))
_KEPT = (ANCESTRY, CONFIG_KEY_TASK_ID)
"""Of the keys that LangGraph and alto_lg keep in a config, those that mean something elsewhere."""


class Sender:
    """Of one node.

    facts: its stage, and which state keys that stage's atoms are parts of. grouping: if it keeps state over groups.
    """

    def __init__(
        self,
        node: str,
        dumps: Dumps,
        facts: Callable[[], tuple[Stage, frozenset[str]]],
        grouping: Grouping | None,
    ) -> None:
        self._node = node
        self._dumps = dumps
        self._facts = facts
        self._grouping = grouping
        self._stays: frozenset[tuple[str, str]] = frozenset()

    def sent(self, given: Any, config: RunnableConfig) -> Sent:
        """What goes."""
        conf = config[CONF]
        runtime = conf.get(CONFIG_KEY_RUNTIME)
        info = getattr(runtime, "execution_info", None)
        stage, reads = self._facts()
        sent = Sent(
            input=given if _is_packet(config) else self._read_part(given, reads),
            config={
                **{name: config[name] for name in _CONFIG if name in config},  # type: ignore[literal-required]
                CONF: {key: value for key, value in conf.items() if not key.startswith("__") or key in _KEPT},
            },
            runtime={
                "context": getattr(runtime, "context", None),
                "server_info": getattr(runtime, "server_info", None),
                "execution_info": None if info is None else tuple([getattr(info, name) for name in _INFO]),
            },
            has_store=getattr(runtime, "store", None) is not None,
            watch=bool(stage.mutates.keys),
            group=None if self._grouping is None else self._grouping.of(config),
        )
        for place, key in self._stays:
            self._withhold(sent, place, key)
        return sent

    def learned(self, sent: Sent) -> bool:
        """Sending has failed: whether it may be tried again, without what cannot be sent.

        Raises:
            NotPortable: The node's input cannot be sent.
        """
        parts = sent.input if isinstance(sent.input, Mapping) else {None: sent.input}
        for key, value in parts.items():
            reason = self._why_not(value)
            if reason:
                what = f"its input ({type(value).__name__})" if key is None else repr(key)
                raise NotPortable(
                    self._node,
                    f"cannot be sent {what}: {reason}. Keep such an object out of the state: make it in the node",
                )
        places: dict[str, Mapping[str, Any]] = {CONF: sent.config[CONF], "runtime": sent.runtime}
        found = {(place, key) for place, part in places.items() for key, value in part.items() if self._why_not(value)}
        if self._why_not(sent.config.get("metadata")):
            raise NotPortable(self._node, "cannot be sent the metadata of the run's config: keep plain values there")
        self._stays |= found
        return bool(found)

    def _withhold(self, sent: Sent, place: str, key: str) -> None:
        part = sent.runtime if place == "runtime" else sent.config[CONF]
        if part.get(key) is not None:
            what = f"the run's {key}" if place == "runtime" else f"configurable[{key!r}]"
            part[key] = Absent(self._node, what, "it cannot be pickled, so make it in the node")

    def _read_part(self, given: Any, reads: frozenset[str]) -> Any:
        """The state, without the values that the node does not read: a log line may still name them."""
        if not isinstance(given, dict) or given.keys() <= reads:
            return given
        made = copy.copy(given)  # of its own class, which may know what was declared
        made.update((key, self._unread(key)) for key in given.keys() - reads)
        return made

    def _unread(self, key: str) -> Absent:
        return Absent(
            self._node,
            f"the value of {key!r}",
            "the node was found not to read it. Declare what it reads: alto_lg.node(reads=[…])",
        )

    def _why_not(self, value: Any) -> str | None:
        try:
            self._dumps(value)
        except Exception as error:
            return f"{type(error).__name__}: {error}"
        return None


def _is_packet(config: RunnableConfig) -> bool:
    path = config.get("metadata", {}).get("langgraph_path")
    return path is None or path[0] == PUSH
