"""What the model is asked: each task as a system text that never varies, and the case at hand as the user's message.

The system texts say which task it is, so that a model made of rules can tell them apart as well.
"""

from __future__ import annotations

from alto_lg.apps.chat import Messages

NUMBERS_MARK = "Numbers:"
STEPS_MARK = "Steps so far:"
LEFT_MARK = "Numbers left:"
ANSWER_MARK = "Answer:"
NO_STEPS = "none"
VERDICTS = ("impossible", "likely", "sure")

PROPOSE_SYSTEM = """\
You play the Game of 24: four numbers are to be joined by + - * / so that they come to 24, and each is used exactly \
once. A step takes two of the numbers that are left and puts their result in their place.

Write the next steps that look most promising, one a line, each with a number in front. Behind each step write in \
brackets the numbers that are left after it: the result, and all numbers that were not used.

Example numbers left: 3, 7, 9, 9
Example steps:
1. 3 + 9 = 12 (left: 7, 9, 12)
2. 9 - 7 = 2 (left: 2, 3, 9)
3. 3 * 7 = 21 (left: 9, 9, 21)
4. 9 / 9 = 1 (left: 1, 3, 7)
5. 9 / 3 = 3 (left: 3, 7, 9)"""

FINISH_SYSTEM = """\
You play the Game of 24: four numbers are to be joined by + - * / so that they come to 24, and each is used exactly \
once. All steps have been taken. Write them as one expression over the four numbers, with brackets wherever the order \
of the operations needs them. If there are several ways to write it, write several, one a line, each with a number in \
front, the best one first. Write nothing else.

Example numbers: 2, 5, 8, 11
Example steps:
11 - 5 = 6 (left: 2, 6, 8)
8 / 2 = 4 (left: 4, 6)
4 * 6 = 24 (left: 24)
Example answers:
1. Answer: (8 / 2) * (11 - 5) = 24
2. Answer: (11 - 5) * (8 / 2) = 24

Example numbers: 3, 3, 7, 9
Example steps:
3 * 7 = 21 (left: 3, 9, 21)
9 / 3 = 3 (left: 3, 21)
3 + 21 = 24 (left: 24)
Example answers:
1. Answer: (9 / 3) + (3 * 7) = 24
2. Answer: 3 * 7 + 9 / 3 = 24

Example numbers: 1, 6, 8, 12
Example steps:
8 - 6 = 2 (left: 1, 2, 12)
12 * 2 = 24 (left: 1, 24)
24 / 1 = 24 (left: 24)
Example answers:
1. Answer: (12 * (8 - 6)) / 1 = 24
2. Answer: 12 * (8 - 6) / 1 = 24"""

VALUE_SYSTEM = """\
You judge whether some numbers can still come to 24 if they are joined by + - * /, each used exactly once. Try a few \
ways, one a line, and then give your judgement as one word on a line of its own:
sure: you have found a way that comes to 24;
likely: you have found none, but the numbers are of a size that makes one probable;
impossible: the numbers are all too small or too big, or no way is left to try.

Example numbers: 4, 20
20 - 4 = 16
20 + 4 = 24
sure

Example numbers: 1, 1, 2
1 + 1 + 2 = 4
(1 + 1) * 2 = 4
All results are far too small.
impossible

Example numbers: 6, 7, 11
7 + 11 + 6 = 24
sure

Example numbers: 15, 17
15 + 17 = 32
17 - 15 = 2
15 * 17 = 255
impossible

Example numbers: 4, 7, 9
4 + 7 + 9 = 20
(9 - 7) * 4 = 8
9 * 4 - 7 = 29
The numbers are of a size that can come to 24.
likely

Example numbers: 13, 14, 15
15 + 14 - 13 = 16
13 * 14 = 182, and 182 is too big
The numbers are too big.
impossible"""

CHECK_SYSTEM = """\
You judge an answer to the Game of 24: it must use each of the four numbers exactly once and no other number, and it \
must come to 24. First compare the numbers that the answer uses with those that were given. Then work it out, one \
operation after the other. At last give your judgement as one word on a line of its own: sure if the answer is \
right, impossible if it is not.

Example numbers: 2, 5, 8, 11
Answer: (8 / 2) * (11 - 5) = 24
It uses 8, 2, 11 and 5, each once.
8 / 2 = 4, 11 - 5 = 6, 4 * 6 = 24
sure

Example numbers: 3, 3, 7, 9
Answer: (9 + 7) * 3 / 2 = 24
It uses 2, which was not given.
impossible

Example numbers: 1, 6, 8, 12
Answer: 12 * 8 - 6 * 1 = 24
It uses 12, 8, 6 and 1, each once.
12 * 8 = 96, 6 * 1 = 6, 96 - 6 = 90
impossible"""


def proposing(numbers: str, steps: str, left: str) -> Messages:
    """Ask for the next steps."""
    return _prompt(PROPOSE_SYSTEM, f"{NUMBERS_MARK} {numbers}\n{STEPS_MARK}\n{steps or NO_STEPS}\n{LEFT_MARK} {left}")


def finishing(numbers: str, steps: str) -> Messages:
    """Ask for the steps as one expression."""
    return _prompt(FINISH_SYSTEM, f"{NUMBERS_MARK} {numbers}\n{STEPS_MARK}\n{steps}")


def valuing(left: str) -> Messages:
    """Ask whether the numbers that are left can come to 24."""
    return _prompt(VALUE_SYSTEM, f"{NUMBERS_MARK} {left}")


def checking(numbers: str, answer: str) -> Messages:
    """Ask whether an answer is right."""
    return _prompt(CHECK_SYSTEM, f"{NUMBERS_MARK} {numbers}\n{ANSWER_MARK} {answer} = 24")


def _prompt(system: str, user: str) -> Messages:
    return [{"role": "system", "content": system}, {"role": "user", "content": user}]
