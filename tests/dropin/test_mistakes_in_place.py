"""Changes in place: found with `check=True`, and by nobody otherwise. What LangGraph makes of them stays as it is."""

from __future__ import annotations

import asyncio
import operator
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Annotated, Any

import graphs
import pytest
from langchain_core.messages import AIMessage, HumanMessage
from langgraph.graph import START, MessagesState, StateGraph
from langgraph.types import Send
from pydantic import BaseModel
from typing_extensions import TypedDict

import alto_lg
from alto_lg.adapters.langgraph.mistakes.fingerprints import fingerprint
from alto_lg.errors import Mistake
from dropin.mistaken import Heard, answer, both_colours, hear
from dropin.shapes.base import Shape
from dropin.watch import App, Tempo, invoke, plain_langgraph


class Notes(TypedDict):
    log: list[str]
    seen: int


def _given() -> dict[str, Any]:
    return {"log": ["first"], "seen": 0}


def _notes(**nodes: Any) -> App:
    builder = StateGraph(Notes)
    for name, node in nodes.items():
        builder.add_node(name, node)
        builder.add_edge(START, name)
    return builder.compile()


def changed(node: str, key: str) -> str:
    return (
        f"Node {node!r} changed {key!r} in place. Other nodes may or may not see that, depending on timing. "
        f"Return {{{key!r}: …}} instead."
    )


def appends(state: Notes) -> None:
    state["log"].append("more")


async def appends_later(state: Notes) -> None:
    await asyncio.sleep(0.1)
    state["log"].append("more")


async def looks(state: Notes) -> dict[str, Any]:
    await asyncio.sleep(0.2)
    return {"seen": len(state["log"])}


def assert_found(build: Callable[[], App], call: Callable[[App], Any], text: str) -> None:
    """LangGraph goes on, and so do we; it is said with `check=True`, and raised with `strict=True` besides."""
    plain = hear(lambda: call(build()))
    assert hear(lambda: call(alto_lg.accelerate(build()))) == plain
    app = alto_lg.accelerate(build(), check=True)
    assert hear(lambda: call(app)) == Heard(plain.result, [text])
    assert hear(lambda: call(app)).said == []
    with pytest.raises(Mistake) as raised:
        call(alto_lg.accelerate(build(), check=True, strict=True))
    assert str(raised.value) == text


def assert_not_found(build: Callable[[], App], call: Callable[[App], Any]) -> None:
    plain = hear(lambda: call(build()))
    assert hear(lambda: call(alto_lg.accelerate(build(), check=True, strict=True))) == plain


# ── nodes ───────────────────────────────────────────────────────────────────────────────────────────────────────


@both_colours
def test_a_node_that_changes_a_value_in_place_is_named(colour: Any) -> None:
    assert_found(lambda: _notes(a=appends), lambda app: answer(app, colour, _given()), changed("a", "log"))


def test_a_node_that_returns_what_it_changed_is_named_as_well() -> None:
    def a(state: Notes) -> dict[str, Any]:
        state["log"].append("more")
        return {"log": state["log"]}

    assert_found(lambda: _notes(a=a), lambda app: answer(app, "sync", _given()), changed("a", "log"))


def test_a_sibling_sees_the_change_and_is_not_suspected() -> None:
    plain = answer(_notes(looks=looks, quick=appends), "async", _given())
    assert plain == {"log": ["first", "more"], "seen": 2}  # though nobody returned it
    assert_found(
        lambda: _notes(looks=looks, quick=appends),
        lambda app: answer(app, "async", _given()),
        "One of the nodes 'looks' and 'quick' changed 'log' in place. Other nodes may or may not see that, depending "
        "on timing. Return {'log': …} instead.",
    )


def test_a_node_that_began_after_the_change_is_not_suspected() -> None:
    def build() -> App:
        builder = StateGraph(Notes)
        builder.add_node("a", appends)
        builder.add_node("looks", looks)
        builder.add_edge(START, "a")
        builder.add_edge("a", "looks")
        return builder.compile()

    assert_found(build, lambda app: answer(app, "async", _given()), changed("a", "log"))


@dataclass
class Record:
    items: list[str] = field(default_factory=list)
    name: str = ""


class Model(BaseModel):
    items: list[str] = []
    name: str = ""

    @cached_property
    def count(self) -> int:
        return len(self.items)


class Anything(TypedDict):
    value: Any


def _any(node: Any) -> App:
    builder = StateGraph(Anything)
    builder.add_node("a", node)
    builder.add_edge(START, "a")
    return builder.compile()


@pytest.mark.parametrize(
    ("make", "change"),
    [
        (lambda: {"deep": [{"deeper": []}]}, lambda value: value["deep"][0]["deeper"].append(1)),
        (lambda: {"a": 1}, lambda value: value.update(a=2)),
        (lambda: {"a"}, lambda value: value.add("b")),
        (lambda: deque([1]), lambda value: value.appendleft(0)),
        (lambda: bytearray(b"one"), lambda value: value.extend(b"two")),
        (lambda: ([],), lambda value: value[0].append(1)),
        (Record, lambda value: value.items.append("x")),
        (Record, lambda value: setattr(value, "name", "x")),
        (Model, lambda value: value.items.append("x")),
        (Model, lambda value: setattr(value, "name", "x")),
        (lambda: [3, 1, 2], lambda value: value.sort()),
        (lambda: AIMessage("x", id="1"), lambda value: setattr(value, "content", "y")),
    ],
)
def test_a_change_of_any_kind_is_found(make: Callable[[], Any], change: Callable[[Any], None]) -> None:
    assert_found(
        lambda: _any(lambda state: change(state["value"])),
        lambda app: len(answer(app, "sync", {"value": make()})),
        changed("a", "value"),
    )


