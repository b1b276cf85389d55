"""Which model server the arms call: the simulated one, started here, or the user's own.

Always true: the key is read from the environment variable OPENAI_API_KEY where it is used, and is neither
printed, written to a file nor passed on a command line.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from urllib.parse import urlsplit

from alto_lg.apps.base import ModelEndpoint
from alto_lg.comparisons.errors import ServerError, UsageError
from alto_lg.comparisons.meter import Meter, SimulatedMeter, UnknownMeter
from alto_lg.comparisons.sim.options import SimOptions
from alto_lg.comparisons.sim.process import ServerDidNotStart, SimulatedServer

_REACHABLE_WITHIN_S = 10.0


@dataclass(frozen=True, slots=True)
class Server:
    """A model server that has answered.

    description: for the text under the table.
    inside: what each arm is to start inside its own process, on a virtual clock; None: the server is at the endpoint.
    replicas: how many of it.
    meter: begins each turn with empty caches where it can, so that no arm profits from the one before, and says
    what the turn took of the server.
    """

    endpoint: ModelEndpoint
    description: str
    meter: Meter
    inside: SimOptions | None = None
    replicas: int = 1


@contextmanager
def simulated_server(profile: str, slots: int | None, seed: int) -> Iterator[Server]:
    """Start the simulated server in a process of its own, and end it with the block."""
    options = SimOptions(profile=profile, slots=slots, seed=seed)
    with ExitStack() as stack:
        try:
            simulated = stack.enter_context(SimulatedServer(options))
        except ServerDidNotStart as error:
            raise ServerError(str(error)) from error
        yield Server(
            ModelEndpoint(simulated.base_url, simulated.model),
            f"simulated, profile {profile}, its caches emptied before every measurement",
            SimulatedMeter(simulated),
        )


@contextmanager
def inner_servers(options: SimOptions, replicas: int) -> Iterator[Server]:
    """Simulated servers in each arm's process, on that arm's virtual clock: nothing is started here."""
    count = "one" if replicas == 1 else str(replicas)
    yield Server(
        ModelEndpoint("", options.model),
        f"simulated, profile {options.profile}, {count} for each arm, caches emptied before every measurement",
        UnknownMeter(),
        inside=options,
        replicas=replicas,
    )


@contextmanager
def own_server(base_url: str, model: str | None) -> Iterator[Server]:
    """The user's own server, asked first whether it is there."""
    endpoint = reach(checked_base_url(base_url), model)
    yield Server(endpoint, f"{endpoint.model} at {endpoint.base_url}", UnknownMeter())


def api_key() -> str:
    """The user's key, or the word that servers without keys are given."""
    return os.environ.get("OPENAI_API_KEY") or "not-needed"


def checked_base_url(text: str) -> str:
    """The address in the form that the client wants; `UsageError` when it cannot be one."""
    parts = urlsplit(text)
    if parts.scheme not in ("http", "https") or not parts.netloc:
        raise UsageError(f"--base-url {text!r} is not an address: give one like http://localhost:8000/v1.")
    if "@" in parts.netloc:
        raise UsageError("--base-url must not hold a name or a key: put the key in OPENAI_API_KEY.")
    return text.rstrip("/")


def reach(base_url: str, model: str | None) -> ModelEndpoint:
    """Ask the server for its models, and settle which one is meant."""
    import openai

    client = openai.OpenAI(base_url=base_url, api_key=api_key(), timeout=_REACHABLE_WITHIN_S, max_retries=0)
    try:
        with client:
            names = [served.id for served in client.models.list()]
    except openai.APIConnectionError as error:
        raise ServerError(
            f"no model server answers at {base_url}: start one there (for vLLM: `vllm serve MODEL`), correct "
            "--base-url, or leave it out to use the simulated server."
        ) from error
    except openai.AuthenticationError:
        # The body of this error can quote part of the key, so it is not shown.
        raise ServerError(f"{base_url} refused the key: set OPENAI_API_KEY to one that it accepts.") from None
    except openai.APIStatusError as error:
        raise ServerError(
            f"{base_url}/models answered {error.status_code}: --base-url must be the address ending in /v1."
        ) from None
    return ModelEndpoint(base_url, _chosen(names, model, base_url), api_key())


def _chosen(names: list[str], model: str | None, base_url: str) -> str:
    if model is None and len(names) == 1:
        return names[0]
    shown = ", ".join(sorted(names)[:10]) or "none"
    if model is None:
        raise UsageError(f"--model is needed: {base_url} serves {len(names)} models ({shown}).")
    if model not in names:
        raise UsageError(f"--model {model!r} is not served at {base_url}, which has: {shown}.")
    return model
