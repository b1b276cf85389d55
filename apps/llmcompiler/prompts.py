"""The four prompts, the names of the tools, and the marks by which the parts of a prompt are found again.

Always true: the system text of a prompt is a constant, so that a server's prefix cache can hold it. The worked examples
tell of things that do not exist, so that none can leak into an answer unnoticed.
"""

from __future__ import annotations

from collections.abc import Sequence

from alto_lg.apps.corpus import Passage
from alto_lg.apps.llmcompiler.parsing import ANSWER_MARK, REPLAN_MARK, written
from alto_lg.apps.llmcompiler.state import Result, Task

Messages = list[dict[str, str]]

LOOK_UP, CALCULATE = "look_up", "calculate"
QUESTION_MARK = "Question:"
PASSAGES_MARK = "Passages:"
RESULTS_MARK = "Results:"
MISSING_MARK = "Missing:"
NEXT_MARK = "Next number:"
_ROUND_ONE = 1

PLAN_SYSTEM = f"""\
You plan how to answer a question with the help of tools. Write the plan as a list of calls, one on each line, each \
with its number. All calls that do not need each other are made at the same time, so make each as small as you can.

The tools:
- {LOOK_UP}("…") answers one short question from an encyclopedia: with a name, a year, or a number. It knows nothing \
of your plan, so the question must stand alone. It cannot compare or calculate.
- {CALCULATE}("…") works out an expression of numbers, + - * / and brackets.
- join() ends the plan.

Rules:
1. A line is a number, the name of a tool, and one text in brackets and quotes. Write nothing else.
2. $1 in a text stands for the result of call 1. A call may use the results of earlier calls only.
3. Ask for a number in the unit in which you want it.
4. Make no call that is not needed. Comparing is left to whoever reads the results.
5. If there are results already, they are listed, with what is missing. Do not make those calls again; ask in other \
words, and begin with the number that is given as the next one. You may use earlier results by their numbers.
6. The last line is join().

Question: How many years after the lighthouse of Carrow Point was the Port Aldis tramway opened?
1. {LOOK_UP}("In which year was the lighthouse of Carrow Point finished?")
2. {LOOK_UP}("In which year did the Port Aldis tramway open?")
3. {CALCULATE}("$2 - $1")
4. join()

Question: Which cheese ripens for longer, Orrin cheese, Tull cheese or the one that Loveday Rook painted on her signs?
1. {LOOK_UP}("Which cheese did Loveday Rook paint on her signs?")
2. {LOOK_UP}("How many weeks does Orrin cheese ripen?")
3. {LOOK_UP}("How many weeks does Tull cheese ripen?")
4. {LOOK_UP}("How many weeks does $1 ripen?")
5. join()

Question: By how many metres is the tower at the birthplace of John Sands higher than the lighthouse that he built?
1. {LOOK_UP}("Where was John Sands born?")
2. {LOOK_UP}("Which lighthouse did John Sands build?")
3. {LOOK_UP}("How many metres high is the tower of $1?")
4. {LOOK_UP}("How many metres high is the lighthouse $2?")
5. {CALCULATE}("$3 - $4")
6. join()"""

FIND_SYSTEM = f"""\
You answer one short question from passages of an encyclopedia. Some of the passages have nothing to do with it.

Rules:
1. First copy the sentence that answers the question, up to where it goes on to something else.
2. Then, on a line of its own, write {ANSWER_MARK} and the answer, as short as it can be.
3. A year is written in digits. If a number is asked for, write the number alone, in digits, with no unit.
4. If no passage answers the question, write only: {ANSWER_MARK} unknown

Question: In which year did the Port Aldis tramway open?
Passages:
[1] Trams of Port Aldis: The tramway of Port Aldis opened on 2 May 1894. Harrow and Daughters bore all of its cost.
[2] Harrow and Daughters: Harrow and Daughters was the largest shipping company of the town until 1931.
The tramway of Port Aldis opened on 2 May 1894.
{ANSWER_MARK} 1894

Question: How many metres long was the Heron?
Passages:
[1] The Ennor regatta: The crew of the Heron won the Ennor regatta nine times.
[2] The Heron: The Heron was seventeen metres long and needed eight men at the oars. She was built of larch.
The Heron was seventeen metres long.
{ANSWER_MARK} 17

Question: Who wrote the music of The Tin Star?
Passages:
[1] Dorothea Vane: Dorothea Vane wrote the music of more than forty films.
{ANSWER_MARK} unknown"""

