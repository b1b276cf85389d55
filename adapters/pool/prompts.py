"""Prompts: what the JSON body of a request says that routing can use. Pure.

Always true: two requests whose prompts begin alike give chains that begin alike; a body that is no JSON object, or of
an API that is not known, is routed as a call of which nothing is known, and is never refused here.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from alto_lg.routing import chain
from alto_lg.routing.policies import CHARACTERS_PER_TOKEN

_PROMPT_KEYS = ("instructions", "input", "prompt")  # of the Responses API, embeddings, and text completions
_LIMIT_KEYS = ("max_completion_tokens", "max_tokens", "max_output_tokens")


@dataclass(frozen=True, slots=True)
class Prompt:
    """What is known of one request. node: the stage that makes it, if one does.

    blocks, templates, tokens, tokens_max: as in `routing.Call`.
    """

    model: str
    blocks: tuple[int, ...] = ()
    templates: tuple[Any, ...] = ()
    tokens: int = 0
    tokens_max: int | None = None


def prompt_of(body: Mapping[str, Any] | None, node: str | None) -> Prompt:
    """Of a body that is parsed; None for one that is not."""
    if body is None:
        return Prompt("")
    model = str(body.get("model", ""))
    text = "".join(_parts(body))
    blocks = tuple(chain([f"{model}\n", text]))
    lead = blocks[0] if blocks else None
    templates = (
        *([(model, node, lead)] if lead is not None else ()),
        *([(model, node)] if node is not None else ()),
        (model,),
    )
    return Prompt(model, blocks, templates, len(text) // CHARACTERS_PER_TOKEN, _tokens_max(body))


def parsed(body: bytes) -> dict[str, Any] | None:
    """A body as a JSON object; None if it is not one."""
    try:
        found = json.loads(body)
    except ValueError:
        return None
    return found if isinstance(found, dict) else None


def _parts(body: Mapping[str, Any]) -> Iterator[str]:
    """The prompt in the order in which chat templates write it: tools, then one message after the other."""
    if body.get("tools"):
        yield json.dumps(body["tools"])
    for key in _PROMPT_KEYS:
        yield from _texts(body.get(key))
    messages = body.get("messages")
    yield from _texts(messages if isinstance(messages, list) else None)


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, list):
        for item in value:
            if isinstance(item, dict) and isinstance(item.get("content"), str) and not item.get("tool_calls"):
                yield f"\n{item.get('role', '')}: {item['content']}"
            else:
                yield item if isinstance(item, str) else json.dumps(item)


def _tokens_max(body: Mapping[str, Any]) -> int | None:
    limits = [limit for key in _LIMIT_KEYS if isinstance(limit := body.get(key), int)]
    choices = body.get("n")
    return min(limits) * (choices if isinstance(choices, int) else 1) if limits else None
