"""A model made of rules: plans, finds and joins on the text in the prompt, and on nothing else.

It stands in for a language model in the simulated server, so that answers can be scored and lengths vary as they do in
recorded outputs. Always true: the reply depends on the messages and the seed only; no label is ever read.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from fractions import Fraction

from alto_lg.apps.lengths import Spread, drawn, fitting, source_of
from alto_lg.apps.llmcompiler import planning_rules, prompts
from alto_lg.apps.llmcompiler.parsing import ANSWER_MARK, REPLAN_MARK
from alto_lg.apps.reading_rules import Reading, answer_in, kind_of

# A joiner's thought in tokens: as the worked examples of the original have it; how they are spread is not recorded.
_THOUGHT = Spread(mean=40, variation=0.30, least=15, most=90)
_ENOUGH_SHARE = 0.4
_PASSAGE = re.compile(r"^\[\d+\] (.*?): (.*)$", re.MULTILINE)
_RESULT = re.compile(r'^(\d+)\. \w+\("(.*)"\) = (.*)$', re.MULTILINE)
_NUMBER = re.compile(r"-?\d+(?:\.\d+)?")


def reply(messages: Sequence[Mapping[str, str]], seed: int) -> str | None:
    """The model's answer, or None if the prompt is not one of LLMCompiler's."""
    system, user = _content(messages, "system"), _content(messages, "user")
    match system:
        case prompts.PLAN_SYSTEM:
            return _plan(user)
        case prompts.FIND_SYSTEM:
            return _find(user)
        case prompts.JOIN_SYSTEM:
            return _join(user, seed, is_last=False)
        case prompts.JOIN_LAST_SYSTEM:
            return _join(user, seed, is_last=True)
    return None


def _content(messages: Sequence[Mapping[str, str]], role: str) -> str:
    return next((str(message.get("content") or "") for message in messages if message.get("role") == role), "")


def _line(user: str, mark: str) -> str:
    return next((line.removeprefix(mark).strip() for line in user.splitlines() if line.startswith(mark)), "")


# Planning.


def _plan(user: str) -> str:
    number = int(_line(user, prompts.NEXT_MARK) or 1)
    plan = planning_rules.planned(_line(user, prompts.QUESTION_MARK), begun_at=number, is_second=number > 1)
    return "\n".join([*plan.lines, f"{number + len(plan.lines)}. join()"])


# Finding.


def _find(user: str) -> str:
    question = _line(user, prompts.QUESTION_MARK)
    reading = Reading(question, _PASSAGE.findall(user.partition(prompts.PASSAGES_MARK)[2]))
    told = reading.best()
    if told is None or reading.share_of(told) < _ENOUGH_SHARE:
        return f"{ANSWER_MARK} unknown"
    answer = answer_in(question, told.sentence, kind_of(question), question)
    if not answer:
        return f"{ANSWER_MARK} unknown"
    return f"{told.sentence}\n{ANSWER_MARK} {_bare(answer) if kind_of(question) == 'amount' else answer}"


def _bare(answer: str) -> str:
    """The number alone."""
    return answer.replace(",", "").split()[0]


# Joining.


def _join(user: str, seed: int, *, is_last: bool) -> str:
    question = _line(user, prompts.QUESTION_MARK)
    listed = [(int(number), argument, result) for number, argument, result in _RESULT.findall(user)]
    answer = _answer(question, listed)
    room = drawn(_THOUGHT, source_of(f"{seed}\n{user}"))
    said = [f"For {argument.rstrip('?')!r} the result is {result}." for _, argument, result in reversed(listed)]
    thought = f"Thought: {' '.join(fitting(said or ['There are no results.'], room))}"
    if answer or is_last:
        return f"{thought}\n{ANSWER_MARK} {answer or 'unknown'}"
    missing = next((argument for _, argument, result in listed if _is_missing(result)), question)
    return f"{thought}\n{REPLAN_MARK} {missing}"


def _answer(question: str, listed: Sequence[tuple[int, str, str]]) -> str:
    """The answer that follows from the results of the last plan; "" where one of them is missing."""
    plan = planning_rules.planned(question)
    last = listed[-len(plan.lines) :]
    if len(last) < len(plan.lines) or any(_is_missing(result) for _, _, result in last):
        return ""
    if plan.judging == "last":
        return last[-1][2].lstrip("-")
    values = {option: _value(last[number - 1][2]) for option, number in plan.options.items()}
    known = {option: value for option, value in values.items() if value is not None}
    if len(known) < len(values):
        return ""
    return (min if plan.judging == "smallest" else max)(known, key=lambda option: known[option])


def _is_missing(result: str) -> bool:
    return result == "unknown" or result.startswith("error:")


def _value(result: str) -> Fraction | None:
    found = _NUMBER.search(result)
    return Fraction(found.group()) if found else None
