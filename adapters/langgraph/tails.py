"""Tails: what the steps behind a model make of its answer, while the answer is being written.

Owns the reading of LangChain's sequences. Deciding only. Always true:
  a runnable has a tail if exactly one chat model in it can be seen, and every step behind it takes pieces;
  what is said to be settled of an output so far is a part of the whole output, whatever is still to come.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from typing import Any

from langchain_core.language_models import BaseChatModel
from langchain_core.output_parsers import BaseCumulativeTransformOutputParser
from langchain_core.runnables import (
    Runnable,
    RunnableAssign,
    RunnableConfig,
    RunnableLambda,
    RunnableParallel,
    RunnableSequence,
)
from langchain_core.runnables.base import RunnableBindingBase


@dataclass(frozen=True, slots=True)
class Tail:
    """The steps behind a model, a key standing for "under this key". cumulative: each output holds those before it."""

    steps: tuple[Runnable[Any, Any] | str, ...]

    @property
    def cumulative(self) -> bool:
        return any(isinstance(step, BaseCumulativeTransformOutputParser) for step in self.steps)

    def transform(self, chunks: Iterator[Any], config: RunnableConfig) -> Iterator[Any]:
        """What comes out of the last step, piece by piece."""
        for step in self.steps:
            chunks = _under(step, chunks) if isinstance(step, str) else step.transform(chunks, config)
        return chunks

    def atransform(self, chunks: AsyncIterator[Any], config: RunnableConfig) -> AsyncIterator[Any]:
        """The same, on an event loop."""
        for step in self.steps:
            chunks = _aunder(step, chunks) if isinstance(step, str) else step.atransform(chunks, config)
        return chunks


def _under(key: str, chunks: Iterator[Any]) -> Iterator[Any]:
    return ({key: chunk} for chunk in chunks)


def _aunder(key: str, chunks: AsyncIterator[Any]) -> AsyncIterator[Any]:
    return ({key: chunk} async for chunk in chunks)


def tail_of(runnable: object) -> Tail:
    """What follows the model in a runnable.

    Raises:
        ValueError: It has none, or cannot go on piece by piece; the text is a clause about the runnable.
    """
    found = list(_ways(runnable))
    if len(found) != 1:
        raise ValueError(f"has {len(found) or 'no'} chat model{'s' if found else ''} that can be seen, and needs one")
    for step in found[0]:
        if not isinstance(step, str) and not _takes_pieces(step):
            raise ValueError(f"has the step {step.get_name()} behind its model, which waits for the whole of its input")
    return Tail(found[0])


def _ways(runnable: object) -> Iterator[tuple[Runnable[Any, Any] | str, ...]]:
    """For each chat model inside, the steps from there to the end."""
    match runnable:
        case BaseChatModel():
            yield ()
        case RunnableBindingBase():
            yield from _ways(runnable.bound)
        case RunnableAssign():
            yield from _ways(runnable.mapper)
        case RunnableParallel():
            for key, step in runnable.steps__.items():
                yield from ((*way, key) for way in _ways(step))
        case RunnableSequence():
            for index, step in enumerate(runnable.steps):
                yield from ((*way, *runnable.steps[index + 1 :]) for way in _ways(step))


def _takes_pieces(step: Runnable[Any, Any]) -> bool:
    match step:
        case RunnableBindingBase():
            return _takes_pieces(step.bound)
        case RunnableSequence():
            return all(_takes_pieces(one) for one in step.steps)
        case RunnableParallel():
            return all(_takes_pieces(one) for one in step.steps__.values())
        case RunnableAssign():
            return _takes_pieces(step.mapper)
        case RunnableLambda():
            return False
    return type(step).atransform is not Runnable.atransform


class SoFar:
    """The output of a tail so far."""

    def __init__(self, cumulative: bool) -> None:
        self._cumulative = cumulative
        self._output: dict[str, Any] = {}

    def add(self, chunk: object) -> dict[str, Any] | None:
        """One more piece: the part of the whole that is settled now; None while that is nothing."""
        if not isinstance(chunk, dict):
            return None
        for key, value in chunk.items():
            adds = not self._cumulative and key in self._output
            self._output[key] = self._output[key] + value if adds else value
        return settled(self._output)


def settled(output: dict[str, Any]) -> dict[str, Any] | None:
    """The part of an output that no further text can change: of its last key what is whole, before that everything.

    Of a list all items but the last, of a text all lines but the last; None if nothing is settled.
    """
    *whole, last = output or {"": None}
    part = _settled_value(output.get(last))
    found = {key: output[key] for key in whole} | ({} if part is None else {last: part})
    return found or None


def _settled_value(value: object) -> Any:
    match value:
        case list():
            return value[:-1] or None
        case dict():
            return settled(value)
        case str():
            return value.rpartition("\n")[0] or None
    return None
