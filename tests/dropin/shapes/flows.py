"""Flows: sync nodes, limits on concurrency, live streams, and the shapes that real applications have."""

from __future__ import annotations

import json
import logging
import operator
from collections.abc import AsyncIterator
from itertools import pairwise
from typing import Annotated, Any, TypedDict

from langchain_core.callbacks import AsyncCallbackManagerForLLMRun, CallbackManagerForLLMRun
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessageChunk, BaseMessage
from langchain_core.outputs import ChatGeneration, ChatGenerationChunk, ChatResult
from langgraph.config import get_stream_writer
from langgraph.graph import START, MessagesState
from langgraph.types import Command, Send

from dropin.shapes.base import Builder, Log, Shape, Sleep, add_all, connect, say
from dropin.shapes.fanouts import Item, Items, fan_out, hop_s, send_chain

logger = logging.getLogger(__name__)


class Words(BaseChatModel):
    """A chat model that streams its text word by word, each after a while."""

    text: str
    pause: Any
    seconds: float = 0.1

    @property
    def _llm_type(self) -> str:
        return "words"

    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **settings: Any,
    ) -> ChatResult:
        return ChatResult(generations=[ChatGeneration(message=AIMessageChunk(content=self.text))])

    async def _astream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: AsyncCallbackManagerForLLMRun | None = None,
        **settings: Any,
    ) -> AsyncIterator[ChatGenerationChunk]:
        for word in self.text.split():
            await self.pause(self.seconds)
            chunk = ChatGenerationChunk(message=AIMessageChunk(content=word + " "))
            if run_manager:
                await run_manager.on_llm_new_token(word, chunk=chunk)
            yield chunk


def talking(sleep: Sleep) -> Builder:
    """Two nodes of a fast branch stream words beside a slow sibling that streams too."""

    def speaker(text: str, seconds: float) -> Any:
        model = Words(text=text, pause=sleep, seconds=seconds)

        async def speak(state: MessagesState) -> dict[str, Any]:
            answer = await model.ainvoke("speak")
            return {"messages": [answer]}

        return speak

    nodes = {"fast": speaker("one two", 0.1), "after": speaker("three four five", 0.1)}
    builder = add_all(MessagesState, {**nodes, "slow": speaker("six seven eight nine", 0.3)})
    return connect(builder, (START, "fast"), (START, "slow"), ("fast", "after"))


def writers(sleep: Sleep) -> Builder:
    """Custom events keep their order within each firing."""

    def writer(name: str, seconds: float) -> Any:
        async def write(state: Log) -> dict[str, Any]:
            tell = get_stream_writer()
            for number in range(3):
                tell({"from": name, "number": number})
                await sleep(seconds)
            return {"log": [name]}

        return write

    nodes = {"fast": writer("fast", 0.05), "after": writer("after", 0.1), "slow": writer("slow", 0.3)}
    return connect(add_all(Log, nodes), (START, "fast"), (START, "slow"), ("fast", "after"))


def sync_nodes(sleep: Sleep) -> Builder:
    """Nodes and routers that are plain functions: they run in threads."""

    def start(state: Items) -> dict[str, Any]:
        return {"log": ["start"]}

    def spread(state: Items) -> list[Send]:
        return [Send("first", {"index": index}) for index in range(5)]

    def first(item: Item) -> Command[Any]:
        return Command(update={"log": [f"first {item['index']}"]}, goto=Send("second", item))

    def second(item: Item) -> dict[str, Any]:
        return {"log": [f"second {item['index']}"]}

    def join(state: Items) -> dict[str, Any]:
        return {"size": len(state["log"])}

    builder = add_all(Items, {"start": start, "second": second, "join": join})
    builder.add_node("first", first, destinations=("second",))
    builder.add_conditional_edges("start", spread, ["first"])
    return connect(builder, (START, "start"), ("second", "join"))


class Fetched(TypedDict, total=False):
    """Four independent results and what is made of them."""

    weather: str
    news: str
    stocks: str
    sport: str
    report: str


def fetches_in_a_chain(sleep: Sleep) -> Builder:
    """Four independent fetches written as a chain, as sync lambdas that call a helper."""

    def fetch(topic: str) -> str:
        return f"{topic} of today"

    builder = add_all(Fetched, {})
    builder.add_node("weather_node", lambda state: {"weather": fetch("weather")})
    builder.add_node("news_node", lambda state: {"news": fetch("news")})
    builder.add_node("stocks_node", lambda state: {"stocks": fetch("stocks")})
    builder.add_node("sport_node", lambda state: {"sport": fetch("sport")})
    builder.add_node("report_node", lambda state: {"report": " ".join(state[key] for key in sorted(state))})
    names = [START, "weather_node", "news_node", "stocks_node", "sport_node", "report_node"]
    return connect(builder, *pairwise(names))


