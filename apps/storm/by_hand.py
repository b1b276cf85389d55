"""STORM written by hand with asyncio: no graph, and every overlap that its author could find.

The first editor's interview and the draft start at once; each other interview when the line of its editor is written;
each query is searched for when it is written; each section when its part of the outline is. What the state says is the
same as in every version of the graph.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from contextlib import aclosing
from typing import Any, cast

from alto_lg.apps.storm.composing import composed
from alto_lg.apps.storm.graph_parts import given_of, talk_of
from alto_lg.apps.storm.nodes import Stages
from alto_lg.apps.storm.state import Finding, Planned, Said, Section, Topic
from alto_lg.apps.together import together

_Told = Callable[[str], None]
_Interviews = list[asyncio.Task[tuple[list[Said], list[Finding]]]]


class ByHand:
    """A program for any number of articles, one after the other or at once."""

    def __init__(self, stages: Stages) -> None:
        stages.require_streaming()
        self._stages = stages

    async def run(self, given: Mapping[str, Any], told: _Told) -> Mapping[str, Any]:
        """The final state for one topic."""
        state = given_of(cast(Topic, given))
        told("begin")
        async with together() as group:
            drafting = group.create_task(self._draft(state["topic"], told))
            interviews = await self._interviews(state, group, told)
            talked = [await interview for interview in interviews]
            state["said"] = [said for one, _ in talked for said in one]
            state["found"] = [finding for _, one in talked for finding in one]
            state["drafted"] = await drafting
            state["sections"] = [await writing for writing in await self._sections(state, group, told)]
        await self._end(state, told)
        return state

    async def _draft(self, topic: str, told: _Told) -> str:
        drafted = await self._stages.draft(topic)
        told("draft")
        return drafted

    async def _interviews(self, state: dict[str, Any], group: asyncio.TaskGroup, told: _Told) -> _Interviews:
        """The interviews, each under way since its editor was known."""

        def begin(persona: str) -> None:
            begun.append(group.create_task(self._interview(state, len(begun), persona, told)))

        begun: _Interviews = []
        async with aclosing(self._stages.survey_by_and_by(state["topic"], state["perspectives_max"])) as survey:
            async for update in survey:
                state.update(update)
                for persona in state["personas"][len(begun) :]:
                    begin(persona)
        told("personas")
        return begun

    async def _interview(
        self, state: Mapping[str, Any], place: int, persona: str, told: _Told
    ) -> tuple[list[Said], list[Finding]]:
        talk, said, findings = talk_of(state, place, persona), list[Said](), list[Finding]()
        topic, history = talk["topic"], ""
        for turn in range(talk["turns_max"]):
            item = (place, turn)
            question = await self._stages.ask(item, topic, persona, history)
            told("ask")
            if not question:
                break
            finding, evidence = await self._stages.look_up(item, topic, question, talk["queries_max"])
            told("look_up")
            findings.append(finding)
            answered, history = await self._stages.answer(item, topic, question, evidence, history)
            told("answer")
            said.append(answered)
        return said, findings

    async def _sections(
        self, state: dict[str, Any], group: asyncio.TaskGroup, told: _Told
    ) -> list[asyncio.Task[Section]]:
        """The sections, each under way since its part of the outline was known."""
        writing: list[asyncio.Task[Section]] = []
        planned = self._stages.refine_by_and_by(
            state["topic"], state["drafted"], state["said"], state["found"], state["sections_max"]
        )
        async with aclosing(planned):
            async for state["plan"] in planned:
                new = state["plan"][len(writing) :]
                writing += [group.create_task(self._section(state["topic"], one, told)) for one in new]
        told("refine")
        return writing

    async def _section(self, topic: str, planned: Planned, told: _Told) -> Section:
        text = await self._stages.write(planned["place"], topic, planned["outline"], planned["evidence"])
        told("write")
        return {"place": planned["place"], "heading": planned["heading"], "text": text}

    async def _end(self, state: dict[str, Any], told: _Told) -> None:
        state["lead"] = await self._stages.lead(state["topic"], state["sections"], state["plan"])
        told("lead")
        text = composed(state["lead"], state["sections"], state["plan"])
        if state["polish"]:
            text = state["polished"] = await self._stages.polish(state["lead"], state["sections"], state["plan"])
            told("polish")
        state["article"], state["references"] = await self._stages.publish(state["topic"], text, state["found"])
        told("publish")
