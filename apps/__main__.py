"""`alto-lg app`: one application on one input, plain or accelerated, with the answer made readable."""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
import textwrap
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from time import monotonic
from typing import Any

from alto_lg.adapters.openai_chat import ModelServerError, OpenAIChat
from alto_lg.apps import factool
from alto_lg.apps.base import InputError, ModelEndpoint
from alto_lg.apps.factool import FACTOOL

_BUILDERS = {FACTOOL.name: factool.build}
_SIGNS = {True: "true ", False: "FALSE", None: "open "}
_WIDTH = 100


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of the command."""
    parser.add_argument("application", choices=sorted(_BUILDERS), help="which application to run")
    parser.add_argument("--input", required=True, metavar="QUESTION", help="the question to answer and check")
    parser.add_argument("--reference", metavar="ANSWER", help="check this answer instead of asking for one")
    parser.add_argument("--version", choices=FACTOOL.versions, default=FACTOOL.versions[0], help="form of the graph")
    parser.add_argument("--corpus", type=Path, help="JSONL file or folder of .txt files; default: the package's own")
    parser.add_argument("--base-url", help="an OpenAI-compatible server, ending in /v1; default: the simulated one")
    parser.add_argument("--model", help="the model on that server; the key is read from OPENAI_API_KEY")
    parser.add_argument("--accelerate", action="store_true", help="run the graph out of order")


def run(options: argparse.Namespace) -> int:
    """Run once and print the answer with its verdicts."""
    if options.base_url and not options.model:
        print("--base-url needs --model: name the model that the server has", file=sys.stderr)
        return 2
    try:
        with _endpoint(options) as endpoint:
            started = monotonic()
            state = asyncio.run(_state(options, endpoint))
            print(_readable(state))
            print(f"\n{monotonic() - started:.2f} s, {_described(options)}, model {endpoint.model}")
    except (InputError, ModelServerError) as fault:
        print(fault, file=sys.stderr)
        return 1
    return 0


@contextmanager
def _endpoint(options: argparse.Namespace) -> Iterator[ModelEndpoint]:
    if options.base_url:
        yield ModelEndpoint(options.base_url, options.model, os.environ.get("OPENAI_API_KEY") or "not-needed")
        return
    from alto_lg.comparisons.sim.process import SimulatedServer

    with SimulatedServer() as server:
        yield ModelEndpoint(server.base_url, server.model)


async def _state(options: argparse.Namespace, endpoint: ModelEndpoint) -> Mapping[str, Any]:
    chat = OpenAIChat(endpoint.base_url, endpoint.model, api_key=endpoint.api_key)
    graph = _BUILDERS[options.application](options.version, chat=chat, corpus=options.corpus)
    if options.accelerate:
        import alto_lg

        graph = alto_lg.accelerate(graph)
    given = {"question": options.input} | ({"reference": options.reference} if options.reference else {})
    try:
        state: Mapping[str, Any] = await graph.ainvoke(given)
    finally:
        await chat.close()
    return state


def _described(options: argparse.Namespace) -> str:
    return f"{options.application} {options.version}, {'accelerated' if options.accelerate else 'plain LangGraph'}"


def _readable(state: Mapping[str, Any]) -> str:
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
