"""From the lines of a model's plan to tasks, and from its last word to an answer.

Always true: no text makes a function here raise; a task needs earlier tasks only, so tasks never wait in a circle.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from alto_lg.apps.llmcompiler.state import Task

TASKS_MAX = 20
ANSWER_MARK = "Answer:"
REPLAN_MARK = "Replan:"

_LINE = re.compile(r"^\s*(\d{1,3})[.)]\s*(\w+)\s*\((.*)\)\s*$")
_JOIN = re.compile(r"^\s*(?:\d{1,3}[.)]\s*)?join\s*\(", re.IGNORECASE)
_REFERENCE = re.compile(r"\$\{?(\d{1,3})\}?")
_QUOTES = ('"', "'")
# Each takes one line without the marks around it; models like to quote an answer, or to set it in bold.
_ANSWERED = re.compile(rf"{ANSWER_MARK}[\s\"'*]*(.*?)[\s\"'*.]*$", re.MULTILINE)
_MISSING = re.compile(rf"{REPLAN_MARK}\s*(.*?)\s*$", re.MULTILINE)
_SAID = re.compile(r"^[ \"'*]*(\S.*?)[\s\"'*.]*$", re.MULTILINE)


def is_end(line: str) -> bool:
    """Whether a line says that the plan is complete."""
    return _JOIN.match(line) is not None


def task_of(line: str, before: Sequence[Task]) -> Task | None:
    """The task of a line; None for a line that is none, or that has the number of an earlier one."""
    found = _LINE.match(line)
    if found is None or is_end(line) or len(before) >= TASKS_MAX:
        return None
    number = int(found.group(1))
    if any(task["number"] >= number for task in before):
        return None
    return {"number": number, "tool": found.group(2), "argument": _unquoted(found.group(3))}


def tasks_of(text: str, before: Sequence[Task]) -> list[Task]:
    """All tasks of a plan behind those of the plan before."""
    tasks = list(before)
    for line in text.split("\n"):
        if is_end(line):
            break
        task = task_of(line, tasks)
        if task is not None:
            tasks.append(task)
    return tasks


def written(number: int, tool: str, argument: str) -> str:
    """A call as a line of a plan, which reads as the same call again."""
    return f'{number}. {tool}("{argument}")'


def needs(task: Task, tasks: Sequence[Task]) -> list[int]:
    """The numbers of the earlier tasks whose results a task needs, each once."""
    earlier = {other["number"] for other in tasks if other["number"] < task["number"]}
    named = (int(number) for number in _REFERENCE.findall(task["argument"]))
    return [number for number in dict.fromkeys(named) if number in earlier]


def filled_in(argument: str, results: Mapping[int, str]) -> str:
    """The argument with results in the place of their numbers; a number without a result stays."""
    text, *behind = _REFERENCE.split(argument)
    for number, plain in zip(behind[::2], behind[1::2], strict=True):
        text += results.get(int(number), f"${number}") + plain
    return str(text)


def joined(text: str) -> tuple[str, str]:
    """The answer, and what is missing for one: one of the two is empty, unless the model said nothing."""
    answers = _ANSWERED.findall(text)
    if answers:
        return str(answers[-1]), ""
    missing = _MISSING.findall(text)
    if missing:
        return "", str(missing[-1]) or "nothing was said of what is missing"
    lines = _SAID.findall(text)
    return (str(lines[-1]) if lines else ""), ""


def found(text: str) -> str:
    """What a reader found: what stands behind the last mark, or the last line; one line in any case."""
    return joined(text)[0] or "unknown"


def _unquoted(argument: str) -> str:
    bare = argument.strip()
    is_quoted = len(bare) > 1 and bare[0] == bare[-1] and bare[0] in _QUOTES
    return " ".join((bare[1:-1] if is_quoted else bare).split())
