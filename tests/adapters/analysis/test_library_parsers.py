"""Which runnables in a node may pause the run: a provider's own parser may not, a function of the user's may."""

from __future__ import annotations

import json
from functools import partial
from typing import Any

import pytest
from langchain_core.messages import AIMessage
from langchain_core.runnables import RunnableLambda
from langchain_core.utils.function_calling import convert_to_openai_tool
from langchain_openai import ChatOpenAI
from langgraph.types import interrupt
from pydantic import BaseModel

from alto_lg.adapters.langgraph.analysis.library import may_interrupt


class Plan(BaseModel):
    """What a model is asked for."""

    queries: list[str]


def asks(message: AIMessage) -> Any:
    return interrupt(message.content)


MODEL = ChatOpenAI(model="m", api_key="none")  # type: ignore[arg-type]


@pytest.mark.parametrize("method", ["function_calling", "json_schema", "json_mode"])
def test_structured_output_does_not_pause(method: Any) -> None:
    assert not may_interrupt(MODEL.with_structured_output(Plan, method=method))


@pytest.mark.parametrize(
    "runnable",
    [
        RunnableLambda(asks),
        RunnableLambda(partial(asks)),
        RunnableLambda(partial(json.loads, object_hook=asks)),
        RunnableLambda(partial(convert_to_openai_tool, asks)),
        MODEL | asks,
        RunnableLambda(lambda message: message),
    ],
)
def test_functions_of_the_users_may(runnable: Any) -> None:
    assert may_interrupt(runnable)
