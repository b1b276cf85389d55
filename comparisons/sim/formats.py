"""Replies in JSON: `response_format` of a request, and the text that honours it.

Owns the meaning of `json_object` and `json_schema`. Always true:
  the text is one JSON object that fits the schema, and a function of the messages and the seed;
  a schema with a keyword that is not known here is refused, never answered as if it had asked for less.
A text model whose reply fits already is taken at its word. Else the object is filled in the order of its properties
with words of the last user message; a list has as many items as the first whole number in that message says, or three.
"""

from __future__ import annotations

import json
import random
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

_WORD = re.compile(r"[^\W_][\w'-]*")
_NUMBER = re.compile(r"\b\d{1,3}\b")
_ITEMS = 3
_WORDS_IN_STRING = 8
_DEPTH_MAX = 20
_KNOWN = frozenset(
    {
        *("type", "properties", "required", "items", "enum", "const", "anyOf", "$ref", "$defs", "definitions"),
        *("additionalProperties", "minItems", "maxItems", "minimum", "maximum"),
        *("title", "description", "default", "examples", "$schema", "strict"),
    }
)
_TYPES: Mapping[str, type | tuple[type, ...]] = {
    "object": dict,
    "array": list,
    "string": str,
    "integer": int,
    "number": (int, float),
    "boolean": bool,
    "null": type(None),
}


class SchemaProblem(ValueError):
    """A schema that cannot be honoured; the message says where and why."""


@dataclass(frozen=True, slots=True)
class ReplyFormat:
    """A JSON object, of a schema if there is one."""

    schema: Mapping[str, Any] | None

    @classmethod
    def of(cls, response_format: Mapping[str, Any]) -> ReplyFormat | None:
        """What a request asks for; None for text.

        Raises:
            SchemaProblem: The type is not known, or the schema has what cannot be promised.
        """
        kind = response_format.get("type", "text")
        if kind == "text":
            return None
        if kind == "json_object":
            return cls(None)
        if kind != "json_schema":
            raise SchemaProblem(f"type must be text, json_object or json_schema, not {kind!r}")
        schema = (response_format.get("json_schema") or {}).get("schema")
        if not isinstance(schema, dict):
            raise SchemaProblem("json_schema.schema must be an object")
        _check(schema, "schema")
        if schema.get("type") != "object":
            raise SchemaProblem("schema.type must be 'object'")
        return cls(schema)

    def text(self, said: str, messages: Sequence[Mapping[str, Any]], seed: int) -> str:
        """The reply in this format. said: what a text model would say without one."""
        given = _object_in(said)
        if self.schema is None:
            return said if given is not None else json.dumps({"answer": said}, ensure_ascii=False)
        if given is not None and _fits(given, self.schema, self.schema, 0):
            return said
        return json.dumps(_Filler(self.schema, messages, seed).value(self.schema, 0), ensure_ascii=False)


def _object_in(text: str) -> dict[str, Any] | None:
    try:
        found = json.loads(text)
    except ValueError:
        return None
    return found if isinstance(found, dict) else None


def _check(schema: Any, where: str) -> None:
    if not isinstance(schema, dict):
        raise SchemaProblem(f"{where} must be an object")
    for name in schema.keys() - _KNOWN:
        raise SchemaProblem(f"{where}.{name} cannot be promised by this simulated server")
    kind = schema.get("type")
    if kind is not None and kind not in _TYPES:
        raise SchemaProblem(f"{where}.type must be one of {', '.join(_TYPES)}, not {kind!r}")
    for place, inner in _inside(schema):
        _check(inner, f"{where}.{place}")


def _inside(schema: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    for name in ("properties", "$defs", "definitions"):
        yield from ((f"{name}.{key}", inner) for key, inner in schema.get(name, {}).items())
    yield from ((f"anyOf[{place}]", inner) for place, inner in enumerate(schema.get("anyOf", ())))
    for name in ("items", "additionalProperties"):
        if isinstance(schema.get(name), dict):
            yield name, schema[name]


def _resolved(schema: Mapping[str, Any], root: Mapping[str, Any]) -> Mapping[str, Any]:
    reference = schema.get("$ref")
    if reference is None:
        return schema
    found: Any = root
    for part in str(reference).removeprefix("#/").split("/"):
        found = found.get(part) if isinstance(found, dict) else None
    if not isinstance(found, dict):
        raise SchemaProblem(f"$ref {reference!r} leads nowhere")
    return found


def _fits(value: Any, schema: Mapping[str, Any], root: Mapping[str, Any], depth: int) -> bool:
    schema = _resolved(schema, root)
    if depth > _DEPTH_MAX:
        return False
    if "anyOf" in schema:
        return any(_fits(value, inner, root, depth + 1) for inner in schema["anyOf"])
    if "enum" in schema or "const" in schema:
        return value in schema.get("enum", [schema.get("const")])
    kind = schema.get("type")
    if kind is not None and (not isinstance(value, _TYPES[kind]) or (isinstance(value, bool) and kind != "boolean")):
        return False
    if isinstance(value, dict):
        known = schema.get("properties", {})
        return set(schema.get("required", ())) <= value.keys() and all(
            _fits(inner, known[key], root, depth + 1) if key in known else schema.get("additionalProperties", True)
            for key, inner in value.items()
        )
    if isinstance(value, list):
        bounds = schema.get("minItems", 0) <= len(value) <= schema.get("maxItems", len(value))
        return bounds and all(_fits(inner, schema.get("items", {}), root, depth + 1) for inner in value)
    if isinstance(value, int | float):
        return bool(schema.get("minimum", value) <= value <= schema.get("maximum", value))
    return True


class _Filler:
    """Fills a schema with words of the last user message."""

    def __init__(self, schema: Mapping[str, Any], messages: Sequence[Mapping[str, Any]], seed: int) -> None:
        said = [message["content"] for message in messages if message["role"] == "user"]
        text = said[-1] if said else ""
        number = _NUMBER.search(text)
        self._root = schema
        self._items = int(number.group()) if number else _ITEMS
        self._words = _WORD.findall(text) or ["nothing"]
        self._draws = random.Random(f"{seed}/{text}")

    def value(self, schema: Mapping[str, Any], depth: int) -> Any:
        schema = _resolved(schema, self._root)
        if depth > _DEPTH_MAX:
            raise SchemaProblem(f"the schema is nested more than {_DEPTH_MAX} deep")
        if "anyOf" in schema:
            return self.value(schema["anyOf"][0], depth + 1)
        if "enum" in schema:
            return self._draws.choice(schema["enum"])
        if "const" in schema:
            return schema["const"]
        kind = schema.get("type", "string")
        if kind == "object":
            known = schema.get("properties", {})
            return {name: self.value(inner, depth + 1) for name, inner in known.items()}
        if kind == "array":
            count = min(max(self._items, schema.get("minItems", 0)), schema.get("maxItems", self._items))
            return [self.value(schema.get("items", {}), depth + 1) for _ in range(count)]
        return self._scalar(kind, schema)

    def _scalar(self, kind: str, schema: Mapping[str, Any]) -> Any:
        if kind == "string":
            return " ".join(self._draws.choice(self._words) for _ in range(_WORDS_IN_STRING))
        if kind == "boolean":
            return self._draws.random() < 0.5
        if kind == "null":
            return None
        low = schema.get("minimum", 0)
        high = schema.get("maximum", low + 100)
        return self._draws.randint(int(low), int(high)) if kind == "integer" else self._draws.uniform(low, high)
