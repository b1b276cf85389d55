"""Nodes that are LangChain runnables stream as they are: the answer is that of `invoke`, and the rest begins sooner."""

from __future__ import annotations

import asyncio
import json
import operator
from typing import Annotated, Any

import pytest
from dropin.watch import Implementation, plain_langgraph
from hypothesis import given
from hypothesis import strategies as st
from langchain_core.callbacks import BaseCallbackHandler
from langchain_core.output_parsers import JsonOutputParser, StrOutputParser
from langchain_core.prompts import ChatPromptTemplate
from langchain_core.runnables import RunnableLambda, RunnableParallel, RunnablePassthrough
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import START, StateGraph
from langgraph.types import Send
from sim.loop import run
from typing_extensions import TypedDict
from watching.scripted import Breaks, ScriptedModel, said

import alto_lg
from alto_lg.adapters.langgraph.tails import SoFar, settled, tail_of

PROMPT = ChatPromptTemplate.from_template("questions about {topic}")
QUERIES = [f"query {number}" for number in range(4)]


class State(TypedDict, total=False):
    topic: str
    queries: list[str]
    text: str
    found: Annotated[list[str], operator.add]


def dictated(text: str, pace_s: float = 0.1) -> list[Any]:
    """A model that writes four characters at a time."""
    return [piece for start in range(0, len(text), 4) for piece in said(text[start : start + 4], pace_s)]


def model(text: str, **options: Any) -> ScriptedModel:
    return ScriptedModel(scripts=[dictated(text)], **options)


def queries_in_json() -> Any:
    return PROMPT | model(json.dumps({"queries": QUERIES})) | JsonOutputParser()


def graph(node: Any, router: Any = None, **compile_options: Any) -> Any:
    def each(state: State) -> list[Send]:
        return [Send("search", query) for query in state["queries"]]

    async def search(query: str) -> dict[str, Any]:
        await asyncio.sleep(3)
        return {"found": [query]}

    builder = StateGraph(State)
    builder.add_node("plan", node)
    builder.add_node("search", search)
    builder.add_edge(START, "plan")
    builder.add_conditional_edges("plan", router or each, ["search"])
    return builder.compile(**compile_options)


def streamed(impl: Implementation, app: Any) -> Any:
    return app if impl is plain_langgraph else impl(app, stream=["plan"])


def statistics(app: Any) -> tuple[int, int, int]:
    found = alto_lg.statistics(app)
    assert found is not None
    return found.early_starts, found.dropped, found.unpromised


