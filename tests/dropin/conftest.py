"""Shapes that hold a mistake on purpose, to see that LangGraph's answer is given all the same: what is said of them."""

from __future__ import annotations

from pathlib import Path

import pytest

pytest.register_assert_rewrite("dropin.mistaken")

SAID = (
    "Node 'foreign' returned key 'no such key'",
    "Node 'start' sent a packet to 'nobody'",
    r"Node '\w+' called interrupt\(\)",  # where shapes that ask are run without a checkpointer
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(__file__).parent in item.path.parents:
            for text in SAID:
                item.add_marker(pytest.mark.filterwarnings(f"ignore:{text}:alto_lg.AltoWarning"))
