"""Upstream cases: graphs of the kinds that LangGraph's own benchmarks time, written anew.

Its folder bench/ times a fan-out to a subgraph with a loop, an agent that calls a tool again and again, one wide state
in three forms (dataclass, dict, Pydantic model) around a loop, a long row of nodes that do nothing, the time to the
first event, and compiling; sync and async, with and without a checkpointer, at durability "exit".
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, make_dataclass
from functools import partial
from typing import Annotated, Any, Literal, TypedDict

from langchain_core.callbacks import CallbackManagerForLLMRun
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage
from langchain_core.outputs import ChatGeneration, ChatResult
from langchain_core.tools import tool
from langgraph.graph import END, START, StateGraph
from langgraph.graph.message import add_messages
from langgraph.prebuilt import ToolNode, tools_condition
from langgraph.types import Send
from pydantic import create_model

from bench.engine_cases import add_one, add_one_in_thread, chain
from bench.graph_case import Builder, GraphCase

BUMPS = 10


class TopicsState(TypedDict):
    """Of the fan-out."""

    topics: list[str]
    lines: Annotated[list[str], operator.add]


class _TopicState(TypedDict):
    topic: str
    draft: str
    lines: Annotated[list[str], operator.add]


class _TopicOutput(TypedDict):
    lines: Annotated[list[str], operator.add]


def subgraph_fan_out(colour: Literal["async", "sync"]) -> Builder:
    """A subgraph for each topic, in which one node goes round a loop ten times."""

    def begin(state: _TopicState) -> dict[str, Any]:
        return {"draft": f"on {state['topic'][:20]}"}

    def polish(state: _TopicState) -> dict[str, Any]:
        return {"draft": state["draft"] + "!"}

    def polished(state: _TopicState) -> Literal["polish", "hand_in"]:
        return "hand_in" if state["draft"].endswith("!" * BUMPS) else "polish"

    def hand_in(state: _TopicState) -> dict[str, Any]:
        return {"lines": [state["draft"]]}

    inner: Builder = StateGraph(_TopicState, output_schema=_TopicOutput)
    for name, node in (("begin", begin), ("polish", polish), ("hand_in", hand_in)):
        inner.add_node(name, _coloured(node, colour))
    inner.add_edge(START, "begin")
    inner.add_edge("begin", "polish")
    inner.add_conditional_edges("polish", polished)
    inner.add_edge("hand_in", END)
    builder: Builder = StateGraph(TopicsState)
    builder.add_node("topic", inner.compile())
    builder.add_conditional_edges(
        START, lambda state: [Send("topic", {"topic": topic}) for topic in state["topics"]], ["topic"]
    )
    builder.add_edge("topic", END)
    return builder


def _coloured(node: Callable[[Any], Any], colour: Literal["async", "sync"]) -> Callable[[Any], Any]:
    if colour == "sync":
        return node

    async def coroutine(state: Any) -> Any:
        return node(state)

    return coroutine


class Scripted(BaseChatModel):
    """Calls the tool again and again until so many results are there, then says that it is done."""

    turns: int

    @property
    def _llm_type(self) -> str:
        return "scripted"

    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **settings: Any,
    ) -> ChatResult:
        turn = sum(message.type == "tool" for message in messages)
        if turn == self.turns:
            said = AIMessage("done " * 50, id="end")
        else:
            call = {"name": "look_up", "args": {"query": f"{turn} " * 100}, "id": f"call-{turn}"}
            said = AIMessage("", tool_calls=[call], id=f"turn-{turn}")
        return ChatResult(generations=[ChatGeneration(message=said)])


@tool
def look_up(query: str) -> str:
    """Look something up."""
    return f"found {query}" * 5


class MessagesState(TypedDict):
    """Of the agent."""

    messages: Annotated[list[BaseMessage], add_messages]


def agent(turns: int) -> Builder:
    """The model and its tools in a loop, of LangGraph's own parts."""
    model = Scripted(turns=turns)

    async def ask(state: MessagesState) -> dict[str, Any]:
        return {"messages": [await model.ainvoke(state["messages"])]}

    builder: Builder = StateGraph(MessagesState)
    builder.add_node("ask", ask)
    builder.add_node("tools", ToolNode([look_up]))
    builder.add_edge(START, "ask")
    builder.add_conditional_edges("ask", tools_condition)
    builder.add_edge("tools", "ask")
    return builder


def _said(state: Mapping[str, Any]) -> list[tuple[str, Any]]:
    """Without the ids of tool messages, which are drawn anew in each run."""
    return [(message.type, message.content) for message in state["messages"]]


def _latest(old: Any, new: Any) -> Any:
    return new


def _latest_known(old: Any, new: Any) -> Any:
    return old if new is None else new


_LISTS = ("events", "notes", "labels", "replies")
_LATEST = ("channel", "draft", "issue", "rules", "memory")
_KNOWN = ("user", "company", "thread", "robot", "people", "told")
_KEYS: dict[str, Any] = {
    "rounds": int,
    **dict.fromkeys(_LISTS, Annotated[list, operator.add]),
    **dict.fromkeys(_LATEST, Annotated[Any, _latest]),
    **dict.fromkeys(_KNOWN, Annotated[Any, _latest_known]),
}

Form = Literal["dict", "dataclass", "pydantic"]


