"""Mistaken: what the tests on mistakes share.

Owns the hearing of what is said. Always true: a graph is made anew for each hearing, because a mistake is said once.
"""

from __future__ import annotations

import operator
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any, Literal

import pytest
from langgraph.graph import START, StateGraph
from sim.loop import run
from typing_extensions import TypedDict

import alto_lg
from alto_lg.errors import Mistake
from dropin.watch import App

Colour = Literal["async", "sync"]
INPUT: dict[str, Any] = {"x": 0, "log": []}
THREAD: dict[str, Any] = {"configurable": {"thread_id": "1"}}

both_colours = pytest.mark.parametrize("colour", ["async", "sync"])


class State(TypedDict):
    x: int
    log: Annotated[list[str], operator.add]


@dataclass(frozen=True, slots=True)
class Heard:
    """What a call gave, and what alto_lg said of it."""

    result: Any
    said: list[str]


def graph_of(*nodes: Any, **named: Any) -> StateGraph[State]:
    """A graph in which the nodes all start at once; functions under their own names, or under given ones."""
    builder = StateGraph(State)
    for name, node in {**{node.__name__: node for node in nodes}, **named}.items():
        builder.add_node(name, node)
        builder.add_edge(START, name)
    return builder


def writes_x(state: State) -> dict[str, Any]:
    return {"x": 1}


def hear(call: Callable[[], Any]) -> Heard:
    """Call, and keep the warnings that are ours; LangGraph's own go where they go."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        result = call()
    return Heard(result, [str(one.message) for one in caught if issubclass(one.category, alto_lg.AltoWarning)])


def answer(app: App, colour: Colour, given: Any = None, config: Any = None, **settings: Any) -> Any:
    """The answer of a run; the asynchronous one on a virtual loop, which fails if anything is left behind."""
    given = INPUT if given is None else given
    if colour == "sync":
        return app.invoke(given, config, **settings)

    async def main() -> Any:
        return await app.ainvoke(given, config, **settings)

    return run(main).result


def events(app: App, colour: Colour, config: Any = None, **settings: Any) -> list[Any]:
    """The events of a run."""
    if colour == "sync":
        return list(app.stream(INPUT, config, **settings))

    async def main() -> list[Any]:
        return [event async for event in app.astream(INPUT, config, **settings)]

    return run(main).result


def assert_said(build: Callable[[], Any], call: Callable[[App], Any], text: str) -> None:
    """LangGraph goes on; so do we, with the same result and one warning for two runs; not so with `strict=True`."""
    plain = hear(lambda: call(build()))
    assert plain.said == []
    app = alto_lg.accelerate(build())
    assert hear(lambda: call(app)) == Heard(plain.result, [text])
    assert hear(lambda: call(app)).said == []
    strict = alto_lg.accelerate(build(), strict=True)
    for _ in range(2):
        with pytest.raises(Mistake) as raised, warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # LangGraph's own
            call(strict)
        assert str(raised.value) == text
    assert isinstance(raised.value, ValueError | alto_lg.AltoError)


def assert_not_said(build: Callable[[], Any], call: Callable[[App], Any]) -> None:
    """What looks like the mistake, and is not, goes on in silence, with `strict=True` and `check=True` too."""
    plain = hear(lambda: call(build()))
    for options in ({}, {"strict": True}, {"strict": True, "check": True}):
        assert hear(lambda: call(alto_lg.accelerate(build(), **options))) == plain  # noqa: B023


def assert_same_error(build: Callable[[], Any], call: Callable[[App], Any], note: str | None = None) -> BaseException:
    """LangGraph raises; we raise the same class and text, and add at most the note."""
    found = []
    for app in (build(), alto_lg.accelerate(build())):
        with pytest.raises(Exception) as raised, warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)
            call(app)
        found.append(raised.value)
    plain, ours = found
    assert (type(ours), str(ours)) == (type(plain), str(plain))
    if note is not None:
        assert note not in getattr(plain, "__notes__", [])
        assert getattr(ours, "__notes__", [])[-1:] == [note]
    return ours
