"""Which applications can be compared, and how one is found by its name.

An application is named either by a word of the table below, or as `package.module:ATTRIBUTE` for one's own.
"""

from __future__ import annotations

import importlib
from typing import cast

from alto_lg.apps.base import Application
from alto_lg.comparisons.errors import UsageError

APPLICATIONS = {"factool": "alto_lg.apps.factool.application:FACTOOL"}


def load_application(name: str) -> Application:
    """The application of that name; `UsageError` when there is none."""
    module_name, colon, attribute = APPLICATIONS.get(name, name).partition(":")
    if not colon:
        raise UsageError(f"--app {name!r} is not known: give {' or '.join(APPLICATIONS)}, or package.module:ATTRIBUTE.")
    try:
        module = importlib.import_module(module_name)
    except ModuleNotFoundError as missing:
        if missing.name is None or not f"{module_name}.".startswith(f"{missing.name}."):
            raise
        raise UsageError(f"--app {name!r}: there is no module {module_name!r} to import.") from missing
    if not hasattr(module, attribute):
        raise UsageError(f"--app {name!r}: module {module_name!r} has no {attribute!r}.")
    return cast(Application, getattr(module, attribute))
