"""A state class whose making or reading runs code of the user's reads every key."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypedDict

import pytest
from langgraph.graph import START, StateGraph
from pydantic import BaseModel, model_validator

from alto_lg.adapters.langgraph.convert import plan_of


class Typed(TypedDict):
    left: str
    right: str


class Model(BaseModel):
    left: str = ""
    right: str = ""


class Validated(Model):
    @model_validator(mode="after")
    def join(self) -> Validated:
        self.left = self.left + self.right
        return self


class WithProperty(Model):
    @property
    def both(self) -> str:
        return self.left + self.right


@dataclass
class Card:
    left: str = ""
    right: str = ""


@dataclass
class Derived:
    left: str = ""
    right: str = ""

    def __post_init__(self) -> None:
        self.left = self.left + self.right


async def by_item(state: Any) -> dict[str, str]:
    return {"right": state["left"]}


async def by_attribute(state: Any) -> dict[str, str]:
    return {"right": state.left}


def _reads(state: type, node: Any) -> frozenset[str] | None:
    graph = StateGraph(state)
    graph.add_node("node", node)
    graph.add_edge(START, "node")
    return plan_of(graph.compile(), {}).stages["node"].reads.keys.names


@pytest.mark.parametrize(("state", "node"), [(Typed, by_item), (Model, by_attribute), (Card, by_attribute)])
def test_a_node_of_a_plain_state_reads_what_its_code_reads(state: type, node: Any) -> None:
    assert _reads(state, node) == {"left"}


@pytest.mark.parametrize("state", [Validated, WithProperty, Derived])
def test_a_node_of_a_state_with_code_of_its_own_reads_every_key(state: type) -> None:
    assert _reads(state, by_attribute) == {"left", "right"}