_JOIN_RULES = f"""\
You answer a question from the results of tool calls. The calls were planned to answer it; each is shown with what it \
came to. A result may be wrong for the question, may be unknown, or may be an error.

Rules:
1. First write a short thought: what the results say, and what follows from them.
2. If the results answer the question, write on a line of its own {ANSWER_MARK} and the answer, as short as it can be: \
a name as the question has it, a year, or a number without a unit. A difference is written without a sign."""

_JOIN_EXAMPLES = f"""\
Question: How many years after the lighthouse of Carrow Point was the Port Aldis tramway opened?
Results:
1. {LOOK_UP}("In which year was the lighthouse of Carrow Point finished?") = 1846
2. {LOOK_UP}("In which year did the Port Aldis tramway open?") = 1894
3. {CALCULATE}("1894 - 1846") = 48
Thought: The lighthouse was finished in 1846 and the tramway opened in 1894, which is 48 years later.
{ANSWER_MARK} 48

Question: Which cheese ripens for longer, Orrin cheese or Tull cheese?
Results:
1. {LOOK_UP}("How many weeks does Orrin cheese ripen?") = 39
2. {LOOK_UP}("How many weeks does Tull cheese ripen?") = 3
Thought: Orrin cheese ripens for 39 weeks and Tull cheese for 3, so Orrin cheese ripens for longer.
{ANSWER_MARK} Orrin cheese"""

JOIN_SYSTEM = f"""\
{_JOIN_RULES}
3. If they do not, write on a line of its own {REPLAN_MARK} and what is missing. There will be one more plan.

{_JOIN_EXAMPLES}

Question: Who wrote the music of the film that was released in the year of the great storm of Ennor?
Results:
1. {LOOK_UP}("In which year was the great storm of Ennor?") = unknown
2. {LOOK_UP}("Which film was released in unknown?") = unknown
3. {LOOK_UP}("Who wrote the music of unknown?") = unknown
Thought: The year of the storm was not found, and so neither the film nor its music could be looked up.
{REPLAN_MARK} the year of the great storm of Ennor"""

JOIN_LAST_SYSTEM = f"""\
{_JOIN_RULES}
3. If they do not, answer all the same, as well as you can. There will be no other plan.

{_JOIN_EXAMPLES}"""


def planning(question: str, plan: Sequence[Task], results: Sequence[Result], missing: str) -> Messages:
    """To plan; for the second time with what there is, and what is missing."""
    asked = f"{QUESTION_MARK} {question}"
    if not missing:
        return _asked(PLAN_SYSTEM, asked)
    number = max((task["number"] for task in plan), default=0) + 1
    parts = (asked, _listed(results), f"{MISSING_MARK} {missing}", f"{NEXT_MARK} {number}")
    return _asked(PLAN_SYSTEM, "\n".join(parts))


def finding(question: str, passages: Sequence[Passage]) -> Messages:
    """To find a short answer."""
    lines = (f"[{number}] {one['title']}: {one['text']}" for number, one in enumerate(passages, 1))
    return _asked(FIND_SYSTEM, "\n".join([f"{QUESTION_MARK} {question}", PASSAGES_MARK, *lines]))


def joining(question: str, results: Sequence[Result], turn: int) -> Messages:
    """To answer from the results; in the first round another plan may be asked for."""
    system = JOIN_SYSTEM if turn == _ROUND_ONE else JOIN_LAST_SYSTEM
    return _asked(system, f"{QUESTION_MARK} {question}\n{_listed(results)}")


def _listed(results: Sequence[Result]) -> str:
    lines = [f"{written(one['number'], one['tool'], one['argument'])} = {one['result']}" for one in results]
    return "\n".join([RESULTS_MARK, *(lines or ["(none)"])])


def _asked(system: str, user: str) -> Messages:
    return [{"role": "system", "content": system}, {"role": "user", "content": user}]
