"""The ten prompts, and the marks by which their parts are found again.

Always true: the system text of a prompt is a constant, so that a server's prefix cache can hold it. What is put into a
prompt is bounded in words, by whole lines.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

Messages = list[dict[str, str]]

THANKS = "Thank you so much for your help!"
"""What an editor says who has nothing more to ask."""

TOPIC_MARK = "Topic:"
COUNT_MARK = "Editors wanted:"
CONTENTS_MARK = "Tables of contents:"
EDITOR_MARK = "You are:"
CONVERSATION_MARK = "Conversation:"
QUESTION_MARK = "Question:"
EVIDENCE_MARK = "Found:"
DRAFT_MARK = "Draft of the outline:"
OUTLINE_MARK = "Outline of the section:"
ARTICLE_MARK = "Article:"
EDITOR, EXPERT = "Editor:", "Expert:"
NOTHING_SAID = "(you have not asked anything yet)"
NOTHING_FOUND = "(nothing was found)"

_HISTORY_WORDS_MAX = 2500
_EVIDENCE_WORDS_MAX = 1000
_INTERVIEWS_WORDS_MAX = 5000
_SOURCES_WORDS_MAX = 1500

RELATED_SYSTEM = """\
You prepare an encyclopedia article. You are given its topic. Name articles that an encyclopedia has on subjects close \
to it, so that their tables of contents can be looked at: subjects that are part of the topic, and others of its kind. \
Write each title on a line of its own that begins with "- ". Write ten titles at most, and nothing else."""

PERSONAS_SYSTEM = """\
You choose the editors who prepare an encyclopedia article together. Each of them has a perspective of their own, so \
that together they notice what one alone would overlook. You are given the topic, how many editors are wanted, and the \
tables of contents of related articles, which show what may be told.

First think aloud in two or three sentences about which perspectives the topic needs. Then write the editors as a \
numbered list, each on one line: who they are, a colon, and what they will look into, with semicolons between."""

ASK_SYSTEM = f"""\
You are an editor who prepares an encyclopedia article, and you talk with an expert on its topic. You are given the \
topic, who you are, and the conversation so far. Ask the question that helps you most to write about the topic from \
your perspective. Ask one question at a time, go into what the expert said where it is worth it, and ask nothing that \
was asked before. If you have nothing more to ask, say "{THANKS}" and nothing else.

Write your question only."""

QUERIES_SYSTEM = """\
You search for what answers a question. You are given the topic of an article and a question about it. Write what you \
type into the search box: each query on a line of its own that begins with "- ", the best one first."""

ANSWER_SYSTEM = """\
You are an expert who is asked by an editor of an encyclopedia. You are given the topic of the article, the question, \
and what was found about it, each piece with its number in square brackets.

Answer with what was found, as fully as you can, and add nothing from elsewhere. Behind each sentence write the number \
of the piece that it was taken from, as in [2]. If what was found does not bear on the question, say that you could \
not find anything about it. Write plain sentences, no list and no heading."""

DRAFT_SYSTEM = """\
You write the outline of an encyclopedia article. You are given its topic. Write a heading of the first level as \
"# Heading" and one of the second level as "## Heading", a line each. Do not write the name of the topic as a heading, \
and no introduction, conclusion or summary. Write the outline and nothing else."""

REFINE_SYSTEM = """\
You improve the outline of an encyclopedia article. You are given its topic, a draft that was written without looking \
anything up, and the conversations that editors have had with an expert since.

Keep what is good in the draft, leave out what the conversations do not bear out, and add what they brought to light. \
Write a heading of the first level as "# Heading" and one of the second level as "## Heading", a line each. Do not \
write the name of the topic as a heading, and no introduction, conclusion or summary. Write the outline and nothing \
else."""

SECTION_SYSTEM = """\
You write one section of an encyclopedia article. You are given the topic of the article, the outline of the section, \
and what was found about it, each piece with its number in square brackets.

