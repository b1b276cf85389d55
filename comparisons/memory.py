"""Resident memory of this process, from Linux's files in /proc.

Always true: the peak is that since it was last started afresh; where the system has no such files, or does not let the
process start its peak afresh, memory is not known, and nothing else is put in its place.
"""

from __future__ import annotations

from pathlib import Path

_STATUS, _RESET = Path("/proc/self/status"), Path("/proc/self/clear_refs")
_RESET_PEAK = "5"


def start_peak_afresh() -> bool:
    """Let the peak begin at what is resident now; False where that cannot be."""
    try:
        _RESET.write_text(_RESET_PEAK)
    except OSError:
        return False
    return True


def resident_bytes() -> int:
    """Resident now."""
    return _read("VmRSS")


def peak_bytes() -> int:
    """The most that was resident since `start_peak_afresh`."""
    return _read("VmHWM")


def _read(name: str) -> int:
    for line in _STATUS.read_text().splitlines():
        if line.startswith(f"{name}:"):
            return int(line.split()[1]) * 1024
    raise OSError(f"{_STATUS} has no line {name}")
