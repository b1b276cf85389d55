"""Arithmetic on what was looked up: "3,776 metres - 348 metres" is 3428.

Always true: nothing here executes text: an expression is read by Python's parser, and only numbers, the four operations
and brackets are accepted. Numbers are fractions, so that 0.1 + 0.2 is 0.3.
"""

from __future__ import annotations

import ast
import operator
import re
from collections.abc import Callable, Mapping
from fractions import Fraction

_CHARS_MAX = 300
_DEPTH_MAX = 50
_SIGNS = str.maketrans({"×": "*", "·": "*", "÷": "/", "−": "-", "–": "-"})
_SEPARATOR = re.compile(r"(?<=\d),(?=\d{3}(?!\d))")
_SCALED = re.compile(r"(\d+(?:\.\d+)?)\s*(thousand|million|billion)\b")
_SCALES = {"thousand": 10**3, "million": 10**6, "billion": 10**9}
_UNIT = re.compile(r"(?<=[\d)])\s*[A-Za-z][A-Za-z ]*(?=\s*(?:[-+*/)]|$))")
_OPERATIONS: Mapping[type[ast.operator], Callable[[Fraction, Fraction], Fraction]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
}


def calculated(expression: str) -> str:
    """What an expression comes to, or why it comes to nothing."""
    try:
        return _shown(_value(ast.parse(_plain(expression), mode="eval").body, 0))
    except ZeroDivisionError:
        return f"error: {expression!r} divides by zero"
    except (SyntaxError, ValueError, OverflowError, MemoryError, RecursionError):
        return f"error: {expression!r} is no expression of numbers, + - * / and brackets"


def _plain(expression: str) -> str:
    if len(expression) > _CHARS_MAX:
        raise ValueError(f"an expression may have {_CHARS_MAX} characters, this one has {len(expression)}")
    text = _SEPARATOR.sub("", expression.translate(_SIGNS).strip())
    text = _SCALED.sub(lambda found: f"({found.group(1)} * {_SCALES[found.group(2)]})", text)
    return _UNIT.sub("", text)


def _value(node: ast.AST, depth: int) -> Fraction:
    if depth > _DEPTH_MAX:
        raise ValueError("too many brackets in each other")
    match node:
        case ast.Constant(value=int() | float() as number) if not isinstance(number, bool):
            return Fraction(str(number))
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            return -_value(operand, depth + 1)
        case ast.BinOp(left=left, op=sign, right=right) if type(sign) in _OPERATIONS:
            return _OPERATIONS[type(sign)](_value(left, depth + 1), _value(right, depth + 1))
    raise ValueError("neither a number nor an operation on numbers")


def _shown(number: Fraction) -> str:
    """A whole number as it is, any other with two places."""
    return str(number) if number.denominator == 1 else f"{float(number):.2f}"
