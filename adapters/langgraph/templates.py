"""Templates: the tasks of a step, each made from what all of them have in common.

For each task LangGraph merges the configs of the run and of the node, asks the callback manager for a child, and makes
two copies of the runtime. All but a few entries of the result are the same for every task of a step, and most of them
for every task of a run.

Always true: a task is, field by field, the one that LangGraph would make; where anything is out of the ordinary (writes
that are pending, a cache), LangGraph makes it.
"""

from __future__ import annotations

import binascii
import dataclasses
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cached_property, partial
from typing import Any

from langchain_core.runnables import RunnableConfig
from langgraph.runtime import ExecutionInfo
from langgraph.types import Send

from alto_lg.adapters.langgraph.direct import DirectSeq, DirectWrite, direct, has_handlers
from alto_lg.adapters.langgraph.internals import (
    CONF,
    CONFIG_KEY_CHECKPOINT_ID,
    CONFIG_KEY_CHECKPOINT_MAP,
    CONFIG_KEY_CHECKPOINT_NS,
    CONFIG_KEY_CHECKPOINTER,
    CONFIG_KEY_READ,
    CONFIG_KEY_RESUME_MAP,
    CONFIG_KEY_RUNTIME,
    CONFIG_KEY_SCRATCHPAD,
    CONFIG_KEY_SEND,
    CONFIG_KEY_TASK_ID,
    CONFIG_KEY_THREAD_ID,
    DEFAULT_RUNTIME,
    MISSING,
    NS_END,
    NS_SEP,
    PREVIOUS,
    PULL,
    PUSH,
    TASKS,
    PregelExecutableTask,
    PregelNode,
    PregelScratchpad,
    PregelTaskWrites,
    checkpoint_null_version,
    input_of,
    is_triggered,
    local_read,
    merge_configs,
    prepare_next_tasks,
    prepare_single_task,
    scratchpad_of,
    task_id_of,
)
from alto_lg.adapters.langgraph.stepping import RunChannels

_PUSH_TRIGGER = (PUSH,)
_PER_TASK = (CONF, "metadata", "callbacks", "run_name", "run_id")
"""Entries of a task's config that are not the run's."""
_FLAT = frozenset({str, int, float, bool, type(None)})
"""Kinds of values in metadata that need no copy; asked first, because the others are asked slowly."""


def prepare(
    checkpoint: Any,
    pending_writes: Any,
    processes: Mapping[str, PregelNode],
    channels: Mapping[str, Any],
    managed: Any,
    config: RunnableConfig,
    step: int,
    stop: int,
    *,
    trigger_to_nodes: Mapping[str, Sequence[str]] | None = None,
    updated_channels: set[str] | None = None,
    **options: Any,
) -> dict[str, Any]:
    """LangGraph's `prepare_next_tasks`: the tasks of the next step by their ids."""
    is_like_others = options["for_execution"] and options["manager"] is not None and options["cache_policy"] is None
    if not is_like_others or pending_writes or checkpoint["v"] <= 1 or not isinstance(channels, RunChannels):
        return prepare_next_tasks(
            checkpoint,
            pending_writes,
            processes,
            channels,
            managed,
            config,
            step,
            stop,
            trigger_to_nodes=trigger_to_nodes,
            updated_channels=updated_channels,
            **options,
        )
    if channels.template is None:
        shared = {name: options[name] for name in ("store", "checkpointer", "manager", "retry_policy")}
        channels.template = Template(processes, managed, config, stop, **shared)
    template = channels.template
    template.begin(checkpoint, channels, step)
    tasks = []
    queue = channels.get(TASKS)
    if queue is not None and queue.is_available():
        tasks = [template.push(place, packet) for place, packet in enumerate(queue.get())]
    versions = checkpoint["channel_versions"]
    null_version: Any = checkpoint_null_version(checkpoint)
    for name in _candidates(processes, trigger_to_nodes, updated_channels) if versions else ():
        if is_triggered(channels, versions, checkpoint["versions_seen"].get(name), null_version, processes[name]):
            tasks.append(template.pull(name))
    return {task.id: task for task in tasks if task is not None}


def _candidates(
    processes: Mapping[str, PregelNode],
    trigger_to_nodes: Mapping[str, Sequence[str]] | None,
    updated_channels: set[str] | None,
) -> Iterable[str]:
    """The nodes that may be triggered by name, in LangGraph's order."""
    if not updated_channels or not trigger_to_nodes:
        return processes
    triggered = {name for channel in updated_channels for name in trigger_to_nodes.get(channel, ())}
    return sorted(name for name in triggered if name in processes)


