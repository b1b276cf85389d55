"""Which runnables in a node may pause the run: a provider's own parser may not, a function of the user's may."""

from __future__ import annotations

import json
from functools import partial
from typing import Any

import pytest
from langchain_core.messages import AIMessage
from langchain_core.output_parsers import StrOutputParser
from langchain_core.prompts import ChatPromptTemplate
from langchain_core.runnables import RunnableLambda, RunnableParallel, RunnablePassthrough
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


@pytest.mark.parametrize("include_raw", [False, True])
@pytest.mark.parametrize("method", ["function_calling", "json_schema", "json_mode"])
def test_structured_output_does_not_pause(method: Any, include_raw: bool) -> None:
    assert not may_interrupt(MODEL.with_structured_output(Plan, method=method, include_raw=include_raw))


def test_chains_of_library_parts_do_not_pause() -> None:
    prompt = ChatPromptTemplate.from_template("{question}")
    assert not may_interrupt(prompt | MODEL.with_fallbacks([MODEL]) | StrOutputParser())
    assert not may_interrupt(RunnablePassthrough.assign(said=prompt | MODEL))


@pytest.mark.parametrize(
    "runnable",
    [
        RunnableLambda(asks),
        RunnableLambda(partial(asks)),
        RunnableLambda(partial(json.loads, object_hook=asks)),
        RunnableLambda(partial(convert_to_openai_tool, asks)),
        MODEL | asks,
        RunnableLambda(lambda message: message),
        MODEL.with_fallbacks([RunnableLambda(asks)]),
        RunnablePassthrough.assign(asked=RunnableLambda(asks)),
        RunnableParallel(asked=RunnableLambda(asks)),
    ],
)
def test_functions_of_the_users_may(runnable: Any) -> None:
    assert may_interrupt(runnable)
