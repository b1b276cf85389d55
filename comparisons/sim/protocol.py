"""The OpenAI chat protocol: a body in, a checked request out; counts and text in, a body or chunks out.

Owns every name of the wire format. Always true: a request that cannot be honoured is refused with the status and the
error body that OpenAI's clients expect, never answered as if it had asked for less. Sampling settings (temperature,
top_p, penalties) are accepted and have no effect, since the text is a function of the prompt and the seed.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

from alto_lg.comparisons.sim.faults import Fault, FaultError, parse_fault
from alto_lg.comparisons.sim.formats import ReplyFormat, SchemaProblem

FinishReason: TypeAlias = Literal["stop", "length"]
DONE = b"data: [DONE]\n\n"
_CHOICES_MAX = 128
_STOPS_MAX = 4
_ROLES = ("system", "developer", "user", "assistant", "tool", "function")
# What changes the shape of an answer, and so may not be ignored.
_UNSUPPORTED = ("tools", "functions", "logprobs", "top_logprobs", "audio", "modalities", "prediction")


class RequestProblem(Exception):
    """A request that gets an error instead of an answer."""

    def __init__(
        self,
        status: int,
        message: str,
        *,
        param: str | None = None,
        code: str | None = None,
        kind: str = "invalid_request_error",
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.headers = dict(headers or {})
        self.body = {"error": {"message": message, "type": kind, "param": param, "code": code}}


@dataclass(frozen=True, slots=True)
class ChatRequest:
    """What a client asked for, checked. messages: role and content, the content as plain text."""

    model: str
    messages: tuple[Mapping[str, str], ...]
    stream: bool
    include_usage: bool
    choices: int
    tokens_max: int | None
    stops: tuple[str, ...]
    seed: int | None
    priority: int
    fault: Fault | None
    format: ReplyFormat | None = None


@dataclass(frozen=True, slots=True)
class Usage:
    """Token counts of one request."""

    prompt_tokens: int
    completion_tokens: int
    cached_tokens: int

    def as_json(self) -> dict[str, Any]:
        return {
            "prompt_tokens": self.prompt_tokens,
            "completion_tokens": self.completion_tokens,
            "total_tokens": self.prompt_tokens + self.completion_tokens,
            "prompt_tokens_details": {"cached_tokens": self.cached_tokens},
        }


def parse_chat(raw: bytes, fault_header: str | None) -> ChatRequest:
    """The request in a body, or `RequestProblem`."""
    body = parse_object(raw)
    _refuse_unsupported(body)
    stream = _optional(body, "stream", bool) or False
    stream_options = _optional(body, "stream_options", dict) or {}
    if stream_options and not stream:
        raise _invalid("'stream_options' is only allowed when 'stream' is true.", "stream_options")
    return ChatRequest(
        model=_required(body, "model", str),
        messages=_messages(_required(body, "messages", list)),
        stream=stream,
        include_usage=_optional(stream_options, "include_usage", bool) or False,
        choices=_whole(body, "n", 1, _CHOICES_MAX) or 1,
        tokens_max=_tokens_max(body),
        stops=_stops(body.get("stop")),
        seed=_whole(body, "seed"),
        priority=_whole(body, "priority") or 0,
        fault=_fault(body, fault_header),
        format=_format(body),
    )


def parse_object(raw: bytes) -> dict[str, Any]:
    """The JSON object in a body, or `RequestProblem`."""
    try:
        body = json.loads(raw)
    except ValueError as error:
        raise _invalid(f"The body is not valid JSON: {error}.") from None
    if not isinstance(body, dict):
        raise _invalid("The body must be a JSON object.")
    return body


def _refuse_unsupported(body: Mapping[str, Any]) -> None:
    for name in _UNSUPPORTED:
        if body.get(name):
            raise _invalid(f"This simulated server does not support {name!r}.", name, "unsupported_parameter")


def _messages(given: Sequence[Any]) -> tuple[Mapping[str, str], ...]:
    if not given:
        raise _invalid("'messages' must hold at least one message.", "messages")
    return tuple(_message(message, f"messages[{index}]") for index, message in enumerate(given))


def _message(message: Any, where: str) -> Mapping[str, str]:
    if not isinstance(message, dict):
        raise _invalid(f"{where} must be an object.", where)
    role = message.get("role")
    if role not in _ROLES:
        raise _invalid(f"{where}.role must be one of {', '.join(_ROLES)}.", f"{where}.role")
    content = message.get("content")
    if content is None and role != "assistant":
        raise _invalid(f"{where}.content is missing.", f"{where}.content")
    return {"role": role, "content": _content(content, f"{where}.content")}


def _content(content: Any, where: str) -> str:
    if content is None or isinstance(content, str):
        return content or ""
    if not isinstance(content, list):
        raise _invalid(f"{where} must be a string or a list of parts.", where)
    for part in content:
        if not (isinstance(part, dict) and part.get("type") == "text" and isinstance(part.get("text"), str)):
            raise _invalid(f"{where} may hold text parts only on this simulated server.", where)
    return "".join(part["text"] for part in content)


def _tokens_max(body: Mapping[str, Any]) -> int | None:
    newer = _whole(body, "max_completion_tokens", 1)
    return newer if newer is not None else _whole(body, "max_tokens", 1)


def _stops(given: Any) -> tuple[str, ...]:
    stops = [given] if isinstance(given, str) else given or []
    if not isinstance(stops, list) or len(stops) > _STOPS_MAX:
        raise _invalid(f"'stop' must be a string or a list of at most {_STOPS_MAX}.", "stop")
    if not all(isinstance(stop, str) and stop for stop in stops):
        raise _invalid("'stop' must hold non-empty strings.", "stop")
    return tuple(stops)


def _format(body: Mapping[str, Any]) -> ReplyFormat | None:
    try:
        return ReplyFormat.of(_optional(body, "response_format", dict) or {})
    except SchemaProblem as error:
        raise _invalid(f"response_format: {error}.", "response_format", "unsupported_parameter") from None


def _fault(body: Mapping[str, Any], header: str | None) -> Fault | None:
    metadata = _optional(body, "metadata", dict) or {}
    text = header or body.get("sim_fault") or metadata.get("sim_fault")
    if text is None:
        return None
    try:
        return parse_fault(str(text))
    except FaultError as error:
        raise _invalid(str(error), "sim_fault") from None


def _required(body: Mapping[str, Any], name: str, kind: type[Any]) -> Any:
    value = _optional(body, name, kind)
    if value is None:
        raise _invalid(f"Missing required parameter: {name!r}.", name, "missing_required_parameter")
    return value


def _optional(body: Mapping[str, Any], name: str, kind: type[Any]) -> Any:
    value = body.get(name)
    if value is not None and not isinstance(value, kind):
        raise _invalid(f"{name!r} must be of JSON type {_JSON_TYPES[kind]}.", name, "invalid_type")
    return value


_JSON_TYPES: Mapping[type[Any], str] = {str: "string", list: "array", dict: "object", bool: "boolean"}


def _whole(body: Mapping[str, Any], name: str, low: int | None = None, high: int | None = None) -> int | None:
    value = body.get(name)
    if value is None:
        return None
    if not isinstance(value, int) or isinstance(value, bool):
        raise _invalid(f"{name!r} must be a whole number.", name, "invalid_type")
    if (low is not None and value < low) or (high is not None and value > high):
        bounds = f"at least {low}" if high is None else f"from {low} to {high}"
        raise _invalid(f"{name!r} must be {bounds}, not {value}.", name, "invalid_value")
    return value


def _invalid(message: str, param: str | None = None, code: str | None = None) -> RequestProblem:
    return RequestProblem(400, message, param=param, code=code)


class Envelope:
    """The fields that every body and every chunk of one answer repeat."""

    def __init__(self, *, id: str, created_s: int, model: str, fingerprint: str, usage_in_chunks: bool) -> None:
        self.id = id
        self._common = {"id": id, "created": created_s, "model": model, "system_fingerprint": fingerprint}
        chunk = {"object": "chat.completion.chunk", **self._common}
        # A token costs one json.dumps of a short string: the rest of its chunk is written once.
        self._head = b"data: " + json.dumps(chunk).encode()[:-1] + b', "choices": '
        self._tail = b', "usage": null}\n\n' if usage_in_chunks else b"}\n\n"

    def body(self, texts: Sequence[str], reasons: Sequence[FinishReason], usage: Usage) -> dict[str, Any]:
        """The answer in one piece."""
        choices = [
            {
                "index": index,
                "message": {"role": "assistant", "content": text, "refusal": None},
                "logprobs": None,
                "finish_reason": reason,
            }
            for index, (text, reason) in enumerate(zip(texts, reasons, strict=True))
        ]
        return {"object": "chat.completion", **self._common, "choices": choices, "usage": usage.as_json()}

    def role_chunk(self, index: int) -> bytes:
        return self._chunk(index, '{"role": "assistant", "content": "", "refusal": null}', "null")

    def token_chunk(self, index: int, token: str) -> bytes:
        return self._chunk(index, f'{{"content": {json.dumps(token)}}}', "null")

    def finish_chunk(self, index: int, reason: FinishReason) -> bytes:
        return self._chunk(index, "{}", f'"{reason}"')

    def usage_chunk(self, usage: Usage) -> bytes:
        return self._head + b'[], "usage": ' + json.dumps(usage.as_json()).encode() + b"}\n\n"

    def _chunk(self, index: int, delta: str, reason: str) -> bytes:
        choice = f'[{{"index": {index}, "delta": {delta}, "logprobs": null, "finish_reason": {reason}}}]'
        return self._head + choice.encode() + self._tail
