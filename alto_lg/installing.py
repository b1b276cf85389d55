"""Installing: from now on, every graph that this process makes is accelerated.

Owns whether that is so, and with which options. Always true: while it is so, what `StateGraph.compile()` and
`@entrypoint` return has gone through `accelerate`; when it is no longer, LangGraph is as it was found.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from typing import Any

from alto_lg import startup
from alto_lg.accelerate import accelerate
from alto_lg.options import Options

graph_observers: list[Callable[[Any], None]] = []
"""Called with every graph that was accelerated because of `install`."""

_DEFAULTS: Mapping[str, Any] = {"annotate": False}
_lock = threading.Lock()
_installed: Mapping[str, Any] | None = None


def install(**accelerate_options: Any) -> None:
    """Accelerate every graph that is made in this process from now on.

    That is what `StateGraph.compile()` and `@entrypoint` return, in your code and in libraries: prebuilt agents, too.
    Calling it again with the same options does nothing.

    Args:
        accelerate_options: As for `alto_lg.accelerate`, without `hints`, which name the nodes of one graph. `annotate`
            is False unless you set it: code that knows nothing of alto_lg finds what LangGraph shows, to the letter.

    Raises:
        TypeError: An option that `accelerate` does not have, or `hints`.
        ValueError: An option has a value that it cannot have, or other options are installed already.
    """
    global _installed
    for name in {"hints", "placement"} & accelerate_options.keys():
        raise TypeError(
            f"install() takes no {name}, because they name the nodes of one graph. Decorate the functions of its nodes "
            f"with alto_lg.node, or pass {name} to alto_lg.accelerate(graph, {name}=...)."
        )
    options = {**_DEFAULTS, **accelerate_options}
    Options(**options)  # raises here, and not in somebody's compile()
    import langgraph.func
    import langgraph.graph.state  # noqa: F401 -- both are patched, and so must have been imported

    with _lock:
        if _installed is not None and Options(**_installed) != Options(**options):
            raise ValueError(
                f"alto_lg is installed already with {_in_words(_installed)}; install() got "
                f"{_in_words(accelerate_options)}. Call alto_lg.uninstall() first to change them."
            )
        if _installed is None:
            _installed = options
            startup.patch_all(accelerated)


def install_unless_installed() -> None:
    """What `ALTO_LG=1` does, unless the program has chosen options of its own."""
    if _installed is None:
        install()


def uninstall() -> None:
    """Leave the graphs that are made from now on to LangGraph; those made before stay as they are.

    Undoes `install()`, and `ALTO_LG=1`. Harmless where neither was.
    """
    global _installed
    with _lock:
        _installed = None
        startup.undo_all()


def accelerated(graph: Any) -> Any:
    """A graph that was just made, accelerated with the options that are installed; anything else as it is."""
    from alto_lg.adapters.langgraph.acceleration import acceleration_of, can_be_accelerated

    options = _installed
    if options is None or not can_be_accelerated(graph):
        return graph
    made = accelerate(graph, **options)
    acceleration = acceleration_of(made)
    if made is not graph and acceleration is not None:
        acceleration.installed = True
        for observe in list(graph_observers):
            observe(made)
    return made


def _in_words(options: Mapping[str, Any]) -> str:
    chosen = {name: value for name, value in options.items() if (name, value) not in _DEFAULTS.items()}
    return ", ".join(f"{name}={value!r}" for name, value in chosen.items()) or "the default options"