class Client:
    """Not a container: it may do inside what it likes."""

    def __init__(self) -> None:
        self.calls: list[int] = []


@pytest.mark.parametrize(
    ("make", "use"),
    [
        (lambda: [1, 2], lambda value: sorted(value)),
        (Model, lambda value: value.count),
        (Client, lambda value: value.calls.append(1)),
        (lambda: [Client()], lambda value: value[0].calls.append(1)),
        (lambda: [float("nan"), None, 1.5], lambda value: list(reversed(value))),
        (lambda: iter([1, 2]), lambda value: next(value)),
    ],
)
def test_use_that_changes_nothing_of_the_state_is_not_found(make: Callable[[], Any], use: Callable[[Any], Any]) -> None:
    def a(state: Anything) -> None:
        use(state["value"])

    assert_not_found(lambda: _any(a), lambda app: len(answer(app, "sync", {"value": make()})))


def test_the_state_itself_is_the_nodes_own() -> None:
    def a(state: Notes) -> dict[str, Any]:
        state["log"] = [*state["log"], "more"]
        state["seen"] += 1
        return {"seen": state["seen"]}

    assert_not_found(lambda: _notes(a=a), lambda app: answer(app, "sync", _given()))


def test_a_value_that_holds_itself_can_be_looked_at() -> None:
    loop: list[Any] = [1]
    loop.append(loop)
    before = fingerprint(loop)
    assert fingerprint(loop) == before
    loop.append(2)
    assert fingerprint(loop) != before


def test_the_error_of_a_node_that_changed_something_is_its_own() -> None:
    def a(state: Notes) -> None:
        state["log"].append("more")
        raise LookupError("mine")

    for strict in (False, True):
        app = alto_lg.accelerate(_notes(a=a), check=True, strict=strict)
        with pytest.raises(LookupError, match="mine"):
            answer(app, "async", _given())


# ── packets ─────────────────────────────────────────────────────────────────────────────────────────────────────


def _sending(node: Any) -> App:
    builder = StateGraph(Notes)
    builder.add_node("a", node)
    builder.add_conditional_edges(START, lambda state: [Send("a", {"log": ["packet"], "seen": 1})])
    return builder.compile()


@pytest.mark.parametrize("change", [lambda packet: packet["log"].append("x"), lambda packet: packet.update(seen=2)])
def test_a_node_that_changes_its_packet_is_named(change: Callable[[Any], None]) -> None:
    assert_found(
        lambda: _sending(lambda packet: change(packet)),
        lambda app: answer(app, "async", _given()),
        "Node 'a' changed the packet of its Send in place. Whoever shares it may or may not see that, depending on "
        "timing. Copy it first.",
    )


# ── reducers ────────────────────────────────────────────────────────────────────────────────────────────────────


def extend(left: list[str], right: list[str]) -> list[str]:
    left.extend(right)
    return left


def extend_and_copy(left: list[str], right: list[str]) -> list[str]:
    left.extend(right)
    return list(left)


def _reducing(reducer: Any) -> Callable[[], App]:
    def build() -> App:
        builder = StateGraph(TypedDict("Reduced", {"log": Annotated[list[str], reducer]}))
        builder.add_node("a", lambda state: {"log": ["a"]})
        builder.add_node("b", lambda state: {"log": ["b"]})
        builder.add_edge(START, "a")
        builder.add_edge("a", "b")
        return builder.compile()

    return build


@both_colours
@pytest.mark.parametrize("reducer", [extend, extend_and_copy, operator.iadd])
def test_a_reducer_that_changes_its_left_side_is_named(reducer: Any, colour: Any) -> None:
    assert_found(
        _reducing(reducer),
        lambda app: answer(app, colour, {"log": ["first"]}),
        f"Reducer {reducer.__name__!r} changed the left side of 'log' in place. Other nodes may or may not see that, "
        "depending on timing. Return a new value instead.",
    )


@pytest.mark.parametrize("reducer", [operator.add, lambda left, right: [*left, *right], lambda left, right: right])
def test_a_reducer_that_makes_a_new_value_is_not_complained_of(reducer: Any) -> None:
    assert_not_found(_reducing(reducer), lambda app: answer(app, "async", {"log": ["first"]}))


def test_messages_that_get_their_ids_are_not_complained_of() -> None:
    def build() -> App:
        builder = StateGraph(MessagesState)
        builder.add_node("a", lambda state: {"messages": [AIMessage("hello")]})
        builder.add_node("b", lambda state: {"messages": [AIMessage("again")]})
        builder.add_edge(START, "a")
        builder.add_edge(START, "b")
        return builder.compile()

    assert_not_found(build, lambda app: len(answer(app, "async", {"messages": [HumanMessage("hi")]})["messages"]))


# ── all shapes ──────────────────────────────────────────────────────────────────────────────────────────────────


def _checked(graph: App, **options: Any) -> App:
    return alto_lg.accelerate(graph, check=True, **options)


CHANGE_IN_PLACE = {
    "changed_by_a_helper",
    "changed_in_place",
    "kept_across_steps",
    "mutating_reducer",
    "turn_fields",
    "two_names_for_one_value",
}


@pytest.mark.parametrize("shape", graphs.SHAPES, ids=str)
def test_looking_for_changes_finds_those_of_a_shape_and_changes_no_answer(shape: Shape) -> None:
    for tempo in (Tempo(), Tempo(1, "shuffle", 1)):
        wanted = invoke(shape, plain_langgraph, Tempo(stretch=tempo.stretch)).result
        heard = hear(lambda: invoke(shape, _checked, tempo).result)  # noqa: B023
        assert heard.result == wanted
        assert any("in place" in text for text in heard.said) == (shape.name in CHANGE_IN_PLACE)
