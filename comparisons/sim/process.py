"""A simulated server in a process of its own.

Owns that process. Always true: inside the `with` block the server answers; after it, or after the death of the
process that started it however it died, the server is gone: it reads a pipe that the operating system closes.
"""

from __future__ import annotations

import json
import queue
import subprocess
import sys
import tempfile
import threading
import urllib.request
from types import TracebackType
from typing import IO, Any

from alto_lg.comparisons.sim.options import SimOptions

_READY_WITHIN_S = 60.0
_STOP_WITHIN_S = 5.0
_ANSWER_WITHIN_S = 10.0
_TAIL_CHARACTERS = 2_000
# The server is on this machine, whatever the environment says about proxies.
_OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))


class ServerDidNotStart(RuntimeError):
    """The process ended or stayed silent before it was ready. `log`: the end of what it wrote."""

    def __init__(self, reason: str, log: str) -> None:
        super().__init__(f"the simulated server {reason}. The end of its log:\n{log or '(nothing)'}")
        self.log = log


class SimulatedServer:
    """Starts the server on a free loopback port, waits until it answers, and ends it.

    base_url and model are what an OpenAI client needs; any key will do.
    """

    def __init__(self, options: SimOptions | None = None, *, ready_within_s: float = _READY_WITHIN_S) -> None:
        self.options = options or SimOptions()
        self.base_url = ""
        self._ready_within_s = ready_within_s
        self._process: subprocess.Popen[bytes] | None = None
        self._log: IO[bytes] | None = None

    @property
    def model(self) -> str:
        return self.options.model

    @property
    def process_id(self) -> int:
        assert self._process is not None, "the server runs only inside its with block"
        return self._process.pid

    def __enter__(self) -> SimulatedServer:
        self._log = tempfile.TemporaryFile()
        command = [sys.executable, "-m", "alto_lg.comparisons.sim", "--stop-with-stdin", *self.options.command_line()]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self._log)
        try:
            self.base_url = self._wait_for_address(self._process)
        except BaseException:
            self._stop()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop()

    def stats(self) -> dict[str, Any]:
        """The counters of `GET /sim/stats`."""
        return self._call("/sim/stats", None)

    def reset(self, seed: int | None = None) -> dict[str, Any]:
        """Forget counters, prefix cache and history, with a new seed if one is given; refused while streams run."""
        return self._call("/sim/reset", {"seed": self.options.seed if seed is None else seed})

    def _call(self, path: str, body: dict[str, Any] | None) -> dict[str, Any]:
        data = None if body is None else json.dumps(body).encode()
        with _OPENER.open(self.base_url.removesuffix("/v1") + path, data, timeout=_ANSWER_WITHIN_S) as answer:
            result: dict[str, Any] = json.load(answer)
        return result

    def _wait_for_address(self, process: subprocess.Popen[bytes]) -> str:
        lines: queue.Queue[bytes] = queue.Queue(maxsize=1)
        assert process.stdout is not None
        reader = threading.Thread(target=_put_first_line, args=(process.stdout, lines), daemon=True)
        reader.start()
        try:
            line = lines.get(timeout=self._ready_within_s).decode().strip()
        except queue.Empty:
            raise ServerDidNotStart(f"was not ready within {self._ready_within_s:g} s", self._tail()) from None
        if not line.startswith("http"):
            status = process.wait(_STOP_WITHIN_S)
            raise ServerDidNotStart(f"ended with status {status}", self._tail())
        return line

    def _tail(self) -> str:
        assert self._log is not None
        self._log.seek(0)
        return self._log.read().decode(errors="replace")[-_TAIL_CHARACTERS:].strip()

    def _stop(self) -> None:
        process, log = self._process, self._log
        self._process = self._log = None
        if process is not None:
            _end(process)
        if log is not None:
            log.close()


def _put_first_line(stream: IO[bytes], lines: queue.Queue[bytes]) -> None:
    lines.put(stream.readline())


def _end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(_STOP_WITHIN_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    for stream in (process.stdin, process.stdout):
        if stream is not None:
            stream.close()
