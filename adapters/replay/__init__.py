"""Replay: a node runs again, aside, on the part of its model's answer that is there.

cuts              where the text so far may be cut, and what closes it
asked             what a user may name for a node
record            the model calls that a run of a node has made, and the answers that a prediction gets from them
langchain_models  chat models of LangChain: their calls watched, and answered in a prediction
openai_client     the same for the openai client
openai_api        what is to be known of one way to ask by that client
openai_answers    chat completions, put together from chunks
openai_responses  the Responses API, put together from events
openai_streams    what a prediction gets in the place of the client's streams
"""

from __future__ import annotations

import importlib.util


def install() -> None:
    """Have the model calls of nodes that are replayed watched and answered; harmless when that is done."""
    from alto_lg.adapters.replay import langchain_models

    langchain_models.install()
    if importlib.util.find_spec("openai") is not None:
        from alto_lg.adapters.replay import openai_client

        openai_client.install()
