"""A graph on a server as a node: LangGraph's own client, over a transport that answers in this process."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest
from dropin.shapes.base import Builder, Log, add_all, connect
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import START
from langgraph.pregel.remote import RemoteException, RemoteGraph
from langgraph_sdk.client import LangGraphClient, SyncLangGraphClient

from surface.bench import Bench, thread

ADDRESS = "http://graphs.example"


class Server:
    """Answers a run with one state, or one error; keeps what it was asked."""

    def __init__(self, error: str | None = None) -> None:
        self.asked: list[dict[str, Any]] = []
        self._error = error

    def __call__(self, request: httpx.Request) -> httpx.Response:
        asked = json.loads(request.content)
        self.asked.append(asked)
        if self._error is not None:
            events = [("error", {"error": "ValueError", "message": self._error})]
        else:
            state = {"log": [*asked["input"]["log"], "remote"]}
            events = [("updates", {"far": {"log": ["remote"]}}), ("values", state)]
        body = "".join(f"event: {name}\ndata: {json.dumps(data)}\n\n" for name, data in events)
        return httpx.Response(200, headers={"content-type": "text/event-stream"}, content=body.encode())


def _remote(server: Server) -> RemoteGraph:
    transport = httpx.MockTransport(server)
    return RemoteGraph(
        "far",
        client=LangGraphClient(httpx.AsyncClient(transport=transport, base_url=ADDRESS)),
        sync_client=SyncLangGraphClient(httpx.Client(transport=transport, base_url=ADDRESS)),
    )


def _with_remote(bench: Bench, server: Server) -> Builder:
    """The server is asked one step after an early start, and once more after it."""
    nodes = {"fast": bench.say("fast"), "slow": bench.slow(), "after": bench.overtakes("after")}
    builder = add_all(Log, nodes).add_node("far", _remote(server)).add_node("last", bench.say("last"))
    connect(builder, (START, "fast"), (START, "slow"), ("fast", "after"), ("after", "far"))
    return connect(builder, ("far", "last"))


BEFORE = ["fast", "slow", "after"]


@pytest.mark.parametrize("saved", [False, True], ids=["bare", "saved"])
def test_a_remote_graph_is_a_node_like_any_other(bench: Bench, saved: bool) -> None:
    server = Server()
    app = bench.app(_with_remote(bench, server), checkpointer=InMemorySaver() if saved else None)
    found = bench.invoke(app, {"log": []}, thread() if saved else None)
    assert found == {"log": [*BEFORE, *BEFORE, "remote", "last"]}
    bench.assert_started_early(app)
    assert [asked["input"] for asked in server.asked] == [{"log": BEFORE}]
    assert server.asked[0]["assistant_id"] == "far"


def test_a_remote_graph_streams_as_a_subgraph(bench: Bench, plain_bench: Bench) -> None:
    found = []
    for side in (bench, plain_bench):
        app = side.app(_with_remote(side, Server()))
        events = side.stream(app, {"log": []}, stream_mode=["updates", "values"], subgraphs=True)
        side.assert_started_early(app)
        settled = [(tuple(part.split(":")[0] for part in place), mode, data) for place, mode, data in events]
        found.append((settled[0], sorted(settled[1:3], key=repr), settled[3:]))
    assert found[0] == found[1]


def test_an_error_of_the_server_is_the_nodes(bench: Bench) -> None:
    app = bench.app(_with_remote(bench, Server("it is broken")))
    with pytest.raises(RemoteException, match="it is broken"):
        bench.invoke(app, {"log": []})


def test_a_remote_graph_itself_is_not_accelerated(bench: Bench) -> None:
    if bench.is_ours:
        with pytest.raises(TypeError, match="RemoteGraph"):
            bench.implementation(_remote(Server()))
    found = bench.call(_remote(Server()).ainvoke, _remote(Server()).invoke, {"log": ["given"]})
    assert found == {"log": ["given", "remote"]}
