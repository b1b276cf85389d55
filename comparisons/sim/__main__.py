"""The command `alto-lg sim`: start the simulated model server and keep it running until it is interrupted."""

from __future__ import annotations

import argparse
import contextlib
import logging
import sys
import threading
from collections.abc import Sequence

from alto_lg.comparisons.sim.faults import FAULTS, FaultError, FaultPlan, parse_plan
from alto_lg.comparisons.sim.options import LOG_LEVELS, SimOptionError, SimOptions
from alto_lg.comparisons.sim.profiles import PROFILES
from alto_lg.comparisons.sim.serving import SimServer
from alto_lg.comparisons.sim.text import task_models

_STOP_FLAG = "--stop-with-stdin"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `alto-lg sim`."""
    default = SimOptions()
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.description = (
        "Start a server that speaks the OpenAI protocol and behaves in time like a real one: continuous batching,\n"
        "prefill, prefix cache, inter-token time that grows with load. Its text comes from rules, not from a model."
    )
    parser.epilog = _epilog()
    add = parser.add_argument
    add("--host", default=default.host, help="address to listen on (default: %(default)s, this machine only)")
    add("--port", type=int, default=8000, help="port, 0 for a free one (default: %(default)s)")
    add("--profile", choices=tuple(PROFILES), default=default.profile, help="whose times (default: %(default)s)")
    add("--slots", type=int, metavar="N", help="streams that run at once; the rest wait (default: the profile's)")
    add("--cache-blocks", type=int, metavar="N", help="prefix cache, in blocks of 16 tokens (default: the profile's)")
    add("--order", choices=("fifo", "priority"), default=default.order, help="who leaves the queue first")
    add("--waiting-limit", type=int, metavar="N", default=default.waiting_limit, help="streams that may wait")
    add("--seed", type=int, default=default.seed, help="seed of every draw (default: %(default)s)")
    add("--jitter", type=float, metavar="CV", default=default.jitter, help="spread of times (default: %(default)s)")
    add("--time-scale", type=float, metavar="X", default=default.time_scale, help="multiply every time by X")
    add("--model-name", metavar="NAME", help="name to ask for (default: the profile's)")
    add("--fault", action="append", default=[], metavar="NAME:RATE", help="make a share of requests fail; repeatable")
    add("--log-level", choices=LOG_LEVELS, default=default.log_level, help="default: %(default)s")
    add(_STOP_FLAG, action="store_true", help="end when standard input closes, so with the process that started it")


def run(options: argparse.Namespace) -> int:
    """Serve until interrupted. 2 when the settings or the address cannot be used."""
    try:
        settings = _settings(options)
    except (FaultError, SimOptionError) as error:
        print(f"alto-lg sim: {error}", file=sys.stderr)
        return 2
    logging.basicConfig(
        level=settings.log_level.upper(), stream=sys.stderr, format="%(levelname)s %(name)s: %(message)s"
    )
    try:
        server = SimServer(settings, task_models(), lambda base_url: _announce(base_url, settings))
    except OSError as error:
        place = f"{settings.host}:{settings.port}"
        print(f"alto-lg sim: cannot listen on {place}: {error}. Choose another --port.", file=sys.stderr)
        return 2
    if options.stop_with_stdin:
        threading.Thread(target=_stop_with_stdin, args=(server,), daemon=True).start()
    with contextlib.suppress(KeyboardInterrupt):
        server.run()
    return 0


def _settings(options: argparse.Namespace) -> SimOptions:
    return SimOptions(
        profile=options.profile,
        slots=options.slots,
        seed=options.seed,
        jitter=options.jitter,
        time_scale=options.time_scale,
        order=options.order,
        cache_blocks=options.cache_blocks,
        waiting_limit=options.waiting_limit,
        model_name=options.model_name,
        faults=_plans(options.fault),
        host=options.host,
        port=options.port,
        log_level=options.log_level,
    )


def _plans(texts: Sequence[str]) -> tuple[FaultPlan, ...]:
    return tuple(parse_plan(text) for text in texts)


def _announce(base_url: str, settings: SimOptions) -> None:
    # The first line is for programs: the address alone.
    print(base_url)
    print(
        f'use it:  openai.OpenAI(base_url="{base_url}", api_key="not-needed").chat.completions.create('
        f'model="{settings.model}", messages=[{{"role": "user", "content": "Hello."}}])',
        flush=True,
    )


def _stop_with_stdin(server: SimServer) -> None:
    sys.stdin.buffer.read()
    server.should_exit = True


def _epilog() -> str:
    profiles = [f"  {name:<14}{profile.summary} ({profile.slots} slots)" for name, profile in PROFILES.items()]
    faults = [f"  {name:<14}{meaning}" for name, meaning in FAULTS.items()]
    return "\n".join(
        [
            "profiles:",
            *profiles,
            "",
            "faults, for --fault NAME[=VALUE][;times=N]:RATE, or for one request as the header",
            "x-sim-fault: NAME[=VALUE][;times=N] (or sim_fault in extra_body or metadata):",
            *faults,
            "",
            "GET /sim/stats shows counters; POST /sim/reset forgets them, the prefix cache and the seed's history.",
        ]
    )


if __name__ == "__main__":
    _parser = argparse.ArgumentParser(prog="python -m alto_lg.comparisons.sim")
    add_arguments(_parser)
    sys.exit(run(_parser.parse_args()))
