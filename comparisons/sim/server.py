"""The application: models, chat completions, statistics and reset, over one batch model.

Owns the settings and counters of a running server. Always true: a request is read, checked and its text made before
its clock starts, so the time of those is not in its latency; and no request is answered after the client has left.

It sleeps between due times. On a shared machine of two cores, Python 3.11, with 200 streams open all the time, one
chunk a token, and the client in another process (server CPU from its own process clock, over 12 s):
    python -m alto_lg.comparisons.sim.measure cpu                      9,700 tokens/s  0.20 to 0.25 CPU seconds/s
    python -m alto_lg.comparisons.sim.measure cpu --profile api-mini  16,600 tokens/s  0.36 CPU seconds/s
"""

from __future__ import annotations

import asyncio
import hashlib
import time
import uuid
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from alto_lg.comparisons.sim import protocol, tokens
from alto_lg.comparisons.sim.batching import BatchModel
from alto_lg.comparisons.sim.delivery import CLOSE_EXTENSION, Answer, deliver
from alto_lg.comparisons.sim.draws import make_job, prompt_digest
from alto_lg.comparisons.sim.faults import DEFAULT_RETRY_AFTER_S, Fault, FaultChooser
from alto_lg.comparisons.sim.options import SimOptions
from alto_lg.comparisons.sim.pacer import MakePacer, Pacer
from alto_lg.comparisons.sim.protocol import ChatRequest, Envelope, RequestProblem
from alto_lg.comparisons.sim.replies import Reply, make_reply, make_tool_reply
from alto_lg.comparisons.sim.text import TextModel, extract, reply_text
from alto_lg.comparisons.sim.tool_calls import calls_in

_BODY_BYTES_MAX = 32 * 1024 * 1024


class ModelServer:
    """A simulated server, without its socket: `app` is the ASGI application."""

    def __init__(self, options: SimOptions, text_models: Sequence[TextModel], pacer: MakePacer = Pacer) -> None:
        self.options = options
        self._make_pacer = pacer
        self.text_models = tuple(text_models)
        self.created_s = int(time.time())
        self.app = Starlette(
            routes=[
                Route("/health", self._show_health, methods=["GET"]),
                Route("/v1/models", self._list_models, methods=["GET"]),
                Route("/v1/models/{name:path}", self._show_model, methods=["GET"]),
                Route("/v1/chat/completions", _ChatEndpoint(self), methods=["POST"]),
                Route("/sim/stats", self._show_statistics, methods=["GET"]),
                Route("/sim/reset", self._reset, methods=["POST"]),
            ],
            exception_handlers={RequestProblem: _on_problem, HTTPException: _on_http_error, Exception: _on_failure},
            lifespan=self._lifespan,
        )

    def forget(self, seed: int) -> None:
        """Counters, prefix cache, and how often a prompt has come; for a server on which no stream runs."""
        self.pacer.close()
        self._begin(seed)

    def _begin(self, seed: int) -> None:
        options = self.options
        model = BatchModel(options.server_profile, slots=options.slots, order=options.order)
        self.seed = seed
        self.pacer = self._make_pacer(model, options.time_scale, asyncio.get_running_loop())
        self.faults = FaultChooser(options.faults, seed)
        self.requests = self.answered = self.refused = 0

    def admit(self, chat: ChatRequest) -> Fault | None:
        """Check a request against this server, and say which fault it is to meet."""
        self._check(chat)
        fault = self.faults.choose(prompt_digest(chat.messages), chat.fault)
        if fault is not None:
            _raise_status_fault(fault)
        if not self.pacer.model.has_room(chat.choices, self.options.waiting_limit):
            raise RequestProblem(503, "The queue is full; try again later.", kind="server_error", code="queue_full")
        return fault

    def answer(self, chat: ChatRequest, fault: Fault | None) -> Answer:
        """What the server will say, and the jobs that time it."""
        offered = () if chat.offer is None else tokens.split(chat.offer.text)
        prompt = (*offered, *tokens.prompt_tokens(chat.messages))
        replies = [self._reply(chat, fault, choice) for choice in range(chat.choices)]
        key = f"{self.seed}/{chat.seed}/{prompt_digest(chat.messages)}"
        jobs = [
            make_job(
                self.options.server_profile,
                prompt=prompt,
                output=reply.tokens,
                jitter=self.options.jitter,
                key=f"{key}/{choice}",
                priority=chat.priority,
                stall=reply.stall,
            )
            for choice, reply in enumerate(replies)
        ]
        envelope = Envelope(
            id=f"chatcmpl-{uuid.uuid4().hex}",
            created_s=int(time.time()),
            model=self.options.model,
            fingerprint=f"sim-{self.options.profile}",
            usage_in_chunks=chat.include_usage,
        )
        return Answer(envelope, replies, jobs, chat.stream, chat.include_usage)

    def _reply(self, chat: ChatRequest, fault: Fault | None, choice: int) -> Reply:
        seed = (self.seed if chat.seed is None else chat.seed) + choice
        text = reply_text(self.text_models, chat.messages, seed)
        content, calls = ("", []) if chat.offer is None else calls_in(text, chat.offer, extract(chat.messages))
        if chat.offer is not None and calls:
            ids = _call_ids(f"{seed}/{prompt_digest(chat.messages)}", len(calls))
            forced = chat.offer.is_named
            return make_tool_reply(content, calls, ids, is_forced=forced, tokens_max=chat.tokens_max, fault=fault)
        if chat.format is not None:
            text = chat.format.text(text, chat.messages, seed)
        return make_reply(text, stops=chat.stops, tokens_max=chat.tokens_max, fault=fault)

    def _check(self, chat: ChatRequest) -> None:
        if chat.model != self.options.model:
            message = f"The model {chat.model!r} does not exist; this server has {self.options.model!r}."
            raise RequestProblem(404, message, param="model", code="model_not_found")
        if chat.priority and self.options.order != "priority":
            message = "'priority' needs a server that was started with --order priority."
            raise RequestProblem(400, message, param="priority")

    @asynccontextmanager
    async def _lifespan(self, app: Starlette) -> AsyncIterator[None]:
        self._begin(self.options.seed)
        yield
        self.pacer.close()

    async def _show_health(self, request: Request) -> Response:
        return Response()

    async def _list_models(self, request: Request) -> Response:
        return JSONResponse({"object": "list", "data": [self._model_card()]})

    async def _show_model(self, request: Request) -> Response:
        name = request.path_params["name"]
        if name != self.options.model:
            raise RequestProblem(404, f"The model {name!r} does not exist.", param="model", code="model_not_found")
        return JSONResponse(self._model_card())

    def _model_card(self) -> dict[str, Any]:
        return {"id": self.options.model, "object": "model", "created": self.created_s, "owned_by": "alto-lg-sim"}

    async def _show_statistics(self, request: Request) -> Response:
        return JSONResponse(self.statistics())

    def statistics(self) -> dict[str, Any]:
        """Counters of requests, of the batch (model time, as is `now_s`) and of the process (real time)."""
        model = self.pacer.model
        return {
            "profile": self.options.profile,
            "model": self.options.model,
            "slots": model.slots,
            "seed": self.seed,
            "requests": self.requests,
            "answered": self.answered,
            "refused": self.refused,
            "accepted": self.requests - self.refused,
            "now_s": self.pacer.now(),
            "faults": dict(self.faults.chosen),
            "cpu_s": time.process_time(),
            **model.statistics().as_json(),
        }

    async def _reset(self, request: Request) -> Response:
        raw = await request.body()
        seed = protocol.parse_object(raw).get("seed", self.options.seed) if raw else self.options.seed
        if not isinstance(seed, int) or isinstance(seed, bool):
            raise RequestProblem(400, "'seed' must be a whole number.", param="seed")
        statistics = self.pacer.model.statistics()
        if statistics.running or statistics.waiting:
            count = statistics.running + statistics.waiting
            raise RequestProblem(409, f"{count} streams are under way; reset when they have ended.", code="busy")
        self.forget(seed)
        return JSONResponse(self.statistics())


