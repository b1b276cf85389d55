"""A chat model behind any server that speaks the OpenAI protocol, through the official client.

Always true: an answer is returned whole, or streamed to its end, or an error is raised, and the error says which
server, which model, and what to try. The key appears in no message.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from typing import Any, cast
from weakref import WeakKeyDictionary

import openai
from openai import AsyncOpenAI
from openai.types.chat import ChatCompletion, ChatCompletionChunk
from openai.types.completion_usage import CompletionUsage

from alto_lg.adapters.deltas.errors import StreamError, TruncatedStream
from alto_lg.adapters.openai_streaming import text_deltas

Messages = Sequence[Mapping[str, str]]


class ModelServerError(RuntimeError):
    """The model server did not give a whole answer; `base_url` and `model` say which one was asked."""

    def __init__(self, base_url: str, model: str, reason: str) -> None:
        self.base_url, self.model, self.reason = base_url, model, reason
        super().__init__(f"model {model!r} at {base_url}: {reason}")


class ServerUnreachable(ModelServerError):
    """Nothing answered at the address, or not in time."""


class RequestRefused(ModelServerError):
    """The server answered with an error."""


class AnswerTruncated(ModelServerError):
    """The model was cut off at the token limit; a half verdict must not be read as a whole one.

    text: what there is of the answer; empty for a stream, which has handed it out already.
    """

    def __init__(self, base_url: str, model: str, reason: str, text: str = "") -> None:
        self.text = text
        super().__init__(base_url, model, reason)


class AnswerBrokenOff(ModelServerError):
    """The stream of an answer ended before the answer did."""


@dataclass(frozen=True, slots=True)
class Usage:
    """What the server says was used, added up over the calls of one client."""

    calls: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0


@dataclass(frozen=True, slots=True)
class ClientOptions:
    """Limits of one call. The connection limit is short: a server that is not there should show at once."""

    timeout_s: float = 120.0
    connect_timeout_s: float = 5.0
    max_retries: int = 2
    extra: Mapping[str, Any] = field(default_factory=dict)


class OpenAIChat:
    """One model on one server. Safe to use from several event loops: each gets connections of its own.

    client: one of your own, such as that of an `alto_lg.Pool`, for one event loop; `close` leaves it open.
    """

    def __init__(
        self,
        base_url: str,
        model: str,
        *,
        api_key: str = "not-needed",
        options: ClientOptions | None = None,
        client: AsyncOpenAI | None = None,
    ) -> None:
        self.base_url, self.model = base_url, model
        self.usage = Usage()
        self._api_key = api_key
        self._options = options or ClientOptions()
        self._given = client
        self._clients: WeakKeyDictionary[asyncio.AbstractEventLoop, AsyncOpenAI] = WeakKeyDictionary()

    async def complete(self, messages: Messages, *, max_tokens: int = 1024, temperature: float = 0.0) -> str:
        """The text of the model's answer."""
        completion = await self._completion(messages, max_tokens=max_tokens, temperature=temperature)
        return self._texts_of(completion, max_tokens)[0]

    async def samples(
        self, messages: Messages, *, count: int, max_tokens: int = 1024, temperature: float = 1.0
    ) -> list[str]:
        """So many answers to one question, by one request where the server gives as many as it is asked for."""
        texts: list[str] = []
        while len(texts) < count:
            missing = count - len(texts)
            completion = await self._completion(messages, max_tokens=max_tokens, temperature=temperature, n=missing)
            texts += self._texts_of(completion, max_tokens)[:missing]
        return texts

    async def stream(
        self, messages: Messages, *, max_tokens: int = 1024, temperature: float = 0.0
    ) -> AsyncGenerator[str, None]:
        """The text of the model's answer in pieces, as it is written. Closing it closes the HTTP response."""
        request = {"messages": list(messages), "max_tokens": max_tokens, "temperature": temperature}
        usage = {"stream_options": {"include_usage": True}}
        try:
            stream = await self._client().chat.completions.create(
                model=self.model, stream=True, **cast(Any, {**request, **usage, **self._options.extra})
            )
        except openai.AuthenticationError as fault:
            raise self._explained(fault) from None
        except openai.OpenAIError as fault:
            raise self._explained(fault) from fault
        self._count(None, calls=1)
        async with aclosing(text_deltas(stream, self._count_chunk, self._explained_stream)) as deltas:
            async for delta in deltas:
                yield delta

    async def close(self) -> None:
        """Close the connections of the running event loop."""
        client = self._clients.pop(asyncio.get_running_loop(), None)
        if client is not None:
            await client.close()

    async def _completion(self, messages: Messages, **settings: Any) -> ChatCompletion:
        request = {"messages": list(messages), **settings}
        try:
            completion = await self._client().chat.completions.create(
                model=self.model, **cast(Any, {**request, **self._options.extra})
            )
        except openai.AuthenticationError as fault:
            # Servers quote the key in this error, so it must not show up as the cause either.
            raise self._explained(fault) from None
        except openai.OpenAIError as fault:
            raise self._explained(fault) from fault
        return cast(ChatCompletion, completion)

    def _client(self) -> AsyncOpenAI:
        if self._given is not None:
            return self._given
        loop = asyncio.get_running_loop()
        if loop not in self._clients:
            options = self._options
            timeout = openai.Timeout(options.timeout_s, connect=options.connect_timeout_s)
            self._clients[loop] = AsyncOpenAI(
                base_url=self.base_url, api_key=self._api_key, timeout=timeout, max_retries=options.max_retries
            )
        return self._clients[loop]

    def _texts_of(self, completion: ChatCompletion, max_tokens: int) -> list[str]:
        """The text of each choice; there is at least one."""
        if not completion.choices:
            raise RequestRefused(self.base_url, self.model, "the answer has no choices; is this a chat endpoint?")
        self._count(completion.usage, calls=1)
        if any(choice.finish_reason == "length" for choice in completion.choices):
            reason = f"the answer was cut at {max_tokens} tokens; ask for more or use a shorter prompt"
            raise AnswerTruncated(self.base_url, self.model, reason, completion.choices[0].message.content or "")
        return [choice.message.content or "" for choice in sorted(completion.choices, key=lambda one: one.index)]

    def _count_chunk(self, chunk: ChatCompletionChunk) -> None:
        self._count(getattr(chunk, "usage", None))  # what breaks off may be no chunk at all

    def _count(self, used: CompletionUsage | None, *, calls: int = 0) -> None:
        self.usage = replace(
            self.usage,
            calls=self.usage.calls + calls,
            prompt_tokens=self.usage.prompt_tokens + (used.prompt_tokens if used else 0),
            completion_tokens=self.usage.completion_tokens + (used.completion_tokens if used else 0),
        )

    def _explained_stream(self, fault: StreamError) -> ModelServerError:
        if isinstance(fault, TruncatedStream) and fault.reason == "length":
            reason = "the answer was cut at the token limit; ask for more or use a shorter prompt"
            return AnswerTruncated(self.base_url, self.model, reason)
        return AnswerBrokenOff(self.base_url, self.model, f"{fault.what}, after {fault.chars} characters of text")

    def _explained(self, fault: openai.OpenAIError) -> ModelServerError:
        if isinstance(fault, openai.APITimeoutError):
            reason = f"no answer within {self._options.timeout_s:g} s; is the server overloaded?"
            return ServerUnreachable(self.base_url, self.model, reason)
        if isinstance(fault, openai.APIConnectionError):
            return ServerUnreachable(self.base_url, self.model, "no server answers there; start it, or check the port")
        if isinstance(fault, openai.NotFoundError):
            return RequestRefused(self.base_url, self.model, self._why_not_found(fault))
        if isinstance(fault, openai.AuthenticationError):
            return RequestRefused(self.base_url, self.model, "the server refused the key; set the right API key")
        if isinstance(fault, openai.APIStatusError):
            return RequestRefused(self.base_url, self.model, f"status {fault.status_code}: {fault.message}")
        return ModelServerError(self.base_url, self.model, str(fault))

    def _why_not_found(self, fault: openai.NotFoundError) -> str:
        if not self.base_url.rstrip("/").endswith("/v1"):
            return f"not found; the base URL usually ends in /v1: try {self.base_url.rstrip('/')}/v1"
        return f"not found; GET {self.base_url.rstrip('/')}/models lists the models it has ({fault.message})"
