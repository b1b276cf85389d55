"""Which applications can be compared, and how one is found by its name.

An application is named either by a word of the table below, or as `package.module:ATTRIBUTE` for one's own.
"""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from pathlib import Path
from typing import cast

from alto_lg.apps.base import Application, Request
from alto_lg.comparisons.errors import UsageError

APPLICATIONS = {
    "agent": "alto_lg.apps.agent.application:AGENT",
    "factool": "alto_lg.apps.factool.application:FACTOOL",
    "ircot": "alto_lg.apps.ircot.application:IRCOT",
    "llmcompiler": "alto_lg.apps.llmcompiler.application:LLMCOMPILER",
    "storm": "alto_lg.apps.storm.application:STORM",
    "tot": "alto_lg.apps.tot.application:TOT",
    "wikichat": "alto_lg.apps.wikichat.application:WIKICHAT",
}


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


def is_sync(application: Application) -> bool:
    """Whether its graphs run without an event loop, too; an application says so by `sync = True`."""
    return bool(getattr(application, "sync", False))


def load_requests(
    application: Application, corpus: Path | None, questions: Path | None, items: int | None
) -> Sequence[Request]:
    """The workload, with so many items a request if asked for; `UsageError` when there can be none."""
    requests = application.workload(corpus=corpus, questions=questions)
    if not requests:
        raise UsageError("the workload is empty: there is no request to run; see --questions.")
    if items is None:
        return requests
    try:
        return application.sized(requests, items)
    except ValueError as error:
        raise UsageError(f"--items {items}: {error}.") from error
