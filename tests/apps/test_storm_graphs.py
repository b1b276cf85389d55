"""The three graphs and the program by hand: equal articles, and times that no order can beat."""

from __future__ import annotations

import asyncio
import itertools
import re
from collections import Counter
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextvars import ContextVar
from typing import Any

import pytest
from dropin.watch import Implementation, plain_langgraph
from langgraph.checkpoint.memory import InMemorySaver
from rules_model import RulesModel
from sim.loop import run

import alto_lg
from alto_lg.adapters.openai_chat import OpenAIChat
from alto_lg.apps.base import Application, ModelEndpoint
from alto_lg.apps.chat import Messages
from alto_lg.apps.spans import record_spans
from alto_lg.apps.storm import STORM, build, program, prompts, rules
from alto_lg.apps.storm.local_chat import LocalChat

VERSIONS = STORM.versions
REQUESTS = STORM.workload(corpus=None, questions=None)
INPUTS = [request.input for request in REQUESTS]
SMALL = {**INPUTS[0], "perspectives_max": 2, "turns_max": 2, "queries_max": 2, "sections_max": 3}
THREAD: Any = {"configurable": {"thread_id": "one"}}

_answered: ContextVar[Any] = ContextVar("answered")
"""Where the analysis does not look: what answers here stands for a server elsewhere."""


class TimedChat:
    """The rules, a hundredth of a second for each word; `said` are answers of one's own by system prompt."""

    def __init__(self, said: Mapping[str, str] | None = None) -> None:
        _answered.set(lambda messages: _said(said or {}, messages))
        self.words = 0

    async def complete(self, messages: Messages, *, max_tokens: int = 1024) -> str:
        return "".join([piece async for piece in self.stream(messages)])

    async def stream(self, messages: Messages, *, max_tokens: int = 1024) -> AsyncGenerator[str, None]:
        for piece in _answered.get()(messages).split(" "):
            await asyncio.sleep(0.01)
            self.words += 1
            yield f"{piece} "


def _said(said: Mapping[str, str], messages: Messages) -> str:
    own = said.get(messages[0]["content"])
    return own if own is not None else rules.reply(messages, 0) or ""


def _answers(graph: Any, inputs: Sequence[Mapping[str, Any]]) -> list[Any]:
    async def ask() -> list[Any]:
        return [STORM.answer(await graph.ainvoke(dict(given))) for given in inputs]

    return asyncio.run(ask())


def _by_hand(chat: Any, given: Mapping[str, Any]) -> Any:
    async def ask() -> Any:
        return STORM.answer(await program(chat=chat).run(given, lambda node: None))

    return run(ask).result


@pytest.mark.parametrize("version", VERSIONS)
def test_all_versions_give_equal_articles_plain_and_accelerated(version: str, impl: Implementation) -> None:
    inputs = [SMALL, *INPUTS[1:3]]

    async def write(given: Mapping[str, Any], of: str, make: Implementation) -> Any:
        return STORM.answer(await make(build(of, chat=TimedChat())).ainvoke(dict(given)))

    for given in inputs:
        expected = run(lambda given=given: write(given, "flat", plain_langgraph)).result
        assert run(lambda given=given: write(given, version, impl)).result == expected
        assert expected["sections"] and expected["references"]


@pytest.mark.parametrize("given", [SMALL, {**INPUTS[1], "polish": True}, {**INPUTS[2], "perspectives_max": 0}])
def test_the_program_by_hand_gives_the_same_article(given: Mapping[str, Any]) -> None:
    assert _by_hand(LocalChat(), given) == _answers(build("flat", chat=LocalChat()), [given])[0]


@pytest.mark.slow
def test_every_section_cites_what_it_was_given_and_is_borne_out_by_it() -> None:
    scores = STORM.score(REQUESTS, _answers(build("flat", chat=LocalChat()), INPUTS))
    assert scores["sections_with_valid_references"] > 0.98
    assert scores["headings_kept"] > 0.98
    assert scores["sentences_borne_out"] > 0.98
    assert scores["subjects_covered"] > 0.85
    assert scores["sections"] > 5 * len(REQUESTS)


@pytest.mark.parametrize("version", VERSIONS)
def test_a_langchain_model_gives_the_same_article_as_our_own_client(version: str) -> None:
    model = RulesModel(reply=rules.reply)
    assert _answers(build(version, chat=model), [SMALL]) == _answers(build(version, chat=LocalChat()), [SMALL])


