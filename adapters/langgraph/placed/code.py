"""The code of a node on a worker, and what it finds there.

Owns the far side: everything here runs in another process than the graph. Always true:
  the node has the config that it would have beside the graph, without what leads back to the graph;
  what cannot be had there is an object whose first use says so, and names the node;
  what the node raises goes back as it is, if it can.
"""

from __future__ import annotations

import copy
import functools
import itertools
import time
import traceback
from collections.abc import AsyncIterator, Callable, Hashable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import copy_context
from typing import Any, NamedTuple, NoReturn

from langchain_core.runnables import RunnableConfig
from langchain_core.runnables.config import ensure_config, var_child_runnable_config
from langgraph.errors import GraphInterrupt
from langgraph.runtime import ExecutionInfo, Runtime

from alto_lg.adapters.langgraph.config_keys import KEPT
from alto_lg.adapters.langgraph.internals import (
    CONF,
    CONFIG_KEY_CALL,
    CONFIG_KEY_RUNTIME,
    CONFIG_KEY_SCRATCHPAD,
    CONFIG_KEY_SEND,
    PregelScratchpad,
)
from alto_lg.adapters.langgraph.mistakes.fingerprints import fingerprint, is_container
from alto_lg.adapters.langgraph.placed.keeping import forget, keeping
from alto_lg.adapters.placement.calling import Answer, Item
from alto_lg.adapters.placement.leases import Group
from alto_lg.errors import NotPortable

Dumps = Callable[[Any], bytes]


class Sent(NamedTuple):
    """What a worker is sent for a firing.

    input: of the node. config: what of its config can go. runtime: the fields of its `Runtime` that can go, its
    `ExecutionInfo` as the values of its fields, which take a third of the time to pickle.
    has_store: whether there is a store beside the graph. watch: the node may change its input in place.
    group: what the firing belongs to, of a node that keeps something for groups.
    """

    input: Any
    config: dict[str, Any]
    runtime: dict[str, Any]
    has_store: bool
    watch: bool
    group: Group | None


class Absent:
    """Stands for something that did not come along: every use of it but to show it is an error."""

    def __init__(self, node: str, what: str, move: str) -> None:
        self.__dict__.update(_node=node, _what=what, _move=move)

    def _refuse(self, *args: Any, **kwargs: Any) -> NoReturn:
        raise NotPortable(self._node, f"{self._what} is not there: {self._move}")

    def __reduce__(self) -> tuple[Any, ...]:
        return Absent, (self._node, self._what, self._move)

    def __repr__(self) -> str:
        return f"<{self._what} is not sent to the worker of {self._node!r}>"

    def __format__(self, spec: str) -> str:
        return repr(self)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__") and name.endswith("__"):  # asked by copy, pickle and inspect of any object
            raise AttributeError(name)
        self._refuse()

    __call__ = __getitem__ = __setitem__ = __setattr__ = __iter__ = __len__ = __contains__ = _refuse
    __bool__ = __eq__ = __lt__ = __add__ = __enter__ = __aenter__ = _refuse
    __hash__ = None  # type: ignore[assignment]


class Code:
    """A node's function or runnable. It travels by cloudpickle, once for each worker.

    bound: what runs; for a streaming node what makes its generator. is_async: it is to be awaited.
    """

    def __init__(self, node: str, bound: Any, *, is_async: bool) -> None:
        self.node = node
        self.bound = bound
        self.is_async = is_async

    def run(self, sent: Sent, dumps: Dumps) -> Answer:
        """Run a firing by the synchronous API."""
        with _firing(self.node, sent, dumps) as firing:
            try:
                context = copy_context()
                context.run(var_child_runnable_config.set, firing.config)
                value = context.run(self.bound.invoke, sent.input, firing.config)
            except Exception as error:
                return firing.failed(error)
            return firing.ended(value)

    async def arun(self, sent: Sent, dumps: Dumps) -> Answer:
        """Run a firing in the task that awaits this."""
        with _firing(self.node, sent, dumps) as firing:
            var_child_runnable_config.set(firing.config)
            try:
                value = await self.bound.ainvoke(sent.input, firing.config)
            except Exception as error:
                return firing.failed(error)
            return firing.ended(value)

    def run_here(self, sent: Sent, dumps: Dumps) -> Answer:
        """Run a firing where there is no event loop."""
        if not self.is_async:
            return self.run(sent, dumps)
        import asyncio

        return asyncio.run(self.arun(sent, dumps))

    def stream(self, sent: Sent, dumps: Dumps) -> Iterator[Item | Answer]:
        """Run a firing of a generator: what it yields, then the answer."""
        with _firing(self.node, sent, dumps) as firing:
            context = copy_context()
            context.run(var_child_runnable_config.set, firing.config)
            end = object()
            try:
                partials = iter(context.run(self.bound.invoke, sent.input, firing.config))
                while (value := context.run(next, partials, end)) is not end:
                    yield firing.item(value)
            except Exception as error:
                yield firing.failed(error)
            else:
                yield firing.ended(None)

    async def astream(self, sent: Sent, dumps: Dumps) -> AsyncIterator[Item | Answer]:
        """The same, of an async generator, in the task that awaits this."""
        with _firing(self.node, sent, dumps) as firing:
            var_child_runnable_config.set(firing.config)
            try:
                async for value in self.bound.invoke(sent.input, firing.config):
                    yield firing.item(value)
            except Exception as error:
                yield firing.failed(error)
            else:
                yield firing.ended(None)

    def forget(self, run: Hashable) -> None:
        """A run is over: what the node kept for its groups is dropped."""
        forget(run)


