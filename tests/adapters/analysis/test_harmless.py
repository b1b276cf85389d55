"""Harmless functions: each pattern that is proven, and beside it one that must not be."""

from __future__ import annotations

import asyncio
import builtins
import enum
import functools
import math
import operator
import os
import runpy
import threading
import time
from collections.abc import Callable
from operator import itemgetter
from pathlib import Path
from typing import Any

import pytest
from langchain_core.messages import AIMessage, HumanMessage, ToolMessage
from langgraph.config import get_config
from langgraph.graph import END
from langgraph.prebuilt import tools_condition
from langgraph.types import Command, Send, interrupt

from alto_lg.adapters.langgraph.analysis.harmless import harmless, is_harmless

State = dict[str, Any]
LIMIT = 3
NAMES = {"a": "first", "b": "second"}
LOOP = None
TEMPLATE = "{} of {}"


class Route(enum.Enum):
    LEFT = "left"


class Meta(type):
    def __instancecheck__(cls, instance: object) -> bool:
        time.sleep(0)
        return True


class Strange(metaclass=Meta):
    seconds = 1


class Plain:
    pass


def score(item: State) -> float:
    return float(item["score"]) * math.sqrt(len(item))


def waits(item: State) -> int:
    time.sleep(0)
    return 1


def forever(depth: int) -> int:
    return forever(depth - 1) if depth else 0


score.helper = waits  # type: ignore[attr-defined]


# ── what is proven ──────────────────────────────────────────────────────────────────────────────────────────────


def agent_route(state: State) -> str:
    return "tools" if state["messages"][-1].tool_calls else END


def update(state: State) -> State:
    return {"count": state["count"] + 1, "log": [*state["log"], f"{state['count']:>3} of {LIMIT}"]}


def fan_out(state: State) -> list[Send]:
    return [Send("work", {"item": item, "place": place}) for place, item in enumerate(state["items"])]


def command(state: State) -> Command[str]:
    if state.get("done"):
        return Command(goto=END, graph=Command.PARENT)
    return Command(update={"messages": [HumanMessage("go on", id="1"), AIMessage(content="so")]}, goto="work")


def last_of_kind(state: State) -> str:
    last = next((one for one in reversed(state["messages"]) if isinstance(one, (AIMessage, ToolMessage))), None)
    if type(last) is AIMessage and hasattr(last, "tool_calls") and getattr(last, "content", ""):
        return NAMES.get(last.content.strip().lower(), "other")
    return last.__class__.__name__


def statements(state: State) -> State:
    found: dict[str, int] = {}
    for word in state["text"].split():
        if word in NAMES:
            continue
        found[word] = found.get(word, 0) + 1
    best = sorted(found.items(), key=lambda pair: (-pair[1], pair[0]))
    try:
        first = best[0]
    except (IndexError, KeyError) as error:
        raise ValueError(f"no words in {len(state['text'])} letters") from error
    del found[first[0]]
    return {"best": first, "rest": sum(found.values())}


def matched(state: State) -> str:
    match state["answer"]:
        case {"route": str(), "why": [first, *_]}:
            return str(first)
        case {"route": "left" | None as route}:
            return str(route)
        case _:
            return Route.LEFT.value


def ordered(state: State) -> State:
    items = sorted(state["items"], key=itemgetter("score"), reverse=True)
    items.sort(key=score)
    top = max(items, key=score, default=None)
    return {"items": list(map(str.lower, state["names"])), "top": top, "kept": [*filter(None, state["names"])]}


def with_helper(state: State) -> float:
    return max(score(item) for item in state["items"][:LIMIT])


def numbered(state: State) -> list[int]:
    return [place * 2 for place in range(1, len(state["items"]) + LIMIT)]


def modules(state: State) -> float:
    return operator.add(math.floor(state["x"]), math.pi)


def formatted(state: State) -> str:
    return TEMPLATE.format(state["x"], state["y"]) + "{:>3.1f}, {{{who!r}}}".format(state["x"], who="me")


def prebuilt(state: State) -> str:
    return tools_condition(state, messages_key="messages")


PROVEN: tuple[Callable[..., Any], ...] = (
    *(
        agent_route,
        update,
        fan_out,
        command,
        last_of_kind,
        statements,
        matched,
        ordered,
        with_helper,
        numbered,
        modules,
        prebuilt,
    ),
    tools_condition,
    functools.partial(lambda limit, state: state["x"] < limit, 3),
    lambda state: END,
)


