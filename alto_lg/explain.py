"""What will overlap in one graph, what will not, and why."""

from __future__ import annotations

import textwrap
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from alto_lg.engine.facts import Fact
    from alto_lg.engine.outlook import Outlook

_START = "__start__"
_WIDTH = 110


@dataclass(frozen=True, slots=True)
class NodeExplanation:
    """One node.

    starts_early: "yes", "no" or "alone" (nothing could run beside it).
    reads, writes: the state keys, None for every key; each with its evidence and where that was found.
    notes: how it streams, reads what others still write, and where it runs, with what that costs.
    why_not: what it waits for. hints: what could be declared to change that, smallest first.
    advice: work inside the node that could overlap, with its place in the code.
    """

    node: str
    starts_early: str
    reads: tuple[str, ...] | None
    reads_evidence: str
    reads_why: str
    writes: tuple[str, ...] | None
    writes_evidence: str
    writes_why: str
    rivals: tuple[str, ...]
    notes: tuple[str, ...]
    why_not: tuple[str, ...]
    hints: tuple[str, ...]
    advice: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ToolVerdict:
    """One tool of a graph. nodes: which hold it. why_not: why it does not start early; None if it may."""

    name: str
    nodes: tuple[str, ...]
    why_not: str | None


@dataclass(frozen=True, slots=True)
class Explanation:
    """All nodes of a graph, and the tools in them; `print` it, or read `nodes` and `tools`."""

    nodes: tuple[NodeExplanation, ...]
    tools: tuple[ToolVerdict, ...] = ()

    def __getitem__(self, name: str) -> NodeExplanation:
        for node in self.nodes:
            if node.node == name:
                return node
        raise KeyError(name)

    def __str__(self) -> str:
        wide = max((len(node.node) for node in self.nodes), default=4)
        head = f"{'node':<{wide}}  early  reads / writes, and what holds it up"
        lines = [head, "─" * _WIDTH, *(line for node in self.nodes for line in _lines(node, wide))]
        return "\n".join([*lines, *_tool_lines(self.tools)])


def explain(app: Any) -> Explanation:
    """Say, for each node of an accelerated graph, what it reads and writes and whether it can start early.

    Raises:
        TypeError: `app` did not come from `accelerate`.
    """
    from alto_lg.adapters.langgraph.acceleration import acceleration_of
    from alto_lg.engine.outlook import outlooks

    acceleration = acceleration_of(app)
    if acceleration is None:
        raise TypeError(f"alto_lg.explain() got a {type(app).__name__} that did not come from alto_lg.accelerate().")
    found = outlooks(acceleration.wired.plan, can_pause=bool(app.checkpointer))
    nodes = tuple(
        _node(outlook, acceleration.notes(outlook.stage.name)) for outlook in found if outlook.stage.name != _START
    )
    return Explanation(nodes, acceleration.catalogue.verdicts)


def _node(outlook: Outlook, placed: tuple[str, ...]) -> NodeExplanation:
    stage = outlook.stage
    verdict = "yes" if outlook.starts_early else "no" if outlook.rivals or stage.never_early else "alone"
    return NodeExplanation(
        node=stage.name,
        starts_early=verdict,
        reads=_names(stage.reads),
        reads_evidence=stage.reads.evidence.value,
        reads_why=stage.reads.why,
        writes=_names(stage.writes),
        writes_evidence=stage.writes.evidence.value,
        writes_why=stage.writes.why,
        rivals=outlook.rivals,
        notes=(*stage.notes, *placed),
        why_not=outlook.reasons,
        hints=outlook.hints,
        advice=tuple(
            f"{advice.message} ({advice.line})" if advice.line else advice.message for advice in outlook.advice
        ),
    )


def _names(fact: Fact) -> tuple[str, ...] | None:
    return None if fact.keys.names is None else tuple(sorted(fact.keys.names))


def _lines(node: NodeExplanation, wide: int) -> list[str]:
    first = f"{node.node:<{wide}}  {node.starts_early:<5}  "
    indent = " " * len(first)
    texts = [
        f"reads {_shown(node.reads)} [{node.reads_evidence}: {node.reads_why}]",
        f"writes {_shown(node.writes)} [{node.writes_evidence}: {node.writes_why}]",
        *node.notes,
        *(f"waits: {reason}" for reason in node.why_not if node.starts_early != "alone"),
        *(f"hint: {hint}" for hint in node.hints),
        *(f"advice: {advice}" for advice in node.advice),
    ]
    lines: list[str] = []
    for number, text in enumerate(texts):
        lead = first if number == 0 else indent
        lines += textwrap.wrap(text, _WIDTH, initial_indent=lead, subsequent_indent=indent + "  ")
    return lines


def _tool_lines(tools: tuple[ToolVerdict, ...]) -> list[str]:
    if not tools:
        return []
    wide = max(4, *(len(tool.name) for tool in tools))
    lines = ["", f"{'tool':<{wide}}  starts while the model writes", "─" * _WIDTH]
    for tool in tools:
        verdict = "yes" if tool.why_not is None else f"no: {tool.why_not}"
        lead = f"{tool.name:<{wide}}  "
        lines += textwrap.wrap(verdict, _WIDTH, initial_indent=lead, subsequent_indent=" " * len(lead))
    return lines


def _shown(names: tuple[str, ...] | None) -> str:
    return "every key" if names is None else ", ".join(names) or "nothing"