_EDITORS = "Two are enough.\n1. Historian: the beginnings\n2. Engineer: the machines"
_NO_EDITORS = "I can think of nobody."
_OUTLINE = "# Early years\n## Childhood\n# Later work\n# Conclusion"


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize(
    ("personas", "question", "outline", "expected"),
    [
        (_EDITORS, None, _OUTLINE, (3, 9, 2)),
        (_EDITORS, prompts.THANKS, _OUTLINE, (3, 0, 2)),
        (_EDITORS, "", _OUTLINE, (3, 0, 2)),
        (_NO_EDITORS, None, _OUTLINE, (1, 3, 2)),
        (_EDITORS, "What was first?", "There is nothing to tell.", (3, 9, 0)),
        (_EDITORS, "What was first?", "# Introduction\n# Summary of it\n# Conclusions", (3, 9, 0)),
    ],
)
def test_each_stage_runs_once_however_many_there_are_of_each(
    version: str,
    personas: str,
    question: str | None,
    outline: str,
    expected: tuple[int, int, int],
    impl: Implementation,
) -> None:
    said = {prompts.PERSONAS_SYSTEM: personas, prompts.REFINE_SYSTEM: outline}
    said |= {prompts.ASK_SYSTEM: "What was first?" if question is None else question}

    async def nodes_run() -> tuple[Counter[str], Any]:
        graph = impl(build(version, chat=TimedChat(said), checkpointer=InMemorySaver()))
        events = [event async for event in graph.astream(dict(INPUTS[0]), THREAD, stream_mode="updates")]
        return Counter(node for event in events for node in event), (await graph.aget_state(THREAD)).values

    ran, state = run(nodes_run).result
    assert (len(state["personas"]), len(state["said"]), len(state["plan"])) == expected
    assert [ran[node] for node in ("draft", "refine", "lead", "polish", "publish")] == [1, 1, 1, 0, 1]
    assert ran["write"] == len(state["plan"]) == len(state["sections"])
    assert state["article"].startswith(f"# {INPUTS[0]['topic']}\n\n")


class _Parting(TimedChat):
    """One editor asks once, another twice, the others until they are stopped."""

    def __init__(self) -> None:
        super().__init__()
        ordinary = _answered.get()

        def answer(messages: Messages) -> str:
            asks = messages[0]["content"] == prompts.ASK_SYSTEM
            said = messages[1]["content"].count(prompts.EDITOR)
            if asks and "Basic fact writer" in messages[1]["content"] and said >= 1:
                return prompts.THANKS
            if asks and "1900" in messages[1]["content"].partition(prompts.CONVERSATION_MARK)[0] and said >= 2:
                return f"I have all that I need. {prompts.THANKS}"
            if asks:
                return f"What about number {said}?"
            return "Good.\n1. One: 1900\n2. Two: 2000\n3. Three: 3000" if _is_choosing(messages) else ordinary(messages)

        _answered.set(answer)


def _is_choosing(messages: Messages) -> bool:
    return messages[0]["content"] == prompts.PERSONAS_SYSTEM


@pytest.mark.parametrize("version", VERSIONS)
def test_an_interview_that_is_over_early_asks_no_more_and_the_outline_is_made_once(
    version: str, impl: Implementation
) -> None:
    async def write() -> tuple[Any, list[str]]:
        graph = impl(build(version, chat=_Parting(), checkpointer=InMemorySaver()))
        events = [event async for event in graph.astream(dict(INPUTS[0]), THREAD, stream_mode="updates")]
        return (await graph.aget_state(THREAD)).values, [node for event in events for node in event]

    state, ran = run(write).result
    assert Counter(one["place"] for one in state["said"]) == {0: 1, 1: 2, 2: 3, 3: 3}
    assert ran.count("refine") == 1
    answer = STORM.answer(state)
    assert [(one["place"], one["turn"]) for one in answer["said"]] == sorted(
        (one["place"], one["turn"]) for one in answer["said"]
    )

    async def alone() -> Any:
        return STORM.answer(await program(chat=_Parting()).run(INPUTS[0], lambda node: None))

    assert answer == run(alone).result


@pytest.mark.parametrize("version", VERSIONS)
def test_a_second_article_on_a_thread_has_nothing_of_the_first(version: str, impl: Implementation) -> None:
    async def write(inputs: Sequence[Mapping[str, Any]]) -> Any:
        graph = impl(build(version, chat=TimedChat(), checkpointer=InMemorySaver()))
        states = [await graph.ainvoke(dict(given), THREAD) for given in inputs]
        return STORM.answer(states[-1])

    other = {**SMALL, **INPUTS[5]}
    assert run(lambda: write([SMALL, other])).result == run(lambda: write([other])).result