@pytest.mark.parametrize("function", PROVEN, ids=lambda function: getattr(function, "__name__", "partial"))
def test_what_looks_at_its_state_only_is_harmless(function: Callable[..., Any]) -> None:
    assert is_harmless(function)


# ── what is not ─────────────────────────────────────────────────────────────────────────────────────────────────


def sleeps(state: State) -> str:
    time.sleep(0.1)
    return END


def asks_for_its_thread(state: State) -> str:
    return threading.current_thread().name


def asks_for_its_loop(state: State) -> bool:
    return asyncio.get_running_loop() is LOOP


def imports(state: State) -> str:
    import socket

    return socket.gethostname()


def opens(state: State) -> str:
    return open(state["path"]).read()  # noqa: PTH123


def with_lock(state: State) -> str:
    with state["lock"]:
        return END


def while_loop(state: State) -> int:
    left = state["x"]
    while left:
        left -= 1
    return int(left)


def with_global(state: State) -> str:
    global LOOP
    LOOP = state["x"]
    return END


def calls_a_value(state: State) -> Any:
    return state["callback"]()


def calls_a_local(state: State) -> Any:
    call = state["callback"]
    return call(1)


def calls_an_unknown_method(state: State) -> Any:
    return state["client"].fetch()


def calls_a_waiting_helper(state: State) -> int:
    return waits(state)


def hands_a_waiting_helper_on(state: State) -> Any:
    return sorted(state["items"], key=waits)


def hands_on_what_is_anything(state: State) -> Any:
    return sorted(state["items"], key=state["key"])


def maps_a_value(state: State) -> Any:
    return list(map(state["call"], state["items"]))


def recursive(state: State) -> int:
    return forever(3)


def hides_a_helper(state: State) -> Any:
    helper = score
    return helper.helper(state)  # type: ignore[attr-defined]


def reads_of_a_helper(state: State) -> Any:
    return score.helper  # type: ignore[attr-defined]


def hides_a_helper_in_a_dict(state: State) -> Any:
    return dict(key=score)["key"].helper  # noqa: C408


def reads_of_a_class(state: State) -> int:
    return Strange.seconds


def asks_a_metaclass(state: State) -> bool:
    return isinstance(state["x"], Strange)


def makes_of_an_unknown_class(state: State) -> Plain:
    return Plain()


def pauses(state: State) -> Any:
    return interrupt("which?")


def reads_its_config(state: State) -> Any:
    return get_config()["tags"]


def reads_private_parts(state: State) -> Any:
    return state["x"].__class__.__subclasses__()


def reads_what_a_provider_says(state: State) -> Any:
    return state["messages"][-1].response_metadata["model"]


def reads_by_a_computed_name(state: State) -> Any:
    return getattr(state["x"], state["name"])


def sets_an_attribute(state: State) -> None:
    state["x"].value = 1


def counts_to_any_number(state: State) -> int:
    return sum(place for place in range(state["x"]))


def raises_to_any_power(state: State) -> Any:
    return state["x"] ** state["y"]


def factorial(state: State) -> Any:
    return math.factorial(state["x"])


def by_method_name(state: State) -> Any:
    return operator.methodcaller(state["name"])(state["x"])


def swallows_everything(state: State) -> Any:
    try:
        return state["x"]
    except:  # noqa: E722
        return None


def raises_its_own(state: State) -> None:
    raise _Own("of a class of the user's")


class _Own(Exception):
    pass


def prints(state: State) -> None:
    print(state["x"])


def defines(state: State) -> Any:
    def inner() -> int:
        return 1

    return inner()


def one_name_for_two_things(state: State) -> Any:
    return [LIMIT for LIMIT in state["x"] if LIMIT], LIMIT


async def coroutine(state: State) -> str:
    return END


def generator(state: State) -> Any:
    yield END


def formats_with_a_part(state: State) -> str:
    return "{.__class__.__init__.__globals__}".format(state["x"])


def formats_with_any_text(state: State) -> str:
    return state["text"].format(state["x"])  # type: ignore[no-any-return]


def looks_at_who_called(state: State) -> Any:
    return (one for one in state["x"]).gi_frame


def reads_the_environment(state: State) -> str:
    return os.environ["HOME"]


class Callable_:
    def __call__(self, state: State) -> str:
        return END

    def method(self, state: State) -> str:
        return END


