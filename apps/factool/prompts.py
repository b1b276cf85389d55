"""The four prompts, and the marks by which their parts are found again.

Always true: the system text of a prompt is a constant, so that a server's prefix cache can hold it; what changes
comes last, behind a mark.
"""

from __future__ import annotations

from collections.abc import Sequence

from alto_lg.apps.corpus import Passage

Messages = list[dict[str, str]]

QUESTION_MARK = "Question:"
REFERENCE_MARK = "Reference answer to restate:"
TEXT_MARK = "Text:"
CLAIM_MARK = "Claim:"
EVIDENCE_MARK = "Evidence:"
NO_EVIDENCE = "(no passage was found)"

ANSWER_SYSTEM = """\
You answer questions about general knowledge in a few plain sentences. State facts with their names, numbers, \
places and dates. Use one sentence for each fact, and name what the fact is about. If a reference answer is given, \
restate it word for word and add nothing."""

EXTRACT_SYSTEM = """\
You split a text into the claims that it makes, so that each can be checked by somebody who has not read the text.

Rules:
1. A claim is a statement that evidence could show to be true or false. Leave out opinions, questions and greetings.
2. A claim stands alone. Put the name in the place of every "he", "she", "it" or "they".
3. A claim says one thing, in fewer than fifteen words where that is possible. Keep every name, number, place and date.
4. Keep the order of the text. Do not correct anything: a wrong statement is still a claim.
5. Write each claim on a line of its own, with no number and no bullet. If there is no claim, write NONE.

Example text:
The kettle drum is tuned with pedals. It came to European orchestras in the seventeenth century. I like its sound.
Example claims:
The kettle drum is tuned with pedals.
The kettle drum came to European orchestras in the seventeenth century.

Example text:
In 1969, Ada Brook opened her bakery in Leeds, and she sold it after nine years.
Example claims:
Ada Brook opened a bakery in Leeds in 1969.
Ada Brook sold the bakery after nine years."""

QUERIES_SYSTEM = """\
You write search queries that would bring up the passages needed to check a claim. Be sceptical: the claim may be \
wrong in a name, a number, a place or a date, so search for the subject and not only for what is said of it.

Write exactly two queries, each on a line of its own, with no number and no quotation marks. The first names the \
subject in a few words. The second is longer and holds everything that the claim says.

Example claim: The kettle drum came to European orchestras in the seventeenth century.
Example queries:
kettle drum history
kettle drum first used European orchestras seventeenth century

Example claim: Ada Brook opened a bakery in Leeds in 1969.
Example queries:
Ada Brook bakery
Ada Brook opened bakery Leeds 1969"""

APPRAISE_SYSTEM = """\
You judge whether a claim is factual, given passages of evidence. Compare every name, number, place and date of the \
claim with the passages. Trust the passages where they speak of the claim; where they do not, say so.

Reason first: go through the passages and say what each of them states about the claim. Then answer with one JSON \
object and nothing after it, with these keys:
"reasoning": what the passages say, and how the claim compares;
"error": what is wrong in the claim, or "None";
"correction": the claim as it should read, or "None";
"factuality": true if the claim agrees with the passages, false if it does not, null if they cannot decide it.

Example answer:
{"reasoning": "Passage 1 says that the bakery opened in 1971. The claim says 1969.", "error": "The year is wrong.", \
"correction": "Ada Brook opened a bakery in Leeds in 1971.", "factuality": false}"""


def answering(question: str, reference: str | None) -> Messages:
    """Ask for an answer; with a reference, for that answer."""
    asked = f"{QUESTION_MARK} {question}"
    return _prompt(ANSWER_SYSTEM, f"{asked}\n\n{REFERENCE_MARK}\n{reference}" if reference else asked)


def extracting(answer: str) -> Messages:
    """Ask for the claims of an answer."""
    return _prompt(EXTRACT_SYSTEM, f"{TEXT_MARK}\n{answer}")


def querying(claim: str) -> Messages:
    """Ask for two search queries."""
    return _prompt(QUERIES_SYSTEM, f"{CLAIM_MARK} {claim}")


def appraising(claim: str, evidence: Sequence[Passage]) -> Messages:
    """Ask for a verdict on a claim."""
    passages = [f"[{place}] {passage['title']}: {passage['text']}" for place, passage in enumerate(evidence, 1)]
    listed = "\n".join(passages) if passages else NO_EVIDENCE
    return _prompt(APPRAISE_SYSTEM, f"{CLAIM_MARK} {claim}\n\n{EVIDENCE_MARK}\n{listed}")


def _prompt(system: str, user: str) -> Messages:
    return [{"role": "system", "content": system}, {"role": "user", "content": user}]
