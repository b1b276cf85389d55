"""Words: tables of names, written as text."""

from __future__ import annotations


def words(text: str) -> frozenset[str]:
    """The names in a text, split at blanks."""
    return frozenset(text.split())
