"""A chat server of OpenAI's protocol that says what a script says, and goes on when it is told to."""

from __future__ import annotations

import contextlib
import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

WAIT_S = 20.0
USAGE = {"prompt_tokens": 7, "completion_tokens": 30, "total_tokens": 37}


@dataclass(slots=True)
class Script:
    """What one answer says.

    pieces: of the text, or of the arguments of the tool call `tool`. waits: what must be set before the piece behind
    each is sent, None for nothing. ends: whether the stream has a finish reason. refuses_streams: it knows no streams.
    """

    pieces: list[str]
    tool: str | None = None
    waits: list[threading.Event | None] = field(default_factory=list)
    ends: bool = True
    refuses_streams: bool = False


@dataclass(slots=True)
class Served:
    """A server that runs. late: pieces that were waited for in vain."""

    address: str
    requests: list[dict[str, Any]]
    late: list[str]


@contextlib.contextmanager
def served(script: Script) -> Iterator[Served]:
    requests: list[dict[str, Any]] = []
    late: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *args: Any) -> None:
            """Nobody reads it."""

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["content-length"])))
            requests.append(body)
            if self.path.endswith("/responses"):
                self._respond(bool(body.get("stream")))
            elif body.get("stream") and script.refuses_streams:
                self._send(400, json.dumps({"error": {"message": "streams are not supported"}}))
            elif body.get("stream"):
                self._stream(bool((body.get("stream_options") or {}).get("include_usage")))
            else:
                self._send(200, json.dumps(_whole(script)))

        def _send(self, status: int, text: str) -> None:
            self.send_response(status)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(text.encode())))
            self.end_headers()
            self.wfile.write(text.encode())

        def _begin_stream(self) -> None:
            self.send_response(200)
            self.send_header("content-type", "text/event-stream")
            self.end_headers()

        def _wait_behind(self, piece: int) -> None:
            waits = script.waits[piece] if 0 <= piece < len(script.waits) else None
            if waits is not None and not waits.wait(WAIT_S):
                late.append(script.pieces[piece])

        def _respond(self, streams: bool) -> None:
            if not streams:
                self._send(200, json.dumps(_response(script, "completed")))
                return
            self._begin_stream()
            for number, (piece, event) in enumerate(_events(script)):
                numbered = json.dumps({**event, "sequence_number": number})
                self.wfile.write(f"event: {event['type']}\ndata: {numbered}\n\n".encode())
                self._wait_behind(piece)

        def _stream(self, with_usage: bool) -> None:
            self._begin_stream()
            for place, chunk in enumerate(_chunks(script)):
                self.wfile.write(f"data: {json.dumps(chunk)}\n\n".encode())
                self._wait_behind(place - 1)
            if with_usage and script.ends:
                self.wfile.write(f"data: {json.dumps(_chunk([], usage=USAGE))}\n\n".encode())
            self.wfile.write(b"data: [DONE]\n\n" if script.ends else b"")

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield Served(f"http://127.0.0.1:{server.server_address[1]}/v1", requests, late)
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _chunk(choices: list[Any], **more: Any) -> dict[str, Any]:
    common = {"id": "c1", "created": 1, "model": "m", "system_fingerprint": "f", "choices": choices}
    return {"object": "chat.completion.chunk", **common, **more}


def _choice(delta: dict[str, Any], reason: str | None = None) -> dict[str, Any]:
    return _chunk([{"index": 0, "delta": delta, "logprobs": None, "finish_reason": reason}])


def _chunks(script: Script) -> Iterator[dict[str, Any]]:
    """The first says who speaks; then one for each piece."""
    if script.tool is None:
        yield _choice({"role": "assistant", "content": "", "refusal": None})
        yield from (_choice({"content": piece}) for piece in script.pieces)
    else:
        function = {"name": script.tool, "arguments": ""}
        call = {"index": 0, "id": "call_1", "type": "function", "function": function}
        yield _choice({"role": "assistant", "content": None, "tool_calls": [call]})
        for piece in script.pieces:
            yield _choice({"tool_calls": [{"index": 0, "function": {"arguments": piece}}]})
    if script.ends:
        yield _choice({}, "stop" if script.tool is None else "tool_calls")


def _whole(script: Script) -> dict[str, Any]:
    text = "".join(script.pieces)
    message: dict[str, Any] = {"role": "assistant", "content": text, "refusal": None}
    if script.tool is not None:
        function = {"name": script.tool, "arguments": text}
        message = {"role": "assistant", "content": None, "refusal": None}
        message["tool_calls"] = [{"id": "call_1", "type": "function", "function": function}]
    reason = "stop" if script.tool is None else "tool_calls"
    choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": reason}
    common = {"id": "c1", "created": 1, "model": "m", "system_fingerprint": "f"}
    return {"object": "chat.completion", **common, "choices": [choice], "usage": USAGE}


def _item(script: Script, text: str) -> dict[str, Any]:
    """The one item of the output of a response."""
    if script.tool is not None:
        return {"id": "f1", "type": "function_call", "call_id": "c1", "name": script.tool, "arguments": text}
    content = [{"type": "output_text", "text": text, "annotations": [], "logprobs": []}] if text else []
    return {"id": "m1", "type": "message", "role": "assistant", "status": "completed", "content": content}


def _response(script: Script, status: str) -> dict[str, Any]:
    output = [_item(script, "".join(script.pieces))] if status == "completed" else []
    fixed = {"parallel_tool_calls": True, "tool_choice": "auto", "tools": [], "metadata": {}}
    named = {"id": "r1", "object": "response", "created_at": 1, "model": "m"}
    return {**named, "status": status, "output": output, **fixed}


def _events(script: Script) -> Iterator[tuple[int, dict[str, Any]]]:
    """Each event with the number of the piece that it brings, or -1."""
    place = {"item_id": _item(script, "")["id"], "output_index": 0}
    yield -1, {"type": "response.created", "response": _response(script, "in_progress")}
    yield -1, {"type": "response.output_item.added", "output_index": 0, "item": _item(script, "")}
    if script.tool is None:
        part = {"type": "output_text", "text": "", "annotations": []}
        yield -1, {"type": "response.content_part.added", "content_index": 0, "part": part, **place}
    kind = "response.output_text.delta" if script.tool is None else "response.function_call_arguments.delta"
    more = {"content_index": 0, "logprobs": []} if script.tool is None else {}
    for number, piece in enumerate(script.pieces):
        yield number, {"type": kind, "delta": piece, **place, **more}
    if script.ends:
        item = _item(script, "".join(script.pieces))
        yield -1, {"type": "response.output_item.done", "output_index": 0, "item": item}
        yield -1, {"type": "response.completed", "response": _response(script, "completed")}
