"""How a model made of rules plans: what of a question can be looked up by itself, and what follows from the findings.

Knows a handful of forms of questions, as a planner knows those of its examples; any other is looked up whole. Always
true: a plan depends on the question and on whether it is the first.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Literal

from alto_lg.apps import text
from alto_lg.apps.llmcompiler import parsing
from alto_lg.apps.llmcompiler.prompts import CALCULATE, LOOK_UP

Judging = Literal["smallest", "largest", "last"]
"""Which result answers the question: that of an option with the smallest or the largest number, or the last one."""

_PEOPLE = "painter composer author builder captain inventor founder director architect"
_WHO = re.compile(rf"\bthe (?:{'|'.join(_PEOPLE.split())}) of (?:the [a-z]+ )?(?:[A-Z]\w*|of|the|[ ])+(?<! )")
_PASSED = re.compile(r"^How many years passed between (.+?) and (the .+)$")
_MORE = re.compile(r"^How many (\w+) (\w+?)er is (.+) than (.+)$")
_TIMES = re.compile(r"^How many times as (\w+) as (.+) is (.+)$")
_TOGETHER = re.compile(r"^How many (\w+) (\w+) are (.+) together$")
_FIRST = re.compile(r"^(?:Who|Which) (.+?) (first|last), (.+)$")
_MOST = re.compile(r"^Which is the (\w+?)est, (.+)$")
_EVENT = re.compile(r"^the (birth|death|opening) of (.+)$")
_VERBS = {"birth": "born", "death": "die", "opening": "open"}
_PRESENT = {"opened": "open", "died": "die", "received": "receive", "moved": "move", "erupted": "erupt"}
_UNITS = {"high": "metres", "long": "kilometres", "deep": "metres", "old": "years"}


@dataclass(slots=True)
class Plan:
    """A plan that is being written. options: what is compared, each with the number of its task."""

    begun_at: int
    is_second: bool
    lines: list[str] = field(default_factory=list)
    options: dict[str, int] = field(default_factory=dict)
    judging: Judging = "last"

    def ask(self, question: str) -> int:
        """The number of the task that looks up the answer; people who are only described are looked up before."""
        described = _WHO.search(question)
        if described is not None:
            person = self._add(LOOK_UP, f"Who was {described.group()}?")
            question = question.replace(described.group(), f"${person}")
        return self._add(LOOK_UP, _in_other_words(question) if self.is_second else question)

    def calculate(self, expression: str) -> None:
        self._add(CALCULATE, expression)

    def _add(self, tool: str, argument: str) -> int:
        number = self.begun_at + len(self.lines)
        self.lines.append(parsing.written(number, tool, argument))
        return number


def planned(question: str, *, begun_at: int = 1, is_second: bool = False) -> Plan:
    """The plan for a question. is_second: what is asked for is asked for in other words."""
    plan = Plan(begun_at, is_second)
    asked = " ".join(question.split()).rstrip("?")
    for form, fill_in in _FORMS:
        found = form.match(asked)
        if found is not None:
            fill_in(plan, *found.groups())
            return plan
    plan.ask(f"{asked}?")
    return plan


def options_of(listed: str) -> list[str]:
    """The members of "A, B or C"."""
    return [one.strip() for one in re.split(r",| or | and ", listed) if one.strip()]


def _passed(plan: Plan, one: str, other: str) -> None:
    first, second = plan.ask(_year_of(one)), plan.ask(_year_of(other))
    plan.calculate(f"${second} - ${first}")


def _more(plan: Plan, unit: str, adjective: str, one: str, other: str) -> None:
    first, second = (plan.ask(_measured(unit, adjective, thing)) for thing in (one, other))
    plan.calculate(f"${first} - ${second}")


def _times(plan: Plan, adjective: str, one: str, other: str) -> None:
    first, second = (plan.ask(_measured(_UNITS.get(adjective, "metres"), adjective, thing)) for thing in (one, other))
    plan.calculate(f"${second} / ${first}")


def _together(plan: Plan, unit: str, adjective: str, listed: str) -> None:
    numbers = [plan.ask(_measured(unit, adjective, thing)) for thing in options_of(listed)]
    plan.calculate(" + ".join(f"${number}" for number in numbers))


def _first(plan: Plan, happened: str, place: str, listed: str) -> None:
    verb, _, rest = happened.partition(" ")
    for option in options_of(listed):
        did = f"was {option} {rest}" if verb == "was" else f"did {option} {_PRESENT.get(verb, verb)} {rest}".rstrip()
        plan.options[option] = plan.ask(f"In which year {did}?")
    plan.judging = "smallest" if place == "first" else "largest"


def _most(plan: Plan, adjective: str, listed: str) -> None:
    for option in options_of(listed):
        plan.options[option] = plan.ask(_measured(_UNITS.get(adjective, "metres"), adjective, option))
    plan.judging = "largest"


_FORMS: Sequence[tuple[re.Pattern[str], Callable[..., None]]] = (
    (_PASSED, _passed),
    (_TIMES, _times),
    (_MORE, _more),
    (_TOGETHER, _together),
    (_FIRST, _first),
    (_MOST, _most),
)


def _year_of(event: str) -> str:
    found = _EVENT.match(event)
    if found is None:
        return f"In which year was {event}?"
    what, whose = found.groups()
    verb = _VERBS[what]
    return f"In which year was {whose} born?" if verb == "born" else f"In which year did {whose} {verb}?"


def _measured(unit: str, adjective: str, thing: str) -> str:
    return f"How many {unit} {adjective} is {thing}?"


def _in_other_words(question: str) -> str:
    """Less is asked for, so that more may be found: the names only, and what kind of answer is wanted."""
    names = [name for name in text.name_runs(question) if name.split()[0] not in ("In", "How", "Who", "Which", "What")]
    named = " and ".join(dict.fromkeys(names)) or question.rstrip("?")
    asks_year = "year" in question
    return f"When was {named}?" if asks_year else f"What is told of {named}?"
