from hypothesis import given, settings
from hypothesis import strategies as st

from alto_lg.comparisons.sim import tokens

PROSE = (
    "The harbour was widened twice in the nineteenth century, and by 1910 it handled more grain than any other port on "
    "that coast. Its two lighthouses, one of iron and one of granite, still mark the entrance; neither has been manned "
    "since the automation of 1984, when the last keeper retired to a village a few miles inland."
)


@settings(deadline=None)
@given(st.text())
def test_joining_the_pieces_gives_the_text_back(text: str) -> None:
    assert "".join(tokens.split(text)) == text


@settings(deadline=None)
@given(st.text())
def test_every_piece_holds_something(text: str) -> None:
    assert all(tokens.split(text))


def test_english_prose_has_four_to_five_characters_a_token() -> None:
    assert 4.0 <= len(PROSE) / tokens.count(PROSE) <= 5.0


def test_a_conversation_is_a_prefix_of_its_continuation() -> None:
    first = [{"role": "user", "content": "Name a port."}]
    reply = {"role": "assistant", "content": "Hull, for one."}
    before = [*tokens.prompt_tokens(first), *tokens.split(reply["content"])]
    after = tokens.prompt_tokens([*first, reply, {"role": "user", "content": "Another."}])
    assert list(after[: len(before)]) == before


def test_the_earliest_stop_sequence_cuts_the_text() -> None:
    assert tokens.cut_at_stop("one two three", ["three", "two"]) == "one "
    assert tokens.cut_at_stop("one two three", ["four"]) == "one two three"
