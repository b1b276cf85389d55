"""States: schemas, kinds of keys, reducers, and values that somebody changes in place."""

from __future__ import annotations

import operator
from dataclasses import dataclass, field
from typing import Annotated, Any, TypedDict

from langchain_core.messages import AIMessage, HumanMessage, RemoveMessage
from langgraph.channels import EphemeralValue, UntrackedValue
from langgraph.graph import END, START, MessagesState, StateGraph
from langgraph.runtime import Runtime
from langgraph.store.memory import InMemoryStore
from pydantic import BaseModel

from dropin.shapes.base import Builder, Log, Shape, Sleep, add_all, connect, say


def join_words(left: str, right: str) -> str:
    """Neither commutative nor associative in what it shows: the order of every application is visible."""
    return f"({left}+{right})"


def extend_left(left: list[str], right: list[str]) -> list[str]:
    """A reducer that changes its left side, as some applications have."""
    left.extend(right)
    return left


class Ordered(TypedDict):
    words: Annotated[str, join_words]


class Extended(TypedDict, total=False):
    words: Annotated[list[str], extend_left]
    seen: str


class Mixed(TypedDict, total=False):
    log: Annotated[list[str], operator.add]
    once: Annotated[str, EphemeralValue]
    unsaved: Annotated[str, UntrackedValue]
    kept: str


class Nested(TypedDict, total=False):
    box: dict[str, list[str]]
    twin: dict[str, list[str]]
    seen: str
    log: Annotated[list[str], operator.add]


class Question(TypedDict):
    question: str


class Answer(TypedDict):
    answer: str


class Whole(Question, Answer):
    """What is asked, what is answered, and a log that neither end sees."""

    log: Annotated[list[str], operator.add]


class Private(TypedDict):
    """A key that is only in the schema of two nodes."""

    secret: str


class Record(BaseModel):
    """The same as `Log` with a number, as a model that checks its input."""

    log: Annotated[list[str], operator.add] = []
    number: int = 0


@dataclass
class Card:
    """The same as a dataclass."""

    log: Annotated[list[str], operator.add] = field(default_factory=list)
    number: int = 0


def reducer_order(sleep: Sleep) -> Builder:
    def spell(word: str, seconds: float) -> Any:
        async def node(state: Ordered) -> dict[str, Any]:
            await sleep(seconds)
            return {"words": word}

        return node

    nodes = {"z": spell("z", 0.1), "k": spell("k", 0.2), "b": spell("b", 0.3), "after_z": spell("after", 0.1)}
    return connect(add_all(Ordered, nodes), (START, "z"), (START, "k"), (START, "b"), ("z", "after_z"))


def mutating_reducer(sleep: Sleep) -> Builder:
    async def fast(state: Extended) -> dict[str, Any]:
        await sleep(0.1)
        return {"words": ["fast"]}

    async def slow(state: Extended) -> dict[str, Any]:
        await sleep(0.5)
        return {"words": ["slow"]}

    async def after(state: Extended) -> dict[str, Any]:
        await sleep(0.1)
        return {"words": ["after"], "seen": ",".join(state["words"])}

    nodes = {"fast": fast, "slow": slow, "after": after}
    return connect(add_all(Extended, nodes), (START, "fast"), (START, "slow"), ("fast", "after"))


def mixed_keys(sleep: Sleep) -> Builder:
    async def a(state: Mixed) -> dict[str, Any]:
        await sleep(0.1)
        return {"once": "only now", "unsaved": "not saved", "log": ["a"]}

    async def b(state: Mixed) -> dict[str, Any]:
        await sleep(0.1)
        return {"log": [f"b {state.get('once')} {state.get('unsaved')}"]}

    async def c(state: Mixed) -> dict[str, Any]:
        await sleep(0.1)
        return {"log": [f"c {state.get('once')} {state.get('unsaved')}"]}

    builder = add_all(Mixed, {"a": a, "b": b, "c": c, "slow": say(sleep, "slow", 0.5)})
    return connect(builder, (START, "a"), (START, "slow"), ("a", "b"), ("b", "c"))