class Template:
    """What the tasks of one run have in common, and those of one of its steps."""

    def __init__(
        self,
        processes: Mapping[str, PregelNode],
        managed: Any,
        config: RunnableConfig,
        stop: int,
        *,
        store: Any,
        checkpointer: Any,
        manager: Any,
        retry_policy: Any,
    ) -> None:
        self._processes = processes
        self._managed = managed
        self._config = config
        self._stop = stop
        self._store = store
        self._checkpointer = checkpointer
        self._manager = manager
        self._retry_policy = retry_policy
        configurable = config[CONF]
        self._parent = configurable.get(CONFIG_KEY_CHECKPOINT_NS, "")
        self._of_run: Mapping[str, Any] = config.get("metadata") or {}
        self._nested = [
            key for key, value in self._of_run.items() if type(value) not in _FLAT and isinstance(value, Mapping)
        ]
        self._prefix = f"{self._parent}{NS_SEP}" if self._parent else ""
        self._saver = checkpointer or configurable.get(CONFIG_KEY_CHECKPOINTER)
        self._shared = {key: value for key, value in config.items() if key not in _PER_TASK}
        if self._shared:
            self._shared = merge_configs(self._shared)  # type: ignore[arg-type, assignment]
        # Nobody adds to the manager of a node that runs without callbacks, so all of a run's may have one.
        self._unheard = None if has_handlers(manager) else manager.get_child()
        self._runtime = _with_fields(configurable.get(CONFIG_KEY_RUNTIME, DEFAULT_RUNTIME), store=store)
        self._thread_id = configurable.get(CONFIG_KEY_THREAD_ID)
        run_id = config.get("run_id")
        self._run_id = str(run_id) if run_id else None

    def begin(self, checkpoint: Any, channels: Mapping[str, Any], step: int) -> None:
        """From here on it is about the tasks of this step, which read these channels."""
        self._checkpoint = checkpoint
        self._checkpoint_id = checkpoint["id"]
        self._id = binascii.unhexlify(self._checkpoint_id.replace("-", ""))
        self._channels = channels
        self._step = step
        self._inputs: dict[Any, Any] = {}
        self._metadata = {**self._of_run, "langgraph_step": step}
        self._previous = checkpoint["channel_values"].get(PREVIOUS)

    def push(self, place: int, packet: Any) -> PregelExecutableTask | None:
        """The task of a packet, by its place in the queue."""
        proc = self._processes.get(packet.node) if isinstance(packet, Send) else None
        if not isinstance(proc, TemplateNode) or not proc.is_ordinary:
            return self._by_langgraph((PUSH, place))
        name = packet.node
        namespace = self._prefix + name
        task_id = task_id_of(self._id, namespace, str(self._step), name, PUSH, str(place))
        namespace = f"{namespace}{NS_END}{task_id}"
        timeout = packet.timeout if packet.timeout is not None else proc.timeout
        scratchpad = self._scratchpad(task_id, namespace)
        path = (PUSH, place, False)  # not made by a call
        return self._task(name, proc, packet.arg, path, _PUSH_TRIGGER, task_id, namespace, scratchpad, timeout)

    def pull(self, name: str) -> PregelExecutableTask | None:
        """The task of a node that has been triggered by name."""
        proc = self._processes[name]
        path = (PULL, name)
        if not isinstance(proc, TemplateNode) or not proc.is_ordinary:
            return self._by_langgraph(path)
        namespace = self._prefix + name
        task_id = task_id_of(self._id, namespace, str(self._step), name, PULL, *proc.in_order)
        namespace = f"{namespace}{NS_END}{task_id}"
        scratchpad = self._scratchpad(task_id, namespace)
        try:
            value = input_of(
                proc,
                self._managed,
                self._channels,
                for_execution=True,
                input_cache=self._inputs,
                scratchpad=scratchpad,
            )
        except Exception as error:
            error.add_note(f"Before task with name '{name}' and path '{path}'")
            raise
        if value is MISSING:
            return None
        return self._task(name, proc, value, path, proc.in_order, task_id, namespace, scratchpad, proc.timeout)

    def _by_langgraph(self, path: tuple[Any, ...]) -> PregelExecutableTask | None:
        made = prepare_single_task(
            path,
            None,
            checkpoint=self._checkpoint,
            checkpoint_id_bytes=self._id,
            checkpoint_null_version=checkpoint_null_version(self._checkpoint),
            pending_writes=[],
            processes=self._processes,
            channels=self._channels,
            managed=self._managed,
            config=self._config,
            step=self._step,
            stop=self._stop,
            for_execution=True,
            store=self._store,
            checkpointer=self._checkpointer,
            manager=self._manager,
            input_cache=self._inputs,
            retry_policy=self._retry_policy,
        )
        assert made is None or isinstance(made, PregelExecutableTask)
        return made

    def _scratchpad(self, task_id: str, namespace: str) -> PregelScratchpad:
        configurable = self._config[CONF]
        return scratchpad_of(
            configurable.get(CONFIG_KEY_SCRATCHPAD),
            [],
            task_id,
            namespace,
            configurable.get(CONFIG_KEY_RESUME_MAP),
            self._step,
            self._stop,
        )

    def _task(
        self,
        name: str,
        proc: TemplateNode,
        value: Any,
        path: tuple[Any, ...],
        triggers: tuple[str, ...],
        task_id: str,
        namespace: str,
        scratchpad: PregelScratchpad,
        timeout: Any,
    ) -> PregelExecutableTask:
        writes: deque[tuple[str, Any]] = deque()
        is_unheard = self._unheard is not None and proc.may_be_unheard
        config: Any = {
            **self._shared,
            "metadata": {
                **self._metadata,
                **{key: dict(self._metadata[key]) for key in self._nested},
                "langgraph_node": name,
                "langgraph_triggers": triggers,
                "langgraph_path": path,
                "langgraph_checkpoint_ns": namespace,
                **{key: dict(one) if isinstance(one, Mapping) else one for key, one in proc.own_metadata},
            },
            "callbacks": self._unheard if is_unheard else self._manager.get_child(f"graph:step:{self._step}"),
            "run_name": name,
            CONF: {
                **self._config[CONF],
                CONFIG_KEY_TASK_ID: task_id,
                CONFIG_KEY_SEND: writes.extend,
                CONFIG_KEY_READ: partial(
                    read_asked,
                    scratchpad,
                    self._channels,
                    self._managed,
                    PregelTaskWrites(path, name, writes, triggers),
                ),
                CONFIG_KEY_CHECKPOINTER: self._saver,
                CONFIG_KEY_CHECKPOINT_MAP: {
                    **self._config[CONF].get(CONFIG_KEY_CHECKPOINT_MAP, {}),
                    self._parent: self._checkpoint_id,
                },
                CONFIG_KEY_CHECKPOINT_ID: None,
                CONFIG_KEY_CHECKPOINT_NS: namespace,
                CONFIG_KEY_SCRATCHPAD: scratchpad,
                CONFIG_KEY_RUNTIME: self._runtime(
                    previous=self._previous,
                    execution_info=ExecutionInfo(
                        checkpoint_id=self._checkpoint_id,
                        checkpoint_ns=namespace,
                        task_id=task_id,
                        thread_id=self._thread_id,
                        run_id=self._run_id,
                    ),
                ),
            },
        }
        if proc.tags:
            tags: Any = self._shared.get("tags")
            config["tags"] = [*tags, *proc.tags] if tags else proc.tags
        return PregelExecutableTask(
            name,
            value,
            proc.node,
            writes,
            config,
            triggers,
            proc.retry_policy or self._retry_policy,
            None,
            task_id,
            path,
            writers=proc.flat_writers,
            subgraphs=proc.subgraphs,
            timeout=timeout,
        )


