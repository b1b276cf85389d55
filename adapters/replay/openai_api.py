"""One way to ask a model by the openai client: what its streams say, and how they are put together."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import openai

from alto_lg.adapters.replay.cuts import Cut

Channel = Hashable
"""Which text of an answer."""


class Part(Protocol):
    """An answer up to a cut of one of its texts, as if the model had ended there."""

    def whole(self) -> Any:
        """What a request that is not for a stream would have given."""
        ...

    def stream(self) -> list[Any]:
        """The events of a stream that says so."""
        ...


@dataclass(frozen=True, slots=True)
class Api:
    """streaming: the options of a request for a stream that asks for the same. is_answered: whether a request is of a
    kind that can be put together. deltas_of: what an event adds to each text. whole_of: the answer that all events say.
    part: the answer that the first events say, up to a cut.
    """

    name: str
    streaming: Callable[[Mapping[str, Any]], dict[str, Any]]
    is_answered: Callable[[Mapping[str, Any]], bool]
    deltas_of: Callable[[Any], Iterator[tuple[Channel, str]]]
    whole_of: Callable[[Sequence[Any]], Any]
    part: Callable[[Sequence[Any], Any, Cut], Part]


def is_given(value: object) -> bool:
    """Whether an option was meant."""
    return value is not None and not isinstance(value, openai.NotGiven | openai.Omit)


def is_raw(options: Mapping[str, Any]) -> bool:
    """Whether the caller wants the HTTP response."""
    headers = options.get("extra_headers") or {}
    return any(name.lower().startswith("x-stainless-raw") for name in headers)
