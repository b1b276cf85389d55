"""Who a sentence is about: the subject before the verb, put in the place of a leading pronoun.

Enough grammar for plain expository prose. Always true: a sentence that starts with no pronoun is left as it is.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

_SUBJECT_WORDS_MAX = 6
_PRONOUN = r"(?:He|She|It|They|he|she|it|they)"
_POSSESSIVE = r"(?:His|Her|Its|Their|his|her|its|their)"
_OPENING = r"(?:(?:In|On|At|By|During|After|Before|From|Since|Until|Between|Today|Later|Also)\b[^,]{0,40}, )?"
_POINTING = rf"(?:{_PRONOUN}|{_POSSESSIVE}|This|That|These|Those|There)"
_VERBS = (
    "is are was were has have had can may might will would could did does do became began begins won wrote made makes "
    "took takes lies runs rises flows stands covers holds led grew grows died lives lived left built gave gives fell "
    "came comes went saw found founded said says set sets kept knew known met put sold sent shows sits sang spent "
    "stood struck swam taught tells thought told turns turn uses use wears carries contains consists feeds eats "
    "eat eats lay breeds reaches stretches marks served pairs forms means builds bears brought bought caught chose "
    "drew drove flew forgot got heard held hit lost paid ran rode sought shot swore threw woke won"
)
_VERB = re.compile(rf" (?:{'|'.join(dict.fromkeys(_VERBS.split()))}|[a-z]+ed)\b")


def subject_of(sentence: str) -> str:
    """The words before the first verb, if they name something; else an empty text."""
    if re.match(rf"{_OPENING}{_POINTING}\b", sentence):
        return ""
    rest = re.sub(rf"^{_OPENING}", "", sentence)
    verb = _VERB.search(rest)
    subject = rest[: verb.start()].split(",")[0] if verb else ""
    return subject if 0 < len(subject.split()) <= _SUBJECT_WORDS_MAX else ""


def standing_alone(sentences: Iterable[str], subject: str = "") -> Iterator[str]:
    """The sentences, each with the last subject in the place of its leading pronoun."""
    for sentence in sentences:
        subject = subject_of(sentence) or subject
        yield _with_subject(sentence, subject) if subject else sentence


def _with_subject(sentence: str, subject: str) -> str:
    owner = subject + ("'" if subject.endswith("s") else "'s")
    sentence = re.sub(rf"^({_OPENING}){_PRONOUN}\b", lambda found: found.group(1) + subject, sentence)
    return re.sub(rf"^({_OPENING}){_POSSESSIVE}\b", lambda found: found.group(1) + owner, sentence)