class Research(TypedDict, total=False):
    question: str
    summary: str
    left: str
    right: str
    answer: str
    log: Annotated[list[str], operator.add]


def summary_beside_retrieval(sleep: Sleep) -> Builder:
    """A model's summary beside two retrieval branches of three nodes, one of which logs the state's keys."""

    def hop(key: str, place: int, seconds: float, listening: bool) -> Any:
        async def loud(state: Research) -> dict[str, Any]:
            logger.debug("keys: %s", list(state.keys()))
            await sleep(seconds)
            return {key: f"{key} {place} of {state['question']}"}

        async def quiet(state: Research) -> dict[str, Any]:
            await sleep(seconds)
            return {key: f"{key} {place} of {state['question']}"}

        return loud if listening else quiet

    async def summarize(state: Research) -> dict[str, Any]:
        await sleep(1.0)
        return {"summary": f"summary of {state['question']}"}

    async def answer(state: Research) -> dict[str, Any]:
        await sleep(0.1)
        return {"answer": f"{state['summary']}, {state['left']}, {state['right']}"}

    nodes = {"summarize": summarize, "answer": answer}
    for key, times in (("left", (0.4, 0.1, 0.1)), ("right", (0.1, 0.4, 0.1))):
        for place, seconds in enumerate(times):
            nodes[f"{key}_{place}"] = hop(key, place, seconds, listening=(key, place) == ("left", 1))
    builder = add_all(Research, nodes)
    for key in ("left", "right"):
        connect(builder, (START, f"{key}_0"), (f"{key}_0", f"{key}_1"), (f"{key}_1", f"{key}_2"))
    return connect(builder, (START, "summarize"), (["summarize", "left_2", "right_2"], "answer"))


class Search(TypedDict, total=False):
    queries: list[str]
    round: int
    found: Annotated[list[str], operator.add]


class Query(TypedDict):
    query: str
    place: int


def research_loop(sleep: Sleep) -> Builder:
    """A structured list of queries, a packet for each, a reflection, and a second round."""

    async def plan(state: Search) -> dict[str, Any]:
        await sleep(0.1)
        return {"queries": ["alpha", "beta", "gamma"], "round": 1}

    def spread(state: Search) -> list[Send]:
        queries = enumerate(state["queries"])
        return [Send("web_research", {"query": query, "place": place}) for place, query in queries]

    async def web_research(item: Query) -> dict[str, Any]:
        await sleep(hop_s(item["place"], 0))
        return {"found": [f"found {item['query']}"]}

    async def reflect(state: Search) -> dict[str, Any]:
        await sleep(0.2)
        return {"round": state["round"] + 1, "queries": [f"more {len(state['found'])}"]}

    def again(state: Search) -> Any:
        return spread(state) if state["round"] < 3 else "finish"

    async def finish(state: Search) -> dict[str, Any]:
        return {"found": ["the end"]}

    builder = add_all(Search, {"plan": plan, "web_research": web_research, "reflect": reflect, "finish": finish})
    builder.add_conditional_edges("plan", spread, ["web_research"])
    builder.add_conditional_edges("reflect", again, ["web_research", "finish"])
    return connect(builder, (START, "plan"), ("web_research", "reflect"))


def strategy_as_json(sleep: Sleep) -> Builder:
    """A strategy as text, parsed by the node that sends the packets."""

    async def strategy(state: Items) -> Command[Any]:
        await sleep(0.1)
        text = '{"steps": [{"index": 0}, {"index": 1}, {"index": 2}]}'
        packets = [Send("answer_one", step) for step in json.loads(text)["steps"]]
        return Command(update={"log": ["strategy"]}, goto=packets)

    async def answer_one(item: Item) -> dict[str, Any]:
        await sleep(hop_s(item["index"], 1))
        return {"log": [f"answer {item['index']}"]}

    builder = add_all(Items, {"answer_one": answer_one, "merge": say(sleep, "merge", 0.1)})
    builder.add_node("strategy", strategy, destinations=("answer_one",))
    return connect(builder, (START, "strategy"), ("answer_one", "merge"))


