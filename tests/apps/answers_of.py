"""The answers of an application's whole workload, by the program written by hand and the model made of rules.

`python -m apps.answers_of NAME` prints one digest for each request.
"""

from __future__ import annotations

import asyncio
import hashlib
import importlib
import json
import sys
from collections.abc import Iterator

from alto_lg.apps.base import Request
from alto_lg.apps.rules_chat import RulesChat
from alto_lg.comparisons.applications import load_application


def digests(name: str) -> Iterator[str]:
    """Request → digest of its answer, as lines."""
    package = importlib.import_module(f"alto_lg.apps.{name}")
    reply = importlib.import_module(f"alto_lg.apps.{name}.rules").reply
    application, program = load_application(name), package.program(chat=RulesChat(reply))

    async def answer(request: Request) -> str:
        state = await program.run(request.input, lambda _: None)
        for given in request.then:
            state = await program.run({**state, **given}, lambda _: None)
        return json.dumps(application.answer(state), sort_keys=True)

    for request in application.workload(corpus=None, questions=None):
        told = asyncio.run(answer(request))
        yield f"{request.id} {hashlib.blake2b(told.encode(), digest_size=8).hexdigest()}"


if __name__ == "__main__":
    print("\n".join(digests(sys.argv[1])))
