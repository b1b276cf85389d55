"""Reporter: says a mistake once for a graph, or raises it.

Always true: the same mistake is said at most once for one graph, whichever thread or run finds it.
"""

from __future__ import annotations

import warnings
from collections.abc import Hashable

from alto_lg.errors import AltoWarning, Mistake

_SAID_MAX = 1000
"""So many different mistakes of one graph are said: where names are made up at run time, there is no end to them."""


class Reporter:
    """What has been said of one graph."""

    def __init__(self, strict: bool) -> None:
        self._strict = strict
        self._said: dict[Hashable, object] = {}

    def report(self, mistake: Hashable, text: str) -> None:
        """Say `text`, unless `mistake` was said before.

        Raises:
            Mistake: The graph was accelerated with `strict=True`; then each time.
        """
        if self._strict:
            raise Mistake(text)
        first = object()
        # setdefault is atomic, so that of two threads with the same news one is the first.
        if len(self._said) < _SAID_MAX and self._said.setdefault(mistake, first) is first:
            warnings.warn(text, AltoWarning, stacklevel=3)
