"""Lives in which both sides once differed."""

from __future__ import annotations

from stateful.operations import Fork, GoOn, Invoke, Update
from stateful.pair import replay


def test_an_update_in_the_name_of_a_node_may_write_what_the_node_does_not_declare() -> None:
    replay("declared", [Update("1", 3, 1), GoOn("1"), Invoke("1"), Fork("1", 2, 2, 3)])
