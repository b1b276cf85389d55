"""Outcomes: what one call of a batched function means for each of its inputs.

Always true: there is one outcome for each input, in their order; an outcome that is an exception is what the caller
with that input gets raised, and no two callers get the same exception object, unless it cannot be copied.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from alto_lg.errors import BatchMismatch

Outcomes = list[Any]


def outcomes_of(function: Callable[[list[Any]], Any], name: str, inputs: Sequence[Any], repeatable: bool) -> Outcomes:
    """Call a plain function; if it raises and may run again, call it with each half."""
    try:
        returned = function(list(inputs))
    except Exception as error:
        if repeatable and len(inputs) > 1:
            return [one for half in _halves(inputs) for one in outcomes_of(function, name, half, repeatable)]
        return for_all(error, len(inputs))
    return _one_each(returned, name, len(inputs))


async def aoutcomes_of(
    function: Callable[[list[Any]], Awaitable[Any]], name: str, inputs: Sequence[Any], repeatable: bool
) -> Outcomes:
    """The same of an async function."""
    try:
        returned = await function(list(inputs))
    except Exception as error:
        if repeatable and len(inputs) > 1:
            return [one for half in _halves(inputs) for one in await aoutcomes_of(function, name, half, repeatable)]
        return for_all(error, len(inputs))
    return _one_each(returned, name, len(inputs))


def for_all(error: BaseException, count: int) -> Outcomes:
    """The same failure for so many inputs."""
    return _apart([error] * count)


def _halves(inputs: Sequence[Any]) -> tuple[Sequence[Any], Sequence[Any]]:
    middle = len(inputs) // 2
    return inputs[:middle], inputs[middle:]


def _one_each(returned: Any, name: str, given: int) -> Outcomes:
    if not isinstance(returned, list | tuple):
        return for_all(BatchMismatch(None, name, given, f"a {type(returned).__name__}"), given)
    if len(returned) != given:
        return for_all(BatchMismatch(None, name, given, f"{len(returned)} outputs"), given)
    return _apart(list(returned))


def _apart(outcomes: Outcomes) -> Outcomes:
    """Whoever raises an exception adds to it: notes, and a traceback that holds the values of a run."""
    seen = set[int]()
    for place, outcome in enumerate(outcomes):
        if isinstance(outcome, BaseException):
            if id(outcome) in seen:
                outcomes[place] = _copy(outcome)
            seen.add(id(outcome))
    return outcomes


def _copy(error: BaseException) -> BaseException:
    """An equal exception. `copy.copy` would call the `__init__` of its class, which may want other arguments."""
    kind = type(error)
    try:
        reduced: Any = error.__reduce_ex__(4)
        maker, arguments = reduced[:2]
        made: BaseException = kind.__new__(kind, *arguments) if maker is kind else maker(*arguments)
        if maker is kind:
            _first_builtin(kind).__init__(made, *arguments)  # what it keeps besides `args`, as OSError does
    except Exception:
        return error
    vars(made).update(vars(error))
    if "__notes__" in vars(error):
        made.__notes__ = list(error.__notes__)
    made.__context__, made.__cause__ = error.__context__, error.__cause__
    made.__suppress_context__ = error.__suppress_context__
    return made.with_traceback(error.__traceback__)


def _first_builtin(kind: type[BaseException]) -> type[BaseException]:
    return next(base for base in kind.__mro__ if base.__module__ == "builtins" and issubclass(base, BaseException))