def test_a_polished_article_says_nothing_twice() -> None:
    plain, polished = _answers(build("flat", chat=LocalChat()), [INPUTS[0], {**INPUTS[0], "polish": True}])
    sentences = [one for one in re.split(r"(?<=\.)\s+", plain["article"]) if len(one.split()) > 5]
    twice = [one for one in dict.fromkeys(sentences) if plain["article"].count(one) > 1]
    assert twice
    assert not [one for one in twice if polished["article"].count(one) > 1]
    assert plain["sections"] == polished["sections"]


def _timed(version: str, impl: Implementation, given: Mapping[str, Any]) -> tuple[Any, float, float, int, Any]:
    """The answer, how long it took, its limit, how many words were written, and the accelerated graph's statistics."""

    async def write() -> tuple[Any, float, int, Any]:
        chat = TimedChat()
        with record_spans() as spans:
            if version == "by hand":
                state: Any = await program(chat=chat).run(given, lambda node: None)
                return STORM.answer(state), STORM.limit_s(spans), chat.words, None
            graph = impl(build(version, chat=chat))
            state = await graph.ainvoke(dict(given))
        statistics = None if impl is plain_langgraph else alto_lg.statistics(graph)
        return STORM.answer(state), STORM.limit_s(spans), chat.words, statistics

    outcome = run(write)
    answer, limit_s, words, statistics = outcome.result
    return answer, outcome.elapsed_s, limit_s, words, statistics


def test_the_streaming_graph_is_as_soon_as_anything_can_be() -> None:
    given = INPUTS[0]
    plain, plain_s, _, plain_words, _ = _timed("flat", plain_langgraph, given)
    flat, flat_s, _, _, flat_statistics = _timed("flat", alto_lg.accelerate, given)
    grouped, grouped_s, *_ = _timed("subgraph", plain_langgraph, given)
    streamed, streamed_s, limit_s, words, statistics = _timed("streaming", alto_lg.accelerate, given)
    hand, hand_s, *_ = _timed("by hand", plain_langgraph, given)
    assert plain == flat == grouped == streamed == hand
    assert plain_s > flat_s > streamed_s
    assert plain_s > grouped_s > streamed_s
    assert streamed_s == pytest.approx(limit_s, abs=1e-6)
    assert streamed_s == pytest.approx(hand_s, abs=1e-6)
    assert words <= plain_words
    assert (flat_statistics.dropped, statistics.dropped, statistics.unpromised) == (0, 0, 0)
    assert flat_statistics.plain is statistics.plain is None


def test_the_model_is_stopped_when_it_has_written_enough() -> None:
    plain, _, _, all_words, _ = _timed("streaming", plain_langgraph, INPUTS[0])
    small, _, _, words, _ = _timed("streaming", plain_langgraph, {**INPUTS[0], "sections_max": 1})
    assert small["plan"] == plain["plan"][:1]
    whole, _, _, flat_words, _ = _timed("flat", plain_langgraph, {**INPUTS[0], "sections_max": 1})
    assert small == whole
    assert words < flat_words < all_words


@pytest.mark.parametrize("version", VERSIONS)
def test_the_first_result_is_seen_in_the_stream_of_every_version(version: str) -> None:
    async def updates() -> list[str]:
        graph = build(version, chat=LocalChat())
        events = [event async for event in graph.astream(dict(SMALL), stream_mode="updates", subgraphs=True)]
        return [node for _, update in events for node in update]

    assert asyncio.run(updates()).count(STORM.first_result_node) == 3


def test_the_program_by_hand_tells_of_every_section() -> None:
    heard: list[str] = []
    asyncio.run(program(chat=LocalChat()).run(SMALL, heard.append))
    assert heard.count(STORM.first_result_node) == 3
    assert heard[-2:] == ["lead", "publish"]


def test_an_error_of_the_model_ends_the_program_by_hand_as_it_is() -> None:
    class Failing(LocalChat):
        async def complete(self, messages: Messages, *, max_tokens: int = 1024) -> str:
            if messages[0]["content"] == prompts.SECTION_SYSTEM:
                raise ConnectionError("the model is gone")
            return await super().complete(messages)

    with pytest.raises(ConnectionError, match="the model is gone"):
        asyncio.run(program(chat=Failing()).run(SMALL, lambda node: None))


