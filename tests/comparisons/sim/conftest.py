"""A simulated server in a thread of the test's own process, so that its parts are the real ones."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any

import openai
import pytest

from alto_lg.comparisons.sim.options import SimOptions
from alto_lg.comparisons.sim.serving import SimServer
from alto_lg.comparisons.sim.text import TextModel

READY_WITHIN_S = 30.0


@contextmanager
def running(options: SimOptions, text_models: Sequence[TextModel]) -> Iterator[str]:
    addresses: queue.Queue[str] = queue.Queue()
    server = SimServer(options, text_models, addresses.put)
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        yield addresses.get(timeout=READY_WITHIN_S)
    finally:
        server.should_exit = True
        thread.join()


Serve = Callable[..., str]


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Starts servers a thousand times as fast as the real ones; gives the base URL."""
    with ExitStack() as stack:

        def start(*, text_models: Sequence[TextModel] = (), **settings: Any) -> str:
            options = SimOptions(**{"time_scale": 0.001, "model_name": "sim", **settings})
            return stack.enter_context(running(options, text_models))

        yield start


@pytest.fixture
def connect(serve: Serve) -> Iterator[Callable[..., openai.OpenAI]]:
    """Starts a server and gives the official client for it, without retries unless they are asked for."""
    with ExitStack() as stack:

        def start(*, max_retries: int = 0, **settings: Any) -> openai.OpenAI:
            client = openai.OpenAI(base_url=serve(**settings), api_key="any", max_retries=max_retries)
            return stack.enter_context(client)

        yield start
