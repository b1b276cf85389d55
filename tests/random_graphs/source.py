"""Source: the Python that a user would have written for a spec's nodes, routers and states.

Owns the text only; `build.py` runs it. Always true:
  each node is a function of its own with its keys as constants, so that it can be read as any user's code can;
  what a node writes follows from what it has seen, so that a wrong input shows in every state after it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from random_graphs.spec import Key, Node, Spec, Way

_HEAD = """import operator
from typing import Annotated, Any
{typed_dict}
from langchain_core.messages import AIMessage, BaseMessage
from langgraph.channels import AnyValue, EphemeralValue, UntrackedValue
{delta}from langgraph.config import get_stream_writer
from langgraph.graph.message import add_messages
from langgraph.runtime import Runtime
from langgraph.store.base import BaseStore
from langgraph.types import Command, Overwrite, Send, interrupt

import alto_lg
from random_graphs.effects import gather, grow, log, mix, pause, rest, weave

CONSTANT = 7
KEPT: list[Any] = []
"""

_TYPES = {
    "number": "int",
    "box": "list[Any]",
    "sum": "Annotated[int, operator.add]",
    "count": "Annotated[int, operator.add]",
    "list": "Annotated[list[Any], operator.add]",
    "messages": "Annotated[list[BaseMessage], add_messages]",
    "weave": "Annotated[str, weave]",
    "grown": "Annotated[list[Any], grow]",
    "flash": "Annotated[int, EphemeralValue]",
    "hidden": "Annotated[int, UntrackedValue]",
    "any": "Annotated[int, AnyValue]",
    "delta": "Annotated[list[Any], DeltaChannel(gather)]",
}


def source_of(spec: Spec) -> str:
    """The module of a graph and of the graphs inside it."""
    delta = any(key.kind == "delta" for key in spec.every_key())
    older = len(spec.nodes) % 2  # both spellings of a state are in use
    typed_dict = "from typing_extensions import TypedDict\n" if older else "from typing import TypedDict\n"
    head = _HEAD.format(typed_dict=typed_dict, delta="from langgraph.channels import DeltaChannel\n" if delta else "")
    return head + "\n".join(_graph_lines(spec, "")) + "\n"


def function_name(prefix: str, name: str) -> str:
    return f"{prefix}node_{name}"


def _graph_lines(spec: Spec, prefix: str) -> Iterator[str]:
    yield from _state_lines(f"{prefix}State", spec.keys)
    for place, way in enumerate(spec.start):
        yield from _router_lines(spec, f"{prefix}start_{place}", f"{prefix}State", way, is_async=False)
    for node in spec.nodes:
        if node.inner is not None:
            yield from _graph_lines(node.inner, f"{prefix}in_{node.name}_")
        else:
            yield from _Function(spec, node, prefix).lines()
        for place, way in enumerate(node.routes):
            name = f"{prefix}route_{node.name}_{place}"
            yield from _router_lines(spec, name, f"{prefix}State", way, is_async=node.is_async and place % 2 == 1)


def _state_lines(name: str, keys: Iterable[Key]) -> Iterator[str]:
    yield from ("", "", f"class {name}(TypedDict, total=False):")
    fields = [f"    {key.name}: {_TYPES[key.kind]}" for key in keys]
    yield from fields or ["    pass"]


def _router_lines(spec: Spec, name: str, state: str, way: Way, *, is_async: bool) -> Iterator[str]:
    yield from ("", "", f"{'async ' if is_async else ''}def {name}(state: {state}) -> Any:")
    if way.fails:
        yield f"    raise LookupError('{name} knows no way')"
        return
    yield f"    choice = {_number(spec, way.by) if way.by else '0'}"
    yield from _way_lines(way, f"{name} sends", "0")
    yield "    return goto"


def _number(spec: Spec, key: str) -> str:
    """The value of a key, as a number to choose by."""
    if spec.has(key) and spec.kind(key) in ("number", "sum", "count", "flash", "hidden", "any"):
        return f'(state.get("{key}") or 0)'
    return f'len(state.get("{key}") or "")'


def _way_lines(way: Way, label: str, seen: str) -> Iterator[str]:
    """Lines that leave in `goto` where to go by `choice`."""
    if not way.sends:
        targets = ", ".join(f'"{target}"' for target in way.targets)
        index = f"min(choice, {len(way.targets) - 1})" if way.clamp else f"choice % {len(way.targets)}"
        chosen = f"({targets},)[{index}]" if len(way.targets) > 1 else f'"{way.targets[0]}"'
        yield f'    goto: Any = [{chosen}, "{way.also}"]' if way.also else f"    goto: Any = {chosen}"
        return
    numbers = ", ".join(map(str, way.sends))
    index = f"min(choice, {len(way.sends) - 1})" if way.clamp else f"choice % {len(way.sends)}"
    many = f"({numbers},)[{index}]" if len(way.sends) > 1 else numbers
    payload = "".join(f', "{key}": state.get("{key}")' for key in way.payload if key != way.fresh)
    payload += f', "{way.fresh}": [index, {seen}]' if way.fresh and not way.same else ""
    if len(way.targets) == 1:
        target = f'"{way.targets[0]}"'
    else:
        target = "(" + ", ".join(f'"{one}"' for one in way.targets) + f")[index % {len(way.targets)}]"
    if way.same:
        yield f'    packet = Send("{way.targets[0]}", {{"item": {seen}{payload}}})'
        yield f"    goto: Any = [packet] * {many}"
    else:
        item = f'{{"item": index, "from": {seen}{payload}}}'
        yield f"    goto: Any = [Send({target}, {item}) for index in range({many})]"
    if way.also:
        yield f'    goto.append("{way.also}")'


class _Function:
    """Writes the function of one node."""

    def __init__(self, spec: Spec, node: Node, prefix: str) -> None:
        self.spec = spec
        self.node = node
        self.name = function_name(prefix, node.name)
        self.state = f"{prefix}State"
        self.narrow = f"{self.name}_Input"

    def lines(self) -> Iterator[str]:
        node = self.node
        if node.narrow:
            yield from _state_lines(self.narrow, [key for key in self.spec.keys if key.name in self._looked_at()])
        yield from ("", "")
        if node.takes:
            yield f"@alto_lg.reading({', '.join(self._taken())})"
        if node.streams:
            yield "@alto_lg.streaming"
        if node.declares:
            yield f"@alto_lg.node({', '.join(self._declared())})"
        if node.batches:
            yield from self._of_a_list()
        else:
            yield f"{self._def(self.name)}({', '.join(self._parameters())}) -> Any:"
            yield from self._body()
        if node.handled:
            yield from ("", "", f"{self._def(self.name + '_handler')}(state: {self.state}) -> Any:")
            yield f'    log.info("{node.name}-handler %s", 0)'
            yield f"    return {self._update(node.writes, '1')}"

    def _of_a_list(self) -> Iterator[str]:
        """One after the other; one that fails, alone."""
        (state,) = self._parameters()
        output = "await one(state)" if self.node.is_async else "one(state)"
        yield "@alto_lg.batched(max_size=3, max_wait_ms=20)"
        yield f"{self._def(self.name)}({state.replace('state: ', 'states: list[')}]) -> Any:"
        yield f"    {self._def('one')}({state}) -> Any:"
        yield from (f"    {line}" for line in self._body())
        if not self.node.may_fail:
            yield f"    return [{output} for state in states]"
            return
        yield "    outputs: list[Any] = []"
        yield "    for state in states:"
        yield "        try:"
        yield f"            outputs.append({output})"
        yield "        except Exception as error:"
        yield "            outputs.append(error)"
        yield "    return outputs"

    def _def(self, name: str) -> str:
        return f"{'async ' if self.node.is_async else ''}def {name}"

    def _looked_at(self) -> list[str]:
        node = self.node
        goto = [node.goto.by, *node.goto.payload] if node.goto is not None else []
        names = [*node.reads, node.mutates, node.keeps, node.passes and node.reads[0], *goto]
        return [key.name for key in self.spec.keys if key.name in names]

    def _declared(self) -> Iterator[str]:
        node = self.node
        if "reads" in node.declares:
            yield f"reads={self._looked_at()!r}"
        if "writes" in node.declares:
            yield f"writes={list(node.writes)!r}"
        yield from (f"{one}=True" for one in node.declares if one in ("barrier", "pure"))

    def lists_taken(self) -> list[str]:
        """The lists that it reads, of which it takes a part, or one item after the other."""
        return [key for key in self.node.reads if self.node.takes and self.spec.kind(key) == "list"]

    def _taken(self) -> Iterator[str]:
        part = {"first": "First(2)", "stream": "Stream()", "arrivals": 'Stream("arrival")'}[self.node.takes]
        yield from (f"{key}=alto_lg.{part}" for key in self.lists_taken())

    def _parameters(self) -> Iterator[str]:
        yield f"state: {self.narrow if self.node.narrow else self.state}"
        if self.node.fails == "first":
            yield "runtime: Runtime[Any]"
        if self.node.store:
            yield "*, store: BaseStore"

    def _body(self) -> Iterator[str]:
        node = self.node
        yield f"    seen = {sum(map(ord, node.name))}"
        pause = list(self._pause())
        yield from pause if node.late else ()
        yield from self._reading()
        yield f'    log.info("{node.name} %s", seen)'
        yield from () if node.late else pause
        if node.speaks:
            # Events keep their order within a firing only, and a node has several in one step where packets come.
            yield f'    get_stream_writer()({{"from": f"{node.name} {{seen}}", "number": 1}})'
            yield f'    get_stream_writer()({{"from": f"{node.name} {{seen}}", "number": 2}})'
        for place in range(node.asks):
            yield f'    seen = mix(seen, interrupt("{node.name} asks {place}"))'
        yield from self._failing()
        yield from self._outside()
        yield from self._result()

    def _pause(self) -> Iterator[str]:
        node = self.node
        if not node.rest_ms and not node.by_item:
            return
        length = f'{node.rest_ms} + 7 * ((state.get("item") or 0) * 5 % 11)' if node.by_item else f"{node.rest_ms}"
        yield f"    await pause({length})" if node.is_async else f"    rest({length})"

    def _reading(self) -> Iterator[str]:
        node = self.node
        for key in node.reads:
            if key in self.lists_taken() and node.takes != "first":
                loop = "async for" if node.is_async else "for"
                found = f'[item {loop} item in state.get("{key}") or []]'
                yield f"    seen = mix(seen, {'sorted' if node.takes == 'arrivals' else ''}({found}))"
            elif self.spec.kind(key) == "messages":
                yield f'    seen = mix(seen, [message.content for message in state.get("{key}") or []])'
            else:
                yield f'    seen = mix(seen, state.get("{key}"))'
        if node.by_item:
            yield '    seen = mix(seen, state.get("item"))'
        if node.whole:
            yield "    seen = mix(seen, sorted(state))"
        if node.constant:
            yield "    seen += CONSTANT"
        if node.store == "get":
            yield '    found = store.get(("shelf",), "key")'
            yield "    seen = mix(seen, found.value if found else None)"

    def _failing(self) -> Iterator[str]:
        node = self.node
        if node.fails == "always":
            yield f'    raise ValueError(f"{node.name} failed after it saw {{seen}}")'
        elif node.fails == "odd":
            yield "    if seen % 2:"
            yield f'        raise ValueError(f"{node.name} failed after it saw {{seen}}")'
        elif node.fails == "first":
            yield "    if runtime.execution_info.node_attempt == 1:"
            yield f'        raise ConnectionError("{node.name} failed at first")'

    def _outside(self) -> Iterator[str]:
        node = self.node
        if node.store == "put":
            yield '    store.put(("shelf",), "key", {"seen": seen})'
        if node.mutates:
            yield f'    if isinstance(state.get("{node.mutates}"), list):'
            yield f'        state["{node.mutates}"].append(seen)'
        if node.stirs:
            yield "    if KEPT and isinstance(KEPT[-1], list):"
            yield "        KEPT[-1].append(seen)"
        if node.keeps:
            yield f'    KEPT.append(state.get("{node.keeps}"))'

    def _result(self) -> Iterator[str]:
        if self.node.streams:
            yield from self._yields()
        else:
            yield from self._returns()

    def _yields(self) -> Iterator[str]:
        """Its update, one part after the other; lists in two parts."""
        node = self.node
        if node.result == "sometimes":
            yield "    if seen % 3 == 0:"
            yield "        return"
        for key in node.writes if node.wavers else ():
            yield f"    yield {self._update([key], '(seen + 3)')}"
            yield from self._short_pause()
            if self.spec.kind(key) == "list":
                yield f'    yield {{"{key}": Overwrite([f"{node.name} anew"])}}'
        for key in node.writes:
            parts = ("seen", "(seen + 1)") if self.spec.kind(key) in ("list", "sum", "weave", "delta") else ("seen",)
            for part in parts:
                yield from self._short_pause()
                update = self._update([key], part)
                yield f"    yield Command(update={update})" if node.result == "command" else f"    yield {update}"
        if node.goto is not None:
            yield f"    choice = {_number(self.spec, node.goto.by) if node.goto.by else 'seen'}"
            yield from _way_lines(node.goto, node.name, "seen")
            yield "    for destination in goto if isinstance(goto, list) else [goto]:"
            yield from (f"    {line}" for line in self._short_pause())
            yield "        yield Command(goto=destination)"
        yield "    yield None"

    def _short_pause(self) -> Iterator[str]:
        yield "    await pause(15)" if self.node.is_async else "    rest(15)"

    def _returns(self) -> Iterator[str]:
        node = self.node
        if node.fails == "always":
            return
        if node.result == "sometimes":
            yield "    if seen % 3 == 0:"
            yield "        return None"
        if node.result == "none":
            yield "    return None"
            return
        if node.result == "empty":
            yield "    return []"
            return
        writes, values = node.writes, "seen"
        if node.twin:
            yield "    shared: list[Any] = [seen]"
        if node.goto is not None:
            goto = node.goto
            yield f"    choice = {_number(self.spec, goto.by) if goto.by else 'seen'}"
            yield from _way_lines(goto, node.name, "seen")
            parent = "graph=Command.PARENT, " if goto.parent else ""
            yield f"    return Command({parent}update={self._update(writes, values)}, goto=goto)"
        elif node.result == "updates":
            half = len(writes) // 2
            first, second = self._update(writes[:half], values), self._update(writes[half:], values)
            yield f"    return [{first}, Command(update={second})]"
        elif node.result == "command":
            yield f"    return Command(update={self._update(writes, values)})"
        else:
            yield f"    return {self._update(writes, values)}"

    def _update(self, keys: Iterable[str], seen: str) -> str:
        return "{" + ", ".join(f'"{key}": {self._value(key, seen)}' for key in keys) + "}"

    def _value(self, key: str, seen: str) -> str:
        node, kind = self.node, self.spec.kind(key)
        if node.passes == key:
            return f'state.get("{node.reads[0]}") or []'
        if node.twin and kind in ("box", "list", "grown", "delta") and seen == "seen":
            return "shared"
        match kind:
            case "sum":
                return f"{seen} % 5"
            case "count":
                return "1"
            case "box" | "grown":
                return f"[{seen}]"
            case "list" | "delta":
                return f'[f"{node.name} {{{seen}}}"]'
            case "weave":
                return f'f"{node.name}{{{seen} % 10}}"'
            case "messages":
                identity = "" if len(node.name) > 1 else f', id=f"{node.name}{{{seen}}}"'
                return f'[AIMessage(content=f"{node.name} {{{seen}}}"{identity})]'
        return seen
