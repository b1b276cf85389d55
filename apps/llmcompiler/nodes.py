"""The stages of one question, shared by every version of the graph and by the hand-written program.

Always true: a stage reads its arguments and returns new values; it changes nothing in place. A task is called once a
run, however many wait for its result, and with the same argument in every version.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from functools import partial

from langchain_core.language_models import BaseChatModel

from alto_lg import split
from alto_lg.apps.chat import Chat, as_chat, as_streaming_chat
from alto_lg.apps.keyword_search import KeywordSearch
from alto_lg.apps.llmcompiler import parsing, prompts
from alto_lg.apps.llmcompiler.state import Call, Result, Task
from alto_lg.apps.llmcompiler.tools import Tools
from alto_lg.apps.shared_calls import SharedCalls
from alto_lg.apps.spans import note, now, span
from alto_lg.apps.together import together

ROUNDS_MAX = 2
_PLAN_TOKENS_MAX = 1024
_JOIN_TOKENS_MAX = 512


def waiting(plan: Sequence[Task], results: Sequence[Result]) -> list[Task]:
    """The tasks without a result."""
    done = {result["number"] for result in results}
    return [task for task in plan if task["number"] not in done]


def ready(turn: int, plan: Sequence[Task], results: Sequence[Result]) -> list[Call]:
    """The tasks that can be called: without a result, and with all results that they need."""
    known = {result["number"]: result["result"] for result in results}
    return [
        _call(turn, task, known)
        for task in waiting(plan, results)
        if all(number in known for number in parsing.needs(task, plan))
    ]


def lines_up_to(task: Task, plan: Sequence[Task]) -> str:
    """The plan as text, with a task as its last line."""
    kept = (one for one in plan if one["number"] <= task["number"])
    return "\n".join(parsing.written(one["number"], one["tool"], one["argument"]) for one in kept)


def _call(turn: int, task: Task, known: dict[int, str]) -> Call:
    argument = parsing.filled_in(task["argument"], known)
    return {"round": turn, "number": task["number"], "tool": task["tool"], "argument": argument}


class Stages:
    """The work of each node, with the model and the corpus that it needs."""

    def __init__(self, chat: Chat | BaseChatModel, search: KeywordSearch) -> None:
        self._chat = as_chat(chat)
        self._tools = Tools(self._chat, search)
        self._shared = SharedCalls[Result]()

    def require_streaming(self) -> None:
        """`TypeError` if the model cannot stream."""
        as_streaming_chat(self._chat)

    async def plan(
        self, question: str, turn: int, before: Sequence[Task], results: Sequence[Result], missing: str
    ) -> list[Task]:
        """The tasks of all rounds, those of this one last."""
        with span("plan", (turn,)):
            asked = prompts.planning(question, before, results, missing)
            tasks = parsing.tasks_of(await self._chat.complete(asked, max_tokens=_PLAN_TOKENS_MAX), before)
        for task in tasks[len(before) :]:
            _note_needs(turn, task, tasks)
        return tasks

    async def plan_by_and_by(
        self, question: str, turn: int, before: Sequence[Task], results: Sequence[Result], missing: str
    ) -> AsyncGenerator[list[Task], None]:
        """The tasks so far, as often as the model has written one more; once where it writes none."""
        tasks = list(before)
        with span("plan", (turn,)):
            asked, started = prompts.planning(question, before, results, missing), now()
            deltas = as_streaming_chat(self._chat).stream(asked, max_tokens=_PLAN_TOKENS_MAX)
            async with split.lines(deltas) as lines:
                async for line in lines:
                    if parsing.is_end(line):
                        break
                    task = parsing.task_of(line, tasks)
                    if task is not None:
                        tasks.append(task)
                        note("line", (turn, task["number"]), started)
                        _note_needs(turn, task, tasks)
                        yield list(tasks)
        if len(tasks) == len(before):
            yield tasks

    async def call(self, turn: int, number: int, tool: str, argument: str) -> Result:
        """A task whose results are filled in."""
        with span("work", (turn, number)):
            result = await self._tools.call(tool, argument)
            return {"number": number, "tool": tool, "argument": argument, "result": result}

    async def call_when_ready(self, run: str, turn: int, number: int, plan: str) -> Result:
        """A task of a plan, as soon as the tasks that it needs have come to their results.

        They are taken from whoever else of this run has called them, or is calling them now, or are called here: so
        nobody waits for a task that may never begin.
        """
        return await self._shared_result(run, turn, number, parsing.tasks_of(plan, ()))

    async def join(self, question: str, turn: int, results: Sequence[Result]) -> tuple[str, str]:
        """The answer, or what is missing for one and worth another plan."""
        with span("join", (turn,)):
            asked = prompts.joining(question, results, turn)
            answer, missing = parsing.joined(await self._chat.complete(asked, max_tokens=_JOIN_TOKENS_MAX))
            return (answer, missing) if turn < ROUNDS_MAX else (answer, "")

    def forget(self, run: str) -> None:
        """The run has its answer: nothing waits for its tasks any more."""
        self._shared.forget(run)

    async def _shared_result(self, run: str, turn: int, number: int, tasks: Sequence[Task]) -> Result:
        # A partial of a method, not a function made here: at this depth the analysis takes one that it has not seen
        # defined for code that may pause the run, and `work` would not start early.
        make = partial(self._call_behind_others, run, turn, number, tasks)
        return (await self._shared.ask(run, number, make))[1]

    async def _call_behind_others(self, run: str, turn: int, number: int, tasks: Sequence[Task]) -> Result:
        task = next(one for one in tasks if one["number"] == number)
        needed = parsing.needs(task, tasks)
        async with together() as group:
            waits = [group.create_task(self._shared_result(run, turn, one, tasks)) for one in needed]
        call = _call(turn, task, {one: wait.result()["result"] for one, wait in zip(needed, waits, strict=True)})
        return await self.call(turn, number, call["tool"], call["argument"])


def _note_needs(turn: int, task: Task, tasks: Sequence[Task]) -> None:
    for number in parsing.needs(task, tasks):
        note("needs", (turn, task["number"], number), now())
