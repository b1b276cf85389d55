"""Plain English as sentences, names and numbers: what the rules and the corpus reader know of language."""

from __future__ import annotations

import re

_ENDING = re.compile(r"(?<=[.!?])[\"')\]]*\s+(?=[\"'(\[]?[A-Z0-9])")
_ABBREVIATION = re.compile(
    r"(?:\b(?:Dr|Mr|Mrs|Ms|Prof|St|Mt|Jr|Sr|No|vs|etc|Inc|Ltd|Co|Gen|Col|Capt|ca|c|approx)|\b[A-Z]|\b(?:[A-Za-z]\.)+[A-Za-z])\.$"
)
_NUMBER = re.compile(r"\d[\d,]*(?:\.\d+)?")
_WORD = re.compile(r"[^\W_]+(?:['’.\-][^\W_]+)*")
_UNITS_TEXT = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen "
    "seventeen eighteen nineteen twenty"
)
_UNITS = _UNITS_TEXT.split()
_ORDINALS_TEXT = (
    "zeroth first second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth thirteenth "
    "fourteenth fifteenth sixteenth seventeenth eighteenth nineteenth twentieth"
)
_ORDINALS = _ORDINALS_TEXT.split()
_TENS = {"thirty": 30, "forty": 40, "fifty": 50, "sixty": 60, "seventy": 70, "eighty": 80, "ninety": 90}
_NUMBER_WORDS = {word: value for words in (_UNITS, _ORDINALS) for value, word in enumerate(words)} | _TENS
_OTHER_NUMBER_WORDS = {"twice": 2, "dozen": 12, "hundred": 100, "thousand": 1000, "million": 10**6, "billion": 10**9}
_NAME_RUN = re.compile(r"[A-Z][\w'’-]*(?: (?:(?:van|von|da|de|di|der|del|la|of) )?[A-Z][\w'’-]*)*")


def sentences(text: str) -> list[str]:
    """The sentences of a text, with their full stops; initials and common abbreviations end none."""
    parts: list[str] = []
    for part in _ENDING.split(" ".join(text.split())):
        if parts and _ABBREVIATION.search(parts[-1]):
            parts[-1] = f"{parts[-1]} {part}"
        elif part:
            parts.append(part)
    return parts


def words(text: str) -> list[str]:
    """The words of a text as written, without a possessive ending."""
    return [re.sub(r"['’]s?$", "", word) for word in _WORD.findall(text)]


def numbers(text: str) -> list[str]:
    """The numbers of a text in digits, whether written in digits or in words, in order."""
    found: list[str] = []
    for word in re.findall(r"\d[\d,]*(?:\.\d+)?|[A-Za-z]+", text):
        if _NUMBER.fullmatch(word):
            found.append(word.replace(",", "").rstrip("."))
        elif word.lower() in _NUMBER_WORDS:
            found.append(str(_NUMBER_WORDS[word.lower()]))
        elif word.lower() in _OTHER_NUMBER_WORDS:
            found.append(str(_OTHER_NUMBER_WORDS[word.lower()]))
    # "one" is a pronoun far more often than a number.
    return [number for number in found if number != "1"]


def is_name(word: str) -> bool:
    """Whether a word is written as a name."""
    return word[:1].isupper()


def name_runs(text: str) -> list[str]:
    """The names of a text whole, such as "Ludwig van Beethoven": words written large, with the particles between."""
    return _NAME_RUN.findall(text)