class TemplateNode(PregelNode):
    """A node of an accelerated graph, with what its tasks have in common in all runs.

    Made when it first runs, as LangGraph makes what runs it.
    """

    @cached_property
    def node(self) -> Any:
        return direct(vars(PregelNode)["node"].func(self))

    @cached_property
    def in_order(self) -> tuple[str, ...]:
        """Its triggers."""
        return tuple(sorted(self.triggers))

    @cached_property
    def is_ordinary(self) -> bool:
        """Whether its tasks are made here."""
        return self.cache_policy is None and self.node is not None

    @cached_property
    def may_be_unheard(self) -> bool:
        """Whether it needs no callback manager of its own where nobody listens."""
        node = self.node
        return isinstance(node, DirectWrite) or (isinstance(node, DirectSeq) and not node.is_recorded)

    @cached_property
    def own_metadata(self) -> tuple[tuple[str, Any], ...]:
        return tuple((self.metadata or {}).items())

    def copy(self, update: dict[str, Any]) -> PregelNode:
        for name in ("in_order", "is_ordinary", "may_be_unheard", "own_metadata"):
            vars(self).pop(name, None)  # else LangGraph takes them for fields; they are made again
        return super().copy(update)


def read_asked(
    scratchpad: Any, channels: Mapping[str, Any], managed: Any, task: Any, select: Any, fresh: bool = False
) -> Any:
    """LangGraph's `local_read`, which copies every channel that it is given: only those that are asked for."""
    asked = {key: channels[key] for key in ([select] if isinstance(select, str) else select) if key in channels}
    return local_read(scratchpad, asked, managed, task, select, fresh)


def _with_fields(runtime: Any, **fields: Any) -> Callable[..., Any]:
    """Makes runtimes like `runtime` with these fields and others that are given."""
    kind: Callable[..., Any] = type(runtime)
    kept = {field.name: getattr(runtime, field.name) for field in dataclasses.fields(runtime)}
    return partial(kind, **{**kept, **fields})