def _wide_class(form: Form) -> type:
    if form == "dict":
        return TypedDict("WideDict", _KEYS)  # type: ignore[operator, no-any-return]
    defaults = {key: (list if key in _LISTS else lambda: None) for key in _KEYS} | {"rounds": int}
    if form == "dataclass":
        made: list[Any] = [(key, kind, field(default_factory=defaults[key])) for key, kind in _KEYS.items()]
        return make_dataclass("WideDataclass", made, kw_only=True)
    fields: dict[str, Any] = {key: (kind, defaults[key]()) for key, kind in _KEYS.items()}
    model: type = create_model("WideModel", **fields)
    return model


@dataclass(frozen=True, slots=True)
class _Step:
    """A node that copies what it reads to the keys that it writes."""

    reads: str
    writes: Sequence[str]

    def __call__(self, state: Any) -> dict[str, Any]:
        value = state[self.reads] if isinstance(state, dict) else getattr(state, self.reads)
        last = value[-1:] if isinstance(value, list) else value
        return {key: list(last or ()) if key in _LISTS else last for key in self.writes}


def wide(form: Form, rounds: int) -> Builder:
    """Sixteen keys, six nodes with a fork and a join, so many times round."""

    def count_round(state: Any) -> dict[str, Any]:
        return {"rounds": (state["rounds"] if isinstance(state, dict) else state.rounds) + 1}

    def goes_on(state: Any) -> str:
        done = state["rounds"] if isinstance(state, dict) else state.rounds
        return END if done >= rounds else "receive"

    builder: Builder = StateGraph(_wide_class(form))
    steps: dict[str, Callable[[Any], dict[str, Any]]] = {
        "receive": _Step("events", ["notes", "channel"]),
        "sort": _Step("notes", ["draft", "issue"]),
        "rules": _Step("draft", ["rules"]),
        "label": _Step("notes", ["labels", "replies", "memory"]),
        "enrich": _Step("labels", _KNOWN),
        "close": count_round,
    }
    for name, step in steps.items():
        builder.add_node(name, step)
    builder.add_edge(START, "receive")
    builder.add_edge("receive", "sort")
    builder.add_edge("sort", "rules")
    builder.add_edge("sort", "label")
    builder.add_edge(["rules", "label"], "enrich")
    builder.add_edge("enrich", "close")
    builder.add_conditional_edges("close", goes_on, ["receive", END])
    return builder


_EVENT = {
    f"section {one}": {f"key {two}": ["text" * 8, True, 1, 2**40, None] * 5 for two in range(5)} for one in range(5)
}
_WIDE = {"rounds": 0, "events": [_EVENT], "notes": [], "labels": [], "replies": []}
_TOPICS = {"topics": ["abcdefghij" * 100] * 10, "lines": []}
_HELLO = {"messages": [HumanMessage("hello?", id="hello")]}


def _both_ways(name: str, build: Callable[[], Builder], given: Mapping[str, Any], **settings: Any) -> list[GraphCase]:
    """Without and with a checkpointer."""
    return [
        GraphCase(name, build, given, **settings),
        GraphCase(f"{name}, checkpointer", build, given, saver=True, durability="exit", **settings),
    ]


def _compiled_and_run(length: int) -> Builder:
    return chain(add_one, length)


UPSTREAM_CASES = (
    *_both_ways("subgraphs with a loop, 10", partial(subgraph_fan_out, "async"), _TOPICS, mode="updates"),
    GraphCase(
        "subgraphs with a loop, 10, sync",
        partial(subgraph_fan_out, "sync"),
        _TOPICS,
        loop="threads",
        figures=("cpu",),
    ),
    GraphCase(
        "subgraphs with a loop, 100",
        partial(subgraph_fan_out, "async"),
        {**_TOPICS, "topics": _TOPICS["topics"] * 10},
        mode="updates",
        figures=("cpu",),
    ),
    *_both_ways("agent of 10 turns", partial(agent, 10), _HELLO, answer=_said, figures=("cpu",)),
    *_both_ways("wide dict, 10 rounds", partial(wide, "dict", 10), _WIDE, mode="updates", figures=("cpu",)),
    *_both_ways("wide dataclass, 10 rounds", partial(wide, "dataclass", 10), _WIDE, mode="updates", figures=("cpu",)),
    *_both_ways("wide Pydantic, 10 rounds", partial(wide, "pydantic", 10), _WIDE, mode="updates", figures=("cpu",)),
    GraphCase(
        "wide dict, 10 rounds, sync",
        partial(wide, "dict", 10),
        _WIDE,
        loop="threads",
        figures=("cpu",),
    ),
    GraphCase("row of 1,000", partial(chain, add_one, 1000), {"count": 0}, figures=("cpu",)),
    GraphCase("row of 1,000, updates", partial(chain, add_one, 1000), {"count": 0}, mode="updates", figures=("cpu",)),
    GraphCase(
        "row of 1,000, updates, sync",
        partial(chain, add_one_in_thread, 1000),
        {"count": 0},
        mode="updates",
        loop="threads",
        figures=("cpu",),
    ),
    GraphCase("first event of a row of 1,000", partial(chain, add_one, 1000), {"count": 0}, mode="first"),
    GraphCase(
        "first event of a row of 1,000, sync",
        partial(chain, add_one_in_thread, 1000),
        {"count": 0},
        mode="first",
        loop="threads",
        figures=("cpu",),
    ),
)
