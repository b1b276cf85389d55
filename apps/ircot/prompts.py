"""The two prompts, and the marks by which their parts are found again.

Always true: the system text of a prompt is a constant, so that a server's prefix cache can hold it, and of two steps of
one question the later prompt begins with the passages of the earlier one. The worked examples tell of things that do
not exist, so that none can leak into an answer unnoticed.
"""

from __future__ import annotations

from collections.abc import Sequence

from alto_lg.apps.corpus import Passage

Messages = list[dict[str, str]]

PASSAGES_MARK = "Passages:"
QUESTION_MARK = "Question:"
REASONING_MARK = "Reasoning so far:"
PASSAGE_WORDS_MAX = 350
NOTHING_YET = "(none)"

_EXAMPLES = (
    (
        (
            "Carrow Point: Carrow Point is the southern tip of the island of Ennor. A lighthouse of grey granite has "
            "stood there since 1846, when the engineer John Sands finished five years of work on it.",
            "John Sands: John Sands was born at Aldis in 1802, the son of a miller. He learned to build from the "
            "harbour master of that town, and drew plans for eleven lighthouses, of which seven were built.",
            "Aldis: Aldis is the oldest town of Ennor. Its market has been held on the first Monday of the month since "
            "1370, and its mill is driven by the river Orrin.",
            "Carrow Wood: Carrow Wood lies eleven miles north of Aldis. Charcoal was burned there until 1912.",
        ),
        "On which river lies the town where the builder of the lighthouse on Carrow Point was born?",
        (
            "The lighthouse on Carrow Point was built by the engineer John Sands.",
            "John Sands was born at Aldis.",
            "The mill of Aldis is driven by the river Orrin.",
            "So the answer is: Orrin.",
        ),
    ),
    (
        (
            "The Brass Comet: The Brass Comet is a film of 1936. Piers Lanyon directed it, and Dorothea Vane wrote the "
            "music. It cost three times as much as had been planned, because its sets burned down.",
            "Dorothea Vane: Dorothea Vane wrote the music of more than forty films. She had learned to play the organ "
            "from her grandfather, and gave concerts until she was ninety.",
            "Piers Lanyon: Piers Lanyon left the film business in 1937 and opened a hotel at Port Aldis. His guests "
            "remembered him as a silent man.",
            "Comets: A comet is a small body of ice and dust that grows a tail when it comes near the Sun.",
        ),
        "In which year did the director of The Brass Comet leave the film business?",
        (
            "The Brass Comet was directed by Piers Lanyon.",
            "Piers Lanyon left the film business in 1937.",
            "So the answer is: 1937.",
        ),
    ),
    (
        (
            "The Ennor regatta: The Ennor regatta is rowed every August between Aldis and Carrow Point. The crew of "
            "the Heron won it nine times, more often than any other.",
            "The Heron: The Heron was built of larch by the yard of Harrow and Daughters. She was seventeen metres "
            "long and needed eight men at the oars.",
            "Harrow and Daughters: Harrow and Daughters was the largest shipping company of Port Aldis. It paid for "
            "the tramway of the town, which opened in 1894 with eleven cars.",
            "Tull cheese: Tull cheese is made from the milk of cows and is wrapped in nettle leaves.",
        ),
        "Which tramway was paid for by the company that built the boat with the most wins in the Ennor regatta?",
        (
            "The crew of the Heron won the Ennor regatta more often than any other.",
            "The Heron was built by the yard of Harrow and Daughters.",
            "Harrow and Daughters paid for the tramway of Port Aldis.",
            "So the answer is: the tramway of Port Aldis.",
        ),
    ),
)


def _worked_out() -> str:
    shown = []
    for passages, question, thoughts in _EXAMPLES:
        lines = "\n".join(f"[{number}] {one}" for number, one in enumerate(passages, 1))
        shown.append(f"{PASSAGES_MARK}\n{lines}\n\n{QUESTION_MARK} {question}\n\nReasoning: {' '.join(thoughts)}")
    return "\n\n".join(shown)


REASON_SYSTEM = f"""\
You work out the answer to a question step by step, from passages of an encyclopedia. The passages were found by a \
search for the question, and by searches for what you have said so far. Some of them have nothing to do with the \
question. You are given the passages, the question, and the beginning of your reasoning. Go on from there.

Rules:
1. Write one short sentence for each step. A sentence stands alone: use names, not "he", "it" or "there".
2. Do not write again what is in the reasoning so far; write what comes next.
3. If the passages do not say what you need, write what you believe. It will be searched for.
4. When the question can be answered, write: So the answer is: … and nothing behind it.

Examples:

{_worked_out()}"""

READ_SYSTEM = f"""\
You answer a question from passages of an encyclopedia. Some of them have nothing to do with the question. Work the \
answer out in short sentences, each of which stands alone, and end with: So the answer is: … and nothing behind it. \
The answer itself is as short as it can be: a name, a year, or a number with its unit.

Examples:

{_worked_out()}"""


def reasoning(question: str, passages: Sequence[Passage], thoughts: Sequence[str]) -> Messages:
    """To go on with the reasoning."""
    said = " ".join(thoughts) or NOTHING_YET
    return _asked(REASON_SYSTEM, f"{_given(question, passages)}\n\n{REASONING_MARK} {said}")


def reading(question: str, passages: Sequence[Passage]) -> Messages:
    """To answer from all that was found."""
    return _asked(READ_SYSTEM, _given(question, passages))


def _given(question: str, passages: Sequence[Passage]) -> str:
    lines = (f"[{number}] {one['title']}: {_short(one['text'])}" for number, one in enumerate(passages, 1))
    return "\n".join([PASSAGES_MARK, *lines, "", f"{QUESTION_MARK} {question}"])


def _short(body: str) -> str:
    return " ".join(body.split()[:PASSAGE_WORDS_MAX])


def _asked(system: str, user: str) -> Messages:
    return [{"role": "system", "content": system}, {"role": "user", "content": user}]
