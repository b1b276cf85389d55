"""Partials: the updates that a streaming node yields, folded into the one that LangGraph gets.

Owns the meaning of several updates of one node. Always true:
  a key with a reducer is folded with that reducer, in the order of the yields; of any other key the last value counts;
  destinations of Commands are collected in order.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from typing import Any, get_type_hints

from langgraph.channels.delta import DeltaChannel
from langgraph.config import get_config
from langgraph.types import Command, Overwrite

from alto_lg.adapters.langgraph.internals import CONF, CONFIG_KEY_READ, BinaryOperatorAggregate

Fold = Callable[[Any, Any], Any]
"""What makes one value of two writes to a key."""
FoldOf = Callable[[str], Fold | None]


class Folding:
    """One node's partial updates so far. `fold_of` knows how two writes to a key become one."""

    def __init__(self, node: str, fold_of: FoldOf) -> None:
        self._node = node
        self._fold_of = fold_of
        self._update: dict[str, Any] = {}
        self._goto: list[Any] = []
        self._goes = False

    def add(self, partial: object) -> None:
        """One more partial update.

        Raises:
            TypeError: It is neither a mapping nor a Command with one, nor None.
        """
        if partial is None:
            return
        if isinstance(partial, Command):
            self._add_command(partial)
        elif isinstance(partial, Mapping):
            self._merge(partial)
        else:
            raise TypeError(
                f"Node {self._node!r} yielded {type(partial).__name__}; a streaming node yields updates: "
                "a dict, a Command, or None"
            )

    @property
    def result(self) -> Any:
        """All of it as one update, as a node would return it."""
        update = dict(self._update)
        return Command(update=update, goto=list(self._goto)) if self._goes else update

    def _add_command(self, command: Command[Any]) -> None:
        if command.graph is not None or command.resume is not None:
            raise TypeError(
                f"Node {self._node!r} yielded a Command with graph= or resume=; a streaming node stays in its graph: "
                "return such a Command from a node that does not stream"
            )
        if command.update is not None:
            self.add(command.update)
        self._goes = True
        goto = command.goto
        self._goto += goto if isinstance(goto, list | tuple) else [goto]

    def _merge(self, partial: Mapping[str, Any]) -> None:
        for key, value in partial.items():
            fold = self._fold_of(key) if key in self._update else None
            self._update[key] = value if fold is None else _folded(fold, self._update[key], value)


def _folded(fold: Fold, before: Any, value: Any) -> Any:
    if isinstance(value, Overwrite):
        return value
    if isinstance(before, Overwrite):
        return Overwrite(fold(before.value, value))
    return fold(before, value)


def folding_for(function: Callable[..., Any]) -> Folding:
    """The folding of a node function that runs: by its graph's reducers, or outside of any graph by its annotations."""
    try:
        config: Mapping[str, Any] = get_config()
    except RuntimeError:
        config = {}
    return Folding(function.__name__, folds_of_run(config) or folds_of_annotations(function))


def folds_of_run(config: Mapping[str, Any]) -> FoldOf | None:
    """The reducers of the graph that a node runs in; None if `config` is of no graph."""
    read = config.get(CONF, {}).get(CONFIG_KEY_READ)
    channels = read.args[1] if isinstance(read, functools.partial) else None
    if channels is None:
        return None
    return lambda key: _fold_of_channel(channels[key]) if key in channels else None


def _fold_of_channel(channel: Any) -> Fold | None:
    if isinstance(channel, BinaryOperatorAggregate):
        return channel.operator
    if isinstance(channel, DeltaChannel):
        return lambda before, value: channel.reducer(before, [value])
    return None


def folds_of_annotations(function: Callable[..., Any]) -> FoldOf:
    """The reducers in a node function's own annotation of the state, for calls outside of any graph."""
    hints = {name: hint for name, hint in get_type_hints(function).items() if name != "return"}
    state = next(iter(hints.values()), None)
    keys = get_type_hints(state, include_extras=True) if isinstance(state, type) else {}
    reducers = {key: metadata[-1] for key, hint in keys.items() if (metadata := getattr(hint, "__metadata__", ()))}
    return lambda key: reducers[key] if callable(reducers.get(key)) else None
