"""A real browser, driven over its debugging pipe: what a page asks for, complains of, and how wide it comes out.

Owns the process. Always true: it has a profile of its own, and is gone when the block ends.
"""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

NAMES = ("chromium", "chromium-browser", "google-chrome")
FOUND = next((path for name in NAMES if (path := shutil.which(name))), None)
_FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-extensions",
    "--remote-debugging-pipe",
]


@dataclass(frozen=True, slots=True)
class Seen:
    """What a page did.

    requests: the addresses that it asked for, its own included. complaints: errors and warnings of the console.
    """

    requests: tuple[str, ...]
    complaints: tuple[str, ...]


@dataclass(slots=True)
class Browser:
    """One tab."""

    out: int
    into: int
    _session: str = ""
    _number: int = 0
    _rest: bytes = b""
    _events: list[dict[str, Any]] = field(default_factory=list)

    def open_tab(self) -> None:
        """Before anything else."""
        target = self._ask("Target.createTarget", url="about:blank")["targetId"]
        self._session = self._ask("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Network", "Log", "Runtime"):
            self._ask(f"{domain}.enable")

    def visit(self, page: Path, *, width: int, theme: str) -> Seen:
        """Load a page from disk, at this width, for a reader who prefers this theme."""
        size = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 600}
        self._ask("Emulation.setDeviceMetricsOverride", **size)
        self._ask("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": theme}])
        self._events.clear()
        self._ask("Page.navigate", url=page.as_uri())
        while not any(event["method"] == "Page.loadEventFired" for event in self._events):
            self._read()
        return Seen(tuple(self._requests()), tuple(self._complaints()))

    def value(self, expression: str) -> Any:
        """What a JavaScript expression is on the page."""
        return self._ask("Runtime.evaluate", expression=expression, returnByValue=True)["result"].get("value")

    def press(self, key: str) -> None:
        """A key, with nothing held down."""
        self._ask("Input.dispatchKeyEvent", type="keyDown", key=key, code=key, windowsVirtualKeyCode=9)
        self._ask("Input.dispatchKeyEvent", type="keyUp", key=key, code=key, windowsVirtualKeyCode=9)

    def _requests(self) -> Iterator[str]:
        for event in self._events:
            if event["method"] == "Network.requestWillBeSent":
                yield event["params"]["request"]["url"]

    def _complaints(self) -> Iterator[str]:
        for event in self._events:
            if event["method"] == "Log.entryAdded":
                yield event["params"]["entry"]["text"]
            elif event["method"] in ("Runtime.exceptionThrown", "Runtime.consoleAPICalled"):
                yield json.dumps(event["params"])

    def _ask(self, method: str, **params: Any) -> dict[str, Any]:
        self._number += 1
        message: dict[str, Any] = {"id": self._number, "method": method, "params": params}
        if self._session:
            message["sessionId"] = self._session
        os.write(self.into, json.dumps(message).encode() + b"\0")
        while True:
            answer = self._read()
            if answer.get("id") == self._number:
                assert "error" not in answer, answer
                return dict(answer["result"])

    def _read(self) -> dict[str, Any]:
        while b"\0" not in self._rest:
            read = os.read(self.out, 1 << 16)
            assert read, "the browser has closed its pipe"
            self._rest += read
        line, _, self._rest = self._rest.partition(b"\0")
        message: dict[str, Any] = json.loads(line)
        if "method" in message:
            self._events.append(message)
        return message


@contextmanager
def browser() -> Iterator[Browser]:
    """A browser with one tab; needs `FOUND`."""
    assert FOUND is not None
    (its_in, into), (out, its_out) = os.pipe(), os.pipe()
    # Clear of the numbers 3 and 4, at which the browser expects its two ends.
    given, told = (fcntl.fcntl(end, fcntl.F_DUPFD, 10) for end in (its_in, its_out))
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        command = ["bash", "-c", f'exec "$@" 3<&{given} 4>&{told}', "browser", FOUND, *_FLAGS]
        process = subprocess.Popen(
            [*command, f"--user-data-dir={profile}"],
            pass_fds=(given, told),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        for end in (its_in, its_out, given, told):
            os.close(end)
        try:
            tab = Browser(out, into)
            tab.open_tab()
            yield tab
        finally:
            process.kill()
            process.wait()
            os.close(into)
            os.close(out)
