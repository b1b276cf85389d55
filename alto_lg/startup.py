"""Startup: `ALTO_LG=1` accelerates a whole process, with no change to its code.

Owns the patches of LangGraph's two ways to make a graph, and the import hook that sets them. The file `alto_lg.pth`
runs it when the interpreter starts, before the package is imported: so it imports neither LangGraph nor anything else
of the package until a graph is made, and a process that makes none pays for neither.
"""

from __future__ import annotations

import functools
import os
import sys
import warnings

TYPE_CHECKING = False
if TYPE_CHECKING:  # `typing` and `importlib.abc` would double the time that the interpreter takes to start
    from collections.abc import Callable, Sequence
    from importlib.abc import Loader
    from importlib.machinery import ModuleSpec
    from types import ModuleType
    from typing import Any, TypeAlias

    Transform: TypeAlias = Callable[[Any], Any]

VARIABLE = "ALTO_LG"

_MAKERS = {
    "langgraph.graph.state": ("StateGraph", "compile"),
    "langgraph.func": ("entrypoint", "__call__"),
}
"""Where graphs are made: module, class, method. Prebuilt agents come by the first."""


class Patch:
    """One method whose results are transformed, until `undo`.

    transform: what is done to each result; may be replaced at any time.
    """

    def __init__(self, owner: type, name: str, transform: Transform) -> None:
        self.transform: Transform | None = transform
        self._owner, self._name = owner, name
        self._original = original = vars(owner)[name]

        @functools.wraps(original)
        def patched(*args: Any, **kwargs: Any) -> Any:
            made = original(*args, **kwargs)
            transform = self.transform
            return made if transform is None else transform(made)

        self._patched = patched
        setattr(owner, name, patched)

    def undo(self) -> None:
        """Put back what was there. Where others have patched on top since, theirs stays, and this one does nothing."""
        self.transform = None
        if vars(self._owner)[self._name] is self._patched:
            setattr(self._owner, self._name, self._original)


patches: dict[str, Patch] = {}
"""Those in force, by module: of `ALTO_LG=1` or of `alto_lg.install()`, never of both."""


def begin() -> None:
    """What the environment asks for; called once, when the interpreter starts."""
    value = os.environ.get(VARIABLE, "")
    if value == "1":
        watch(_accelerated)
    elif value not in ("", "0"):
        warnings.warn(
            f"{VARIABLE}={value!r} says nothing to alto_lg: graphs run as plain LangGraph. "
            f"Set {VARIABLE}=1 to accelerate every graph of the process, {VARIABLE}=0 or nothing not to.",
            UserWarning,  # AltoWarning would import the package
            stacklevel=2,
        )


def watch(transform: Transform) -> None:
    """Patch what is imported already, and the rest when it is imported."""
    for module in _MAKERS:
        if module in sys.modules:
            patch(module, transform)
    if len(patches) < len(_MAKERS):
        sys.meta_path.insert(0, _Finder(transform))


def patch(module: str, transform: Transform) -> None:
    """Let `transform` have every graph that the maker in an imported module makes from now on."""
    if module in patches:
        patches[module].transform = transform
    else:
        owner, name = _MAKERS[module]
        patches[module] = Patch(getattr(sys.modules[module], owner), name, transform)


def patch_all(transform: Transform) -> None:
    """As `patch`, for every maker; all modules must be imported."""
    for module in _MAKERS:
        patch(module, transform)


def undo_all() -> None:
    """Leave LangGraph as it was found."""
    sys.meta_path[:] = [finder for finder in sys.meta_path if not isinstance(finder, _Finder)]
    while patches:
        patches.popitem()[1].undo()


def _accelerated(graph: Any) -> Any:
    """The first graph of the process has been made: now the package is worth its import."""
    from alto_lg import installing

    installing.install_unless_installed()
    return installing.accelerated(graph)


class _Finder:
    """Finds LangGraph's modules where they always were, and patches them once they have run."""

    def __init__(self, transform: Transform) -> None:
        self._transform = transform

    def find_spec(
        self, fullname: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if fullname not in _MAKERS:
            return None
        for finder in sys.meta_path:
            spec = None if finder is self else finder.find_spec(fullname, path, target)
            if spec is not None and spec.loader is not None:
                # Duck-typed: to be a `Loader` by class would cost the import that is saved above.
                spec.loader = _PatchingLoader(spec.loader, self._transform)  # type: ignore[assignment]
                return spec
        return None


class _PatchingLoader:
    """Loads one module with its own loader, and leaves no trace of itself in it."""

    def __init__(self, loader: Loader, transform: Transform) -> None:
        self._loader = loader
        self._transform = transform

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        return self._loader.create_module(spec)

    def exec_module(self, module: ModuleType) -> None:
        module.__loader__ = self._loader
        if module.__spec__ is not None:
            module.__spec__.loader = self._loader
        self._loader.exec_module(module)
        patch(module.__name__, self._transform)
