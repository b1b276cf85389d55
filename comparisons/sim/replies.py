"""One choice of an answer: its tokens, why it ends there, and the job that gives them their time.

Owns the order in which limits apply: stop sequences cut the text, then max_tokens cuts the tokens, then a fault cuts
the stream. Always true: joining the tokens gives the text of the choice.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from alto_lg.comparisons.sim import tokens
from alto_lg.comparisons.sim.batching import Stall
from alto_lg.comparisons.sim.faults import DEFAULT_STALL_S, Fault
from alto_lg.comparisons.sim.protocol import FinishReason


@dataclass(frozen=True, slots=True)
class Reply:
    """What one choice says. is_cut: the connection closes after the last token."""

    tokens: tuple[str, ...]
    reason: FinishReason
    is_cut: bool = False
    stall: Stall | None = None

    @property
    def text(self) -> str:
        return "".join(self.tokens)


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


def _stall(fault: Fault | None, token_count: int) -> Stall | None:
    if fault is None or fault.name not in ("stall-first", "stall-middle"):
        return None
    seconds = DEFAULT_STALL_S if fault.value is None else fault.value
    return Stall(0 if fault.name == "stall-first" else token_count // 2, seconds)
