"""A model made of rules: does IRCoT's two tasks on the text in the prompt, and on nothing else.

It stands in for a language model in the simulated server, so that answers can be scored and lengths vary as they do in
recorded outputs. Always true: the reply depends on the messages and the seed only; no label is ever read. Like a model
it reasons to the end each time, from what the passages say by then, and so it often has to think again.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from alto_lg.apps import text
from alto_lg.apps.ircot import prompts
from alto_lg.apps.lengths import Spread, drawn, fitting, source_of, token_count
from alto_lg.apps.reading_rules import Reading

# A whole chain of thoughts in tokens, as the worked examples of the original have it; 28 to 67 of them.
_CHAIN = Spread(mean=44, variation=0.25, least=28, most=67)
_UNKNOWN = "unknown"
_PASSAGE = re.compile(r"^\[\d+\] (.*?): (.*)$", re.MULTILINE)


def reply(messages: Sequence[Mapping[str, str]], seed: int) -> str | None:
    """The model's answer, or None if the prompt is not one of IRCoT's."""
    system, user = _content(messages, "system"), _content(messages, "user")
    if system == prompts.REASON_SYSTEM:
        return _reasoned(user, seed)
    if system == prompts.READ_SYSTEM:
        reading = _reading(user)
        return _written(reading, [], reading.chain(), _room(reading, seed))
    return None


def _content(messages: Sequence[Mapping[str, str]], role: str) -> str:
    return next((str(message.get("content") or "") for message in messages if message.get("role") == role), "")


def _reasoned(user: str, seed: int) -> str:
    """The next thought and those behind it to the end, in about as many words as a chain has."""
    reading = _reading(user)
    said = user.partition(prompts.REASONING_MARK)[2].strip()
    thoughts = [] if said == prompts.NOTHING_YET else text.sentences(said)
    return _written(reading, thoughts, reading.chain(thoughts), _room(reading, seed) - token_count(said))


def _reading(user: str) -> Reading:
    listed, _, asked = user.partition(prompts.QUESTION_MARK)
    question = asked.partition(prompts.REASONING_MARK)[0].strip()
    return Reading(question, _PASSAGE.findall(listed))


def _room(reading: Reading, seed: int) -> int:
    """Of one question all chains are equally long."""
    return drawn(_CHAIN, source_of(f"{seed}\n{reading.question}"))


def _written(reading: Reading, thoughts: Sequence[str], chain: Sequence[str], room: int) -> str:
    ending = f"So the answer is: {reading.answer([*thoughts, *chain]) or _UNKNOWN}."
    if not chain:
        return ending
    beyond = fitting(["", *reading.around([*thoughts, *chain])], room - sum(map(token_count, [*chain, ending])))
    return " ".join([*chain, *filter(None, beyond), ending])
