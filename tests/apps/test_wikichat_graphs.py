"""The three graphs: equal answers, plain and accelerated, whatever the branches find, and turn after turn."""

from __future__ import annotations

import asyncio
import itertools
from collections import Counter
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextvars import ContextVar
from typing import Any

import pytest
from dropin.watch import Implementation, plain_langgraph
from langchain_core.language_models import BaseChatModel
from langgraph.checkpoint.memory import InMemorySaver
from rules_model import RulesModel
from sim.loop import run

import alto_lg
from alto_lg.adapters.openai_chat import OpenAIChat
from alto_lg.apps.base import Application, ModelEndpoint
from alto_lg.apps.chat import Chat, Messages
from alto_lg.apps.spans import record_spans
from alto_lg.apps.wikichat import WIKICHAT, build, prompts, rules
from alto_lg.apps.wikichat.limit import (
    BRANCH_STAGES,
    FACT_WRITTEN,
    ITEM_STAGES,
    NOTE_USED,
    QUERY_WRITTEN,
    RANKED,
    TURN_STAGES,
)
from alto_lg.apps.wikichat.local_chat import LocalChat

VERSIONS = WIKICHAT.versions
INPUTS = [request.input for request in WIKICHAT.workload(corpus=None, questions=None)]
THREAD: Any = {"configurable": {"thread_id": "one"}}

_answered: ContextVar[Any] = ContextVar("answered")
"""Where the analysis does not look: what answers here stands for a server elsewhere."""


class TimedChat:
    """The rules, a hundredth of a second for each word; `said` are answers of one's own by system prompt."""

    def __init__(self, said: Mapping[str, str] | None = None) -> None:
        _answered.set(lambda messages: (said or {}).get(messages[0]["content"]) or rules.reply(messages, 0) or "")
        self.words = 0

    async def complete(self, messages: Messages, *, max_tokens: int = 1024) -> str:
        return "".join([piece async for piece in self.stream(messages)])

    async def stream(self, messages: Messages, *, max_tokens: int = 1024) -> AsyncGenerator[str, None]:
        for piece in _answered.get()(messages).split(" "):
            await asyncio.sleep(0.01)
            self.words += 1
            yield f"{piece} "


def _answers(
    version: str,
    chat: Chat | BaseChatModel,
    inputs: Sequence[Mapping[str, Any]],
    impl: Implementation = plain_langgraph,
) -> list[Any]:
    graph = impl(build(version, chat=chat))

    async def ask() -> list[Any]:
        return [WIKICHAT.answer(await graph.ainvoke(dict(given))) for given in inputs]

    return asyncio.run(ask())


@pytest.mark.slow
@pytest.mark.parametrize("version", VERSIONS)
def test_all_versions_give_equal_answers_plain_and_accelerated(version: str, impl: Implementation) -> None:
    assert _answers(version, LocalChat(), INPUTS, impl) == _answers("flat", LocalChat(), INPUTS)


@pytest.mark.slow
def test_what_is_said_is_borne_out_by_what_is_cited_and_on_the_subject() -> None:
    requests = WIKICHAT.workload(corpus=None, questions=None)
    scores = WIKICHAT.score(requests, _answers("flat", LocalChat(), INPUTS))
    assert scores["sentences_borne_out"] > 0.95
    assert scores["references_on_subject"] > 0.85
    assert scores["subjects_covered"] > 0.85
    assert scores["turns_answered"] == 1.0


@pytest.mark.parametrize("version", VERSIONS)
def test_a_langchain_model_gives_the_same_answers_as_our_own_client(version: str) -> None:
    model = RulesModel(reply=rules.reply)
    assert _answers(version, model, INPUTS[25:27]) == _answers(version, LocalChat(), INPUTS[25:27])


_TWO_QUERIES = f"{prompts.OPENING}\nMarie Curie prize\nEinstein prize\n{prompts.CLOSING}"
_NO_QUERY = f"{prompts.OPENING}\nNone\n{prompts.CLOSING}"
_TWO_FACTS = "- Marie Curie won two Nobel Prizes.\n- Einstein was born in Ulm."


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize(
    ("queries", "facts", "searched"),
    [
        (_TWO_QUERIES, _TWO_FACTS, (2, 2)),
        (_TWO_QUERIES, "None", (2, 0)),
        (_NO_QUERY, _TWO_FACTS, (0, 2)),
        (_NO_QUERY, "None", (0, 0)),
    ],
)
def test_each_stage_runs_once_whichever_branch_finds_nothing(
    version: str, queries: str, facts: str, searched: tuple[int, int], impl: Implementation
) -> None:
    async def nodes_run() -> tuple[Counter[str], Any]:
        chat = TimedChat({prompts.QUERIES_SYSTEM: queries, prompts.RECALL_SYSTEM: facts})
        graph = impl(build(version, chat=chat, checkpointer=InMemorySaver()))
        given = {"question": "What prizes did Marie Curie and Einstein get?"}
        events = [event async for event in graph.astream(given, THREAD, stream_mode="updates")]
        return Counter(node for event in events for node in event), (await graph.aget_state(THREAD)).values

    ran, state = run(nodes_run).result
    assert (len(state["queries"]), len(state["facts"])) == searched
    for node in ("dedupe", "draft", "refine", "cite"):
        assert ran[node] == 1
    assert ran["filter"] == len(state["passages"]) == len(state["notes"])
    assert bool(state["passages"]) == (searched != (0, 0))
    assert (state["references"] == []) == (searched == (0, 0))


