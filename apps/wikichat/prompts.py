"""The six prompts, and the marks by which their parts are found again.

Always true: the system text of a prompt is a constant, so that a server's prefix cache can hold it; what changes
comes last, behind a mark.
"""

from __future__ import annotations

from collections.abc import Sequence

from alto_lg.apps.corpus import Passage
from alto_lg.apps.wikichat.examples import CONVERSATIONS, EXTRACTIONS
from alto_lg.apps.wikichat.state import Note, Turn

Messages = list[dict[str, str]]

USER, AGENT = "User:", "Agent:"
CONVERSATION_MARK = "Conversation:"
QUERY_MARK = "Query:"
PASSAGES_MARK = "Passages:"
PASSAGE_MARK = "Passage:"
NOTES_MARK = "Notes:"
DRAFT_MARK = "Draft:"
OPENING, CLOSING = "<search_query>", "</search_query>"
NO_NOTES = "(no note was made)"
PASSAGE_CHARS_MAX = 600
_TURNS_MAX = 4
_QUERY_EXAMPLES = 10

_QUERIES_RULES = f"""\
You search an encyclopedia on behalf of somebody who talks with a user. Its articles tell of people, places, events, \
science, art and technology. Read the conversation and write what should be searched for, so that the last turn of the \
user can be answered from what is found.

Rules:
1. Write each query on a line of its own between {OPENING} and {CLOSING}, with no number and no quotation marks.
2. A query stands alone: put names in the place of "he", "it" or "there", taken from the turns before.
3. Write one query for each thing that is asked about, three at most. Different queries should find different articles.
4. If nothing has to be looked up, as for greetings and thanks, write None between the marks."""

_RECALL_RULES = """\
You are well read. Read the conversation and write down all that you know which would help to answer the last turn of \
the user. It will be checked against an encyclopedia later, so write what you believe, and do not hold back.

Rules:
1. Write each fact on a line of its own that begins with "- ".
2. A fact stands alone: it can be understood by somebody who has read neither the conversation nor the other facts. \
Use names, not "he", "it" or "there".
3. A fact says one thing in one sentence, with its names, numbers, places and dates.
4. Begin with what matters most to the question. Write twelve facts at most.
5. If there is nothing to be known, as for greetings and thanks, write None."""

RERANK_SYSTEM = """\
You order search results by how well they answer a query. You are given the query and a number of passages, each with \
its number in square brackets. Passages may be cut off at the end; judge by what is there.

A passage that states what the query asks for comes first. Then come passages that speak of the same subject without \
stating it, those with more names and numbers of the query before those with fewer. Passages about something else come \
last, even if they share words with the query. Of two passages that are alike, the one that was given first comes first.

Answer with one JSON list of the numbers of all passages, as texts, best first. Name every passage once. Write nothing \
before the list and nothing after it, and do not explain the order.

Example query: Carrow Point lighthouse builder
Example passages:
[1] Carrow Wood: Carrow Wood lies eleven miles north of the town of Aldis. Charcoal was burned there until 1912.
[2] Carrow Point: A lighthouse of grey granite has stood there since 1846, when the engineer John Sands finished it.
[3] Kittiwakes: Kittiwakes nest on cliffs such as those of Carrow Point and leave them in August.
[4] Lighthouses of Ennor: The island has four lighthouses. The oldest of them is that on Carrow Point.
[5] John Sands: The engineer John Sands built harbours and lighthouses on Ennor. The one on Carrow Point was his last.
[6] Points: A point is a tip of land that runs out into the sea. Ships keep well away from most of them.
Example answer:
["2", "5", "4", "3", "1", "6"]"""

_FILTER_RULES = """\
You read one passage of an encyclopedia on behalf of somebody who talks with a user, and take out of it what bears on \
the conversation, above all on the last turn of the user.

Rules:
1. Write what bears on it as a numbered list, one statement on each line.
2. A statement stands alone: use names, not "he", "it" or "there".
3. Write only what the passage states, with its names, numbers, places and dates. Add nothing from elsewhere.
4. If nothing in the passage bears on the conversation, write None and, in a few words, what the passage is about."""

DRAFT_SYSTEM = """\
You talk with a user about things that are found in an encyclopedia. You are given the conversation so far and notes \
that were taken from passages for the last turn of the user. Each note has its number in square brackets.

Write your next turn.

Rules:
1. Say only what the notes say. If they do not answer the user, tell the user that you could not find it; do not guess.
2. Behind each sentence that takes something from a note, write the number of that note in square brackets, as in [2].
3. Answer what was asked first; then add what may interest the user, in about a hundred words.
4. Speak to the user plainly and kindly. Write one paragraph, no list and no heading.
5. Do not speak of notes, passages or searches.

Example conversation:
User: When did the Port Aldis tramway open, and who paid for it?
Example notes:
[1] Trams of Port Aldis: The tramway of Port Aldis opened on 2 May 1894. Dockers used it to reach the new harbour.
[2] Harrow and Daughters: The shipping company bore the whole cost of the tramway of Port Aldis.
Example turn:
The tramway of Port Aldis opened on 2 May 1894 [1]. The shipping company Harrow and Daughters paid for all of it [2]. \
Dockers used it to reach the new harbour [1].

Example conversation:
User: How did the snow vole get its name?
Example notes:
[1] Voles of the Ennor hills: The snow vole lives above the tree line. It moves through tunnels under the snow.
Example turn:
I am sorry, but I could not find out how the snow vole got its name. What I can tell you is that it lives above the \
tree line and moves through tunnels under the snow [1]."""

