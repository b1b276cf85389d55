"""The stages of an article, shared by every version of the graph.

Always true: a stage reads its arguments and returns new values; it changes nothing in place. What is done as the model
writes gives the same as what is done when it has written. Searching runs on the event loop: it takes 0.2 ms, and a hop
to a thread takes 0.06 ms.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Iterable, Sequence
from contextlib import aclosing

from langchain_core.language_models import BaseChatModel

from alto_lg import split
from alto_lg.apps.chat import Chat, Messages, as_chat, as_streaming_chat
from alto_lg.apps.corpus import Passage
from alto_lg.apps.retrieval import Retriever
from alto_lg.apps.spans import note, now, span
from alto_lg.apps.storm import parsing, prompts
from alto_lg.apps.storm.citing import cited, numbered, without_citations
from alto_lg.apps.storm.composing import assembled, composed
from alto_lg.apps.storm.outline import Outlined, OutlineReader, sections_of
from alto_lg.apps.storm.state import Finding, Planned, Reference, Said, Section

BASIC_EDITOR = (
    "Basic fact writer: what it is and how it is known; where and when it began; who took part in it; "
    "how it went on; what it means today"
)
"""The first editor of every article, who needs no model."""

FOUND_MAX = 3
CITED_MAX = 3

# About twice what the outputs of the original are cut off at: a client that is cut off here raises.
_LIST_TOKENS_MAX = 400
_PERSONAS_TOKENS_MAX = 800
_TURN_TOKENS_MAX = 1000
_OUTLINE_TOKENS_MAX = 1000
_SECTION_TOKENS_MAX = 1500
_ARTICLE_TOKENS_MAX = 8000


class Stages:
    """The work of each node, with the model and the corpus that it needs."""

    def __init__(self, chat: Chat | BaseChatModel, retriever: Retriever) -> None:
        self._chat = as_chat(chat)
        self._retriever = retriever
        self._contents = _contents_of(retriever.documents())

    def require_streaming(self) -> None:
        """`TypeError` if the model cannot stream."""
        as_streaming_chat(self._chat)

    async def draft(self, topic: str) -> str:
        """An outline from what the model knows itself."""
        with span("draft"):
            return await self._chat.complete(prompts.drafting(topic), max_tokens=_OUTLINE_TOKENS_MAX)

    async def relate(self, topic: str) -> list[str]:
        """Titles of related articles."""
        with span("relate"):
            return parsing.related(await self._chat.complete(prompts.relating(topic), max_tokens=_LIST_TOKENS_MAX))

    async def look_through(self, related: Sequence[str]) -> list[str]:
        """The tables of contents of the articles that are closest to the titles, a line each."""
        with span("contents"):
            found = [passage["id"] for title in related for passage in self._retriever.closest(title, 1)]
            return list(dict.fromkeys(self._contents[identity] for identity in found))

    async def choose(self, topic: str, contents: Sequence[str], most: int) -> list[str]:
        """The editors; the one for the basic facts comes first."""
        if not most:
            return [BASIC_EDITOR]
        with span("personas"):
            asked = prompts.choosing(topic, contents, most)
            text = await self._chat.complete(asked, max_tokens=_PERSONAS_TOKENS_MAX)
            return [BASIC_EDITOR, *[found for found in map(parsing.persona, text.splitlines()) if found][:most]]

    async def survey_by_and_by(self, topic: str, most: int) -> AsyncGenerator[dict[str, list[str]], None]:
        """All that leads to the editors: the first at once, the others each when there is one more."""
        yield {"personas": [BASIC_EDITOR]}
        related = await self.relate(topic)
        contents = await self.look_through(related)
        yield {"related": related, "contents": contents}
        async with aclosing(self._choose_by_and_by(topic, contents, most)) as chosen:
            async for personas in chosen:
                yield {"personas": personas}

    async def _choose_by_and_by(
        self, topic: str, contents: Sequence[str], most: int
    ) -> AsyncGenerator[list[str], None]:
        """The editors so far, as often as there is one more; the model is stopped when there are enough."""
        personas = [BASIC_EDITOR]
        if not most:
            return
        with span("personas"):
            started = now()
            deltas = self._streamed(prompts.choosing(topic, contents, most), _PERSONAS_TOKENS_MAX)
            async with split.lines(deltas) as lines:
                async for line in lines:
                    found = parsing.persona(line)
                    if not found:
                        continue
                    note("persona", (len(personas),), started)
                    personas = [*personas, found]
                    yield personas
                    if len(personas) > most:
                        break

    async def ask(self, item: tuple[int, int], topic: str, persona: str, history: str) -> str:
        """The next question of an editor; nothing from one who has no more to ask.

        item: the place of the editor, and the turn.
        """
        with span("ask", item):
            asked = prompts.asking(topic, persona, history)
            return parsing.question(await self._chat.complete(asked, max_tokens=_TURN_TOKENS_MAX))

    async def query(self, item: tuple[int, int], topic: str, question: str, most: int) -> list[str]:
        """What to search for."""
        with span("query", item):
            text = await self._chat.complete(prompts.querying(topic, question), max_tokens=_LIST_TOKENS_MAX)
            return parsing.queries(text, most)

    async def search(self, item: tuple[int, int], queries: Sequence[str]) -> tuple[Finding, str]:
        """What all queries have found, in order, each passage once; and the same as evidence."""
        found = [passage for place, query in enumerate(queries) for passage in self._searched(item, place, query)]
        return _finding(item, list(queries), found)

    async def look_up(self, item: tuple[int, int], topic: str, question: str, most: int) -> tuple[Finding, str]:
        """The same from the question on; each query is searched for when its line is written."""
        queries, found, reader = list[str](), list[Passage](), parsing.Queries(most)
        with span("query", item):
            started = now()
            async with split.lines(self._streamed(prompts.querying(topic, question), _LIST_TOKENS_MAX)) as lines:
                async for line in lines:
                    query = reader.read(line)
                    if query:
                        note("query_written", (*item, len(queries)), started)
                        found += self._searched(item, len(queries), query)
                        queries.append(query)
                    if reader.is_full:
                        break
        for query in reader.rest():
            found += self._searched(item, len(queries), query)
            queries.append(query)
        return _finding(item, queries, found)

    async def answer(
        self, item: tuple[int, int], topic: str, question: str, evidence: str, history: str
    ) -> tuple[Said, str]:
        """What the expert says to a question, and the conversation with it."""
        with span("answer", item):
            asked = prompts.answering(topic, question, evidence)
            answer = (await self._chat.complete(asked, max_tokens=_TURN_TOKENS_MAX)).strip()
        said: Said = {"place": item[0], "turn": item[1], "question": question, "answer": answer}
        return said, _continued(history, said)

    async def refine(
        self, topic: str, drafted: str, said: Sequence[Said], found: Sequence[Finding], most: int
    ) -> list[Planned]:
        """The sections of the article, each with the snippets that it may cite."""
        with span("refine"):
            text = await self._chat.complete(_refining(topic, drafted, said), max_tokens=_OUTLINE_TOKENS_MAX)
            snippets = snippets_of(found)
            outlined = sections_of(text, topic)[:most]
            return [self._planned(topic, place, one, snippets) for place, one in enumerate(outlined)]

    async def refine_by_and_by(
        self, topic: str, drafted: str, said: Sequence[Said], found: Sequence[Finding], most: int
    ) -> AsyncGenerator[list[Planned], None]:
        """The sections so far, as often as there is one more; the model is stopped when there are enough."""
        with span("refine"):
            plan, snippets, started = list[Planned](), snippets_of(found), now()
            deltas = self._streamed(_refining(topic, drafted, said), _OUTLINE_TOKENS_MAX)
            async with split.by(deltas, OutlineReader(topic)) as sections:
                async for outlined in sections:
                    note("planned", (len(plan),), started)
                    plan = [*plan, self._planned(topic, len(plan), outlined, snippets)]
                    yield plan
                    if len(plan) >= most:
                        break
            if not plan:
                yield plan

    async def write(self, place: int, topic: str, outline: str, evidence: str) -> str:
        """The text of a section, as the model wrote it."""
        with span("write", (place,)):
            asked = prompts.writing(topic, outline, evidence)
            return (await self._chat.complete(asked, max_tokens=_SECTION_TOKENS_MAX)).strip()

    async def lead(self, topic: str, sections: Sequence[Section], plan: Sequence[Planned]) -> str:
        """What stands above the first section."""
        with span("lead"):
            asked = prompts.leading(topic, composed("", sections, plan))
            return (await self._chat.complete(asked, max_tokens=_SECTION_TOKENS_MAX)).strip()

    async def polish(self, lead: str, sections: Sequence[Section], plan: Sequence[Planned]) -> str:
        """The lead and the sections without repetitions; as they are if the model leaves nothing of them."""
        with span("polish"):
            whole = composed(lead, sections, plan)
            asked = prompts.polishing(whole)
            return (await self._chat.complete(asked, max_tokens=_ARTICLE_TOKENS_MAX)).strip() or whole

    async def publish(self, topic: str, text: str, found: Sequence[Finding]) -> tuple[str, list[Reference]]:
        """The article in Markdown, and its references."""
        with span("publish"):
            body, references = cited(text, snippets_of(found))
            return assembled(topic, body, references), references

    def _streamed(self, messages: Messages, max_tokens: int) -> AsyncGenerator[str, None]:
        return as_streaming_chat(self._chat).stream(messages, max_tokens=max_tokens)

    def _searched(self, item: tuple[int, int], place: int, query: str) -> list[Passage]:
        with span("search", (*item, place)):
            return self._retriever.closest(query, FOUND_MAX)

    def _planned(self, topic: str, place: int, outlined: Outlined, snippets: Sequence[Passage]) -> Planned:
        """The section with the snippets that are closest to each of its headings."""
        numbers = {snippet["id"]: number for number, snippet in enumerate(snippets, 1)}
        chosen: set[int] = set()
        for heading in (outlined.heading, *(heading for _, heading in outlined.headings)):
            closest = self._retriever.closest(f"{heading} ({topic})", CITED_MAX, among=numbers)
            chosen.update(numbers[passage["id"]] for passage in closest)
        ordered = sorted(chosen)
        evidence = numbered([snippets[number - 1] for number in ordered], ordered)
        return {"place": place, "heading": outlined.heading, "outline": outlined.text, "evidence": evidence}


def snippets_of(found: Sequence[Finding]) -> list[Passage]:
    """All that was found, each passage once, by editor and turn."""
    ordered = sorted(found, key=lambda one: (one["place"], one["turn"]))
    return _distinct(passage for one in ordered for passage in one["passages"])


def _contents_of(documents: Sequence[Sequence[Passage]]) -> dict[str, str]:
    """The table of contents of the document of each passage, by the id of the passage."""
    contents = {}
    for document in documents:
        titles = "; ".join(dict.fromkeys(passage["title"] for passage in document))
        contents.update({passage["id"]: titles for passage in document})
    return contents


def _finding(item: tuple[int, int], queries: list[str], found: Sequence[Passage]) -> tuple[Finding, str]:
    passages = _distinct(found)
    return {"place": item[0], "turn": item[1], "queries": queries, "passages": passages}, numbered(passages)


def _continued(history: str, said: Said) -> str:
    """The conversation with one more turn."""
    answer = " ".join(without_citations(said["answer"]).split())
    return f"{history}\n{prompts.EDITOR} {said['question']}\n{prompts.EXPERT} {answer}".strip()


def _refining(topic: str, drafted: str, said: Sequence[Said]) -> Messages:
    interviews = ""
    for one in sorted(said, key=lambda one: (one["place"], one["turn"])):
        interviews = _continued(interviews, one)
    return prompts.refining(topic, drafted, interviews)


def _distinct(passages: Iterable[Passage]) -> list[Passage]:
    return list({passage["id"]: passage for passage in reversed(list(passages))}.values())[::-1]
