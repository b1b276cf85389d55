"""The command line: one entry point, each command in the module that does the work.

Commands import their module only when they run, so that `alto-lg --help` needs no extra installed.
"""

from __future__ import annotations

import argparse
import importlib
import sys
from collections.abc import Sequence

_COMMANDS = {
    "app": ("alto_lg.apps.__main__", "run one application on one input, plain or accelerated"),
    "compare": ("alto_lg.comparisons.compare", "run the arms side by side and print the table"),
    "report": ("alto_lg.comparisons.report.command", "make a page, or the tables of a README, from results files"),
    "sim": ("alto_lg.comparisons.sim.__main__", "start the simulated OpenAI-compatible model server"),
    "simulate": ("alto_lg.comparisons.replicas.command", "replay recorded requests over many simulated servers"),
    "trace": ("alto_lg.tracing.command", "run a graph of your own and show what ran when"),
}
_EXTRA = "pip install 'alto-lg[compare]'"


def main(argv: Sequence[str] | None = None) -> int:
    """Run `alto-lg COMMAND …`; every command module has `add_arguments(parser)` and `run(options) -> int`."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    parser = argparse.ArgumentParser(prog="alto-lg", description="Run LangGraph graphs sooner, and measure it.")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name, (_, summary) in _COMMANDS.items():
        commands.add_parser(name, help=summary, add_help=False)
    chosen, rest = parser.parse_known_args(arguments[:1])[0].command, arguments[1:]
    module_name, summary = _COMMANDS[chosen]
    try:
        module = importlib.import_module(module_name)
    except ModuleNotFoundError as missing:
        if (missing.name or "").startswith("alto_lg"):
            raise
        print(f"alto-lg {chosen} needs {missing.name!r}, which is not installed: {_EXTRA}", file=sys.stderr)
        return 2
    command = argparse.ArgumentParser(prog=f"alto-lg {chosen}", description=summary)
    module.add_arguments(command)
    return int(module.run(command.parse_args(rest)))


if __name__ == "__main__":
    sys.exit(main())