def changed_in_place(sleep: Sleep) -> Builder:
    """The slow node changes a value of the state and returns nothing; the next step sees it all the same."""

    async def fast(state: Nested) -> dict[str, Any]:
        await sleep(0.1)
        return {"log": ["fast"]}

    async def slow(state: Nested) -> None:
        await sleep(0.5)
        state["box"]["words"].append("slow was here")

    async def reader(state: Nested) -> dict[str, Any]:
        await sleep(0.1)
        return {"seen": ",".join(state["box"]["words"])}

    nodes = {"fast": fast, "slow": slow, "reader": reader}
    return connect(add_all(Nested, nodes), (START, "fast"), (START, "slow"), ("fast", "reader"))


def changed_by_a_helper(sleep: Sleep) -> Builder:
    """The change happens in a function that was handed the inner list."""

    def note(words: list[str], word: str) -> None:
        words.append(word)

    async def fast(state: Nested) -> dict[str, Any]:
        await sleep(0.1)
        return {"log": ["fast"]}

    async def slow(state: Nested) -> dict[str, Any]:
        await sleep(0.5)
        words = state["box"]["words"]
        note(words, "through a helper")
        return {"log": ["slow"]}

    async def reader(state: Nested) -> dict[str, Any]:
        await sleep(0.1)
        return {"seen": ",".join(state["box"]["words"])}

    nodes = {"fast": fast, "slow": slow, "reader": reader}
    return connect(add_all(Nested, nodes), (START, "fast"), (START, "slow"), ("fast", "reader"))


def two_names_for_one_value(sleep: Sleep) -> Builder:
    """One object under two keys: who changes `twin` changes `box`."""

    async def share(state: Nested) -> dict[str, Any]:
        shared: dict[str, list[str]] = {"words": []}
        return {"box": shared, "twin": shared}

    async def fast(state: Nested) -> dict[str, Any]:
        await sleep(0.1)
        return {"log": ["fast"]}

    async def slow(state: Nested) -> dict[str, Any]:
        await sleep(0.5)
        state["twin"]["words"].append("by the other name")
        return {"log": ["slow"]}

    async def reader(state: Nested) -> dict[str, Any]:
        await sleep(0.1)
        return {"seen": ",".join(state["box"]["words"])}

    nodes = {"share": share, "fast": fast, "slow": slow, "reader": reader}
    edges = [(START, "share"), ("share", "fast"), ("share", "slow"), ("fast", "reader")]
    return connect(add_all(Nested, nodes), *edges)


def kept_across_steps(sleep: Sleep) -> Builder:
    """A node keeps what it returned in a closure; a later, slower one changes it there."""
    kept: list[dict[str, list[str]]] = []

    async def make(state: Nested) -> dict[str, Any]:
        box: dict[str, list[str]] = {"words": []}
        kept.append(box)
        return {"box": box}

    async def fast(state: Nested) -> dict[str, Any]:
        await sleep(0.1)
        return {"log": ["fast"]}

    async def slow(state: Nested) -> dict[str, Any]:
        await sleep(0.5)
        kept[0]["words"].append("from the closure")
        return {"log": ["slow"]}

    async def reader(state: Nested) -> dict[str, Any]:
        await sleep(0.1)
        return {"seen": ",".join(state["box"]["words"])}

    nodes = {"make": make, "fast": fast, "slow": slow, "reader": reader}
    return connect(add_all(Nested, nodes), (START, "make"), ("make", "fast"), ("make", "slow"), ("fast", "reader"))


def returns_the_whole_state(sleep: Sleep) -> Builder:
    """A slow node assigns a key of its input and returns all of it."""

    async def fast(state: Nested) -> dict[str, Any]:
        await sleep(0.1)
        return {"log": ["fast"]}

    async def slow(state: Nested) -> Any:
        await sleep(0.5)
        state["seen"] = "by slow"
        return {**state, "log": ["slow"]}

    async def reader(state: Nested) -> dict[str, Any]:
        await sleep(0.1)
        return {"log": [state.get("seen", "nothing yet")]}

    nodes = {"fast": fast, "slow": slow, "reader": reader}
    return connect(add_all(Nested, nodes), (START, "fast"), (START, "slow"), ("fast", "reader"))


