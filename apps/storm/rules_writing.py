"""The rules that write: outlines, sections, the lead, and the article without its repetitions."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import chain, cycle

from alto_lg.adapters.bm25 import terms
from alto_lg.apps import text
from alto_lg.apps.lengths import Spread, drawn, fitting, source_of, token_count
from alto_lg.apps.storm import prompts
from alto_lg.apps.storm.citing import without_citations
from alto_lg.apps.storm.knowledge import ANYTHING, headings_in, known_of
from alto_lg.apps.storm.outline import sections_of
from alto_lg.apps.storm.prompt_parts import after, between, numbered_lines

# In tokens; a draft is shorter than the outline of about six sections that becomes of it.
_DRAFT = Spread(mean=200, variation=0.3, least=80, most=380)
_OUTLINE = Spread(mean=300, variation=0.3, least=140, most=390)
_SECTIONS = Spread(mean=6, variation=0.25, least=4, most=9)
_SECTION = Spread(mean=450, variation=0.3, least=150, most=690)
_LEAD = Spread(mean=275, variation=0.3, least=90, most=600)

_SENTENCES_A_HEADING_MAX = 7
_TERMS_MIN = 3
_FILLED_MAX = 60
_LINKING = (
    "{heading} belongs to what is best known of {topic}.",
    "What follows is told of {heading} in the sources on {topic}.",
    "{heading} is seldom left out where {topic} is described.",
)
_FILLING = (
    "Most accounts agree on this, though not all of them give it the same weight.",
    "It is for this reason that the subject is still written about.",
    "Seen together with the other parts of the subject, this explains much of what came later.",
    "The sources say little about how people of the time saw it.",
    "How far this holds for other cases is a question that has been answered in different ways.",
    "Much of this is known only because somebody took the trouble to write it down.",
    "It has often been compared with similar cases elsewhere, not always to its advantage.",
    "Later writers have mostly repeated what was said first, and some have added to it.",
    "What can be seen of it today gives only a part of the picture.",
    "None of it happened by itself: many people had a share in it whose names are not recorded.",
)


@dataclass(slots=True)
class _Part:
    """A section of an outline in the making."""

    heading: str
    below: list[str] = field(default_factory=list)

    def lines(self) -> list[str]:
        return [f"# {self.heading}", *(f"## {heading}" for heading in dict.fromkeys(self.below))]


def reply(system: str, user: str, seed: int) -> str | None:
    """The answer to a prompt that asks for a text; None for any other."""
    match system:
        case prompts.DRAFT_SYSTEM:
            return _draft(after(user, prompts.TOPIC_MARK), seed)
        case prompts.REFINE_SYSTEM:
            return _refine(user, seed)
        case prompts.SECTION_SYSTEM:
            return _section(user, seed)
        case prompts.LEAD_SYSTEM:
            return _lead(user, seed)
        case prompts.POLISH_SYSTEM:
            return _polish(after(user, prompts.ARTICLE_MARK))
    return None


# Outlines.


def _draft(topic: str, seed: int) -> str:
    source = source_of(f"{seed}\n{topic}")
    count = drawn(_SECTIONS, source)
    known = [_Part(passage["title"], headings_in(passage["text"])) for passage in known_of(topic, count)]
    general = [_Part(heading, list(below)) for heading, below in ANYTHING.items()]
    parts = [*known, *source.sample(general, len(general))][:count]
    return "\n".join(_sized(parts, drawn(_DRAFT, source)))


def _refine(user: str, seed: int) -> str:
    topic = between(user, prompts.TOPIC_MARK, f"\n\n{prompts.DRAFT_MARK}")
    drafted = sections_of(between(user, prompts.DRAFT_MARK, f"\n\n{prompts.CONVERSATION_MARK}"), topic)
    said = after(user, prompts.CONVERSATION_MARK).splitlines()
    source = source_of(f"{seed}\n{user}")
    count = drawn(_SECTIONS, source)
    parts = [_Part(one.heading, [heading for _, heading in one.headings]) for one in drafted]
    borne_out = set(terms(" ".join(line for line in said if line.startswith(prompts.EXPERT))))
    parts = [part for part in parts if borne_out & set(terms(part.heading))] or parts
    brought = [_Part(_asked_about(line)) for line in said if line.startswith(prompts.EDITOR)]
    parts = _different([*parts[: count // 2 + 1], *brought, *parts[count // 2 + 1 :]])[:count]
    answers = (line.removeprefix(prompts.EXPERT) for line in said if line.startswith(prompts.EXPERT))
    _share_out([heading for answer in answers for heading in headings_in(answer)], parts)
    lines = _sized(parts, drawn(_OUTLINE, source))
    return "\n".join([*lines, "# Conclusion"] if source.random() < 0.2 else lines)


def _asked_about(question: str) -> str:
    """The subject of an editor's question as a heading."""
    about = question.partition("ask about ")[2].partition(":")[0] or " ".join(text.words(question)[1:6])
    return about[:1].upper() + about[1:]


