"""The quick look at code that is too large to follow: how much data an object holds makes no difference to it."""

from __future__ import annotations

from typing import Any

import pytest
from langgraph.types import interrupt

from alto_lg.adapters.langgraph.analysis.mentions import may_run_own_code


class Searcher:
    """Holds a corpus, and perhaps something else."""

    def __init__(self, passages: int, other: Any = None) -> None:
        self.passages = [{"id": f"p-{place}", "text": f"text {place}", "row": place} for place in range(passages)]
        self.other = other

    def search(self) -> Any:
        return self.passages[0]


def _looks_like_one_that_pauses(searcher: Searcher) -> bool:
    def node() -> Any:
        return searcher.search()

    return may_run_own_code(node, iter(()))


@pytest.mark.parametrize("passages", [1, 5000])
def test_a_corpus_is_no_code(passages: int) -> None:
    assert not _looks_like_one_that_pauses(Searcher(passages))


@pytest.mark.parametrize("passages", [1, 5000])
def test_what_pauses_the_run_is_found_beside_a_corpus_and_in_it(passages: int) -> None:
    assert _looks_like_one_that_pauses(Searcher(passages, other=interrupt))
    searcher = Searcher(passages)
    searcher.passages[0]["call"] = interrupt
    assert _looks_like_one_that_pauses(searcher)


def test_what_is_without_end_counts_as_code() -> None:
    assert _looks_like_one_that_pauses(Searcher(100_000))
    assert _looks_like_one_that_pauses(Searcher(1, other=[Searcher(1) for _ in range(3000)]))


class Slotted:
    """Keeps what it holds in slots, and runs code of its own when it is asked for anything that it does not hold."""

    __slots__ = ("empty", "other")

    def __init__(self, other: Any) -> None:
        self.other = other

    def __getattr__(self, name: str) -> Any:
        raise RuntimeError(f"nobody may ask a node's object for {name} before the run")


def test_what_lies_in_slots_is_found_and_no_code_of_the_object_runs() -> None:
    assert _looks_like_one_that_pauses(Searcher(1, other=Slotted(interrupt)))
    assert not _looks_like_one_that_pauses(Searcher(1, other=Slotted("a text")))
