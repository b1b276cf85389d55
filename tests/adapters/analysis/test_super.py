"""`super().name(…)` leads to the code that Python would run, and no further."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest
from langgraph.types import interrupt

from alto_lg.adapters.langgraph.analysis import node_facts

State = dict[str, Any]
_KEYS = frozenset({"docs", "draft", "answer"})


@dataclasses.dataclass
class Settings:
    """A class whose `__init__` is written by nobody."""

    depth: int = 1
    names: list[str] = dataclasses.field(default_factory=list)


class Base:
    def __init__(self, docs: Any = None) -> None:
        self.docs = docs

    def size(self, docs: Any) -> int:
        return len(docs)

    def spoil(self, docs: Any) -> None:
        docs.append(1)

    def give(self, docs: Any) -> Any:
        return docs


class Child(Base):
    def __init__(self, docs: Any = None, settings: Settings | None = None) -> None:
        self.settings = settings
        super().__init__(docs)

    def size(self, docs: Any) -> int:
        return 1 + super().size(docs)

    def spoil(self, docs: Any) -> None:
        super().spoil(docs)

    def give(self, docs: Any) -> Any:
        return super().give(docs)


class Refused(RuntimeError):
    def __init__(self, docs: Any) -> None:
        self.docs = docs
        super().__init__(f"{len(docs)} documents are too many")


class Silent(RuntimeError):
    def __init__(self, docs: Any) -> None:
        """It hands nothing on, and `args` has it all the same."""


class Passing(RuntimeError):
    def __init__(self, docs: Any) -> None:
        super().__init__(docs)


SETTINGS = Settings()
OTHERS: list[Any] = []


# What is proven.
def uses_a_base_class(state: State) -> State:
    return {"answer": Child(None, SETTINGS).size(state["docs"])}


def keeps_settings_and_uses_a_base_class(state: State) -> State:
    settings = Settings(names=[])
    OTHERS.append(settings)
    return {"answer": Child(None, settings).size(state["docs"])}


def raises_an_error_of_its_own(state: State) -> State:
    if not state["docs"]:
        raise Refused(state["docs"])
    return {"answer": 1}


@pytest.mark.parametrize("node", [uses_a_base_class, keeps_settings_and_uses_a_base_class, raises_an_error_of_its_own])
def test_a_call_by_super_reads_and_runs_what_the_base_class_does(node: Any) -> None:
    facts = node_facts(node, schema_keys=_KEYS)
    assert facts.reads.keys.names == {"docs"}
    assert facts.writes.keys.names == {"answer"}
    assert facts.mutates.keys.names == frozenset()
    assert not facts.interrupts


# What must not be proven.
def changed_by_a_base_class(state: State) -> None:
    Child().spoil(state["docs"])


def changed_in_what_a_base_class_gave_back(state: State) -> None:
    Child().give(state["docs"]).append(1)


def changed_in_what_a_base_class_kept(state: State) -> None:
    Child(state["docs"]).docs.append(1)


class Left(Base):
    def give(self, docs: Any) -> Any:
        return super().give(docs)


class Right(Base):
    def give(self, docs: Any) -> Any:
        docs.append(1)
        return []


class Both(Left, Right):
    """Of which `Left` leads to `Right`, which it has never heard of."""


def changed_by_a_sibling_class(state: State) -> None:
    Both().give(state["docs"])


BOTH = Both()


def changed_by_a_sibling_class_of_a_live_object(state: State) -> None:
    BOTH.give(state["docs"])


class Swapping(Base):
    def give(self, docs: Any) -> Any:
        self = OTHERS[0]  # noqa: F841
        return super().give(docs)


def changed_by_a_class_that_was_not_seen(state: State) -> None:
    Swapping().give(state["docs"])


class Turning(Base):
    def give(self, docs: Any) -> Any:
        self.__class__ = OTHERS[0]
        return super().give(docs)


def changed_by_a_class_that_was_put_in(state: State) -> None:
    Turning().give(state["docs"])


class Nested(Right):
    def give(self, docs: Any) -> Any:
        def inner(one: Any) -> Any:
            return super().give(docs)

        return inner(self)


def changed_by_super_with_arguments(state: State) -> None:
    Nested().give(state["docs"])


def changed_in_an_error(state: State) -> None:
    try:
        raise Passing(state["docs"])
    except Passing as error:
        error.args[0].append(1)


def changed_in_an_error_that_hands_nothing_on(state: State) -> None:
    error = Silent(state["docs"])
    error.args[0].append(1)


class Listing(list[Any]):
    def append(self, docs: Any) -> None:
        super().append(docs)


def changed_in_a_list_of_the_users(state: State) -> None:
    listing = Listing()
    listing.append(state["docs"])
    listing[0].append(1)


@pytest.mark.parametrize(
    "node", [value for name, value in list(globals().items()) if name.startswith("changed_")], ids=lambda f: f.__name__
)
def test_a_change_by_way_of_super_is_seen(node: Any) -> None:
    assert "docs" in node_facts(node, schema_keys=_KEYS).mutates.keys


class Asking(Base):
    def give(self, docs: Any) -> Any:
        return interrupt(docs)


class AskingChild(Asking):
    def give(self, docs: Any) -> Any:
        return super().give(docs)


def pauses_in_a_base_class(state: State) -> State:
    return {"answer": AskingChild().give("go on?")}


def test_an_interrupt_in_a_base_class_is_seen() -> None:
    assert node_facts(pauses_in_a_base_class, schema_keys=_KEYS).interrupts
