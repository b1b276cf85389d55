"""FacTool on the command line: what the graph is given, and its answer made readable."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping
from typing import Any

from alto_lg.apps.factool.application import build

__all__ = ["build", "given", "readable"]

_SIGNS = {True: "true ", False: "FALSE", None: "open "}
_WIDTH = 100


def given(text: str, reference: str | None) -> Mapping[str, Any]:
    """The input of the graph."""
    return {"question": text} | ({"reference": reference} if reference else {})


def readable(state: Mapping[str, Any]) -> str:
    """The answer with its verdicts."""
    verdicts = state.get("verdicts", [])
    wrong = sum(verdict["factual"] is False for verdict in verdicts)
    lines = [textwrap.fill(state["answer"], _WIDTH), ""]
    for verdict in verdicts:
        lines.append(f"{verdict['index'] + 1:3}. {_SIGNS[verdict['factual']]}  {verdict['claim']}")
        if verdict["factual"] is False:
            lines += [f"            {verdict['error'] or verdict['reasoning']}"]
            lines += [f"            Evidence: {verdict['correction']}"] if verdict["correction"] else []
    found = f"{wrong} of {len(verdicts)} claims found to be false" if verdicts else "no claim found"
    return "\n".join([*lines, "", f"The answer is {'factual' if state['factual'] else 'NOT factual'}: {found}."])
