"""Words: names as the messages of this package show them."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

_SHOWN_MAX = 20
"""So many names are listed before the rest is counted."""

_LIKE_MIN = 0.65
"""How like a name must be to be meant, of 1: two letters that changed places in a word of three, and not much less."""


def listed(names: Iterable[str]) -> str:
    """Names in order, as far as they can be read at a glance."""
    ordered = sorted(names)
    more = len(ordered) - _SHOWN_MAX
    return ", ".join(ordered[:_SHOWN_MAX]) + (f" and {more} more" if more > 0 else "")


def suggestion(name: str, known: Iterable[str]) -> str | None:
    """The known name that was probably meant."""
    found = difflib.get_close_matches(name, sorted(known), n=1, cutoff=_LIKE_MIN)
    return found[0] if found else None


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """A sentence to append; empty where no known name is like it."""
    found = suggestion(name, known)
    return f" Did you mean {found!r}?" if found else ""


def quoted(names: Iterable[str]) -> str:
    """'a', 'b' and 'c'."""
    shown = [repr(name) for name in names]
    return " and ".join([", ".join(shown[:-1]), shown[-1]] if len(shown) > 1 else shown)


def choices(names: Iterable[str]) -> str:
    """'a', 'b' or 'c'."""
    return " or ".join(quoted(names).rsplit(" and ", 1))
