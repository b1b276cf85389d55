"""Every exception and warning of ours.

    Exception
    ├── AltoError
    │   ├── UndeclaredWrite       your node wrote a key that it did not declare
    │   ├── UndeclaredRead        your node read a key that it did not declare (a KeyError, too)
    │   ├── BatchMismatch         your batched function did not return one output for each input
    │   ├── NoEndpoint            no server of your pool answered (a ConnectionError, too)
    │   ├── MissingCheckpointer   you asked for durability="sync", with nothing to save to (an AttributeError, too)
    │   ├── NotPortable           your node, or what it is given, cannot be sent to a worker (a TypeError, too)
    │   ├── NoWorker              a placed node has no workers: closed, or none could be started (a RuntimeError, too)
    │   ├── WorkerLost            the worker that ran your node died, and the node may not run twice
    │   └── Mistake               with strict=True: what would be an AltoWarning otherwise (a ValueError, too)
    UserWarning
    └── AltoWarning               a run went on, but not as you may think

What a node raises passes through untouched, and what LangGraph raises stays LangGraph's.
"""

from __future__ import annotations

from typing import Any


class AltoError(Exception):
    """The base of the errors that you get from alto_lg itself; all can be copied and pickled."""

    def __reduce__(self) -> tuple[Any, ...]:
        return _again, (type(self), self.args), *super().__reduce__()[2:]


def _again(kind: type[AltoError], args: tuple[Any, ...]) -> AltoError:
    return kind.__new__(kind, *args)  # its message is made of arguments that only its own code knows


class UndeclaredWrite(AltoError):
    """A node with declared writes wrote something else, so what was proven from the declaration does not hold."""

    def __init__(self, node: str, key: str, declared: tuple[str, ...]) -> None:
        self.node, self.key, self.declared = node, key, declared
        super().__init__(
            f"Node {node!r} wrote key {key!r}, but declares writes={list(declared)!r}. "
            f"Add {key!r} to its declaration, or leave writes out to have it analysed."
        )


class UndeclaredRead(AltoError, KeyError):
    """A node with declared reads read something else, which may not be settled when it runs."""

    def __init__(self, node: str, key: str, declared: tuple[str, ...]) -> None:
        self.node, self.key, self.declared = node, key, declared
        super().__init__(
            f"Node {node!r} read key {key!r}, but declares reads={list(declared)!r}. "
            f"Add {key!r} to its declaration, or leave reads out to have it analysed."
        )

    def __str__(self) -> str:  # KeyError would show the repr of the message
        return str(self.args[0])


class NoEndpoint(AltoError, ConnectionError):
    """No server of an `alto_lg.Pool` answered a call.

    model, node: what was called for, and by which node, if by one. tried: (server, reason) of each attempt. states: of
    each server, in words. From the openai client, or a LangChain model over it, it is an `openai.APIConnectionError` as
    well.
    """

    def __init__(
        self, model: str, node: str | None, tried: tuple[tuple[str, str], ...], states: tuple[str, ...]
    ) -> None:
        self.model, self.node, self.tried, self.states = model, node, tried, states
        made = "; ".join(f"{server}: {reason}" for server, reason in tried) or "no attempt, for none is in service"
        caller = f" of node {node!r}" if node is not None else ""
        Exception.__init__(
            self,
            f"No endpoint answered the call of model {model!r}{caller}. Tried: {made}. Now: {'; '.join(states)}. "
            "Start those servers, or look at their logs; Pool(patience_s=…) waits longer for them to come back.",
        )


class BatchMismatch(AltoError):
    """A batched function returned something else than a list with one output for each input, so nobody got theirs."""

    def __init__(self, node: str | None, function: str, given: int, returned: str) -> None:
        self.node, self.function, self.given, self.returned = node, function, given, returned
        where = "" if node is None else f"Node {node!r}: "
        super().__init__(
            f"{where}{function}() got {given} inputs and returned {returned}. "
            "A batched function returns a list with one output for each input, in their order; for an input that "
            "fails, put the exception in its place."
        )


class MissingCheckpointer(AltoError, AttributeError):
    """LangGraph raises an AttributeError about itself here, when the first step has run; this one comes before."""

    def __init__(self) -> None:
        super().__init__("durability='sync' needs a checkpointer; compile(checkpointer=…).")


class NotPortable(AltoError, TypeError):
    """A placed node runs in another process, to which its code, what it is given and what it gives must be sent."""

    def __init__(self, node: str, why: str) -> None:
        self.node, self.why = node, why
        super().__init__(f"Node {node!r} is placed elsewhere, and {why}")


class NoWorker(AltoError, RuntimeError):
    """A placed node cannot run: its workers were closed, or none of them could be started."""

    def __init__(self, node: str, why: str) -> None:
        self.node, self.why = node, why
        super().__init__(f"Node {node!r} has no worker to run on: {why}")


class WorkerLost(AltoError):
    """The worker that ran a node is gone. Nobody knows how far the node got: it may have had its effects, or not.

    node: its name. ancestry: which firing of it. attempts: how often that firing ran; 0 if it did not, because what
    was kept for the group that it belongs to (`by_group=True`) is gone.
    """

    def __init__(self, node: str, ancestry: object, reason: str, attempts: int) -> None:
        self.node, self.ancestry, self.reason, self.attempts = node, ancestry, reason, attempts
        if attempts == 0:
            again = "If the node can do without, say so by repeatable=True in its placement; else run the graph again."
        elif attempts == 1:
            again = (
                "If it may run twice, declare it with @alto_lg.repeatable, or repeatable=True in its placement, and it "
                "runs again elsewhere."
            )
        else:
            again = f"It ran {attempts} times; max_attempts in its placement bounds that."
        super().__init__(f"Node {node!r} ({ancestry}) lost the worker that ran it: {reason} {again}")


class Mistake(AltoError, ValueError):
    """LangGraph goes on in silence here, and `accelerate(strict=True)` does not."""


class AltoWarning(UserWarning):
    """A run went on with LangGraph's answer, but not as fast as it should have, or not as it was meant."""
