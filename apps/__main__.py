"""`alto-lg app`: one application on one input, plain or accelerated, with the answer made readable."""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from time import monotonic
from typing import Any, Protocol

import openai
from langchain_core.runnables import RunnableConfig
from langgraph.graph.state import CompiledStateGraph

from alto_lg.adapters.openai_chat import ModelServerError, OpenAIChat
from alto_lg.apps.agent import AGENT
from alto_lg.apps.agent import command as agent_command
from alto_lg.apps.base import InputError, ModelEndpoint
from alto_lg.apps.chat import chat_at
from alto_lg.apps.factool import FACTOOL
from alto_lg.apps.factool import command as factool_command
from alto_lg.apps.ircot import IRCOT
from alto_lg.apps.ircot import command as ircot_command
from alto_lg.apps.llmcompiler import LLMCOMPILER
from alto_lg.apps.llmcompiler import command as llmcompiler_command
from alto_lg.apps.storm import STORM
from alto_lg.apps.storm import command as storm_command
from alto_lg.apps.tot import TOT
from alto_lg.apps.tot import command as tot_command
from alto_lg.apps.wikichat import WIKICHAT
from alto_lg.apps.wikichat import command as wikichat_command


class Command(Protocol):
    """What each application has for the command line, in its module `command`."""

    def build(self, version: str, *, chat: OpenAIChat, corpus: Path | None) -> CompiledStateGraph[Any, Any, Any, Any]:
        """The compiled graph; `InputError` for a corpus that cannot be used."""

    def given(self, text: str, reference: str | None) -> Mapping[str, Any]:
        """The input of the graph; `ValueError` for a text that cannot be one."""

    def readable(self, state: Mapping[str, Any]) -> str:
        """The final state as text."""


_COMMANDS: Mapping[str, Command] = {
    AGENT.name: agent_command,
    FACTOOL.name: factool_command,
    IRCOT.name: ircot_command,
    LLMCOMPILER.name: llmcompiler_command,
    STORM.name: storm_command,
    TOT.name: tot_command,
    WIKICHAT.name: wikichat_command,
}

# Of the applications that have other forms than the rest.
_VERSIONS: Mapping[str, tuple[str, ...]] = {one.name: one.versions for one in (AGENT, IRCOT, LLMCOMPILER)}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of the command."""
    parser.add_argument("application", choices=sorted(_COMMANDS), help="which application to run")
    parser.add_argument(
        "--input",
        required=True,
        action="append",
        metavar="TEXT",
        help="agent, factool, ircot, llmcompiler: the question; storm: the topic; tot: four numbers, as in '4 5 6 10'; "
        "wikichat: a turn, and once more for the next",
    )
    parser.add_argument("--reference", metavar="ANSWER", help="factool: check this answer instead of asking for one")
    parser.add_argument("--version", help="form of the graph, such as streaming (default: the first, flat or react)")
    parser.add_argument("--corpus", type=Path, help="JSONL file or folder of .txt files; default: the package's own")
    parser.add_argument("--base-url", help="an OpenAI-compatible server, ending in /v1; default: the simulated one")
    parser.add_argument("--model", help="the model on that server; the key is read from OPENAI_API_KEY")
    parser.add_argument("--accelerate", action="store_true", help="run the graph out of order")


def run(options: argparse.Namespace) -> int:
    """Run once and print the answer."""
    if options.base_url and not options.model:
        print("--base-url needs --model: name the model that the server has", file=sys.stderr)
        return 2
    versions = _VERSIONS.get(options.application, FACTOOL.versions)
    options.version = options.version or versions[0]
    if options.version not in versions:
        print(
            f"{options.application} has no version {options.version!r}: give {' or '.join(versions)}", file=sys.stderr
        )
        return 2
    command = _COMMANDS[options.application]
    try:
        given = [command.given(text, options.reference) for text in options.input]
    except ValueError as fault:
        print(fault, file=sys.stderr)
        return 2
    try:
        with _endpoint(options) as endpoint:
            started = monotonic()
            asyncio.run(_run(options, command, given, endpoint))
            print(f"\n{monotonic() - started:.2f} s, {_described(options)}, model {endpoint.model}")
    except (InputError, ModelServerError, ModuleNotFoundError) as fault:
        print(fault, file=sys.stderr)
        return 1
    except openai.OpenAIError as fault:
        # The text of such an error can quote part of the key, so it is not shown.
        print(f"the model server did not answer: {type(fault).__name__}; see --base-url and --model", file=sys.stderr)
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


async def _run(
    options: argparse.Namespace, command: Command, given: Sequence[Mapping[str, Any]], endpoint: ModelEndpoint
) -> None:
    """One run for each input, all on one thread where the graph keeps one."""
    chat = chat_at(endpoint)
    graph = command.build(options.version, chat=chat, corpus=options.corpus)
    if options.accelerate:
        import alto_lg

        graph = alto_lg.accelerate(graph)
    config: RunnableConfig = {"configurable": {"thread_id": "command"}}
    try:
        for one in given:
            print(command.readable(await graph.ainvoke(dict(one), config)))
    finally:
        await chat.close()


def _described(options: argparse.Namespace) -> str:
    return f"{options.application} {options.version}, {'accelerated' if options.accelerate else 'plain LangGraph'}"