UNPROVEN: tuple[Any, ...] = (
    *(sleeps, asks_for_its_thread, asks_for_its_loop, imports, opens, with_lock, while_loop, with_global),
    *(calls_a_value, calls_a_local, calls_an_unknown_method, calls_a_waiting_helper, hands_a_waiting_helper_on),
    *(hands_on_what_is_anything, maps_a_value, recursive, hides_a_helper, reads_of_a_helper, hides_a_helper_in_a_dict),
    *(reads_of_a_class, asks_a_metaclass, makes_of_an_unknown_class, pauses, reads_its_config, reads_private_parts),
    *(
        reads_what_a_provider_says,
        reads_by_a_computed_name,
        sets_an_attribute,
        counts_to_any_number,
        raises_to_any_power,
    ),
    *(factorial, by_method_name, swallows_everything, raises_its_own, prints, defines, one_name_for_two_things),
    *(coroutine, generator, looks_at_who_called, reads_the_environment, Callable_(), Callable_().method, len),
    functools.partial(waits),
)


@pytest.mark.parametrize("function", UNPROVEN, ids=lambda function: getattr(function, "__name__", "object"))
def test_what_may_wait_or_ask_where_it_runs_is_not(function: Any) -> None:
    assert not is_harmless(function)


def test_an_assertion_is_harmless(tmp_path: Path) -> None:  # in a file of its own: pytest writes those here anew
    file = tmp_path / "asserting.py"
    file.write_text("def route(state):\n    assert state['x'], 'nothing'\n    return 'a'\n")
    assert is_harmless(runpy.run_path(str(file))["route"])


def test_a_function_whose_source_is_not_at_hand_is_not_harmless() -> None:
    names: dict[str, Any] = {}
    exec("def route(state): return 'a'", names)
    assert not is_harmless(names["route"])


# ── what a proof rests on ───────────────────────────────────────────────────────────────────────────────────────


def test_a_proof_knows_the_only_keys_that_are_read() -> None:
    assert _proof(update).reads == {"count", "log"}
    assert _proof(command).reads == {"done"}
    assert _proof(lambda state: state.count_of_it).reads == {"count_of_it"}
    assert _proof(lambda state: state["x"] if isinstance(state, dict) else state.y).reads == {"x", "y"}
    assert _proof(lambda state: len(state)).reads is None
    assert _proof(lambda state: [state, isinstance(state, dict)]).reads is None
    assert _proof(lambda state: [state for state in state["x"] if state]).reads is None
    assert _proof(lambda state: state.get).reads is None
    assert _proof(PROVEN[-2]).reads == {"x"}


def test_a_proof_names_what_it_looks_into_beside_its_argument() -> None:
    assert _proof(last_of_kind).values == (NAMES,)
    assert _proof(functools.partial(lambda given, state: given, [LOOP])).values == ([LOOP],)


def test_a_proof_ends_when_a_name_stands_for_something_else(monkeypatch: pytest.MonkeyPatch) -> None:
    proof = _proof(with_helper)
    assert proof.holds()
    monkeypatch.setitem(globals(), "score", waits)
    assert not proof.holds()
    monkeypatch.undo()
    monkeypatch.setattr(math, "sqrt", waits)
    assert not proof.holds()
    monkeypatch.undo()
    monkeypatch.setattr(builtins, "max", waits)
    assert not proof.holds()
    monkeypatch.undo()
    monkeypatch.setitem(globals(), "max", waits)
    assert not proof.holds()
    monkeypatch.undo()
    monkeypatch.setattr(score, "__code__", waits.__code__)
    assert not proof.holds()
    monkeypatch.undo()
    assert proof.holds()


def test_a_proof_ends_when_a_variable_of_an_outer_function_changes() -> None:
    def bounded(limit: Any) -> tuple[Any, Any]:
        def route(state: State) -> bool:
            return bool(state["x"] < limit)

        def rebind(new: Any) -> None:
            nonlocal limit
            limit = new

        return route, rebind

    route, rebind = bounded(3)
    proof = _proof(route)
    assert proof.holds()
    rebind(waits)
    assert not proof.holds()


def test_a_variable_that_is_not_bound_yet_makes_no_proof() -> None:
    def route(state: State) -> bool:
        return bool(state["x"] < later)

    assert not is_harmless(route)
    later = 3
    assert is_harmless(route)


def _proof(function: Any) -> Any:
    found = harmless(function)
    assert found is not None
    return found
