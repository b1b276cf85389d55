"""A simulated model server in a thread of the test's own process, so that its parts are the real ones."""

from __future__ import annotations

import queue
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from alto_lg.comparisons.sim.options import SimOptions
from alto_lg.comparisons.sim.serving import SimServer
from alto_lg.comparisons.sim.text import TextModel

READY_WITHIN_S = 30.0


@contextmanager
def running(options: SimOptions, text_models: Sequence[TextModel]) -> Iterator[str]:
    """Gives the base URL, while it runs."""
    addresses: queue.Queue[str] = queue.Queue()
    server = SimServer(options, text_models, addresses.put)
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        yield addresses.get(timeout=READY_WITHIN_S)
    finally:
        server.should_exit = True
        thread.join()