Begin with the first line of the outline as it stands, and keep its other headings. Write only what was found, and \
behind each sentence the number of the piece that it was taken from, as in [2] or [2][5]. Write plain prose in the \
style of an encyclopedia. List no references at the end: that is done elsewhere."""

LEAD_SYSTEM = """\
You write the lead of an encyclopedia article: what stands above its first section. You are given the topic and the \
sections. The lead stands alone as a summary of the article: it says what the topic is, why it is notable, and what \
the most important points are. It has four paragraphs at most, no heading, and is written with care to make the reader \
want to read on. Keep the numbers in square brackets behind what you take from a section. Write the lead and nothing \
else."""

POLISH_SYSTEM = """\
You take repetitions out of an encyclopedia article. You are given all of it. Where something is said twice, keep the \
place where it fits best and take out the other. Change nothing else: keep the headings, the order and the wording of \
what stays, and the numbers in square brackets. Write the whole article and nothing else."""


def relating(topic: str) -> Messages:
    """Ask for related articles."""
    return _prompt(RELATED_SYSTEM, f"{TOPIC_MARK} {topic}")


def choosing(topic: str, contents: Sequence[str], count: int) -> Messages:
    """Ask for editors."""
    listed = "\n".join(contents)
    return _prompt(PERSONAS_SYSTEM, f"{TOPIC_MARK} {topic}\n{COUNT_MARK} {count}\n\n{CONTENTS_MARK}\n{listed}")


def asking(topic: str, persona: str, history: str) -> Messages:
    """Ask for the next question of an editor."""
    lines = reversed(_within(reversed(history.splitlines()), _HISTORY_WORDS_MAX))
    said = "\n".join(lines) or NOTHING_SAID
    return _prompt(ASK_SYSTEM, f"{TOPIC_MARK} {topic}\n{EDITOR_MARK} {persona}\n\n{CONVERSATION_MARK}\n{said}")


def querying(topic: str, question: str) -> Messages:
    """Ask what to search for."""
    return _prompt(QUERIES_SYSTEM, f"{TOPIC_MARK} {topic}\n{QUESTION_MARK} {question}")


def answering(topic: str, question: str, evidence: str) -> Messages:
    """Ask for the expert's answer."""
    found = "\n".join(_within(evidence.splitlines(), _EVIDENCE_WORDS_MAX)) or NOTHING_FOUND
    return _prompt(ANSWER_SYSTEM, f"{TOPIC_MARK} {topic}\n{QUESTION_MARK} {question}\n\n{EVIDENCE_MARK}\n{found}")


def drafting(topic: str) -> Messages:
    """Ask for an outline."""
    return _prompt(DRAFT_SYSTEM, f"{TOPIC_MARK} {topic}")


def refining(topic: str, drafted: str, interviews: str) -> Messages:
    """Ask for a better outline."""
    said = "\n".join(_within(interviews.splitlines(), _INTERVIEWS_WORDS_MAX))
    return _prompt(
        REFINE_SYSTEM, f"{TOPIC_MARK} {topic}\n\n{DRAFT_MARK}\n{drafted}\n\n{CONVERSATION_MARK}\n{said or NOTHING_SAID}"
    )


def writing(topic: str, outline: str, evidence: str) -> Messages:
    """Ask for a section."""
    found = "\n".join(_within(evidence.splitlines(), _SOURCES_WORDS_MAX)) or NOTHING_FOUND
    return _prompt(SECTION_SYSTEM, f"{TOPIC_MARK} {topic}\n\n{OUTLINE_MARK}\n{outline}\n\n{EVIDENCE_MARK}\n{found}")


def leading(topic: str, sections: str) -> Messages:
    """Ask for the lead."""
    return _prompt(LEAD_SYSTEM, f"{TOPIC_MARK} {topic}\n\n{ARTICLE_MARK}\n{sections}")


def polishing(article: str) -> Messages:
    """Ask for the article without its repetitions."""
    return _prompt(POLISH_SYSTEM, f"{ARTICLE_MARK}\n{article}")


def _within(lines: Iterable[str], words_max: int) -> list[str]:
    """As many of the lines, from the first on, as have so many words together; the first one always."""
    kept: list[str] = []
    count = 0
    for line in lines:
        count += len(line.split())
        if kept and count > words_max:
            break
        kept.append(line)
    return kept


def _prompt(system: str, user: str) -> Messages:
    return [{"role": "system", "content": system}, {"role": "user", "content": user}]
