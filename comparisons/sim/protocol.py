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
from alto_lg.comparisons.sim.tool_calls import Offer, Piece

FinishReason: TypeAlias = Literal["stop", "length", "tool_calls"]
DONE = b"data: [DONE]\n\n"
_CHOICES_MAX = 128
_STOPS_MAX = 4
_ROLES = ("system", "developer", "user", "assistant", "tool", "function")
# What changes the shape of an answer, and so may not be ignored.
_UNSUPPORTED = ("functions", "logprobs", "top_logprobs", "audio", "modalities", "prediction")


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
    offer: Offer | None = None


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
        offer=_offer(body),
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
    text = _content(content, f"{where}.content") + _earlier_calls(message.get("tool_calls"), f"{where}.tool_calls")
    return {"role": role, "content": text}


def _earlier_calls(given: Any, where: str) -> str:
    """Calls that an assistant made before, as the model wrote them."""
    if given is None:
        return ""
    calls = given if isinstance(given, list) else [None]
    functions: list[Any] = [call.get("function") if isinstance(call, dict) else None for call in calls]
    if not all(isinstance(one, dict) and isinstance(one.get("name"), str) for one in functions):
        raise _invalid(f"{where} must be a list of calls of functions.", where)
    return "".join(
        f'<tool_call>{{"name": {json.dumps(one["name"])}, "arguments": {one.get("arguments", "{}")}}}</tool_call>'
        for one in functions
    )


def _offer(body: Mapping[str, Any]) -> Offer | None:
    """The tools of a request, and whether it forces one."""
    tools = _optional(body, "tools", list)
    if not tools:
        if body.get("tool_choice") not in (None, "none", "auto"):
            raise _invalid("'tool_choice' is only allowed when 'tools' are given.", "tool_choice")
        return None
    for index, tool in enumerate(tools):
        function = tool.get("function") if isinstance(tool, dict) and tool.get("type") == "function" else None
        if not isinstance(function, dict) or not isinstance(function.get("name"), str) or not function["name"]:
            raise _invalid(f"tools[{index}] must be a function with a name.", f"tools[{index}]")
    choice = body.get("tool_choice", "auto")
    parallel = _optional(body, "parallel_tool_calls", bool)
    if choice in ("none", "auto", "required"):
        return Offer(tuple(tools), choice, in_parallel=parallel is not False)
    named = choice.get("function", {}).get("name") if isinstance(choice, dict) else None
    if named not in [tool["function"]["name"] for tool in tools]:
        message = "'tool_choice' must be 'none', 'auto', 'required', or name a function of 'tools'."
        raise _invalid(message, "tool_choice")
    return Offer(tuple(tools), str(named), is_named=True, in_parallel=parallel is not False)


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

    def body(
        self, messages: Sequence[Mapping[str, Any]], reasons: Sequence[FinishReason], usage: Usage
    ) -> dict[str, Any]:
        """The answer in one piece; a message has its content and, where it calls tools, its calls."""
        choices = [
            {
                "index": index,
                "message": {"role": "assistant", **message, "refusal": None},
                "logprobs": None,
                "finish_reason": reason,
            }
            for index, (message, reason) in enumerate(zip(messages, reasons, strict=True))
        ]
        return {"object": "chat.completion", **self._common, "choices": choices, "usage": usage.as_json()}

    def role_chunk(self, index: int) -> bytes:
        return self._chunk(index, '{"role": "assistant", "content": "", "refusal": null}', "null")

    def token_chunk(self, index: int, token: str) -> bytes:
        return self._chunk(index, f'{{"content": {json.dumps(token)}}}', "null")

    def piece_chunk(self, index: int, piece: Piece, call_ids: Sequence[str]) -> bytes:
        """What one token of an answer with tool calls adds; nothing while it writes what stands before a name."""
        if piece.call is None:
            return self.token_chunk(index, piece.content) if piece.content else b""
        call: dict[str, Any] = {"index": piece.call, "function": {"arguments": piece.arguments}}
        if piece.name is not None:
            call |= {"id": call_ids[piece.call], "type": "function"}
            call["function"] = {"name": piece.name, "arguments": ""}
        return self._chunk(index, json.dumps({"tool_calls": [call]}), "null")

    def finish_chunk(self, index: int, reason: FinishReason) -> bytes:
        return self._chunk(index, "{}", f'"{reason}"')

    def usage_chunk(self, usage: Usage) -> bytes:
        return self._head + b'[], "usage": ' + json.dumps(usage.as_json()).encode() + b"}\n\n"

    def _chunk(self, index: int, delta: str, reason: str) -> bytes:
        choice = f'[{{"index": {index}, "delta": {delta}, "logprobs": null, "finish_reason": {reason}}}]'
        return self._head + choice.encode() + self._tail
