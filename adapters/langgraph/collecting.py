"""A short rest for the collector of garbage, while a lot is made of which nothing is garbage.

For each task LangGraph makes some sixty dicts, lists and other containers, and all of a step's live until it ends. In a
wide step the collector, which comes by whenever so many more have been made, goes through them time and again and frees
nothing: a third of the processor time of a fan-out of 1,000.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def collector_at_rest() -> Iterator[None]:
    """Inside, nothing is collected. For code that does not wait: the switch is the process'."""
    if not gc.isenabled():
        yield
        return
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