@pytest.mark.parametrize("version", VERSIONS)
def test_a_thread_remembers_what_was_said_and_forgets_what_was_found(version: str, impl: Implementation) -> None:
    async def talk() -> tuple[Any, Any]:
        graph = impl(build(version, chat=TimedChat(), checkpointer=InMemorySaver()))
        first = await graph.ainvoke({"question": "Who was Einstein?"}, THREAD)
        return first, await graph.ainvoke({"question": "And which prize did he get?"}, THREAD)

    first, second = run(talk).result
    assert [turn["user"] for turn in second["history"]] == ["Who was Einstein?", "And which prize did he get?"]
    assert [turn["agent"] for turn in second["history"]] == [first["answer"], second["answer"]]
    assert "Einstein" in second["queries"][0]
    assert "prize" in second["queries"][0]
    assert "photoelectric" in second["answer"]
    assert len(second["notes"]) == len(second["passages"])
    told = {"question": "And which prize did he get?", "history": first["history"]}
    alone = run(lambda: build("flat", chat=TimedChat()).ainvoke(told)).result
    assert WIKICHAT.answer(second) == WIKICHAT.answer(alone)


@pytest.mark.parametrize("order", [(True, False), (False, True)])
def test_a_conversation_goes_on_from_langgraph_to_the_accelerated_graph_and_back(order: tuple[bool, bool]) -> None:
    async def talk(kinds: Sequence[bool]) -> Any:
        graph = build("streaming", chat=TimedChat(), checkpointer=InMemorySaver())
        state = None
        for question, accelerated in zip(("Who was Mozart?", "What did he do in Vienna?"), kinds, strict=True):
            state = await (alto_lg.accelerate(graph) if accelerated else graph).ainvoke({"question": question}, THREAD)
        return WIKICHAT.answer(state or {})

    assert run(lambda: talk(order)).result == run(lambda: talk((False, False))).result


def _timed(version: str, impl: Implementation, given: Mapping[str, Any]) -> tuple[Any, float, int, Any]:
    """The answer, how long it took, how many words the model wrote, and the accelerated graph's statistics."""
    chat = TimedChat()
    graph = impl(build(version, chat=chat, checkpointer=InMemorySaver()))
    outcome = run(lambda: graph.ainvoke(dict(given), THREAD))
    statistics = None if impl is plain_langgraph else alto_lg.statistics(graph)
    return WIKICHAT.answer(outcome.result), outcome.elapsed_s, chat.words, statistics


def test_each_step_from_flat_to_streaming_is_sooner_and_nothing_is_dropped() -> None:
    given = next(one for one in INPUTS if str(one["question"]).startswith("Compare Einstein"))
    plain, plain_s, words, _ = _timed("flat", plain_langgraph, given)
    flat, flat_s, flat_words, flat_statistics = _timed("flat", alto_lg.accelerate, given)
    streamed, streamed_s, streamed_words, streamed_statistics = _timed("streaming", alto_lg.accelerate, given)
    assert plain == flat == streamed
    assert plain_s > flat_s > streamed_s
    assert words == flat_words > streamed_words, "the reranking model is stopped when it has named enough"
    assert (flat_statistics.dropped, streamed_statistics.dropped) == (0, 0)
    assert flat_statistics.plain is streamed_statistics.plain is None


def test_the_accelerated_flat_graph_is_as_soon_as_the_one_with_subgraphs() -> None:
    given = INPUTS[0]
    subgraph, subgraph_s, *_ = _timed("subgraph", plain_langgraph, given)
    flat, flat_s, *_ = _timed("flat", alto_lg.accelerate, given)
    assert flat == subgraph
    assert flat_s == pytest.approx(subgraph_s, rel=0.001)


def test_the_draft_starts_when_the_first_ten_notes_are_known() -> None:
    """What follows the tenth note takes ten seconds to read."""
    given = next(one for one in INPUTS if str(one["question"]).startswith("Compare Einstein"))
    notes = asyncio.run(build("flat", chat=LocalChat()).ainvoke(dict(given)))["notes"]
    tenth = [place for place, note in enumerate(notes) if note["points"]][9]
    late = {note["passage"]["text"] for note in notes[tenth + 1 :]}
    assert late
    drafting_at: list[float] = []

    class Watching(TimedChat):
        async def complete(self, messages: Messages, *, max_tokens: int = 1024) -> str:
            if messages[0]["content"] == prompts.DRAFT_SYSTEM:
                drafting_at.append(asyncio.get_running_loop().time())
            if messages[0]["content"] == prompts.FILTER_SYSTEM and any(text in messages[1]["content"] for text in late):
                await asyncio.sleep(10)
            return await super().complete(messages, max_tokens=max_tokens)

    def ask() -> Any:
        graph = build("streaming", chat=Watching(), checkpointer=InMemorySaver())
        return alto_lg.accelerate(graph).ainvoke(dict(given), THREAD)

    outcome = run(ask)
    assert drafting_at[0] < 10 < outcome.elapsed_s
    assert outcome.result["notes"] == notes