def _different(parts: Iterable[_Part]) -> list[_Part]:
    """The parts without those whose heading says what an earlier one says."""
    seen: list[set[str]] = []
    kept: list[_Part] = []
    for part in parts:
        mine = set(terms(part.heading))
        if mine and not any(2 * len(mine & other) > len(mine | other) for other in seen):
            seen.append(mine)
            kept.append(part)
    return kept


def _share_out(headings: Sequence[str], parts: Sequence[_Part]) -> None:
    """Put each heading below the section that it is closest to; what is close to none goes where least is."""
    taken = {heading for part in parts for heading in (part.heading, *part.below)}
    for heading in dict.fromkeys(headings):
        if heading in taken or not parts:
            continue
        mine = set(terms(heading))
        close = [len(mine & set(terms(" ".join((part.heading, *part.below))))) for part in parts]
        best = max(range(len(parts)), key=lambda place: (close[place] - len(parts[place].below) // 4, -place))
        parts[best].below.append(heading)


def _sized(parts: Sequence[_Part], room: int) -> list[str]:
    """The lines of an outline of so many tokens, by adding or leaving out second headings."""
    for _, part in zip(range(_FILLED_MAX), cycle(parts), strict=False):
        if _size(parts) >= room:
            break
        number = len(part.below)
        aspects = ANYTHING[list(ANYTHING)[number % len(ANYTHING)]]
        part.below.append(f"{aspects[number % len(aspects)]}: {part.heading}")
    while _size(parts) > room:
        longest = max(parts, key=lambda part: len(part.below))
        if not longest.below:
            break
        longest.below.pop()
    return [line for part in parts for line in part.lines()]


def _size(parts: Sequence[_Part]) -> int:
    return sum(token_count(line) for part in parts for line in part.lines())


# Sections.


def _section(user: str, seed: int) -> str:
    topic = between(user, prompts.TOPIC_MARK, f"\n\n{prompts.OUTLINE_MARK}")
    outline = between(user, prompts.OUTLINE_MARK, f"\n\n{prompts.EVIDENCE_MARK}").splitlines()
    pieces = list(numbered_lines(after(user, prompts.EVIDENCE_MARK)))
    source = source_of(f"{seed}\n{user}")
    room, filling = drawn(_SECTION, source), source.sample(_FILLING, len(_FILLING))
    used: set[str] = set()
    written: list[str] = []
    for place, line in enumerate(outline):
        heading = line.lstrip("# ")
        share = (room - sum(map(token_count, written))) // (len(outline) - place)
        body = _told_of(heading, pieces, used, share)
        linking = source.choice(_LINKING).format(heading=heading, topic=topic)
        sentences = [linking, *body] if place == 0 else body
        while filling and token_count(" ".join(sentences)) < 0.75 * share:
            sentences.append(filling.pop())
        written += [line, " ".join(sentences)] if sentences else [line]
    return "\n\n".join(written)


def _told_of(heading: str, pieces: Sequence[tuple[int, str, str]], used: set[str], room: int) -> list[str]:
    """The sentences that are closest to a heading and stand in no paragraph yet."""
    sought = set(terms(heading))
    close: dict[str, tuple[int, int]] = {}
    for number, title, body in pieces:
        together = len(sought & set(terms(f"{title} {body}")))
        for sentence in text.sentences(body):
            if sentence not in used and len(terms(sentence)) >= _TERMS_MIN:
                close[sentence] = (3 * len(sought & set(terms(sentence))) + together, number)
    best = sorted(close, key=lambda sentence: -close[sentence][0])[:_SENTENCES_A_HEADING_MAX]
    chosen = set(fitting(best, room)) if room > 0 else set()
    used |= chosen
    return [f"{one[:-1]} [{close[one][1]}]{one[-1]}" for one in close if one in chosen]


# The whole article.


def _lead(user: str, seed: int) -> str:
    topic = between(user, prompts.TOPIC_MARK, f"\n\n{prompts.ARTICLE_MARK}")
    sections = re.split(r"^## .*$", after(user, prompts.ARTICLE_MARK), flags=re.MULTILINE)[1:]
    told = [_sentences(section) for section in sections]
    ranked = (lines[rank] for rank in range(max(map(len, told), default=0)) for lines in told if rank < len(lines))
    cited = dict.fromkeys(line for line in ranked if line != without_citations(line))
    headings = re.findall(r"^## (.*)$", user, flags=re.MULTILINE)
    opening = f"This article on {topic} tells of {', '.join(headings[:4])}." if headings else f"{topic} is a subject."
    chosen = set(fitting([opening, *cited], drawn(_LEAD, source_of(f"{seed}\n{user}"))))
    in_order = dict.fromkeys(chain([opening], *told))
    return " ".join(line for line in in_order if line in chosen)


def _polish(article: str) -> str:
    seen: set[str] = set()
    lines: list[str] = []
    for line in article.splitlines():
        if line.startswith("#") or not line.strip():
            lines.append(line)
            continue
        kept = [one for one in text.sentences(line) if without_citations(one) not in seen]
        seen.update(map(without_citations, kept))
        lines.append(" ".join(kept))
    return "\n".join(lines)


def _sentences(section: str) -> list[str]:
    lines = (line for line in section.splitlines() if line.strip() and not line.startswith("#"))
    return [sentence for line in lines for sentence in text.sentences(line)]
