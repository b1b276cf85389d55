"""A model made of rules for one agent turn: it calls three tools, and then says what they gave.

Always true: the arguments of each call have as many tokens as the prompt asks for; the reply depends on the messages.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Mapping, Sequence

from alto_lg.comparisons.sim import tokens
from alto_lg.comparisons.sim.tool_calls import block

SYSTEM = "You look things up. Use the tool look_up once for each of the three subjects, then answer."
TOKENS_OF_ARGUMENTS = 60
SUBJECTS = ("tides", "bridges", "clouds")
_WORDS = ("how", "far", "it", "went", "when", "seen", "from", "the", "north", "and", "by", "whom")


def reply(messages: Sequence[Mapping[str, str]], seed: int) -> str | None:
    """The model's answer, or None if the prompt is another's."""
    if not messages or messages[0]["content"] != SYSTEM:
        return None
    given = [message["content"] for message in messages if message["role"] == "tool"]
    if given:
        return "That is what I found. " + " ".join(given)
    return "".join(block("look_up", arguments(subject)) for subject in SUBJECTS)


def arguments(subject: str) -> dict[str, str]:
    """Arguments of exactly `TOKENS_OF_ARGUMENTS` tokens."""
    words = [subject]
    for word in itertools.cycle(_WORDS):
        made = {"question": " ".join(words)}
        if tokens.count(json.dumps(made)) >= TOKENS_OF_ARGUMENTS:
            return made
        words.append(word)
    raise AssertionError("a cycle of words has no end")
