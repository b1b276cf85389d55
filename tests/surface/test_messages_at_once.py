"""Models that speak in several nodes at once: every word says where it comes from, and each keeps its order."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Iterator
from typing import Any

from dropin.shapes.base import Builder, Log, add_all, connect
from langchain_core.callbacks import CallbackManagerForLLMRun
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage
from langchain_core.outputs import ChatGeneration, ChatGenerationChunk, ChatResult
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import START, MessagesState
from langgraph.types import Command, Send
from typing_extensions import TypedDict

from surface.bench import Bench, thread

WORDS = 4


class Packet(TypedDict):
    name: str


class Counting(BaseChatModel):
    """Streams its name and a number, several times; between two words others may speak."""

    speaker: str

    @property
    def _llm_type(self) -> str:
        return "counting"

    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **settings: Any,
    ) -> ChatResult:
        return ChatResult(generations=[ChatGeneration(message=AIMessage(f"{self.speaker} whole"))])

    def _stream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **settings: Any,
    ) -> Iterator[ChatGenerationChunk]:
        for number in range(WORDS):
            chunk = ChatGenerationChunk(message=AIMessageChunk(content=f"{self.speaker} {number};"))
            if run_manager is not None:
                run_manager.on_llm_new_token(chunk.text, chunk=chunk)
            yield chunk


def _speaker(bench: Bench, name: str, pause_s: float = 0.0, *, overtakes: bool = False) -> Any:
    overtaken = bench.overtaken

    async def speak(state: Log) -> dict[str, Any]:
        model = Counting(speaker=name)
        async for _ in model.astream("go"):
            await asyncio.sleep(pause_s)
        return {"log": [name]}

    def speak_in_sync(state: Log) -> dict[str, Any]:
        if overtakes:
            overtaken.set()
        for _ in Counting(speaker=name).stream("go"):
            pass
        return {"log": [name]}

    return speak if bench.colour == "async" else speak_in_sync


def _choir(bench: Bench) -> Builder:
    """Three speak in the second step, one after them in the third, while a fourth of the first still speaks."""
    slow = bench.slow() if bench.colour == "sync" else _speaker(bench, "slow", 0.5)
    nodes = {"fast": _speaker(bench, "fast", 0.01), "slow": slow}
    for place, name in enumerate(("a", "b", "c")):
        nodes[name] = _speaker(bench, name, 0.1 + place / 100)
    nodes["last"] = _speaker(bench, "last", 0.1, overtakes=True)
    builder = connect(add_all(Log, nodes), (START, "fast"), (START, "slow"), ("a", "last"))
    return connect(builder, *(("fast", name) for name in ("a", "b", "c")))


def test_the_words_of_each_node_keep_their_order(bench: Bench) -> None:
    app = bench.app(_choir(bench))
    said: defaultdict[str, list[str]] = defaultdict(list)
    for message, about in bench.stream(app, {"log": []}, stream_mode="messages"):
        if message.content:
            said[about["langgraph_node"]].append(message.content)
    bench.assert_started_early(app)
    for name in ("fast", "a", "b", "c", "last"):
        assert said[name] == [f"{name} {number};" for number in range(WORDS)]


def test_each_word_says_where_it_comes_from(bench: Bench) -> None:
    app = bench.app(_choir(bench), checkpointer=InMemorySaver())
    events = bench.stream(app, {"log": []}, thread(tags=["mine"]), stream_mode="messages")
    bench.assert_started_early(app)
    steps = {"fast": 1, "slow": 1, "a": 2, "b": 2, "c": 2, "last": 3}
    for message, about in events:
        name = about["langgraph_node"]
        assert about["langgraph_step"] == steps[name]
        assert about["langgraph_path"] == ("__pregel_pull", name)
        assert tuple(about["langgraph_triggers"]) == (f"branch:to:{name}",)
        assert about["langgraph_checkpoint_ns"].split(":")[0] == name
        assert about["thread_id"] == "1"
        assert about["tags"] == ["mine"]
        assert message.id is not None


def test_all_words_of_a_firing_carry_one_id(bench: Bench) -> None:
    """It is the id of LangGraph's task, but for a firing that spoke before LangGraph had given its task one."""
    app = bench.app(_choir(bench))
    events = bench.stream(app, {"log": []}, stream_mode=["messages", "tasks"])
    bench.assert_started_early(app)
    ids = {task["name"]: task["id"] for mode, task in events if mode == "tasks"}
    abouts = [about for mode, (_, about) in ((mode, data) for mode, data in events if mode == "messages")]
    spaces = {(about["langgraph_node"], about["langgraph_checkpoint_ns"]) for about in abouts}
    official = {(name, f"{name}:{ids[name]}") for name, _ in spaces}
    assert len(spaces) == len(official)
    assert {space for space in spaces if space[0] in ("fast", "slow")} <= official
    assert spaces == official or bench.is_ours


