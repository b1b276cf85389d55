"""Simulated servers for tests, and the official client for one."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from typing import Any

import openai
import pytest
from sim.model_server import running

from alto_lg.comparisons.sim.options import SimOptions
from alto_lg.comparisons.sim.text import TextModel

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
