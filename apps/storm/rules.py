"""A model made of rules: does each of STORM's ten tasks on the text in the prompt.

It stands in for a language model in the simulated server, so that answers can be scored and lengths vary as they do
in real logs. Always true: the reply depends on the messages and the seed only; no label is ever read. What it "knows"
without looking anything up is the package's own corpus; of other topics it knows headings that suit anything.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from alto_lg.adapters.bm25 import terms
from alto_lg.apps import text
from alto_lg.apps.lengths import Spread, drawn, fitting, source_of, token_count
from alto_lg.apps.storm import prompts, rules_writing
from alto_lg.apps.storm.knowledge import ANYTHING, known_of
from alto_lg.apps.storm.prompt_parts import after, between, numbered_lines

# In tokens. Means as the outputs of the original are estimated, spread as recorded outputs of such calls are.
_RELATED = Spread(mean=80, variation=0.2, least=30, most=160)
_THINKING = Spread(mean=60, variation=0.3, least=20, most=140)
_EDITOR = Spread(mean=45, variation=0.3, least=20, most=90)
_QUESTION = Spread(mean=60, variation=0.3, least=25, most=130)
_ANSWER = Spread(mean=200, variation=0.3, least=60, most=420)

_CONTENT_EVERY = 10
"""One editor in so many has no more to ask after an answer."""

_ROLES = (
    "Historian", "Biographer", "Science writer", "Engineer", "Teacher", "Traveller", "Collector of sources",
    "Economist", "Museum curator", "Journalist", "Geographer", "Critic",
)  # fmt: skip
_THOUGHTS = (
    "Whoever writes about {topic} should know more than the best-known facts.",
    "The related articles tell of {first} and of {second}, which not every reader will expect.",
    "One editor should look at what came first, another at what became of it.",
    "Numbers, places and dates need somebody who checks them against each other.",
    "It also takes somebody who asks what all of it means to people today.",
    "I would not send two editors after the same part of {topic}.",
)
_FOLLOWING = (
    "I would like to know who took part in it and what they did.",
    "Which years and places should the article name?",
    "What do most accounts of it leave out or get wrong?",
    "How does it hang together with the rest of {topic}?",
    "Are there figures that show how large or how important it was?",
    "What came of it in the end, and is any of it left today?",
    "I ask because it matters to somebody who sees it as I do, and because my readers will look for it first.",
)
_NOT_FOUND = "I am sorry, but I could not find anything about that."
_QUERY_WORDS_MAX = 10
_TERMS_MIN = 3
_SIDES = (
    ("people", "who", "took", "part"),
    ("years", "places", "and", "names"),
    ("figures", "sizes", "and", "numbers"),
    ("causes", "and", "results"),
    ("first", "and", "last", "of", "its", "kind"),
)
_ASKING_TEXT = (
    "know like would could tell about more most account leave wrong year place article name took part hang together "
    "rest figure show large important came end left today matter somebody see ask reader look first because question "
    "next perspective please topic thing and you your did known began how went mean"
)
_ASKING = frozenset(terms(_ASKING_TEXT))


def reply(messages: Sequence[Mapping[str, str]], seed: int) -> str | None:
    """The model's answer, or None if the prompt is not one of STORM's."""
    system, user = _content(messages, "system"), _content(messages, "user")
    match system:
        case prompts.RELATED_SYSTEM:
            return _related(after(user, prompts.TOPIC_MARK), seed)
        case prompts.PERSONAS_SYSTEM:
            return _personas(user, seed)
        case prompts.ASK_SYSTEM:
            return _ask(user, seed)
        case prompts.QUERIES_SYSTEM:
            return _queries(user)
        case prompts.ANSWER_SYSTEM:
            return _answer(user, seed)
    return rules_writing.reply(system, user, seed)


def _content(messages: Sequence[Mapping[str, str]], role: str) -> str:
    return next((str(message.get("content") or "") for message in messages if message.get("role") == role), "")


# Who is to be asked what.


def _related(topic: str, seed: int) -> str:
    known = [passage["title"] for passage in known_of(topic, 30)]
    general = [f"{heading} of {topic}" for heading in ANYTHING]
    titles = [f"- {title}" for title in dict.fromkeys([*known, *general])]
    return "\n".join(fitting(titles, drawn(_RELATED, source_of(f"{seed}\n{topic}")))[:10])


def _personas(user: str, seed: int) -> str:
    topic = between(user, prompts.TOPIC_MARK, f"\n{prompts.COUNT_MARK}")
    count = int(between(user, prompts.COUNT_MARK, "\n") or 0)
    listed = after(user, prompts.CONTENTS_MARK).splitlines()
    headings = [heading.strip() for line in listed for heading in line.split(";") if heading.strip()]
    asked = set(terms(topic))
    headings = sorted(dict.fromkeys(headings), key=lambda heading: -len(asked & set(terms(heading))))
    headings += [f"{heading.lower()} of {topic}" for heading in ANYTHING]
    source = source_of(f"{seed}\n{user}")
    thoughts = (one.format(topic=topic, first=headings[0], second=headings[1]) for one in _THOUGHTS)
    thinking = " ".join(fitting(thoughts, drawn(_THINKING, source)))
    roles = source.sample(_ROLES, min(count, len(_ROLES)))
    editors = [
        _editor(place, role, headings[place :: len(roles)], drawn(_EDITOR, source)) for place, role in enumerate(roles)
    ]
    return "\n".join([thinking, "", *editors])


def _editor(place: int, role: str, headings: Sequence[str], room: int) -> str:
    looks_into = fitting(headings, room - token_count(role) - 4)
    return f"{place + 1}. {role}: {'; '.join(looks_into)}"


def _ask(user: str, seed: int) -> str:
    topic = between(user, prompts.TOPIC_MARK, f"\n{prompts.EDITOR_MARK}")
    persona = between(user, prompts.EDITOR_MARK, f"\n\n{prompts.CONVERSATION_MARK}")
    said = after(user, prompts.CONVERSATION_MARK).splitlines()
    asked = sum(line.startswith(prompts.EDITOR) for line in said)
    role, _, looks_into = persona.partition(": ")
    parts = [part.strip() for part in (looks_into or persona).split(";") if part.strip()]
    source = source_of(f"{seed}\n{user}")
    is_content = asked and (_NOT_FOUND in said[-1] or not source.randrange(_CONTENT_EVERY))
    if asked >= len(parts) or is_content:
        return prompts.THANKS
    article = "an" if role[:1] in "AEIOU" else "a"
    opening = f"As {article} {role.lower()} I ask about {parts[asked]}: what should an article on {topic} tell of it?"
    following = [one.format(topic=topic) for one in source.sample(_FOLLOWING, len(_FOLLOWING))]
    return " ".join(fitting([opening, *following], drawn(_QUESTION, source)))


# What is found.


def _queries(user: str) -> str:
    topic = between(user, prompts.TOPIC_MARK, f"\n{prompts.QUESTION_MARK}")
    question = after(user, prompts.QUESTION_MARK)
    about = question.partition("ask about ")[2].partition(":")[0] or question
    wanted, subject = _content_words(about), _content_words(topic)
    sides = source_of(question).sample(_SIDES, len(_SIDES))
    written = ([*wanted, *subject], [*wanted[:4], *sides[0]], [*subject[:4], *wanted[:2], *sides[1]])
    queries = dict.fromkeys(" ".join(dict.fromkeys(words[:_QUERY_WORDS_MAX])) for words in written)
    return "\n".join(f"- {query}" for query in queries if query)


def _content_words(sentence: str) -> list[str]:
    return [word for word in text.words(sentence) if terms(word) and not _ASKING.issuperset(terms(word))]


def _answer(user: str, seed: int) -> str:
    topic = between(user, prompts.TOPIC_MARK, f"\n{prompts.QUESTION_MARK}")
    question = between(user, prompts.QUESTION_MARK, f"\n\n{prompts.EVIDENCE_MARK}")
    sought = {term for word in _content_words(f"{question} {topic}") for term in terms(word)}
    stated: dict[str, int] = {}
    for number, title, body in numbered_lines(after(user, prompts.EVIDENCE_MARK)):
        bears_on_it = len(sought & set(terms(f"{title} {body}")))
        for sentence in text.sentences(body) if bears_on_it else ():
            if len(terms(sentence)) < _TERMS_MIN:
                continue
            stated[f"{sentence[:-1]} [{number}]{sentence[-1]}"] = bears_on_it + 2 * len(sought & set(terms(sentence)))
    if not stated:
        return _NOT_FOUND
    best = sorted(stated, key=lambda sentence: -stated[sentence])
    opening = f"Let me tell you what there is to be found about that part of {topic}, as far as it bears on your work."
    chosen = set(fitting([opening, *best], drawn(_ANSWER, source_of(f"{seed}\n{user}"))))
    return " ".join([opening, *(sentence for sentence in stated if sentence in chosen)])
