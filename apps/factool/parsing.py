"""From the text of a model's answer to claims, queries and verdicts.

Always true: no text makes a function here raise. What cannot be read is left out, and a verdict that cannot be
read is undecided, never true or false by accident.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

QUERIES_MAX = 2

_LIST_MARK = re.compile(r"^\s*(?:[-*•–]|\(?\d{1,3}[.):](?=\s)|(?:claim|query)\s*\d*\s*:)\s*", re.IGNORECASE)
_DECODER = json.JSONDecoder(strict=False)
_NOTHING = frozenset({"none", "n/a", "null", "no claims", "no claim", "nil", ""})
_LABEL = re.compile(r"^\W*(reasoning|error|correction|factuality)\W*?[:=]\s*(.*)$", re.IGNORECASE)
_TRUTHS = {"true": True, "yes": True, "factual": True, "false": False, "no": False, "not factual": False}


@dataclass(frozen=True, slots=True)
class Appraisal:
    """The readable part of a verdict."""

    factual: bool | None = None
    reasoning: str = ""
    error: str | None = None
    correction: str | None = None


def claims(text: str) -> list[str]:
    """The claims of an answer: a JSON list of texts or of objects with `claim`, or one claim a line."""
    return _listed(text, key="claim")


def queries(text: str, claim: str) -> list[str]:
    """At most two different queries; the claim itself where the model wrote none."""
    found = list(dict.fromkeys(query.strip("\"'") for query in _listed(text, key="query")))
    return [query for query in found if query][:QUERIES_MAX] or [claim]


def appraisal(text: str) -> Appraisal:
    """The verdict in a JSON object or in labelled lines."""
    fields = _object_in(text) or _labelled(text)
    return Appraisal(
        factual=_truth(fields.get("factuality")),
        reasoning=str(fields.get("reasoning") or "").strip(),
        error=_said(fields.get("error")),
        correction=_said(fields.get("correction")),
    )


def claims_of_lines(lines: Iterable[str]) -> list[str]:
    """The claims in lines that are no part of a JSON list, whatever the other lines say."""
    return _plain(_marked_off(lines), key="claim")


def claims_of_entries(entries: Iterable[Any]) -> list[str]:
    """The claims in entries of a JSON list."""
    return _plain(entries, key="claim")


def is_list_entry(entry: Any) -> bool:
    """Whether a JSON list with this entry may be one of claims; a footnote mark such as [1] is a list as well."""
    return isinstance(entry, str | dict)


def _listed(text: str, key: str) -> list[str]:
    entries = _array_in(text)
    return _plain(_marked_off(text.splitlines()) if entries is None else entries, key)


def _marked_off(lines: Iterable[str]) -> Iterator[str]:
    for line in lines:
        if not line.strip().startswith("```") and not line.rstrip().endswith(":"):
            yield _LIST_MARK.sub("", line)


def _plain(entries: Iterable[Any], key: str) -> list[str]:
    texts = [entry.get(key) if isinstance(entry, dict) else entry for entry in entries]
    plain = [" ".join(entry.split()) for entry in texts if isinstance(entry, str)]
    return [entry for entry in plain if entry.lower().rstrip(".") not in _NOTHING]


def _array_in(text: str) -> list[Any] | None:
    """The first JSON list in a text that may be one of claims."""
    for opening in re.finditer(r"\[", text):
        try:
            # Models put plain line breaks into JSON strings; strict=False reads them.
            found, _ = _DECODER.raw_decode(text, opening.start())
        except (ValueError, RecursionError):
            continue
        if all(map(is_list_entry, found)):
            return list(found)
    return None


def _object_in(text: str) -> dict[str, Any] | None:
    start, end = text.find("{"), text.rfind("}")
    try:
        found = json.loads(text[start : end + 1], strict=False) if 0 <= start < end else None
    except (ValueError, RecursionError):
        return None
    return {str(key).lower(): value for key, value in found.items()} if isinstance(found, dict) else None


def _labelled(text: str) -> dict[str, Any]:
    fields: dict[str, str] = {}
    label = ""
    for line in text.splitlines():
        match = _LABEL.match(line)
        if match:
            label = match.group(1).lower()
            fields[label] = match.group(2).strip().rstrip(",").strip("\"'* ")
        elif label and line.strip():
            fields[label] = f"{fields[label]} {line.strip()}".strip()
    return dict(fields)


def _truth(value: Any) -> bool | None:
    if isinstance(value, bool):
        return value
    return _TRUTHS.get(str(value).strip().strip(".\"'}").strip().lower())


def _said(value: Any) -> str | None:
    said = " ".join(str(value or "").split())
    return None if said.lower().rstrip(".") in _NOTHING else said