@contextmanager
def _firing(node: str, sent: Sent, dumps: Dumps) -> Iterator[_Firing]:
    firing = _Firing(node, sent, dumps)
    if sent.group is None:
        yield firing
        return
    with keeping(sent.group) as firing.config[CONF][KEPT]:
        yield firing


class _Firing:
    """One firing on its worker."""

    def __init__(self, node: str, sent: Sent, dumps: Dumps) -> None:
        self._node = node
        self._dumps = dumps
        self._said: list[Any] = []
        self._input = sent.input
        self._before = _prints(sent.input) if sent.watch else {}
        self.config = _config(node, sent, self._said.append)
        self._began = time.perf_counter()

    def item(self, value: Any) -> Item:
        said, self._said[:] = tuple(self._said), ()
        return Item(said, value)

    def ended(self, value: Any) -> Answer:
        node_s = time.perf_counter() - self._began
        after = _prints(self._input) if self._before else {}
        for key, print in self._before.items():
            if after.get(key) != print:
                return self.failed(
                    NotPortable(
                        self._node,
                        f"changed {key!r} in place, which nobody sees from there: return {{{key!r}: …}} instead",
                    )
                )
        return Answer(node_s, tuple(self._said), value)

    def failed(self, error: Exception) -> Answer:
        node_s = time.perf_counter() - self._began
        text = "".join(traceback.format_exception(error))
        return Answer(node_s, tuple(self._said), None, _portable(error, self._node, self._dumps), text)


def _config(node: str, sent: Sent, write: Callable[[Any], None]) -> RunnableConfig:
    def absent(what: str, move: str) -> Any:
        return Absent(node, what, move)

    runtime = sent.runtime
    if runtime["execution_info"] is not None:
        runtime = {**runtime, "execution_info": ExecutionInfo(*runtime["execution_info"])}
    store = absent("the graph's store", "read what the node needs in a node before it, and pass it by the state")
    pause = absent("interrupt()", "call it in a node that is not placed")
    config = ensure_config(sent.config)  # type: ignore[arg-type]
    config[CONF] |= {
        CONFIG_KEY_RUNTIME: Runtime(**runtime, stream_writer=write, store=store if sent.has_store else None),
        CONFIG_KEY_CALL: absent("@task", "call the function itself, or call the task in a node that is not placed"),
        CONFIG_KEY_SEND: absent("LangGraph's channel for writes", "return them"),
        CONFIG_KEY_SCRATCHPAD: PregelScratchpad(
            step=config["metadata"].get("langgraph_step", 0),
            stop=0,
            call_counter=_counter(),
            interrupt_counter=pause,
            get_null_resume=pause,
            resume=[],
            subgraph_counter=_counter(),
        ),
    }
    return config


def _counter() -> Callable[[], int]:
    return functools.partial(next, itertools.count())


def _prints(given: Any) -> dict[str, Any]:
    """Of the values in a node's input: the input itself is the node's own."""
    values = given if isinstance(given, Mapping) else getattr(given, "__dict__", {})
    return {key: fingerprint(value) for key, value in values.items() if is_container(value)}


def _portable(error: Exception, node: str, dumps: Dumps) -> Exception:
    """The error, if the graph can have it as it was raised; else one that says what it was."""
    if isinstance(error, GraphInterrupt):
        return NotPortable(node, "a graph in it called interrupt(), which only works beside the graph: do not place it")
    try:
        dumps(error)
        again = copy.copy(error)  # as unpickling makes it, without unpickling
        if type(again) is type(error) and again.args == error.args:
            return error
        why = "is another one when it is pickled"
    except Exception as reason:
        why = f"cannot be pickled ({type(reason).__name__}: {reason})"
    return NotPortable(node, f"raised {type(error).__name__}: {error}, which {why}")