def test_each_item_of_a_parsed_list_goes_on_when_it_is_whole(impl: Implementation) -> None:
    app = streamed(impl, graph(queries_in_json()))
    outcome = run(lambda: app.ainvoke({"topic": "tides"}))
    assert outcome.result["queries"] == outcome.result["found"] == QUERIES
    written_s = 0.1 * (-(-len(json.dumps({"queries": QUERIES})) // 4))
    if impl is plain_langgraph:
        assert outcome.elapsed_s == pytest.approx(written_s + 3)
    else:
        assert statistics(app)[1:] == (0, 0)
        assert statistics(app)[0] >= len(QUERIES) - 1
        # The last item is known to be whole when the model has ended.
        assert outcome.elapsed_s == pytest.approx(written_s + 3)


def test_the_first_item_does_not_wait_for_the_last() -> None:
    began: list[float] = []

    @alto_lg.node(reads=[], writes=["found"])
    async def search(query: str) -> dict[str, Any]:
        began.append(asyncio.get_running_loop().time())
        return {"found": [query]}

    plain = graph(queries_in_json())
    plain.builder.nodes["search"].runnable = RunnableLambda(search)
    app = alto_lg.accelerate(plain.builder.compile(), stream=["plan"])
    run(lambda: app.ainvoke({"topic": "tides"}))
    assert began == sorted(began)
    assert began[0] < 0.5 * began[-1]


def test_lines_of_a_text_go_on_when_they_are_whole(impl: Implementation) -> None:
    def each_line(state: State) -> list[Send]:
        return [Send("search", line) for line in state["text"].splitlines()]

    text = "\n".join(QUERIES)
    app = streamed(impl, graph(RunnableParallel(text=PROMPT | model(text) | StrOutputParser()), each_line))
    outcome = run(lambda: app.ainvoke({"topic": "tides"}))
    assert outcome.result["found"] == QUERIES
    if impl is not plain_langgraph:
        assert statistics(app) == (3, 0, 0)


def test_a_sequence_may_go_on_behind_its_parser(impl: Implementation) -> None:
    inner = PROMPT | model(json.dumps(QUERIES)) | JsonOutputParser()
    for node in (
        inner | {"queries": RunnablePassthrough()},
        RunnablePassthrough.assign(queries=inner),
        (inner | RunnableParallel(queries=RunnablePassthrough())).with_config(run_name="planning"),
    ):
        app = streamed(impl, graph(node))
        outcome = run(lambda app=app: app.ainvoke({"topic": "tides"}))
        assert outcome.result["found"] == QUERIES
        if impl is not plain_langgraph:
            assert statistics(app) == (3, 0, 0)


def test_the_sync_api_streams_too(impl: Implementation) -> None:
    def search(query: str) -> dict[str, Any]:
        return {"found": [query]}

    plain = graph(PROMPT | model(json.dumps({"queries": QUERIES})) | JsonOutputParser())
    plain.builder.nodes["search"].runnable = RunnableLambda(search)
    app = streamed(impl, plain.builder.compile())
    assert app.invoke({"topic": "tides"})["found"] == QUERIES


def test_what_the_parser_refuses_in_the_end_is_langgraphs_error(impl: Implementation) -> None:
    node = PROMPT | model('{"queries": ["a", "b", "c"], and then prose') | JsonOutputParser()
    app = streamed(impl, graph(node, checkpointer=InMemorySaver()))
    config: Any = {"configurable": {"thread_id": "1"}}
    result: Any = None
    try:
        result = run(lambda: app.ainvoke({"topic": "tides"}, config)).result
    except Exception as error:
        result = type(error), str(error)
    theirs: Any = None
    try:
        theirs = run(lambda: graph(node).ainvoke({"topic": "tides"})).result
    except Exception as error:
        theirs = type(error), str(error)
    assert result == theirs


def test_a_model_that_breaks_off_fails_as_ever_and_leaves_nothing(impl: Implementation) -> None:
    script = [*dictated('{"queries": ["a", "b", "c')[:6], Breaks(ConnectionError("reset"))]
    node = PROMPT | ScriptedModel(scripts=[script]) | JsonOutputParser()
    app = streamed(impl, graph(node, checkpointer=InMemorySaver()))
    config: Any = {"configurable": {"thread_id": "1"}}
    with pytest.raises(ConnectionError, match="reset"):
        run(lambda: app.ainvoke({"topic": "tides"}, config))
    assert app.get_state(config).values == {"topic": "tides", "found": []}


def test_a_second_try_of_the_model_is_not_followed(impl: Implementation) -> None:
    scripts = [
        [*dictated('{"queries": ["x", "y", "z'), Breaks(ConnectionError("reset"))],
        dictated(json.dumps({"queries": QUERIES})),
    ]
    retried = ScriptedModel(scripts=scripts).with_retry(
        retry_if_exception_type=(ConnectionError,), wait_exponential_jitter=False
    )
    app = streamed(impl, graph(PROMPT | retried | JsonOutputParser()))
    assert run(lambda: app.ainvoke({"topic": "tides"})).result["found"] == QUERIES
    if impl is not plain_langgraph:
        early, dropped, _ = statistics(app)
        assert early == dropped > 0, "what the first try had promised is withdrawn"


class _Counting(BaseCallbackHandler):
    def __init__(self) -> None:
        self.starts: list[str] = []

    def on_chain_start(self, serialized: Any, inputs: Any, **kwargs: Any) -> None:
        self.starts.append(str(kwargs.get("name")))

    def on_chat_model_start(self, serialized: Any, messages: Any, **kwargs: Any) -> None:
        self.starts.append("model")


def test_callbacks_hear_of_nothing_that_runs_aside() -> None:
    def heard(app: Any) -> list[str]:
        handler = _Counting()
        run(lambda: app.ainvoke({"topic": "tides"}, {"callbacks": [handler]}))
        return sorted(handler.starts)

    app = alto_lg.accelerate(graph(queries_in_json()), stream=["plan"])
    assert heard(app) == heard(graph(queries_in_json()))


def test_two_runs_at_once_do_not_mix() -> None:
    def reply(number: int) -> Any:
        texts = [f"{number} {query}" for query in QUERIES]
        return alto_lg.accelerate(
            graph(PROMPT | model(json.dumps({"queries": texts})) | JsonOutputParser()), stream=["plan"]
        )

    async def both() -> list[Any]:
        return list(await asyncio.gather(*(reply(number).ainvoke({"topic": "t"}) for number in range(2))))

    for number, state in enumerate(run(both).result):
        assert state["found"] == [f"{number} {query}" for query in QUERIES]


# ── what can be streamed ────────────────────────────────────────────────────────────────────────────────────────


async def _function(state: State) -> dict[str, Any]:
    return {}


@pytest.mark.parametrize(
    ("node", "says"),
    [
        (_function, "has no chat model that can be seen"),
        (PROMPT | model("a") | JsonOutputParser() | RunnableLambda(lambda x: x, name="wrap"), "step wrap behind"),
        (RunnableParallel(a=model("a"), b=model("b")), "has 2 chat models"),
    ],
)
def test_what_cannot_stream_is_refused_before_any_work_with_the_way_out(node: Any, says: str) -> None:
    with pytest.raises(ValueError, match=rf"stream names node 'plan', which .*{says}.*replay=\{{'plan'"):
        alto_lg.accelerate(graph(node), stream=["plan"])


def test_unknown_names_are_refused() -> None:
    with pytest.raises(ValueError, match=r"stream names node 'plna', .*nodes: plan, search"):
        alto_lg.accelerate(graph(queries_in_json()), stream=["plna"])
    with pytest.raises(TypeError, match=r"write stream=\['plan'\]"):
        alto_lg.accelerate(graph(queries_in_json()), stream="plan")
    with pytest.raises(ValueError, match="by stream and by replay"):
        alto_lg.accelerate(graph(queries_in_json()), stream=["plan"], replay={"plan": None})


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inside: st.lists(inside, max_size=4) | st.dictionaries(st.text(max_size=3), inside, max_size=4),
    max_leaves=12,
)


def _is_part(part: Any, whole: Any) -> bool:
    """Lists and texts begin as the whole does, of a mapping each key is a part."""
    if isinstance(part, dict) and isinstance(whole, dict):
        return all(key in whole and _is_part(part[key], whole[key]) for key in part)
    if isinstance(part, list) and isinstance(whole, list):
        return part == whole[: len(part)]
    if isinstance(part, str) and isinstance(whole, str):
        return whole.startswith(part)
    return bool(part == whole)


@given(value=st.dictionaries(st.text(min_size=1, max_size=3), JSON, min_size=1, max_size=4))
def test_what_is_settled_of_a_parsed_text_is_a_part_of_the_whole(value: dict[str, Any]) -> None:
    parser, text = JsonOutputParser(), json.dumps(value)
    so_far = SoFar(cumulative=True)
    for chunk in parser.transform(iter(text)):
        part = so_far.add(chunk)
        assert part is None or _is_part(part, value)


@given(text=st.text(alphabet="ab\n", max_size=20))
def test_what_is_settled_of_a_text_are_its_whole_lines(text: str) -> None:
    so_far = SoFar(cumulative=False)
    for char in text:
        part = so_far.add({"text": char})
        if part is not None:
            assert text.startswith(part["text"] + "\n")


def test_nothing_is_settled_of_what_has_just_begun() -> None:
    assert settled({}) is None
    assert settled({"queries": ["first"]}) is None
    assert settled({"topic": "tides", "queries": ["first"]}) == {"topic": "tides"}
    assert settled({"plan": {"name": "x", "steps": [1, 2]}}) == {"plan": {"name": "x", "steps": [1]}}
    assert tail_of(PROMPT | model("a") | JsonOutputParser()).cumulative