def _call_ids(key: str, count: int) -> list[str]:
    """Names of the tool calls of a reply: the same for the same request, so that answers can be compared."""
    return [
        f"call_{hashlib.blake2b(f'{key}/{number}'.encode(), digest_size=12).hexdigest()}" for number in range(count)
    ]


class _ChatEndpoint:
    """POST /v1/chat/completions, as a bare ASGI application: it watches for a client that leaves."""

    def __init__(self, server: ModelServer) -> None:
        self._server = server

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        server = self._server
        request = Request(scope, receive)
        server.requests += 1
        try:
            chat = protocol.parse_chat(await _body(request), request.headers.get("x-sim-fault"))
            fault = server.admit(chat)
        except RequestProblem:
            server.refused += 1
            raise
        if fault is not None and fault.name == "refuse":
            await _close_unanswered(scope, receive)
            return
        server.answered += await deliver(server.answer(chat, fault), server.pacer, scope, receive, send)


async def _body(request: Request) -> bytes:
    length = request.headers.get("content-length", "0")
    if length.isdigit() and int(length) > _BODY_BYTES_MAX:
        raise RequestProblem(413, f"The body is over {_BODY_BYTES_MAX} bytes.")
    return await request.body()


async def _close_unanswered(scope: Scope, receive: Receive) -> None:
    scope["extensions"][CLOSE_EXTENSION]()
    while (await receive())["type"] != "http.disconnect":
        pass


def _raise_status_fault(fault: Fault) -> None:
    if fault.name == "unavailable":
        raise RequestProblem(503, "Simulated fault: unavailable.", kind="server_error", code="unavailable")
    if fault.name == "error":
        raise RequestProblem(500, "Simulated fault: internal error.", kind="server_error", code="internal_error")
    if fault.name == "rate-limit":
        wait_s = DEFAULT_RETRY_AFTER_S if fault.value is None else fault.value
        raise RequestProblem(
            429,
            "Simulated fault: rate limit reached.",
            kind="requests",
            code="rate_limit_exceeded",
            headers={"retry-after": f"{wait_s:g}"},
        )


async def _on_problem(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestProblem)
    return JSONResponse(error.body, error.status, headers=error.headers)


async def _on_http_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    message = f"{error.detail}: {request.method} {request.url.path}"
    return JSONResponse(RequestProblem(error.status_code, message).body, error.status_code, headers=error.headers)


async def _on_failure(request: Request, error: Exception) -> Response:
    message = f"The simulated server failed: {type(error).__name__}: {error}"
    return JSONResponse(RequestProblem(500, message, kind="server_error", code="internal_error").body, 500)