def test_packets_that_speak_at_once_do_not_mix(bench: Bench) -> None:
    def spread(state: Log) -> list[Send]:
        return [Send("first", {"name": str(number)}) for number in range(3)]

    def first(packet: Packet) -> Command[Any]:
        return Command(goto=Send("speak", {"name": packet["name"]}))

    async def speak(packet: Packet) -> dict[str, Any]:
        async for _ in Counting(speaker=packet["name"]).astream("go"):
            await asyncio.sleep(0.01)
        return {"log": []}

    overtaken = bench.overtaken

    def speak_in_sync(packet: Packet) -> dict[str, Any]:
        overtaken.set()
        for _ in Counting(speaker=packet["name"]).stream("go"):
            pass
        return {"log": []}

    node = speak if bench.colour == "async" else speak_in_sync
    builder = add_all(Log, {"plan": bench.say("plan"), "slow": bench.slow(), "speak": node})
    builder.add_node("first", first, destinations=("speak",))
    builder.add_conditional_edges("plan", spread, ["first"])
    app = bench.app(connect(builder, (START, "plan"), (START, "slow")))
    said: defaultdict[str, list[str]] = defaultdict(list)
    for message, about in bench.stream(app, {"log": []}, stream_mode="messages"):
        assert about["langgraph_step"] == 3
        if message.content:
            said[about["langgraph_checkpoint_ns"]].append(message.content)
    bench.assert_started_early(app)
    assert sorted(said.values()) == [[f"{place} {number};" for number in range(WORDS)] for place in range(3)]


def test_messages_that_a_node_returns_are_streamed_once(bench: Bench) -> None:
    def answer(state: Any) -> dict[str, Any]:
        bench.overtaken.set()
        return {"messages": [AIMessage("returned", id="returned")]}

    async def slow(state: MessagesState) -> dict[str, Any]:
        await asyncio.sleep(1.0)
        return {"messages": [AIMessage("slow", id="slow")]}

    hold = bench.hold

    def slow_in_sync(state: MessagesState) -> dict[str, Any]:
        hold()
        return {"messages": [AIMessage("slow", id="slow")]}

    def fast(state: MessagesState) -> dict[str, Any]:
        return {"messages": [AIMessage("fast", id="fast")]}

    nodes = {"fast": fast, "slow": slow if bench.colour == "async" else slow_in_sync, "answer": answer}
    app = bench.app(connect(add_all(MessagesState, nodes), (START, "fast"), (START, "slow"), ("fast", "answer")))
    events = bench.stream(app, {"messages": []}, stream_mode="messages")
    bench.assert_started_early(app)
    assert sorted((about["langgraph_node"], message.content) for message, about in events) == [
        ("answer", "returned"),
        ("fast", "fast"),
        ("slow", "slow"),
    ]


def test_a_model_marked_silent_is_not_streamed(bench: Bench) -> None:
    async def speak(state: Log) -> dict[str, Any]:
        await Counting(speaker="quiet", tags=["nostream"]).ainvoke("go")
        return {"log": ["quiet"]}

    overtaken = bench.overtaken

    def speak_in_sync(state: Log) -> dict[str, Any]:
        overtaken.set()
        Counting(speaker="quiet", tags=["nostream"]).invoke("go")
        return {"log": ["quiet"]}

    node = speak if bench.colour == "async" else speak_in_sync
    nodes = {"fast": bench.say("fast"), "slow": bench.slow(), "speak": node}
    app = bench.app(connect(add_all(Log, nodes), (START, "fast"), (START, "slow"), ("fast", "speak")))
    assert bench.stream(app, {"log": []}, stream_mode="messages") == []
    bench.assert_started_early(app)