@pytest.mark.parametrize("version", VERSIONS)
def test_the_first_result_is_seen_in_the_stream_of_every_version(version: str) -> None:
    async def updates() -> list[str]:
        events = [
            event
            async for event in build(version, chat=LocalChat()).astream(
                dict(INPUTS[0]), stream_mode="updates", subgraphs=True
            )
        ]
        return [node for _, update in events for node in update]

    assert asyncio.run(updates()).count(WIKICHAT.first_result_node) > 3


@pytest.mark.parametrize("version", VERSIONS)
def test_every_stage_of_every_item_leaves_one_span(version: str) -> None:
    with record_spans() as spans:
        state = asyncio.run(build(version, chat=LocalChat()).ainvoke(dict(INPUTS[0])))
    items = [(0, place) for place in range(len(state["queries"]))] + [
        (1, place) for place in range(len(state["facts"]))
    ]
    expected = [(stage, ()) for stage in (*BRANCH_STAGES, "dedupe", *TURN_STAGES)]
    expected += [(stage, item) for stage in ITEM_STAGES for item in items]
    expected += [("filter", tuple(note["place"])) for note in state["notes"]]
    expected += [(NOTE_USED, tuple(note["place"])) for note in state["notes"] if note["points"]][:10]
    if version == "streaming":
        expected += [((QUERY_WRITTEN, FACT_WRITTEN)[branch], (place,)) for branch, place in items]
        expected += [(RANKED, tuple(found["place"])) for found in (*state["by_query"], *state["by_fact"])]
    assert sorted((span.stage, span.item) for span in spans) == sorted(expected)
    assert WIKICHAT.limit_s(spans) > (WIKICHAT.first_result_limit_s(spans) or 0) > 0


def test_the_graphs_can_be_drawn_with_all_their_edges() -> None:
    flat, streaming = (
        {(edge.source, edge.target) for edge in build(version, chat=LocalChat()).get_graph().edges}
        for version in ("flat", "streaming")
    )
    branches = [("make_queries", "search_query", "rerank_query"), ("recall", "search_fact", "rerank_fact")]
    paths = [("__start__", "begin"), ("dedupe", "filter", "draft", "refine", "cite", "__end__"), ("dedupe", "draft")]
    paths += [("begin", *branch, "dedupe") for branch in branches]
    assert flat == streaming == {pair for path in paths for pair in itertools.pairwise(path)}
    nodes = build("subgraph", chat=LocalChat()).get_graph(xray=True).nodes
    assert any("rerank" in node for node in nodes)


def test_an_unknown_version_is_refused_with_the_known_ones() -> None:
    with pytest.raises(ValueError, match="no version 'round'; choose one of flat, subgraph, streaming"):
        build("round", chat=LocalChat())


def test_a_model_that_cannot_stream_is_refused_by_the_streaming_version() -> None:
    class Whole:
        async def complete(self, messages: Messages, *, max_tokens: int = 1024) -> str:
            return ""

    with pytest.raises(TypeError, match="Whole cannot stream, which this version of the graph needs"):
        build("streaming", chat=Whole())


def test_wikichat_is_an_application() -> None:
    application: Application = WIKICHAT
    graph = application.build("flat", ModelEndpoint("http://127.0.0.1:9/v1", "m"), corpus=None)
    assert application.first_result_node in graph.nodes
    assert isinstance(graph.checkpointer, InMemorySaver)
    with pytest.raises(ValueError, match="those that its search finds"):
        application.sized([], 3)


@pytest.mark.parametrize("version", VERSIONS)
def test_with_a_checkpointer_no_node_that_asks_a_server_holds_up_the_others(version: str) -> None:
    """A node that may pause the run would start in its own step only, and nothing would pass it."""
    chat = OpenAIChat("http://127.0.0.1:9/v1", "m")
    app: Any = alto_lg.accelerate(build(version, chat=chat, checkpointer=InMemorySaver()))
    stages = app.nodes.acceleration.wired.plan.stages
    assert [name for name, stage in stages.items() if stage.may_interrupt or stage.touches_store] == []


def test_what_the_analysis_says_of_the_streaming_graph_is_what_makes_it_stream() -> None:
    chat = OpenAIChat("http://127.0.0.1:9/v1", "m")
    told = alto_lg.explain(alto_lg.accelerate(build("streaming", chat=chat, checkpointer=InMemorySaver())))
    for node in ("make_queries", "recall", "dedupe"):
        assert any(note.startswith("streams: ") for note in told[node].notes), node
    assert set(told["dedupe"].reads or ()) == {"by_query", "by_fact"}
    assert set(told["draft"].reads or ()) == {"dialogue", "notes"}
    assert any("First(count=10" in note for note in told["draft"].notes)
    assert [node.node for node in told.nodes if node.writes_evidence == "unknown"] == []
