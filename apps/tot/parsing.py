"""From the text of a model's answer to steps, expressions and values.

Always true: no text makes a function here raise, or takes it long; what cannot be read is left out. A proposal is a
line; whether a line is one does not depend on other lines, so that a text can be read line by line while it is written.
Whether a step is right is not asked here: that is the model's to value.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from alto_lg.apps.tot import prompts

WORTH = {"impossible": 0.001, "likely": 1.0, "sure": 20.0}
"""What one sample adds to the value of a thought."""

_NUMBER = r"(-?\d{1,9}(?:\.\d{1,9}|/[1-9]\d{0,8})?)(?![\d/]|\.\d)"
_NUMBERS = re.compile(rf"(?<![\d./]){_NUMBER}", re.ASCII)
_STEP = re.compile(
    rf"\W*(?:\(?\d{{1,3}}[.):]\s+)?{_NUMBER}\s*([-+*/×÷−])\s*{_NUMBER}\s*=\s*{_NUMBER}[\s*]*"
    r"[(\[]\s*(?:numbers\s+)?left\s*:([^()\[\]]*)[)\]]\W*",
    re.IGNORECASE | re.ASCII,
)
_ANSWER = re.compile(r"\W*(?:\d{1,3}[.):]\s+)?answer\W*?:([-+*/×÷−()\d\s.]+)=\s*24\W*", re.IGNORECASE)
_VERDICT = re.compile(r"\b(impossible|likely|sure)\b", re.IGNORECASE)
_LEFT, _TARGET = "(left: ", " = 24"
_SIGNS = str.maketrans({"×": "*", "÷": "/", "−": "-"})


def listed(text: str) -> str:
    """The numbers of a text, smallest first, in the one way in which numbers are listed here."""
    return ", ".join(sorted(_NUMBERS.findall(text), key=_size))


def _size(number: str) -> float:
    above, _, below = number.partition("/")
    return float(above) / float(below or 1)


def count_of(numbers: str) -> int:
    """How many numbers are listed."""
    return len(_NUMBERS.findall(numbers))


def left_after(steps: str) -> str:
    """The numbers that the last of some steps leaves; none behind an answer, or without a step."""
    return steps.rpartition(_LEFT)[2].removesuffix(")") if steps.endswith(")") else ""


def answer_of(steps: str) -> str:
    """The expression that stands at the end of some steps; empty before there is one."""
    last = steps.rpartition("\n")[2]
    found = last.startswith(prompts.ANSWER_MARK)
    return last.removeprefix(prompts.ANSWER_MARK).removesuffix(_TARGET).strip() if found else ""


def proposal(line: str, left: str) -> str:
    """What a line proposes where these numbers are left: an answer if there is but one of them, else a step.

    Written in one way, however the model wrote it; empty where it proposes nothing.
    """
    count = count_of(left)
    return _answer(line) if count == 1 else _step(line, count)


def proposals(text: str, left: str) -> list[str]:
    """What each line of a text proposes."""
    return [found for line in text.split("\n") if (found := proposal(line, left))]


def value(samples: Iterable[str]) -> float:
    """The worth of all samples; one without a judgement adds nothing."""
    judged = (verdict(sample) for sample in samples)
    return sum(WORTH[word] for word in judged if word is not None)


def verdict(text: str) -> str | None:
    """The judgement of a sample: that of the last line that has one."""
    found: Sequence[str] = _VERDICT.findall(text)
    return found[-1].lower() if found else None


def _step(line: str, count: int) -> str:
    """The step in a line, if it leaves one number fewer: without that, what follows could not be counted in steps."""
    found = _STEP.fullmatch(line.strip())
    if found is None:
        return ""
    one, sign, other, result, rest = found.groups()
    left = listed(rest)
    if count_of(left) != count - 1:
        return ""
    return f"{one} {sign.translate(_SIGNS)} {other} = {result} {_LEFT}{left})"


def _answer(line: str) -> str:
    found = _ANSWER.fullmatch(line.strip())
    expression = " ".join(found.group(1).lstrip("* \t").translate(_SIGNS).split()) if found else ""
    return f"{prompts.ANSWER_MARK} {expression}{_TARGET}" if expression else ""