def empty_updates(sleep: Sleep) -> Builder:
    """Nodes that return nothing, an empty update, and a key that is not in the state."""

    async def none(state: Log) -> None:
        await sleep(0.1)

    async def empty(state: Log) -> dict[str, Any]:
        await sleep(0.2)
        return {}

    async def foreign(state: Log) -> dict[str, Any]:
        return {"log": ["foreign"], "no such key": 1}

    nodes = {"none": none, "empty": empty, "foreign": foreign, "slow": say(sleep, "slow", 0.4)}
    builder = add_all(Log, {**nodes, "end": say(sleep, "end", 0.1)})
    return connect(builder, (START, "none"), (START, "empty"), (START, "slow"), ("none", "foreign"), ("empty", "end"))


def empty_list(sleep: Sleep) -> Builder:
    """LangGraph takes a list of updates only if there is one in it."""

    async def empty(state: Log) -> list[Any]:
        await sleep(0.2)
        return []

    return connect(add_all(Log, {"a": say(sleep, "a", 0.1), "empty": empty}), (START, "a"), ("a", "empty"))


def private_keys(sleep: Sleep) -> Builder:
    async def hide(state: Question) -> dict[str, Any]:
        await sleep(0.1)
        return {"secret": state["question"].upper(), "log": ["hide"]}

    async def reveal(state: Private) -> dict[str, Any]:
        await sleep(0.2)
        return {"answer": state["secret"]}

    builder = StateGraph(Whole, input_schema=Question, output_schema=Answer)
    builder.add_node("hide", hide)
    builder.add_node("reveal", reveal)
    builder.add_node("slow", say(sleep, "slow", 0.6))
    return connect(builder, (START, "hide"), (START, "slow"), ("hide", "reveal"), ("reveal", END))


def pydantic_state(sleep: Sleep) -> Builder:
    async def a(state: Record) -> dict[str, Any]:
        await sleep(0.1)
        return {"log": ["a"], "number": 1}

    async def b(state: Record) -> dict[str, Any]:
        await sleep(0.1)
        return {"log": [f"b {state.number}"]}

    async def slow(state: Record) -> dict[str, Any]:
        await sleep(0.6)
        return {"log": ["slow"]}

    nodes = {"a": a, "b": b, "slow": slow}
    return connect(add_all(Record, nodes), (START, "a"), (START, "slow"), ("a", "b"))


def returned_model(sleep: Sleep) -> Builder:
    """A returned model writes every key that it has, defaults too: here it collides with a sibling."""

    async def a(state: Record) -> dict[str, Any]:
        await sleep(0.1)
        return {"number": 1}

    async def b(state: Record) -> dict[str, Any]:
        await sleep(0.1)
        return {"log": [f"b {state.number}"]}

    async def slow(state: Record) -> Record:
        await sleep(0.6)
        return Record(log=["slow"])

    nodes = {"a": a, "b": b, "slow": slow}
    return connect(add_all(Record, nodes), (START, "a"), (START, "slow"), ("a", "b"))


def wrong_number(sleep: Sleep) -> Builder:
    """The model refuses what the fast node wrote, when the next node is about to read it."""

    async def a(state: Record) -> dict[str, Any]:
        await sleep(0.1)
        return {"number": "not a number"}

    async def b(state: Record) -> dict[str, Any]:
        await sleep(0.1)
        return {"log": [f"b {state.number}"]}

    async def slow(state: Record) -> dict[str, Any]:
        await sleep(0.6)
        return {"log": ["slow"]}

    nodes = {"a": a, "b": b, "slow": slow}
    return connect(add_all(Record, nodes), (START, "a"), (START, "slow"), ("a", "b"))


def dataclass_state(sleep: Sleep) -> Builder:
    async def a(state: Card) -> dict[str, Any]:
        await sleep(0.1)
        return {"log": ["a"], "number": state.number + 1}

    async def b(state: Card) -> dict[str, Any]:
        await sleep(0.2)
        return {"log": [f"b {state.number}"]}

    async def slow(state: Card) -> dict[str, Any]:
        await sleep(0.6)
        return {"log": ["slow"]}

    nodes = {"a": a, "b": b, "slow": slow}
    return connect(add_all(Card, nodes), (START, "a"), (START, "slow"), ("a", "b"))


