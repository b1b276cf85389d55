"""A PostgreSQL server for one test: its own data folder, its own port on the loopback, gone afterwards.

Owns the finding of Debian's programs and the way to run them without being root, which they refuse.
"""

from __future__ import annotations

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

USER = "postgres"
DEBIAN = "/usr/lib/postgresql"


def missing() -> str | None:
    """Why there can be no server here; None if there can be one."""
    if find_spec("langgraph.checkpoint.postgres") is None or find_spec("psycopg") is None:
        return "langgraph-checkpoint-postgres and psycopg[binary] are not installed"
    if _program("initdb") is None:
        return "no PostgreSQL server programs (Debian: apt-get install postgresql)"
    if os.geteuid() == 0 and _account() is None:
        return f"PostgreSQL does not run as root, and there is no user {USER!r}"
    return None


@contextmanager
def postgres() -> Iterator[str]:
    """A server with the saver's tables; its address.

    Raises:
        RuntimeError: There can be none here; the message says why.
    """
    why = missing()
    if why is not None:
        raise RuntimeError(f"{why}.")
    folder = Path(tempfile.mkdtemp(prefix="postgres-"))
    data, port = folder / "data", _free_port()
    try:
        _own(folder)
        _run("initdb", "--pgdata", str(data), "--username", USER, "--auth", "trust", "--encoding", "UTF8")
        options = f"-p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories={folder}"
        _run("pg_ctl", "--pgdata", str(data), "--wait", "--log", str(folder / "log"), "--options", options, "start")
        try:
            address = f"postgresql://{USER}@127.0.0.1:{port}/postgres"
            _make_tables(address)
            yield address
        finally:
            _run("pg_ctl", "--pgdata", str(data), "--wait", "--mode", "immediate", "stop")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _make_tables(address: str) -> None:
    from langgraph.checkpoint.postgres import PostgresSaver

    with PostgresSaver.from_conn_string(address) as saver:
        saver.setup()


def _program(name: str) -> str | None:
    found = shutil.which(name)
    if found is not None:
        return found
    versions = sorted(Path(DEBIAN).glob("*/bin"), key=lambda path: int(path.parent.name), reverse=True)
    return next((str(path / name) for path in versions if (path / name).exists()), None)


def _run(name: str, *arguments: str) -> None:
    program = _program(name)
    assert program is not None
    command: Sequence[str] = (program, *arguments)
    user = USER if os.geteuid() == 0 else None
    done = subprocess.run(command, user=user, cwd="/", stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"{name} failed: {done.stderr.decode(errors='replace')}")


def _own(folder: Path) -> None:
    account = _account()
    if os.geteuid() == 0 and account is not None:
        os.chown(folder, account.pw_uid, account.pw_gid)


def _account() -> pwd.struct_passwd | None:
    try:
        return pwd.getpwnam(USER)
    except KeyError:
        return None


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
