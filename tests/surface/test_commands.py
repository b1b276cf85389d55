"""Commands for the graph above, packets among edges, and nodes that wait for the end of a run."""

from __future__ import annotations

import operator
from typing import Annotated, Any

from dropin.shapes.base import Builder, Log, add_all, connect
from langgraph.graph import END, START
from langgraph.types import Command, Overwrite, Send
from typing_extensions import TypedDict

from surface.bench import UNEVEN_LOG, Bench, uneven


class Items(TypedDict):
    index: int
    log: Annotated[list[str], operator.add]


class Turns(TypedDict):
    turns: Annotated[int, operator.add]
    log: Annotated[list[str], operator.add]


def _leaving(bench: Bench, command: Any) -> Builder:
    """A subgraph whose node leaves it, beside a slow node; two steps before it, something may start early."""

    def leave(state: Log) -> Any:
        return command

    inner = connect(add_all(Log, {"one": bench.say("one"), "leave": leave}), (START, "one"), ("one", "leave"))
    builder = add_all(Log, {"fast": bench.say("fast"), "slow": bench.slow(), "after": bench.overtakes("after")})
    builder.add_node("inner", inner.compile(), destinations=("target",))
    builder.add_node("target", bench.say("target"))
    return connect(builder, (START, "fast"), (START, "slow"), ("fast", "after"), ("after", "inner"))


def test_a_command_for_the_graph_above_goes_to_its_node_with_its_update(bench: Bench) -> None:
    command: Command[Any] = Command(graph=Command.PARENT, goto="target", update={"log": ["from inside"]})
    app = bench.app(_leaving(bench, command))
    assert bench.invoke(app, {"log": []})["log"] == ["fast", "slow", "after", "from inside", "target"]
    bench.assert_started_early(app)


def test_an_update_alone_for_the_graph_above(bench: Bench) -> None:
    app = bench.app(_leaving(bench, Command(graph=Command.PARENT, update={"log": ["from inside"]})))
    assert bench.invoke(app, {"log": []})["log"] == ["fast", "slow", "after", "from inside"]
    bench.assert_started_early(app)


def test_several_commands_at_once(bench: Bench) -> None:
    command = [Command(update={"log": ["first"]}), Command(graph=Command.PARENT, goto=[Send("target", {"log": []})])]
    app = bench.app(_leaving(bench, command))
    assert bench.invoke(app, {"log": []})["log"] == ["fast", "slow", "after", "target"]
    bench.assert_started_early(app)


def test_a_command_from_the_caller_updates_and_goes(bench: Bench) -> None:
    app = bench.app(uneven(bench))
    found = bench.invoke(app, Command(update={"log": ["given"]}, goto="after"))
    # LangGraph 1.2.22 gives the update to the input node as well, so that the run begins there too.
    assert found["log"] == ["given", "given", "after", "fast", "slow", "after", "last", "last"]


def test_a_deferred_node_waits_for_every_branch(bench: Bench) -> None:
    nodes = {"fast": bench.say("fast"), "slow": bench.slow(), "after": bench.overtakes("after")}
    builder = add_all(Log, nodes)
    builder.add_node("late", lambda state: {"log": [f"late {len(state['log'])}"]}, defer=True)
    connect(builder, (START, "fast"), (START, "slow"), ("fast", "after"), ("fast", "late"), ("slow", "late"))
    app = bench.app(connect(builder, ("after", "late"), ("late", END)))
    assert bench.invoke(app, {"log": []})["log"] == ["fast", "slow", "after", "late 3"]
    bench.assert_started_early(app)


def test_a_deferred_node_does_not_wait_for_packets_still_on_their_way(bench: Bench) -> None:
    """Packet 0 takes one hop, packet 1 two: LangGraph 1.2.22 runs the deferred node after each."""

    def spread(state: Items) -> list[Send]:
        return [Send("hop", {"index": index}) for index in range(2)]

    def hop(item: Items) -> Command[Any]:
        bench.overtaken.set()
        goto = [Send("hop", {"index": 0})] if item["index"] else []
        return Command(update={"log": [f"hop {item['index']}"]}, goto=goto)

    builder = add_all(Items, {"plan": bench.say("plan"), "slow": bench.slow()})
    builder.add_node("hop", hop, destinations=("hop",))
    builder.add_node("join", lambda state: {"log": [f"joined {len(state['log'])}"]}, defer=True)
    builder.add_conditional_edges("plan", spread, ["hop"])
    app = bench.app(connect(builder, (START, "plan"), (START, "slow"), ("hop", "join")))
    log = bench.invoke(app, {"index": 0, "log": []})["log"]
    assert log == ["plan", "slow", "hop 0", "hop 1", "joined 4", "hop 0", "joined 6"]
    bench.assert_started_early(app)


def test_packets_from_the_start_go_on_while_one_of_them_is_slow(bench: Bench) -> None:
    def spread(state: Items) -> list[Send]:
        return [Send("slow", {"index": 0}), *(Send("first", {"index": index}) for index in range(1, 4))]

    def first(item: Items) -> Command[Any]:
        return Command(update={"log": [f"first {item['index']}"]}, goto=Send("second", {"index": item["index"]}))

    def second(item: Items) -> dict[str, Any]:
        bench.overtaken.set()
        return {"log": [f"second {item['index']}"]}

    builder = add_all(Items, {"slow": bench.slow(), "second": second})
    builder.add_node("first", first, destinations=("second",))
    builder.add_conditional_edges(START, spread, ["slow", "first"])
    app = bench.app(builder)
    log = bench.invoke(app, {"index": 0, "log": []})["log"]
    assert log == ["slow", "first 1", "first 2", "first 3", "second 1", "second 2", "second 3"]
    bench.assert_started_early(app)


def test_an_overwrite_replaces_what_a_reducer_would_add_to(bench: Bench) -> None:
    def replace(state: Log) -> dict[str, Any]:
        bench.overtaken.set()
        return {"log": Overwrite(["only this"])}

    nodes = {"fast": bench.say("fast"), "slow": bench.slow(), "replace": replace, "last": bench.say("last")}
    builder = connect(add_all(Log, nodes), (START, "fast"), (START, "slow"), ("fast", "replace"), ("replace", "last"))
    app = bench.app(builder)
    assert bench.invoke(app, {"log": []})["log"] == ["only this", "last"]
    bench.assert_started_early(app)


def test_a_loop_beside_a_slow_node_turns_as_often_as_it_should(bench: Bench) -> None:

    def turn(state: Turns) -> dict[str, Any]:
        if state["turns"] == 2:
            bench.overtaken.set()
        return {"turns": 1}

    def again(state: Turns) -> str:
        return "turn" if state["turns"] < 3 else END

    builder = add_all(Turns, {"turn": turn, "slow": bench.slow()})
    builder.add_conditional_edges("turn", again, ["turn", END])
    app = bench.app(connect(builder, (START, "turn"), (START, "slow")))
    assert bench.invoke(app, {"turns": 0, "log": []}) == {"turns": 3, "log": ["slow"]}
    bench.assert_started_early(app)


def test_nothing_is_left_out_when_no_branch_is_slow(bench: Bench) -> None:
    bench.overlapping = False
    assert bench.invoke(bench.app(uneven(bench)), {"log": []})["log"] == UNEVEN_LOG
