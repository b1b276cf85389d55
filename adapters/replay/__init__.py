"""Replay: a node runs again, aside, on the part of its model's answer that is there.

cuts              where the text so far may be cut, and what closes it
asked             what a user may name for a node
record            the model calls that a run of a node has made, and the answers that a prediction gets from them
langchain_models  chat models of LangChain: their calls watched, and answered in a prediction
openai_client     the same for the openai client
openai_answers    what the openai client would have returned, put together from chunks
"""

from __future__ import annotations


def install() -> None:
    """Have the model calls of nodes that are replayed watched and answered; harmless when that is done."""
    from alto_lg.adapters.replay import langchain_models

    langchain_models.install()
