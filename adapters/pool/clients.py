"""Clients and models whose calls go to a pool: copies, of the same class, that differ in what they send through.

Always true: what is given is not changed, and works on beside the copy; a copy does not try again by itself, for the
pool does.
"""

from __future__ import annotations

from typing import Any

import openai
from langchain_core.language_models import BaseChatModel

from alto_lg.adapters.pool.transports import Caller, is_pooled, pooled_http_client


def pooled_client(caller: Caller, client: Any) -> Any:
    """A copy of an openai client.

    Raises:
        TypeError: It is no openai client, or one of a pool already.
    """
    if not isinstance(client, openai.OpenAI | openai.AsyncOpenAI):
        raise TypeError(
            f"Pool.client() takes an openai.OpenAI or openai.AsyncOpenAI, got {type(client).__name__}; "
            "for a LangChain chat model use Pool.model()."
        )
    http_client = (
        client._client
    )  # the one private name of the openai client's that is used, there since its first version
    if is_pooled(http_client):
        raise TypeError(
            "This client's calls go to a pool already; give Pool.client() the client that it was made from."
        )
    return client.with_options(http_client=pooled_http_client(caller, http_client, str(client.base_url)), max_retries=0)


def pooled_model(caller: Caller, model: Any) -> Any:
    """A copy of a LangChain chat model that is made over the openai client, such as `ChatOpenAI`.

    Raises:
        TypeError: It is none, or bound to tools or settings already.
    """
    resources = {"root_client": "client", "root_async_client": "async_client"}
    if not isinstance(model, BaseChatModel) or not all(hasattr(model, name) for name in resources):
        raise TypeError(
            f"Pool.model() takes a LangChain chat model over the openai client, such as ChatOpenAI, got "
            f"{type(model).__name__}. Call bind_tools(), with_structured_output() and the like on what it returns."
        )
    changed: dict[str, Any] = {}
    for root, completions in resources.items():
        if (client := getattr(model, root)) is not None:  # None of a colour that has no key
            changed[root] = pooled_client(caller, client)
            changed[completions] = changed[root].chat.completions
    return model.model_copy(update=changed)
