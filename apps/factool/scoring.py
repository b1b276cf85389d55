"""How well planted errors are found: claims of a run are paired with labelled claims by their words.

An error is *found* when the claim is judged false. Precision: of the claims judged false, the share that is
wrong. Recall: of the wrong claims, the share that is judged false. Claims that pair with no label are left out
and counted in `claims_matched_share`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from alto_lg.adapters.bm25 import terms
from alto_lg.apps.base import Request

_SAME_CLAIM_SHARE = 0.5


def score(requests: Sequence[Request], answers: Sequence[Any]) -> dict[str, float]:
    """Precision, recall and their harmonic mean over all labelled claims; accuracy over whole answers."""
    pairs = list(zip(requests, answers, strict=True))
    labelled = [(request, answer) for request, answer in pairs if request.labels.get("claims")]
    matches = [match for request, answer in labelled for match in _matched(request.labels["claims"], answer)]
    claims = sum(len(request.labels["claims"]) for request, _ in labelled)
    found = sum(not label and judged_false for label, judged_false in matches)
    flagged = sum(judged_false for _, judged_false in matches)
    wrong = sum(not label for label, _ in matches)
    right = sum(_all_true(request) == answer["factual"] for request, answer in labelled)
    precision, recall = _share(found, flagged), _share(found, wrong)
    return {
        "precision": precision,
        "recall": recall,
        "f1": _share(2 * precision * recall, precision + recall),
        "answer_accuracy": _share(right, len(labelled)),
        "claims_matched_share": _share(len(matches), claims),
        "errors_planted": float(wrong),
        "errors_flagged": float(flagged),
    }


def _all_true(request: Request) -> bool:
    return all(claim["label"] for claim in request.labels["claims"])


def _matched(labels: Sequence[Mapping[str, Any]], answer: Mapping[str, Any]) -> list[tuple[bool, bool]]:
    """Pairs of label and "was judged false", the most alike first, each claim used once."""
    verdicts = answer["verdicts"]
    known = [set(terms(label["claim"])) for label in labels]
    made = [set(terms(verdict["claim"])) for verdict in verdicts]
    likenesses = sorted(
        (-len(one & other) / (len(one | other) or 1), i, j)
        for i, one in enumerate(known)
        for j, other in enumerate(made)
    )
    used_labels: set[int] = set()
    used_verdicts: set[int] = set()
    matches: list[tuple[bool, bool]] = []
    for likeness, i, j in likenesses:
        if -likeness >= _SAME_CLAIM_SHARE and i not in used_labels and j not in used_verdicts:
            used_labels.add(i)
            used_verdicts.add(j)
            matches.append((bool(labels[i]["label"]), verdicts[j]["factual"] is False))
    return matches


def _share(part: float, whole: float) -> float:
    return part / whole if whole else 0.0
