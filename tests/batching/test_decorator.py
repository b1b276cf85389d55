"""The decorator: what it takes and refuses, and what others see of what it gives."""

from __future__ import annotations

import inspect
import math
import pickle
from collections.abc import AsyncIterator, Iterator, Sequence
from typing import Any, Literal, get_type_hints

import pytest
from langchain_core.runnables import RunnableConfig
from langgraph.graph import START, StateGraph
from langgraph.types import Command
from typing_extensions import TypedDict

import alto_lg
from alto_lg.batching import Batching, batching_of
from alto_lg.batching._outcomes import for_all
from alto_lg.engine.batching import BatchLimits


class Small(TypedDict):
    text: str


class State(Small):
    vector: int


def embed(states: list[Small]) -> list[Command[Literal["after"]]]:
    return [Command(update={"vector": len(state["text"])}, goto="after") for state in states]


def test_langgraph_finds_the_input_and_the_destinations_of_one_item() -> None:
    node = alto_lg.batched(max_size=4)(embed)
    assert get_type_hints(node) == {"state": Small, "return": Command[Literal["after"]]}
    assert list(inspect.signature(node).parameters) == ["state"]
    builder = StateGraph(State)
    builder.add_node(node)
    assert builder.nodes["embed"].input_schema is Small
    assert builder.nodes["embed"].ends == ("after",)


def test_a_sequence_of_unnamed_things_leaves_the_schema_to_the_graph() -> None:
    @alto_lg.batched(max_size=4)
    async def named_nowhere(states: "Sequence[NotThere]") -> Any:  # type: ignore[name-defined]  # noqa: F821, UP037
        return states

    assert named_nowhere.__annotations__ == {}
    builder = StateGraph(State)
    builder.add_node(named_nowhere)
    builder.add_edge(START, "named_nowhere")
    assert builder.nodes["named_nowhere"].input_schema is State


def test_it_is_an_ordinary_function_for_everyone_else() -> None:
    node = alto_lg.batched(max_size=4)(embed)
    assert node.__name__ == "embed"
    assert node.__module__ == __name__
    assert node({"text": "four"}).update == {"vector": 4}


async def with_config(states: list[State], config: RunnableConfig) -> list[dict[str, Any]]:
    return []


def with_store(states: list[State], *, store: Any = None) -> list[dict[str, Any]]:
    return []


def two_inputs(self: Any, states: list[State]) -> list[dict[str, Any]]:
    return []


def nothing() -> list[dict[str, Any]]:
    return []


def generator(states: list[State]) -> Iterator[dict[str, Any]]:
    yield {}


async def agenerator(states: list[State]) -> AsyncIterator[dict[str, Any]]:
    yield {}


@pytest.mark.parametrize(
    ("function", "said"),
    [
        (with_config, r"'with_config', which asks for 'config': .* an async node that awaits with_config\(\)"),
        (with_store, "'with_store', which asks for 'store'"),
        (two_inputs, r"'two_inputs', whose parameter 'states' nobody fills in: .* decorate the bound one"),
        (nothing, "'nothing', which takes no input: give it one parameter"),
        (generator, "the generator function 'generator': let it return a list"),
        (agenerator, "the generator function 'agenerator'"),
        (alto_lg.batched(max_size=2)(embed), "because alto_lg.batched has made it"),
        (alto_lg.reading(notes=alto_lg.First(1))(embed), "put reading above"),
        (State, "got State"),
        (3, "got int"),
    ],
)
def test_what_is_no_function_of_one_list_is_refused(function: Any, said: str) -> None:
    with pytest.raises(TypeError, match=said):
        alto_lg.batched(max_size=4)(function)


@pytest.mark.parametrize(
    ("limits", "said"),
    [
        ({"max_size": 0}, "max_size=0: give 1 or more"),
        ({"max_size": 1, "max_calls": 0}, "max_calls=0: give 1 or more"),
        ({"max_size": 1, "max_wait_ms": -1}, "max_wait_ms=-1: give milliseconds"),
        ({"max_size": 1, "max_wait_ms": math.nan}, "max_wait_ms=nan"),
    ],
)
def test_limits_that_cannot_be_are_refused(limits: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        alto_lg.batched(**limits)


def test_a_further_parameter_with_a_default_is_the_functions_own() -> None:
    @alto_lg.batched(max_size=4)
    def scaled(items: list[int], factor: int = 3) -> list[int]:
        return [factor * item for item in items]

    assert scaled(2) == 6


def test_the_mark_of_a_function_is_not_that_of_a_decorator_above_it() -> None:
    import functools

    node = alto_lg.batched(max_size=4)(embed)
    above = functools.wraps(node)(lambda state: node(state))
    assert batching_of(node) is not None
    assert batching_of(above) is None
    with pytest.raises(TypeError, match=r"did not come from alto_lg\.batched"):
        alto_lg.batch_statistics(above)


def test_what_forms_the_batches_goes_to_another_process_with_nothing_under_way() -> None:
    batching = Batching(embed, "embed", BatchLimits(4, 0.01, 1))
    again = pickle.loads(pickle.dumps(batching))
    assert (again.function, again.name, again.limits) == (embed, "embed", batching.limits)
    assert again.call({"text": "four"}).update == {"vector": 4}


class WithCode(Exception):
    def __init__(self, code: int, *, hint: str) -> None:
        self.code, self.hint = code, hint
        super().__init__(f"{code} ({hint})")


class Unusual(OSError):
    def __init__(self, path: str) -> None:
        super().__init__(2, "not there", path)


class CannotBeCopied(Exception):
    def __reduce__(self) -> Any:
        raise TypeError("never")


def _undecodable() -> UnicodeDecodeError:
    with pytest.raises(UnicodeDecodeError) as caught:
        b"\xff".decode()
    return caught.value


@pytest.mark.parametrize(
    "error",
    [
        WithCode(429, hint="later"),
        Unusual("x.txt"),
        KeyError("k"),
        _undecodable(),
        ExceptionGroup("two", [ValueError(1), KeyError(2)]),
        alto_lg.BatchMismatch(None, "f", 2, "3 outputs"),
        StopIteration(7),
    ],
    ids=lambda error: type(error).__name__,
)
def test_a_failure_of_several_is_equal_for_each_and_shared_by_none(error: Exception) -> None:
    error.add_note("of the call")
    error.__cause__ = ValueError("why")
    first, second, third = for_all(error, 3)
    assert first is error
    assert second is not first
    assert third is not second
    for copied in (second, third):
        assert type(copied) is type(error)
        assert (str(copied), copied.args) == (str(error), error.args)
        assert {k: v for k, v in vars(copied).items() if k != "__notes__"} == {
            k: v for k, v in vars(error).items() if k != "__notes__"
        }
        assert copied.__cause__ is error.__cause__
        copied.add_note("of one run")
    assert error.__notes__ == ["of the call"]
    assert getattr(second, "filename", None) == getattr(error, "filename", None)


def test_an_exception_that_cannot_be_copied_is_shared() -> None:
    error = CannotBeCopied("x")
    assert for_all(error, 2) == [error, error]
