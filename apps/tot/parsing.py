"""From the text of a model's answer to steps, expressions and values.

Always true: no text makes a function here raise, and what cannot be read is left out. A proposal is a line; whether a
line is one does not depend on other lines, so that a text can be read line by line while it is written. Whether a step
is right is not asked here: that is the model's to value.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from alto_lg.apps.tot import prompts
from alto_lg.apps.tot.arithmetic import numbers_in, read_number, shown

WORTH = {"impossible": 0.001, "likely": 1.0, "sure": 20.0}
"""What one sample adds to the value of a thought."""

_NUMBER = r"(-?\d+(?:\.\d+|/\d+)?)"
_STEP = re.compile(
    rf"\W*(?:\(?\d{{1,3}}[.):]\s+)?{_NUMBER}\s*([-+*/×÷−])\s*{_NUMBER}\s*=\s*{_NUMBER}\s*"
    r"[(\[]\s*(?:numbers\s+)?left\s*:\s*([^()\[\]]*)[)\]]\W*",
    re.IGNORECASE,
)
_ANSWER = re.compile(r"\W*(?:\d{1,3}[.):]\s+)?answer\W*?:\s*([-+*/×÷−()\d\s.]+?)\s*=\s*24\W*", re.IGNORECASE)
_VERDICT = re.compile(r"\b(impossible|likely|sure)\b", re.IGNORECASE)
_SIGNS = str.maketrans({"×": "*", "÷": "/", "−": "-"})


@dataclass(frozen=True, slots=True)
class Proposal:
    """A step with the numbers that it leaves, or an answer."""

    step: str
    left: str = ""
    answer: str = ""


def listed(text: str) -> str:
    """The numbers of a text, smallest first, in the one way in which numbers are listed here."""
    return ", ".join(shown(number) for number in sorted(numbers_in(text)))


def proposal(line: str, left: str) -> Proposal | None:
    """What a line proposes where these numbers are left: an answer if there is but one of them, else a step."""
    count = len(numbers_in(left))
    return _answer(line) if count == 1 else _step(line, count)


def proposals(text: str, left: str) -> list[Proposal]:
    """What each line of a text proposes."""
    return [found for line in text.split("\n") if (found := proposal(line, left)) is not None]


def value(samples: Iterable[str]) -> float:
    """The worth of all samples; one without a judgement adds nothing."""
    judged = (verdict(sample) for sample in samples)
    return sum(WORTH[word] for word in judged if word is not None)


def verdict(text: str) -> str | None:
    """The judgement of a sample: that of the last line that has one."""
    found: Sequence[str] = _VERDICT.findall(text)
    return found[-1].lower() if found else None


def _step(line: str, count: int) -> Proposal | None:
    """The step in a line, if it leaves one number fewer: without that, what follows could not be counted in steps."""
    found = _STEP.fullmatch(line.strip())
    if found is None:
        return None
    one, sign, other, result, rest = found.groups()
    written = [read_number(number) for number in (one, other, result)]
    left = listed(rest)
    if None in written or len(numbers_in(left)) != count - 1:
        return None
    step = f"{one} {sign.translate(_SIGNS)} {other} = {result}"
    return Proposal(f"{step} (left: {left})", left=left)


def _answer(line: str) -> Proposal | None:
    found = _ANSWER.fullmatch(line.strip())
    if found is None:
        return None
    expression = " ".join(found.group(1).translate(_SIGNS).split())
    return Proposal(f"{prompts.ANSWER_MARK} {expression} = 24", answer=expression)