def messages_state(sleep: Sleep) -> Builder:
    """Messages with ids of their own, one replaced, one removed, one without an id."""

    async def model(state: MessagesState) -> dict[str, Any]:
        await sleep(0.2)
        return {"messages": [AIMessage("draft", id="answer"), AIMessage("kept", id="extra")]}

    async def slow(state: MessagesState) -> dict[str, Any]:
        await sleep(0.5)
        return {"messages": [HumanMessage("from slow")]}

    async def mend(state: MessagesState) -> dict[str, Any]:
        await sleep(0.1)
        return {"messages": [AIMessage(f"final of {len(state['messages'])}", id="answer"), RemoveMessage(id="extra")]}

    nodes = {"model": model, "slow": slow, "mend": mend}
    return connect(add_all(MessagesState, nodes), (START, "model"), (START, "slow"), ("model", "mend"))


@dataclass(frozen=True)
class Who:
    """Context of a run."""

    name: str = "nobody"


def context_and_store(sleep: Sleep) -> Builder:
    """Nodes that use the run's context, its stream writer and the graph's store."""

    async def put(state: Log, runtime: Runtime[Who]) -> dict[str, Any]:
        await sleep(0.1)
        assert runtime.store is not None
        await runtime.store.aput(("words",), "word", {"said": runtime.context.name})
        runtime.stream_writer({"from": "put", "number": 1})
        return {"log": ["put"]}

    async def slow(state: Log, runtime: Runtime[Who]) -> dict[str, Any]:
        await sleep(0.5)
        assert runtime.store is not None
        await runtime.store.aput(("words",), "late", {"said": "slowly"})
        return {"log": ["slow"]}

    async def get(state: Log, runtime: Runtime[Who]) -> dict[str, Any]:
        await sleep(0.1)
        assert runtime.store is not None
        found = await runtime.store.asearch(("words",))
        return {"log": [",".join(sorted(item.value["said"] for item in found))]}

    builder = StateGraph(Log, context_schema=Who)
    for name, node in (("put", put), ("slow", slow), ("get", get)):
        builder.add_node(name, node)
    return connect(builder, (START, "put"), (START, "slow"), ("put", "get"))


SHAPES = (
    Shape("reducer_order", "a reducer sees the writes in the text order of the names", reducer_order),
    Shape("mutating_reducer", "a reducer that changes its left side", mutating_reducer),
    Shape("mixed_keys", "ephemeral and untracked keys", mixed_keys),
    Shape("changed_in_place", "a node that changes the state in place", changed_in_place, {"box": {"words": []}}),
    Shape("changed_by_a_helper", "a change made by a helper", changed_by_a_helper, {"box": {"words": []}}),
    Shape("two_names_for_one_value", "one object under two keys", two_names_for_one_value),
    Shape("kept_across_steps", "an object that a closure changes later", kept_across_steps),
    Shape("returns_the_whole_state", "a node that returns all keys", returns_the_whole_state),
    Shape("empty_updates", "nodes that return nothing", empty_updates),
    Shape(
        "private_keys",
        "schemas that are narrower than the state",
        private_keys,
        {"question": "why"},
        critical_path_s=0.6,
        supersteps_s=0.8,
    ),
    Shape("pydantic_state", "a Pydantic state", pydantic_state, {"number": 0}),
    Shape("returned_model", "a node that returns a whole model", returned_model, {"number": 0}),
    Shape("empty_list", "a node that returns an empty list", empty_list),
    Shape("wrong_number", "a Pydantic state that refuses an input", wrong_number),
    Shape("dataclass_state", "a dataclass state", dataclass_state, critical_path_s=0.6, supersteps_s=0.8),
    Shape(
        "messages_state",
        "messages replaced, removed and given an id",
        messages_state,
        {"messages": [HumanMessage("hello", id="h")]},
    ),
    Shape(
        "context_and_store",
        "context, stream writer and store",
        context_and_store,
        context=Who("somebody"),
        compile=lambda: {"store": InMemoryStore()},
    ),
)
