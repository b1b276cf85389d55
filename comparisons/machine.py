"""What the figures were measured with: versions and machine, for the first line of a results file."""

from __future__ import annotations

import importlib.metadata
import os
import platform
from pathlib import Path
from typing import Any

_DISTRIBUTIONS = {"alto_lg": "alto-lg", "langgraph": "langgraph", "openai": "openai"}
_PROCESSOR_FILE = Path("/proc/cpuinfo")


def versions() -> dict[str, str]:
    """Of Python and of the libraries that the figures depend on."""
    found = {name: importlib.metadata.version(dist) for name, dist in _DISTRIBUTIONS.items()}
    return {"python": platform.python_version(), **found}


def machine() -> dict[str, Any]:
    """Processor and system; nothing that names the machine or its owner."""
    return {"cpus": usable_cpus(), "processor": _processor_name(), "system": platform.system()}


def made_with() -> str:
    """Both in one line, for under a table."""
    libraries = ", ".join(f"{name} {version}" for name, version in versions().items())
    computer = machine()
    return f"{libraries}; {computer['cpus']} cpus, {computer['processor']}."


def usable_cpus() -> int:
    """How many this process may use."""
    # A container is often given fewer than the machine has.
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _processor_name() -> str:
    """Linux keeps the name in a file, where `platform.processor()` gives only the architecture."""
    if _PROCESSOR_FILE.exists():
        for line in _PROCESSOR_FILE.read_text(encoding="utf-8", errors="replace").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()