REFINE_SYSTEM = """\
You improve the turn of somebody who talks with a user. You are given the conversation so far and the draft of the \
next turn, in which numbers in square brackets say where each statement comes from.

Check the draft for these faults and mend them:
1. It says the same thing twice. Keep the first place only.
2. It contains a statement without a number behind it. Leave that statement out, unless it says that something was not \
found.
3. Statements on one subject stand in different places. Bring them together, the subject that was asked for first.
4. Several sentences in a row carry the same number. Keep the number behind the last of them.

Change nothing else: no new statements, no other wording, no other numbers. Write the improved turn and nothing \
besides it: no list of faults, no heading, no greeting.

Example draft:
The tramway of Port Aldis opened in 1894 [1]. Its cars were green [1]. Trams are lovely. Harrow and Daughters paid for \
it [2]. The tramway opened in 1894 [1].
Example turn:
The tramway of Port Aldis opened in 1894. Its cars were green [1]. Harrow and Daughters paid for it [2].

Example draft:
Isaac Penrose cast bells in Tull [1]. Smoked eel is sold in the market [3]. He could not hear, and judged a tone by \
his hands [2]. I hope that helps. Isaac Penrose cast his bells in the town of Tull [1].
Example turn:
Isaac Penrose cast bells in Tull [1]. He could not hear, and judged a tone by his hands [2]. Smoked eel is sold in the \
market [3]."""


def _worked(dialogue: str, name: str, answer: str) -> str:
    return f"Example conversation:\n{dialogue}\nExample {name}:\n{answer}"


def _queries_system() -> str:
    shown = CONVERSATIONS[:_QUERY_EXAMPLES]
    listed = ("\n".join((OPENING, *(one.queries or ("None",)), CLOSING)) for one in shown)
    pairs = zip(shown, listed, strict=True)
    return "\n\n".join([_QUERIES_RULES, *(_worked(one.dialogue, "queries", answer) for one, answer in pairs)])


def _recall_system() -> str:
    listed = ("\n".join(f"- {fact}" for fact in one.facts) or "None" for one in CONVERSATIONS)
    pairs = zip(CONVERSATIONS, listed, strict=True)
    return "\n\n".join([_RECALL_RULES, *(_worked(one.dialogue, "facts", answer) for one, answer in pairs)])


def _filter_system() -> str:
    worked = []
    for one in EXTRACTIONS:
        points = "\n".join(f"{place}. {point}" for place, point in enumerate(one.points, 1))
        points = points or f"None; it is about {one.title.lower()}."
        worked.append(_worked(f"{one.dialogue}\nExample passage:\n{one.title}: {one.passage}", "statements", points))
    return "\n\n".join([_FILTER_RULES, *worked])


QUERIES_SYSTEM = _queries_system()
RECALL_SYSTEM = _recall_system()
FILTER_SYSTEM = _filter_system()


def dialogue_of(history: Sequence[Turn], question: str) -> str:
    """The last turns of a conversation and the user's new one, a line each."""
    lines: list[str] = []
    for turn in history[-_TURNS_MAX:]:
        lines += [f"{USER} {_on_one_line(turn['user'])}", f"{AGENT} {_on_one_line(turn['agent'])}"]
    return "\n".join([*lines, f"{USER} {_on_one_line(question)}"])


def querying(dialogue: str) -> Messages:
    """Ask what to search for."""
    return _prompt(QUERIES_SYSTEM, f"{CONVERSATION_MARK}\n{dialogue}")


def recalling(dialogue: str) -> Messages:
    """Ask what the model knows itself."""
    return _prompt(RECALL_SYSTEM, f"{CONVERSATION_MARK}\n{dialogue}")


def reranking(query: str, passages: Sequence[Passage]) -> Messages:
    """Ask for the order of passages."""
    listed = (f"[{place}] {_shown(passage)[:PASSAGE_CHARS_MAX]}" for place, passage in enumerate(passages, 1))
    return _prompt(RERANK_SYSTEM, "\n".join([f"{QUERY_MARK} {query}", PASSAGES_MARK, *listed]))


def filtering(dialogue: str, passage: Passage) -> Messages:
    """Ask what of a passage bears on the conversation."""
    return _prompt(FILTER_SYSTEM, f"{CONVERSATION_MARK}\n{dialogue}\n\n{PASSAGE_MARK}\n{_shown(passage)}")


def drafting(dialogue: str, notes: Sequence[Note]) -> Messages:
    """Ask for the next turn."""
    listed = [
        f"[{place}] {note['passage']['title']}: {' '.join(note['points'])}" for place, note in enumerate(notes, 1)
    ]
    shown = "\n".join(listed or [NO_NOTES])
    return _prompt(DRAFT_SYSTEM, f"{CONVERSATION_MARK}\n{dialogue}\n\n{NOTES_MARK}\n{shown}")


def refining(dialogue: str, draft: str) -> Messages:
    """Ask for a better turn."""
    return _prompt(REFINE_SYSTEM, f"{CONVERSATION_MARK}\n{dialogue}\n\n{DRAFT_MARK}\n{draft}")


def _shown(passage: Passage) -> str:
    return f"{passage['title']}: {passage['text']}"


def _on_one_line(text: str) -> str:
    return " ".join(text.split())


def _prompt(system: str, user: str) -> Messages:
    return [{"role": "system", "content": system}, {"role": "user", "content": user}]
