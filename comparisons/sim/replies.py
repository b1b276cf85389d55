"""One choice of an answer: its tokens, why it ends there, and the job that gives them their time.

Owns the order in which limits apply: stop sequences cut the text, then max_tokens cuts the tokens, then a fault cuts
the stream. Always true: joining the tokens gives the text of the choice.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from alto_lg.comparisons.sim import tokens
from alto_lg.comparisons.sim.batching import Stall
from alto_lg.comparisons.sim.faults import DEFAULT_STALL_S, Fault
from alto_lg.comparisons.sim.protocol import FinishReason
from alto_lg.comparisons.sim.tool_calls import Call, Piece, pieces_of


@dataclass(frozen=True, slots=True)
class Reply:
    """What one choice says. is_cut: the connection closes after the last token.

    pieces: what each token adds, where it is not all text. call_ids: of its tool calls.
    """

    tokens: tuple[str, ...]
    reason: FinishReason
    is_cut: bool = False
    stall: Stall | None = None
    pieces: tuple[Piece, ...] = ()
    call_ids: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        return "".join(self.tokens)

    @property
    def message(self) -> Mapping[str, Any]:
        """What is said, as the body of an answer has it."""
        if not self.pieces:
            return {"content": self.text}
        content = "".join(piece.content for piece in self.pieces)
        calls: list[dict[str, Any]] = []
        for piece in self.pieces:
            if piece.name is not None:
                function = {"name": piece.name, "arguments": ""}
                calls.append({"id": self.call_ids[len(calls)], "type": "function", "function": function})
            elif piece.call is not None:
                calls[piece.call]["function"]["arguments"] += piece.arguments
        return {"content": content or None, "tool_calls": calls} if calls else {"content": content}


def make_reply(text: str, *, stops: Sequence[str], tokens_max: int | None, fault: Fault | None) -> Reply:
    """The reply that a text becomes under the limits and the fault of its request."""
    pieces = tokens.split(tokens.cut_at_stop(text, stops))
    reason: FinishReason = "stop"
    if tokens_max is not None and len(pieces) > tokens_max:
        pieces, reason = pieces[:tokens_max], "length"
    if fault is not None and fault.name == "cut":
        kept = len(pieces) // 2 if fault.value is None else int(fault.value)
        return Reply(pieces[:kept], reason, is_cut=True)
    return Reply(pieces, reason, stall=_stall(fault, len(pieces)))


def make_tool_reply(
    content: str,
    calls: Sequence[Call],
    call_ids: Sequence[str],
    *,
    is_forced: bool,
    tokens_max: int | None,
    fault: Fault | None,
) -> Reply:
    """The reply that calls tools; a reply that was told which tool to call ends as one that has said all, by "stop"."""
    written = pieces_of(content, calls)
    reason: FinishReason = "stop" if is_forced else "tool_calls"
    if tokens_max is not None and len(written) > tokens_max:
        written, reason = written[:tokens_max], "length"
    reply = Reply(tuple(token for token, _ in written), reason, call_ids=tuple(call_ids))
    pieces = tuple(piece for _, piece in written)
    if fault is not None and fault.name == "cut":
        kept = len(pieces) // 2 if fault.value is None else int(fault.value)
        return replace(reply, tokens=reply.tokens[:kept], pieces=pieces[:kept], is_cut=True)
    return replace(reply, pieces=pieces, stall=_stall(fault, len(pieces)))


def _stall(fault: Fault | None, token_count: int) -> Stall | None:
    if fault is None or fault.name not in ("stall-first", "stall-middle"):
        return None
    seconds = DEFAULT_STALL_S if fault.value is None else fault.value
    return Stall(0 if fault.name == "stall-first" else token_count // 2, seconds)
