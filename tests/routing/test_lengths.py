"""Lengths: what is expected of an answer after others of its kind."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from alto_lg.routing.lengths import Lengths

TOKENS = st.integers(0, 10_000)


def _after(*tokens: int, **settings: int) -> Lengths:
    lengths = Lengths(**settings)
    for each in tokens:
        lengths.observe(("t",), each)
    return lengths


def test_nothing_seen_gives_the_prior() -> None:
    assert Lengths(prior_tokens=77).expected(("t",)) == 77


@given(st.lists(TOKENS, min_size=2, max_size=7))
def test_the_first_answers_count_alike(tokens: list[int]) -> None:
    assert abs(_after(*tokens).expected(("t",)) - sum(tokens) / len(tokens)) < 1e-6


@given(st.lists(TOKENS, min_size=1))
def test_what_is_expected_is_never_above_the_longest_seen_nor_below_the_shortest(tokens: list[int]) -> None:
    expected = _after(*tokens, trust_after=1).expected(("t",))
    assert min(tokens) - 1e-6 <= expected <= max(tokens) + 1e-6 or min(tokens) > 4 * expected


def test_one_runaway_answer_moves_what_is_expected_by_little() -> None:
    lengths = _after(*[100] * 64)
    lengths.observe(("t",), 100_000)
    assert 100 <= lengths.expected(("t",)) <= 100 + 300 / 64 + 1e-6


def test_a_new_length_is_learned_though_it_is_far_from_the_old_one() -> None:
    assert _after(*[10] * 500, *[1000] * 500).expected(("t",)) > 990


def test_a_template_that_is_hardly_known_leaves_it_to_the_next() -> None:
    lengths = _after(*[50] * 9)
    lengths.observe(("rare", "node"), 500)
    lengths.observe(("other", "node"), 300)
    assert lengths.expected(("rare", "node")) == 400
    assert lengths.expected(("rare", "t")) == 50


def test_templates_are_bounded_and_the_least_recently_used_go_first() -> None:
    lengths = Lengths(templates_max=3, trust_after=1)
    for name, tokens in (("a", 1), ("b", 20), ("c", 3), ("a", 1), ("d", 400), ("a", 1)):
        lengths.observe((name,), tokens)
    assert len(lengths) == 3
    assert [lengths.expected(name) for name in "acd"] == [1, 3, 400]
    assert lengths.expected("b") == 426 / 6
