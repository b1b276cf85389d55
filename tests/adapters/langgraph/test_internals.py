"""Internals: each private name of LangGraph that is used is what it is taken for, and none of them is touched."""

from __future__ import annotations

import dataclasses
import inspect
from typing import Any

import pytest
from langgraph.graph import StateGraph
from langgraph.pregel import Pregel
from langgraph.pregel import main as pregel_main
from langgraph.types import Send
from sim.loop import run
from typing_extensions import TypedDict

from alto_lg.adapters.langgraph import internals
from alto_lg.adapters.langgraph.internals import installed, supported, with_names


@pytest.mark.parametrize(
    ("version", "expected"),
    [
        ("1.2.10", False),
        ("1.2.11", True),
        ("1.2.22", True),
        ("1.2.99", True),
        ("1.2.100", True),
        ("1.3.0", False),
        ("1.10.0", False),
        ("2.0.0", False),
        ("0.6.7", False),
        ("1.1.99", False),
        ("1.3.0a1", False),
        ("1.2", False),
    ],
)
def test_the_supported_versions_are_those_that_were_checked(version: str, expected: bool) -> None:
    assert supported(version) is expected


def test_the_installed_version_is_supported() -> None:
    assert supported(installed())


def test_every_name_is_listed_and_there() -> None:
    assert len(set(internals.__all__)) == len(internals.__all__)
    for name in internals.__all__:
        assert getattr(internals, name) is not None


PARAMETERS = {
    "prepare_single_task": (
        "task_path task_id_checksum checkpoint checkpoint_id_bytes checkpoint_null_version pending_writes processes "
        "channels managed config step stop for_execution store checkpointer manager cache_policy retry_policy"
    ),
    "arun_with_retry": "task retry_policy stream configurable",
    "map_output_updates": "output_channels tasks cached",
    "checkpoint_null_version": "checkpoint",
    "interrupt_id": "ns answered",
}


@pytest.mark.parametrize("name", PARAMETERS)
def test_a_function_takes_the_arguments_that_it_is_given(name: str) -> None:
    parameters = inspect.signature(getattr(internals, name)).parameters
    expected = PARAMETERS[name].split()
    if name in ("map_output_updates", "checkpoint_null_version", "interrupt_id"):  # called by position
        assert len(parameters) >= len(expected)
        assert sum(one.default is inspect.Parameter.empty for one in parameters.values()) <= len(expected)
    else:
        assert set(expected) <= set(parameters)
        required = {name for name, one in parameters.items() if one.default is inspect.Parameter.empty}
        assert required - {"kwargs"} <= set(expected)


METHODS = {
    "AsyncPregelLoop": {
        "__aenter__": [],
        "__aexit__": ["exc_type", "exc_value", "traceback"],
        "tick": [],
        "put_writes": ["task_id", "writes"],
        "output_writes": ["task_id", "writes", "cached"],
        "_emit": ["mode", "values"],
    },
    "PregelRunner": {"__init__": ["submit", "put_writes"]},
    "PregelNode": {"copy": ["update"]},
    "ChannelWrite": {"register_writer": ["runnable"]},
    "RunnableCallable": {"__init__": ["func", "afunc", "name", "trace"]},
    "BaseChannel": {"copy": [], "get": [], "update": ["values"], "consume": [], "finish": [], "is_available": []},
}


@pytest.mark.parametrize("name", METHODS)
def test_a_class_has_the_methods_that_are_called_or_overridden(name: str) -> None:
    for method, arguments in METHODS[name].items():
        parameters = inspect.signature(getattr(getattr(internals, name), method)).parameters
        assert set(arguments) <= set(parameters), method


FIELDS = {
    "PregelExecutableTask": "name input proc writes config triggers retry_policy cache_key id path timeout",
    "PregelNode": "channels triggers mapper writers bound subgraphs cache_policy is_error_handler error_handler_node",
    "ChannelWriteEntry": "channel value skip_none mapper",
    "ChannelWriteTupleEntry": "mapper value static",
    "BranchSpec": "path ends",
    "BinaryOperatorAggregate": "value operator",
}


@pytest.mark.parametrize("name", FIELDS)
def test_a_record_has_the_fields_that_are_read(name: str) -> None:
    kind: Any = getattr(internals, name)
    if dataclasses.is_dataclass(kind):
        known = {field.name for field in dataclasses.fields(kind)}
    elif hasattr(kind, "_fields"):
        known = set(kind._fields)
    else:
        known = {*getattr(kind, "__annotations__", {}), *getattr(kind, "__slots__", ())}
    assert set(FIELDS[name].split()) <= known


def test_paths_and_keys_have_the_names_that_are_compared() -> None:
    assert (internals.PULL, internals.PUSH, internals.TASKS) == ("__pregel_pull", "__pregel_push", "__pregel_tasks")
    assert (internals.ERROR, internals.INTERRUPT, internals.CONF) == ("__error__", "__interrupt__", "configurable")


class _State(TypedDict):
    x: int


def test_astream_makes_its_loop_and_its_runner_by_the_names_that_are_replaced() -> None:
    code = Pregel.astream.__code__
    assert {"AsyncPregelLoop", "PregelRunner"} <= set(code.co_names)
    assert Pregel.astream.__closure__ is None


def _graph() -> Any:
    builder: Any = StateGraph(_State)
    builder.add_node("a", lambda state: {"x": state["x"] + 1})
    builder.set_entry_point("a")
    return builder.compile()


def _parameters(function: Any) -> list[tuple[str, Any, Any]]:
    return [(one.name, one.kind, one.default) for one in inspect.signature(function).parameters.values()]


def test_with_names_runs_astream_over_the_given_loop_and_leaves_langgraph_alone() -> None:
    made: list[Any] = []

    def loop(*args: Any, **kwargs: Any) -> Any:
        made.append(kwargs)
        return internals.AsyncPregelLoop(*args, **kwargs)

    before = dict(vars(pregel_main))
    astream = with_names(Pregel.astream, AsyncPregelLoop=loop)
    graph = _graph()

    async def ours() -> list[Any]:
        return [chunk async for chunk in astream(graph, {"x": 1}, stream_mode="values")]

    async def theirs() -> list[Any]:
        return [chunk async for chunk in graph.astream({"x": 1}, stream_mode="values")]

    assert run(ours).result == run(theirs).result == [{"x": 1}, {"x": 2}]
    assert len(made) == 1, "plain astream does not use our loop"
    assert dict(vars(pregel_main)) == before
    assert vars(pregel_main)["AsyncPregelLoop"] is internals.AsyncPregelLoop
    assert astream is not Pregel.astream
    assert _parameters(astream) == _parameters(Pregel.astream)
    assert astream.__doc__ == Pregel.astream.__doc__


def test_the_tasks_queue_shows_sends_in_the_order_in_which_they_are_numbered() -> None:
    channel = _graph().channels[internals.TASKS].copy()
    sends = [Send("a", number) for number in range(12)]
    channel.update([sends[0], sends[1:6], *sends[6:]])
    assert all(one is other for one, other in zip(channel.get(), sends, strict=True))
