"""Prefixes: chains of blocks, and who has how much of them, against plain sets and lists."""

from __future__ import annotations

from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from alto_lg.routing.prefixes import PrefixIndex, chain

TEXTS = st.text("ab", max_size=12)


@given(TEXTS, TEXTS)
def test_chains_agree_as_far_as_the_texts_have_full_blocks_in_common(one: str, other: str) -> None:
    chains = [chain([text], block_characters=2) for text in (one, other)]
    agreeing = [a == b for a, b in zip(*chains, strict=False)]
    assert agreeing == [index < _common(one, other) // 2 for index in range(len(agreeing))]


@given(st.lists(TEXTS))
def test_pieces_of_a_text_make_no_difference(pieces: list[str]) -> None:
    assert chain(pieces, block_characters=3) == chain(["".join(pieces)], block_characters=3)


def test_a_chain_has_an_end() -> None:
    assert len(chain(["a" * 100], block_characters=1, blocks_max=7)) == 7


def _sent(index: PrefixIndex, endpoint: int, blocks: list[int]) -> None:
    index.add(endpoint, blocks, index.match(blocks, endpoint))


SENT = st.lists(st.tuples(st.integers(0, 3), TEXTS), max_size=30)


@given(SENT, TEXTS, st.integers(0, 15))
def test_the_longest_match_is_that_of_a_walk_over_everything_sent(
    sent: list[tuple[int, str]], text: str, among: int
) -> None:
    index = PrefixIndex()
    for endpoint, prompt in sent:
        _sent(index, endpoint, chain([prompt], block_characters=2))
    blocks = chain([text], block_characters=2)
    chains = [(endpoint, chain([prompt], block_characters=2)) for endpoint, prompt in sent]
    known = {e: max((_common(blocks, other) for o, other in chains if o == e), default=0) for e in range(4)}
    assert {e: index.match(blocks, e) for e in range(4)} == known
    longest = max((known[e] for e in range(4) if among >> e & 1), default=0)
    having = sum(1 << e for e in range(4) if among >> e & 1 and known[e] == longest)
    assert index.holders(blocks, among) == ((longest, having) if longest else (0, among))


def _common(one: Sequence[object], other: Sequence[object]) -> int:
    same = 0
    while same < min(len(one), len(other)) and one[same] == other[same]:
        same += 1
    return same


@given(st.integers(1, 6), SENT)
def test_what_is_kept_is_bounded_and_always_closed_under_prefixes(capacity: int, sent: list[tuple[int, str]]) -> None:
    index = PrefixIndex(capacity)
    for endpoint, prompt in sent:
        _sent(index, endpoint, chain([prompt], block_characters=1))
        assert index.size(endpoint) <= capacity
    for endpoint, prompt in sent:
        held = [index.match([block], endpoint) for block in chain([prompt], block_characters=1)]
        assert held == sorted(held, reverse=True)


@given(SENT)
def test_an_endpoint_that_is_forgotten_leaves_nothing_behind(sent: list[tuple[int, str]]) -> None:
    index = PrefixIndex()
    for endpoint, prompt in sent:
        _sent(index, endpoint, chain([prompt], block_characters=1))
    for endpoint in range(4):
        index.forget(endpoint)
        assert all(index.match(chain([prompt], block_characters=1), endpoint) == 0 for _, prompt in sent)
    assert not index._holders


def test_what_was_not_used_for_longest_goes_first() -> None:
    index = PrefixIndex(4)
    first, second, third = (chain([letter * 2], block_characters=1) for letter in "abc")
    _sent(index, 0, first)
    _sent(index, 0, second)
    _sent(index, 0, first)
    _sent(index, 0, third)
    assert [index.match(one, 0) for one in (first, second, third)] == [2, 0, 2]
