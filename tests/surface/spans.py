"""Spans: a callback handler that writes down every start and every end that LangChain tells it of."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from langchain_core.callbacks import BaseCallbackHandler


@dataclass(slots=True)
class Span:
    """One run of anything: a graph, a node, a router, a model, a tool."""

    kind: str
    name: str
    run_id: UUID
    parent_id: UUID | None
    tags: tuple[str, ...]
    metadata: dict[str, Any]
    given: Any
    began: int
    ended: int | None = None
    output: Any = None
    error: str | None = None

    @property
    def step(self) -> Any:
        return self.metadata.get("langgraph_step")

    @property
    def node(self) -> Any:
        return self.metadata.get("langgraph_node")


@dataclass(eq=False)
class Spans(BaseCallbackHandler):
    """Numbers starts and ends in the order in which they came, from whatever thread."""

    found: dict[UUID, Span] = field(default_factory=dict)
    mistakes: list[str] = field(default_factory=list)
    events: int = 0
    lock: Any = field(default_factory=threading.Lock)

    raise_error = True

    def named(self, name: str) -> list[Span]:
        return [span for span in self.found.values() if span.name == name]

    def one(self, name: str) -> Span:
        (span,) = self.named(name)
        return span

    def parent(self, span: Span) -> Span | None:
        return None if span.parent_id is None else self.found[span.parent_id]

    def path(self, span: Span) -> tuple[str, ...]:
        """The names from the root down."""
        parent = self.parent(span)
        return (*(self.path(parent) if parent is not None else ()), span.name)

    def open_spans(self) -> list[str]:
        return [span.name for span in self.found.values() if span.ended is None]

    def _start(self, kind: str, name: str, given: Any, settings: dict[str, Any]) -> None:
        with self.lock:
            run_id = settings["run_id"]
            if run_id in self.found:
                self.mistakes.append(f"{name} began twice")
            tags, metadata = tuple(settings.get("tags") or ()), dict(settings.get("metadata") or {})
            self.found[run_id] = Span(
                kind, name, run_id, settings.get("parent_run_id"), tags, metadata, given, self.events
            )
            self.events += 1

    def _end(self, output: Any, error: BaseException | None, settings: dict[str, Any]) -> None:
        with self.lock:
            span = self.found.get(settings["run_id"])
            if span is None or span.ended is not None:
                self.mistakes.append(f"{span.name if span else 'something unknown'} ended without a start")
                return
            span.ended, span.output = self.events, output
            span.error = None if error is None else type(error).__name__
            self.events += 1

    def on_chain_start(self, serialized: Any, inputs: Any, **settings: Any) -> None:
        self._start("chain", settings.get("name") or "", inputs, settings)

    def on_chain_end(self, outputs: Any, **settings: Any) -> None:
        self._end(outputs, None, settings)

    def on_chain_error(self, error: BaseException, **settings: Any) -> None:
        self._end(None, error, settings)

    def on_chat_model_start(self, serialized: Any, messages: Any, **settings: Any) -> None:
        self._start("model", settings.get("name") or "model", messages, settings)

    def on_llm_end(self, response: Any, **settings: Any) -> None:
        self._end(response, None, settings)

    def on_llm_error(self, error: BaseException, **settings: Any) -> None:
        self._end(None, error, settings)

    def on_tool_start(self, serialized: Any, input_str: str, **settings: Any) -> None:
        self._start("tool", settings.get("name") or (serialized or {}).get("name", ""), input_str, settings)

    def on_tool_end(self, output: Any, **settings: Any) -> None:
        self._end(output, None, settings)

    def on_tool_error(self, error: BaseException, **settings: Any) -> None:
        self._end(None, error, settings)
