"""Events: how what a caller streams says which firing it comes from.

LangGraph's events have no place for that but the metadata of messages. So updates and custom events are subclasses of
what LangGraph gives, equal to it, with the ancestry as an attribute; and what the metadata of a message shows as text
knows the ancestry that it shows.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from langchain_core.runnables import RunnableConfig

from alto_lg.adapters.langgraph.internals import CONF, CONFIG_KEY_RUNTIME
from alto_lg.engine.ancestry import Ancestry

EVENT_KEY = "alto_ancestry"
"""Where the metadata of streamed messages shows the ancestry, as text."""


class Update(dict[str, Any]):
    """An `updates` event, equal to LangGraph's, that says where it belongs.

    step: LangGraph's step in which the firing commits.
    ancestry: the firing that it comes from; None when it is not known.
    """

    __slots__ = ("ancestry", "step")
    step: int
    ancestry: Ancestry | None


class CustomDict(dict[Any, Any]):
    """A `custom` event that is a dictionary, with the firing that it comes from."""

    __slots__ = ("ancestry",)

    def __init__(self, event: Mapping[Any, Any], ancestry: Ancestry) -> None:
        super().__init__(event)
        self.ancestry = ancestry


class AncestralText(str):
    """A text with an ancestry: a `custom` event, or what the metadata of a message shows.

    waited_for: what held its firing up before it started, for traces.
    """

    ancestry: Ancestry
    waited_for: str | None

    @classmethod
    def of(cls, text: str, ancestry: Ancestry, waited_for: str | None = None) -> AncestralText:
        made = cls(text)
        made.ancestry, made.waited_for = ancestry, waited_for
        return made

    def __reduce__(self) -> tuple[Any, ...]:
        return str, (str(self),)  # what is saved or sent elsewhere is the text


def tell_custom_events_apart(config: RunnableConfig, ancestry: Ancestry) -> None:
    """Have the custom events of a node carry its ancestry, where they are a plain dictionary or text."""
    runtime = config[CONF].get(CONFIG_KEY_RUNTIME)
    if runtime is not None:
        writer = runtime.stream_writer
        config[CONF][CONFIG_KEY_RUNTIME] = runtime.override(stream_writer=_Writer(writer, ancestry))


class _Writer:
    """The stream writer of one node."""

    __slots__ = ("_ancestry", "_write")

    def __init__(self, write: Callable[[Any], None], ancestry: Ancestry) -> None:
        self._write = write
        self._ancestry = ancestry

    def __call__(self, event: Any) -> None:
        if type(event) is dict:
            event = CustomDict(event, self._ancestry)
        elif type(event) is str:
            event = AncestralText.of(event, self._ancestry)
        self._write(event)


def ancestry_of_event(event: Any) -> Ancestry | None:
    """The ancestry that an event carries, whatever form of LangGraph's it has; None if it carries none."""
    found = getattr(event, "ancestry", None)
    if isinstance(found, Ancestry):
        return found
    if isinstance(event, tuple) and event:
        return ancestry_of_event(event[-1])  # (message, metadata), (mode, event), (namespace, mode, event)
    if isinstance(event, Mapping):
        inside = event.get(EVENT_KEY, event.get("data") if "type" in event and "ns" in event else None)
        return None if inside is None else ancestry_of_event(inside)
    return None
