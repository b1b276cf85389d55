"""Tools: which a request offers, which of them a reply calls, and how a call comes token by token.

Owns both directions of one convention, that of many open models: a reply calls a tool by writing
`<tool_call>{"name": …, "arguments": …}</tool_call>`, and the server makes a tool call of OpenAI's protocol of it. So a
rule-based model that answers with calls is a function from messages to text, as any other. Always true: a block that
is no call is text; a choice that is forced by the request gives a call, made from the tool's schema if need be.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from alto_lg.comparisons.sim import tokens

_BLOCK = re.compile(r"<tool_call>\s*(.*?)\s*</tool_call>", re.DOTALL)
_DEPTH_MOST = 8


@dataclass(frozen=True, slots=True)
class Offer:
    """The tools of a request. choice: "none", "auto", "required", or the name of the one that must be called."""

    tools: tuple[Mapping[str, Any], ...]
    choice: str
    is_named: bool = False
    in_parallel: bool = True

    @property
    def text(self) -> str:
        """What of it is in the prompt."""
        return json.dumps(self.tools)


@dataclass(frozen=True, slots=True)
class Call:
    """One tool call; the arguments are JSON text."""

    name: str
    arguments: str


@dataclass(frozen=True, slots=True)
class Piece:
    """What one token adds: to the content, or to the call of number `call`; neither while a call's name is written."""

    content: str = ""
    call: int | None = None
    name: str | None = None
    arguments: str = ""


def block(name: str, arguments: Mapping[str, Any]) -> str:
    """How a rule-based reply calls a tool."""
    return f"<tool_call>{json.dumps({'name': name, 'arguments': arguments})}</tool_call>"


def calls_in(text: str, offer: Offer, said: str) -> tuple[str, list[Call]]:
    """The content of a reply, and its calls; `said` is what a forced call is made from."""
    if offer.choice == "none":
        return text, []
    found = [call for written in _BLOCK.findall(text) if (call := _call(written)) is not None]
    content = _BLOCK.sub(lambda match: match.group() if _call(match.group(1)) is None else "", text).strip()
    if offer.is_named:
        found = [call for call in found if call.name == offer.choice] or [_forced(offer, offer.choice, said)]
        content = ""
    elif offer.choice == "required" and not found:
        found, content = [_forced(offer, str(offer.tools[0]["function"]["name"]), said)], ""
    return content, found if offer.in_parallel else found[:1]


def pieces_of(content: str, calls: Sequence[Call]) -> list[tuple[str, Piece]]:
    """Each token of a reply with what it adds. A call's name is written before its arguments, and costs its tokens."""
    written = [(token, Piece(content=token)) for token in tokens.split(content)]
    for number, call in enumerate(calls):
        head = tokens.split(f'{{"name": "{call.name}", "arguments": ')
        written += [(token, Piece()) for token in head[:-1]]
        written.append((head[-1], Piece(call=number, name=call.name)))
        written += [(token, Piece(call=number, arguments=token)) for token in tokens.split(call.arguments)]
    return written


def _call(written: str) -> Call | None:
    try:
        value = json.loads(written)
    except ValueError:
        return None
    if not isinstance(value, dict) or not isinstance(value.get("name"), str):
        return None
    arguments = value.get("arguments", {})
    return Call(value["name"], json.dumps(arguments)) if isinstance(arguments, dict) else None


def _forced(offer: Offer, name: str, said: str) -> Call:
    function = next(tool["function"] for tool in offer.tools if tool["function"]["name"] == name)
    schema = function.get("parameters") or {}
    return Call(name, json.dumps(instance_of({"type": "object", **schema}, said)))


def instance_of(schema: Any, text: str) -> Any:
    """The smallest value that a JSON schema allows, with `text` for its strings."""
    return _instance(schema, text, schema if isinstance(schema, dict) else {}, 0)


def _instance(schema: Any, text: str, root: Mapping[str, Any], depth: int) -> Any:
    if not isinstance(schema, dict) or depth > _DEPTH_MOST:
        return None
    if "$ref" in schema:
        target: Any = root
        for part in str(schema["$ref"]).removeprefix("#/").split("/"):
            target = target.get(part, {}) if isinstance(target, dict) else {}
        return _instance(target, text, root, depth + 1)
    for key in ("const", "default"):
        if key in schema:
            return schema[key]
    if schema.get("enum"):
        return schema["enum"][0]
    for key in ("anyOf", "oneOf", "allOf"):
        if schema.get(key):
            return _instance(schema[key][0], text, root, depth + 1)
    return _of_type(schema, text, root, depth)


def _of_type(schema: Mapping[str, Any], text: str, root: Mapping[str, Any], depth: int) -> Any:
    kind = schema.get("type", "string")
    if kind == "object":
        wanted = schema.get("required") or ()
        properties = schema.get("properties") or {}
        return {name: _instance(properties.get(name, {}), text, root, depth + 1) for name in wanted}
    if kind == "array":
        count = int(schema.get("minItems", 0))
        return [_instance(schema.get("items", {}), text, root, depth + 1) for _ in range(count)]
    if kind in ("integer", "number"):
        return schema.get("minimum", 0)
    return {"boolean": False, "null": None}.get(str(kind), text)
