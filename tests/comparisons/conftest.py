"""What the tests of the comparison share: a stand-in for a model server, and the options of a run."""

from __future__ import annotations

import argparse
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from rich.console import Console, RenderableType

from alto_lg.comparisons.compare import add_arguments
from alto_lg.comparisons.table import PIPE_WIDTH

HERE = Path(__file__).parent


class ModelList(BaseHTTPRequestHandler):
    """Answers /v1/models and nothing else: the tiny applications call no model."""

    def do_GET(self) -> None:
        found = self.path == "/v1/models"
        listed = {"object": "list", "data": [{"id": "tiny-model", "object": "model", "created": 0}]}
        body = json.dumps(listed if found else {"error": {"message": "no such page"}}).encode()
        self.send_response(200 if found else 404)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Nothing is printed."""


@contextmanager
def serving(handler: type[BaseHTTPRequestHandler]) -> Iterator[str]:
    """The base URL of a server that answers as `handler` does."""
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/v1"
        server.shutdown()
        thread.join()


@pytest.fixture
def model_server() -> Iterator[str]:
    """The base URL of a server that lists one model."""
    with serving(ModelList) as base_url:
        yield base_url


class Refuses(BaseHTTPRequestHandler):
    """Answers 401, quoting part of the key as some servers do."""

    def do_GET(self) -> None:
        body = json.dumps({"error": {"message": f"bad key: {self.headers['Authorization']}"}}).encode()
        self.send_response(401)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Nothing is printed."""


@pytest.fixture
def refusing_server() -> Iterator[str]:
    """The base URL of a server that accepts no key."""
    with serving(Refuses) as base_url:
        yield base_url


@pytest.fixture
def tiny_path(monkeypatch: pytest.MonkeyPatch) -> None:
    """Lets this process and its workers import `tiny_app`."""
    monkeypatch.syspath_prepend(str(HERE))
    monkeypatch.setenv("PYTHONPATH", str(HERE))


@pytest.fixture
def options(model_server: str, tiny_path: None, tmp_path: Path) -> Callable[..., argparse.Namespace]:
    """Options of a comparison of the tiny application, with changes."""

    def made(*arguments: str) -> argparse.Namespace:
        parser = argparse.ArgumentParser()
        add_arguments(parser)
        given = ["--app", "tiny_app:TINY", "--base-url", model_server, "--requests", "3"]
        return parser.parse_args([*given, "--output", str(tmp_path / "results.jsonl"), *arguments])

    return made


@pytest.fixture
def render() -> Callable[[RenderableType], str]:
    """Prints a table as it is printed into a pipe."""

    def printed(table: RenderableType) -> str:
        console = Console(width=PIPE_WIDTH, force_terminal=False, highlight=False)
        with console.capture() as captured:
            console.print(table)
        return captured.get()

    return printed