class Conversation(TypedDict, total=False):
    current_turn: dict[str, str]
    report: str
    log: Annotated[list[str], operator.add]


def turn_fields(sleep: Sleep) -> Builder:
    """Nodes that fill in fields of one value of the state and return nothing."""

    async def intent(state: Conversation) -> None:
        await sleep(0.4)
        state["current_turn"]["intent"] = "question"

    async def reply(state: Conversation) -> None:
        await sleep(0.1)
        state["current_turn"]["reply"] = "so it is"

    async def report(state: Conversation) -> dict[str, Any]:
        await sleep(0.1)
        return {"report": str(sorted(state["current_turn"].items()))}

    nodes = {"intent": intent, "reply": reply, "report": report}
    return connect(add_all(Conversation, nodes), (START, "intent"), (START, "reply"), ("reply", "report"))


def analysts(sleep: Sleep) -> Builder:
    """Analysts in a chain that look at what is there and wipe it: they depend on each other."""

    def analyst(name: str) -> Any:
        async def analyse(state: Research) -> dict[str, Any]:
            await sleep(0.1)
            return {"summary": "", "log": [f"{name} saw {state.get('summary') or 'nothing'}"], "question": name}

        return analyse

    names = ["market", "social", "fundamental"]
    builder = add_all(Research, {name: analyst(name) for name in names})
    return connect(builder, (START, names[0]), *pairwise(names))


def wide_and_coarse(sleep: Sleep) -> Builder:
    """Twenty-six nodes in branches of nine and seventeen over one coarse key that all of them read and write."""

    def worker(name: str, seconds: float) -> Any:
        async def work(state: Log) -> dict[str, Any]:
            await sleep(seconds)
            return {"log": [f"{name} after {len(state['log'])}"]}

        return work

    names = {f"b{place:02}": 0.1 for place in range(17)} | {f"a{place}": 0.2 for place in range(9)}
    builder = add_all(Log, {name: worker(name, seconds) for name, seconds in names.items()})
    for letter, length in (("a", 9), ("b", 17)):
        branch = [START, *(name for name in names if name[0] == letter)][: length + 1]
        connect(builder, *pairwise(branch))
    return builder


def agent_with_tools(sleep: Sleep) -> Builder:
    """An agent loop: three tool calls in parallel, then the model again."""

    async def agent(state: Items) -> Command[Any]:
        await sleep(0.1)
        rounds = state.get("size", 0)
        if rounds == 2:
            return Command(update={"log": ["final"]}, goto="__end__")
        calls = [Send("tool", {"index": rounds * 3 + place}) for place in range(3)]
        return Command(update={"size": rounds + 1}, goto=calls)

    async def tool(item: Item) -> dict[str, Any]:
        await sleep(hop_s(item["index"], 0))
        return {"log": [f"tool {item['index']}"]}

    builder = add_all(Items, {"tool": tool})
    builder.add_node("agent", agent, destinations=("tool", "__end__"))
    return connect(builder, (START, "agent"), ("tool", "agent"))


SHAPES = (
    Shape("talking", "nodes that stream messages", talking, sync=False),
    Shape("writers", "custom events keep their order in a firing", writers),
    Shape("sync_nodes", "plain functions in a chain of packets", sync_nodes),
    *(
        Shape(
            f"at_most_{limit}_of_chain", f"at most {limit} at a time", send_chain(5), config={"max_concurrency": limit}
        )
        for limit in (1, 2)
    ),
    Shape("at_most_3_of_fan_out", "at most 3 at a time", fan_out, {"size": 11}, config={"max_concurrency": 3}),
    Shape("fetches_in_a_chain", "independent fetches in a chain", fetches_in_a_chain),
    Shape(
        "summary_beside_retrieval",
        "a summary beside two retrieval branches",
        summary_beside_retrieval,
        {"question": "why"},
    ),
    Shape("research_loop", "queries, packets, reflection, again", research_loop),
    Shape("strategy_as_json", "a parser in the node that sends", strategy_as_json),
    Shape("turn_fields", "fields of one value filled in place", turn_fields, {"current_turn": {"intent": "none"}}),
    Shape("analysts", "a chain that truly depends", analysts, critical_path_s=0.3, supersteps_s=0.3),
    Shape("wide_and_coarse", "long branches over one coarse key", wide_and_coarse),
    Shape("agent_with_tools", "an agent loop with parallel tools", agent_with_tools),
)
