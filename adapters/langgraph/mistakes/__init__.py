"""Mistakes: what users get wrong, said once in words that name the place and the next move.

Owns the checks of one run. Always true:
  what LangGraph accepts is accepted: a warning once per graph and mistake, an error only with `strict=True`;
  what LangGraph refuses is refused by LangGraph, with its class and text; at most a note is added.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from alto_lg.options import Options

__all__ = ["RunChecks"]


class RunChecks:
    """The checks of one run of an accelerated graph, in either colour."""

    def __init__(self, loop: Any, options: Options) -> None:
        self._loop = loop
        self._options = options

    def began(self) -> None:
        """The run has begun: LangGraph's own checks have passed, and no node has run."""

    def ended(self) -> None:
        """The run has ended, however it ended."""

    def committed(self, task: Any, writes: Sequence[tuple[str, Any]]) -> None:
        """LangGraph has taken the writes of a task that succeeded."""