@pytest.mark.parametrize("version", VERSIONS)
def test_every_stage_of_every_item_leaves_one_span(version: str) -> None:
    with record_spans() as spans:
        state = asyncio.run(build(version, chat=LocalChat()).ainvoke(dict(SMALL)))
    talked = {(one["place"], one["turn"]): one for one in state["found"]}
    asked = [*talked, *((place, len([at for at in talked if at[0] == place])) for place in range(3))]
    expected: list[Any] = [(stage, ()) for stage in ("draft", "relate", "contents", "personas", "refine", "lead")]
    expected += [("publish", ()), *(("ask", item) for item in asked if item[1] < 2)]
    expected += [(stage, item) for stage in ("query", "answer") for item in talked]
    expected += [("search", (*item, place)) for item, one in talked.items() for place in range(len(one["queries"]))]
    expected += [("write", (place,)) for place in range(3)]
    if version == "streaming":
        expected += [("query_written", item) for stage, item in expected if stage == "search"]
        expected += [("persona", (place,)) for place in (1, 2)] + [("planned", (place,)) for place in range(3)]
    assert sorted((span.stage, span.item) for span in spans) == sorted(expected)
    assert STORM.limit_s(spans) > (STORM.first_result_limit_s(spans) or 0) > 0


def test_the_graphs_can_be_drawn_with_all_their_edges() -> None:
    flat, streaming = (
        {(edge.source, edge.target) for edge in build(version, chat=LocalChat()).get_graph().edges}
        for version in ("flat", "streaming")
    )
    ending = [("refine", "write", "lead", "publish", "__end__"), ("refine", "lead", "polish", "publish")]
    paths = [("__start__", "begin", "draft"), ("answer", "ask", "rest", "refine"), ("rest", "rest")]
    paths += [("answer", "refine"), *ending]
    ends = {("draft", "__end__")}
    own = [("begin", "relate", "look_through", "personas", "ask", "query", "search", "answer")]
    assert flat - ends == {pair for path in (*paths, *own) for pair in itertools.pairwise(path)}
    own = [("begin", "personas", "ask", "look_up", "answer")]
    assert streaming - ends == {pair for path in (*paths, *own) for pair in itertools.pairwise(path)}


def test_an_unknown_version_is_refused_with_the_known_ones() -> None:
    with pytest.raises(ValueError, match="no version 'round'; choose one of flat, subgraph, streaming"):
        build("round", chat=LocalChat())


def test_a_model_that_cannot_stream_is_refused_by_what_streams() -> None:
    class Whole:
        async def complete(self, messages: Messages, *, max_tokens: int = 1024) -> str:
            return ""

    with pytest.raises(TypeError, match="Whole cannot stream, which this version of the graph needs"):
        build("streaming", chat=Whole())
    with pytest.raises(TypeError, match="Whole cannot stream"):
        program(chat=Whole())


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ({"topic": "  "}, "the topic is empty"),
        ({"topic": "Tea", "turns_max": 0}, "got turns_max=0; perspectives_max must be at least 0, the others at least"),
        ({"topic": "Tea", "perspectives_max": -1}, "got perspectives_max=-1"),
    ],
)
def test_an_input_that_makes_no_article_is_refused(given: Mapping[str, Any], reason: str, impl: Implementation) -> None:
    with pytest.raises(ValueError, match=reason):
        _answers(impl(build("flat", chat=LocalChat())), [given])


def test_storm_is_an_application() -> None:
    application: Application = STORM
    endpoint = ModelEndpoint("http://127.0.0.1:9/v1", "m")
    assert application.first_result_node in application.build("flat", endpoint, corpus=None).nodes
    assert callable(STORM.by_hand(endpoint, corpus=None).run)
    small = application.sized(REQUESTS[:1], 2)[0].input
    assert small == {**SMALL, "topic": INPUTS[0]["topic"]}
    with pytest.raises(ValueError, match="between 1 and 10 editors"):
        application.sized(REQUESTS, 0)


_MAY_HOLD_UP = {"interview", "editors", "personas"}
"""Graphs, and a node of three stages of which the analysis does not always see the end."""


@pytest.mark.parametrize("version", VERSIONS)
def test_with_a_checkpointer_no_node_that_asks_a_server_holds_up_the_others(version: str) -> None:
    """A node that may pause the run would start in its own step only, and nothing would pass it."""
    chat = OpenAIChat("http://127.0.0.1:9/v1", "m")
    app: Any = alto_lg.accelerate(build(version, chat=chat, checkpointer=InMemorySaver()))
    stages = app.nodes.acceleration.wired.plan.stages
    assert {name for name, stage in stages.items() if stage.may_interrupt or stage.touches_store} <= _MAY_HOLD_UP


def test_what_the_analysis_says_of_the_streaming_graph_is_what_makes_it_stream() -> None:
    chat = OpenAIChat("http://127.0.0.1:9/v1", "m")
    told = alto_lg.explain(alto_lg.accelerate(build("streaming", chat=chat, checkpointer=InMemorySaver())))
    for node in ("personas", "refine"):
        assert any(note.startswith("streams: ") for note in told[node].notes), node
    assert set(told["refine"].reads or ()) == {"topic", "drafted", "said", "found", "sections_max"}
    assert [node.node for node in told.nodes if node.writes_evidence == "unknown"] == []
