"""The judgements of the model made of rules: by trying and working out, sometimes drawing the wrong conclusion.

What is written before the judgement is true, except where the judgement is a wrong "sure": that has to be argued for.
"""

from __future__ import annotations

import ast
import random
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction
from math import prod

from alto_lg.apps.lengths import Spread, drawn, fitting, token_count
from alto_lg.apps.tot.arithmetic import (
    TARGET,
    Move,
    expression_of,
    is_solution,
    moves,
    operands_of,
    shown,
    value_of,
    way_to_target,
)

# Mean of the recorded runs. They keep no text of a judgement, so how its length is spread is not known; it is taken to
# vary as verdicts within one request do, which was measured on those of FacTool (719 outputs).
_LENGTH = Spread(mean=44, variation=0.30, least=12, most=120)
_ATTEMPTS = 12
# How often each judgement is given, by what is true: of numbers that can come to 24, of numbers that cannot, of right
# answers, of wrong ones. A single number shows what it is.
_SOLVABLE = {"sure": 0.72, "likely": 0.22, "impossible": 0.06}
_UNSOLVABLE = {"sure": 0.03, "likely": 0.30, "impossible": 0.67}
_PLAIN = {"sure": 0.97, "likely": 0.02, "impossible": 0.01}
_PLAINLY_NOT = {"sure": 0.01, "likely": 0.02, "impossible": 0.97}
_RIGHT = {"sure": 0.95, "likely": 0.03, "impossible": 0.02}
_WRONG = {"sure": 0.04, "likely": 0.03, "impossible": 0.93}


def judged_numbers(numbers: Sequence[Fraction], source: random.Random) -> str:
    """Whether the numbers can come to 24."""
    if not numbers:
        return "No numbers were given.\nimpossible"
    way = way_to_target(tuple(sorted(numbers)))
    if len(numbers) == 1:
        word = _drawn_word(_PLAINLY_NOT if way is None else _PLAIN, source)
        return _told(_of_one(numbers[0]), [], word, source)
    word = _drawn_word(_UNSOLVABLE if way is None else _SOLVABLE, source)
    found = [_found(numbers, way, source)] if word == "sure" else []
    return _told(_tries(numbers, source), found, word, source)


def checked_answer(numbers: Sequence[Fraction], answer: str, source: random.Random) -> str:
    """Whether an answer uses the numbers and comes to 24."""
    word = _drawn_word(_RIGHT if is_solution(answer, numbers) else _WRONG, source)
    return _told(_check(numbers, answer), [], word, source)


def _drawn_word(chances: Mapping[str, float], source: random.Random) -> str:
    return source.choices(list(chances), list(chances.values()))[0]


def _told(pieces: Iterator[str], last: Sequence[str], word: str, source: random.Random) -> str:
    """As many pieces as a reply of the drawn length has room for, then the last ones and the judgement."""
    ending = "\n".join([*last, word])
    room = drawn(_LENGTH, source) - token_count(ending)
    return "\n".join([*fitting(pieces, room, between=1), ending])


def _found(numbers: Sequence[Fraction], way: Sequence[Move] | None, source: random.Random) -> str:
    """The way to 24; where there is none, some expression of which it is claimed."""
    moved = [move[:4] for move in (_random_way(numbers, source) if way is None else way)]
    return f"{expression_of(numbers, moved)} = 24"


def _tries(numbers: Sequence[Fraction], source: random.Random) -> Iterator[str]:
    seen: set[str] = set()
    for _ in range(_ATTEMPTS):
        way = _random_way(numbers, source)
        text = f"{expression_of(numbers, [move[:4] for move in way])} = {shown(way[-1].result)}"
        if way[-1].result != TARGET and text not in seen:
            seen.add(text)
            yield text
    yield f"The sum of {_listed(numbers)} is {shown(sum(numbers, Fraction(0)))}."
    yield f"Their product is {shown(prod(numbers, start=Fraction(1)))}."
    yield from _distances(numbers)


def _distances(numbers: Sequence[Fraction]) -> Iterator[str]:
    """What would have to stand beside each number."""
    for number in dict.fromkeys(numbers):
        yield f"{shown(number)} is {shown(abs(TARGET - number))} from 24."
        yield f"Beside {shown(number)}, {shown(TARGET - number)} would be needed for a sum."
        if number:
            yield f"Beside {shown(number)}, {shown(TARGET / number)} would be needed for a product."


def _random_way(numbers: Sequence[Fraction], source: random.Random) -> list[Move]:
    way: list[Move] = []
    left = tuple(sorted(numbers))
    while len(left) > 1:
        way.append(source.choice(moves(left)))
        left = way[-1].rest
    return way


def _of_one(number: Fraction) -> Iterator[str]:
    yield f"Only {shown(number)} is left."
    yield "Nothing can be joined any more, so the number itself must be 24."
    yield f"The number is {shown(abs(TARGET - number))} from 24." if number != TARGET else "The number is 24."
    yield "All four numbers were used on the way to this one, each in one step, as the rules ask for."
    yield f"{shown(number)} - 24 = {shown(number - TARGET)}"
    yield "With two numbers there would be something left to try."
    yield "With one number there is no step to take and no way to choose."
    yield f"So all depends on whether {shown(number)} and 24 are the same."
    kind = "a whole number" if number.denominator == 1 else "a fraction"
    yield f"{shown(number)} is {kind}, and 24 is a whole number."


def _check(numbers: Sequence[Fraction], answer: str) -> Iterator[str]:
    used = operands_of(answer)
    extra = list((Counter(used) - Counter(numbers)).elements())
    missing = list((Counter(numbers) - Counter(used)).elements())
    if extra:
        yield f"It uses {_listed(extra)}, which is not there to be used."
    if missing:
        yield f"It does not use {_listed(missing)}."
    if not extra and not missing:
        yield f"It uses {_listed(used)}, each once."
    yield from _worked_out(answer)
    total = value_of(answer)
    yield "It cannot be worked out." if total is None else f"In all it comes to {shown(total)}."
    yield f"It was to use {_listed(numbers)}."
    yield "It was to come to 24."
    if total is not None and total != TARGET:
        yield f"{shown(total)} is {shown(abs(TARGET - total))} from 24."
    yield f"It joins {len(used)} numbers, where four were given."
    for number in dict.fromkeys(numbers):
        yield f"Given {numbers.count(number)} times: {shown(number)}. Used {used.count(number)} times."


def _worked_out(answer: str) -> Iterator[str]:
    """Each operation with its result, innermost first."""
    try:
        nodes = [node for node in ast.walk(ast.parse(answer, mode="eval")) if isinstance(node, ast.BinOp)]
    except (SyntaxError, ValueError, RecursionError):
        return
    for node in reversed(nodes):
        result = value_of(ast.unparse(node))
        if result is not None:
            yield f"{ast.unparse(node)} = {shown(result)}"


def _listed(numbers: Sequence[Fraction]) -> str:
    texts = [shown(number) for number in numbers]
    return texts[0] if len(texts) == 1 else f"{', '.join(texts[:-1])} and {texts[-1]}"
