"""A model made of rules: does each task of the Game of 24 on the text in the prompt, and on nothing else.

It stands in for a language model in the simulated server, so that searches really succeed or fail and lengths vary as
they do in recorded runs. Always true: the reply depends on the messages and the seed only. Mistakes are planted: wrong
results, numbers that are lost, spoiled expressions here, wrong judgements in `judging`.
"""

from __future__ import annotations

import ast
import random
import re
from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction

from alto_lg.apps.lengths import Spread, drawn, source_of
from alto_lg.apps.tot import judging, prompts
from alto_lg.apps.tot.arithmetic import Move, expression_of, moves, numbers_in, read_number, shown, way_to_target

# Proposals for one state by the numbers that are left, and answers: so spread that the tokens of a state, and the
# thoughts of a step, are as in the recorded runs (`recorded.py`). Of a coefficient of variation none is recorded for
# the first step; its counts go from 5 to 24.
_PROPOSALS = {
    4: Spread(mean=9.1, variation=0.40, least=5, most=24),
    3: Spread(mean=6.4, variation=0.18, least=3, most=12),
    2: Spread(mean=4.3, variation=0.15, least=2, most=5),
}
_ANSWERS = Spread(mean=4.8, variation=0.57, least=1, most=15)
_WRONG_RESULT, _LOST_NUMBER, _REPEATED, _SPOILED_FIRST, _SPOILED = 0.05, 0.03, 0.04, 0.08, 0.3
_BARE = 0.3
_SIGNS: Mapping[type[ast.operator], str] = {ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.Div: "/"}
_TRIES = 60
_STEP = re.compile(r"(\S+) ([-+*/]) (\S+) = (\S+) \(left:")


def reply(messages: Sequence[Mapping[str, str]], seed: int) -> str | None:
    """The model's answer, or None if the prompt is not one of this application's."""
    system, user = _content(messages, "system"), _content(messages, "user")
    source = source_of(f"{seed}\n{user}")
    if system == prompts.PROPOSE_SYSTEM:
        return _proposals(user, source)
    if system == prompts.FINISH_SYSTEM:
        return _answers(user, source)
    if system == prompts.VALUE_SYSTEM:
        return judging.judged_numbers(numbers_in(_line(user, prompts.NUMBERS_MARK)), source)
    if system == prompts.CHECK_SYSTEM:
        answer = _line(user, prompts.ANSWER_MARK).rpartition("=")[0].strip()
        return judging.checked_answer(numbers_in(_line(user, prompts.NUMBERS_MARK)), answer, source)
    return None


def _content(messages: Sequence[Mapping[str, str]], role: str) -> str:
    return next((str(message.get("content") or "") for message in messages if message.get("role") == role), "")


def _line(user: str, mark: str) -> str:
    return next((line.removeprefix(mark).strip() for line in user.splitlines() if line.startswith(mark)), "")


# Steps.


def _proposals(user: str, source: random.Random) -> str:
    left = tuple(sorted(numbers_in(_line(user, prompts.LEFT_MARK))))
    if len(left) not in _PROPOSALS:
        return f"There is no step to take with {len(left)} numbers."
    possible = sorted(moves(left), key=lambda move: source.random() ** (1 / _appeal(move)), reverse=True)
    lines: list[str] = []
    for move in possible[: drawn(_PROPOSALS[len(left)], source)]:
        is_repeated = bool(lines) and source.random() < _REPEATED
        lines.append(source.choice(lines) if is_repeated else _written(_perhaps_wrong(move, left, source)))
    return "\n".join(f"{number}. {line}" for number, line in enumerate(lines, 1))


def _appeal(move: Move) -> float:
    """How readily a step comes to mind: whole and small results do, and sometimes it is seen that a step leads on."""
    appeal = 1.0 if move.result.denominator == 1 else 0.15
    if move.result > 50:
        appeal *= 0.4
    return appeal * (2.0 if way_to_target(move.rest) is not None else 1.0)


def _perhaps_wrong(move: Move, left: Sequence[Fraction], source: random.Random) -> Move:
    chance = source.random()
    rest = list(move.rest)
    if chance < _WRONG_RESULT:
        wrong = move.result + source.choice((-1, 1, 2, 10))
        rest[rest.index(move.result)] = wrong
        return move._replace(result=wrong, rest=tuple(sorted(rest)))
    if chance < _WRONG_RESULT + _LOST_NUMBER and len(rest) > 1:
        rest[source.randrange(len(rest))] = source.choice(left)
        return move._replace(rest=tuple(sorted(rest)))
    return move


def _written(move: Move) -> str:
    left = ", ".join(map(shown, move.rest))
    return f"{shown(move.one)} {move.sign} {shown(move.other)} = {shown(move.result)} (left: {left})"


# Answers.


def _answers(user: str, source: random.Random) -> str:
    numbers = numbers_in(_line(user, prompts.NUMBERS_MARK))
    written = [read for found in _STEP.finditer(user) if (read := _read_step(found)) is not None]
    expression = expression_of(numbers, written) or _strung_together(numbers, [sign for _, sign, _, _ in written])
    count = drawn(_ANSWERS, source)
    found: dict[str, None] = {}
    for one in _ways_to_write(expression, source):
        found.setdefault(one)
        if len(found) == count:
            break
    return "\n".join(f"{number}. {prompts.ANSWER_MARK} {one} = 24" for number, one in enumerate(found, 1))


def _read_step(found: re.Match[str]) -> tuple[Fraction, str, Fraction, Fraction] | None:
    one, other, result = (read_number(found.group(place)) for place in (1, 3, 4))
    if one is None or other is None or result is None:
        return None
    return one, found.group(2), other, result


def _strung_together(numbers: Sequence[Fraction], signs: Sequence[str]) -> str:
    """All numbers with the signs of the steps between them: what is left to write where the steps do not fit."""
    text = "".join(f"{shown(number)} {sign} " for number, sign in zip(numbers, signs, strict=False))
    return text + shown(numbers[-1]) if numbers else "0"


def _ways_to_write(expression: str, source: random.Random) -> Iterator[str]:
    yield _spoiled(expression, source) if source.random() < _SPOILED_FIRST else expression
    for _ in range(_TRIES):
        turned = _turned(expression, source)
        yield _spoiled(turned, source) if source.random() < _SPOILED else turned


def _turned(expression: str, source: random.Random) -> str:
    """The same with the sides of some sums and products changed over, sometimes without needless brackets."""
    tree = ast.parse(expression, mode="eval")
    for node in ast.walk(tree):
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add | ast.Mult) and source.random() < 0.5:
            node.left, node.right = node.right, node.left
    if source.random() < _BARE:
        return ast.unparse(tree)
    return _bracketed(tree.body).removeprefix("(").removesuffix(")")


def _bracketed(node: ast.expr) -> str:
    """With brackets around each operation, as models write them."""
    if not isinstance(node, ast.BinOp):
        return ast.unparse(node)
    return f"({_bracketed(node.left)} {_SIGNS[type(node.op)]} {_bracketed(node.right)})"


def _spoiled(expression: str, source: random.Random) -> str:
    """Without its brackets, or with another sign in one place."""
    signs = [found.start(1) for found in re.finditer(r" ([-+*/]) ", expression)]
    if ("(" in expression and source.random() < 0.5) or not signs:
        return expression.replace("(", "").replace(")", "")
    place = source.choice(signs)
    other = source.choice([sign for sign in "+-*/" if sign != expression[place]])
    return expression[:place] + other + expression[place + 1 :]
