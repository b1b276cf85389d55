"""The server in a process of its own, and its command."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path

import openai
import pytest

from alto_lg.__main__ import main
from alto_lg.comparisons.sim.faults import parse_plan
from alto_lg.comparisons.sim.options import SimOptionError, SimOptions
from alto_lg.comparisons.sim.process import ServerDidNotStart, SimulatedServer
from alto_lg.comparisons.sim.serving import listen

STARTER = """
from alto_lg.comparisons.sim.process import SimulatedServer
import os, sys
server = SimulatedServer()
server.__enter__()
print(server.process_id, flush=True)
os._exit(1)
"""
LOOKS_MAX = 1_000_000


def is_running(process_id: int) -> bool:
    try:
        state = Path(f"/proc/{process_id}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


def test_a_server_answers_inside_its_block_and_is_gone_after_it() -> None:
    options = SimOptions(time_scale=0.001, model_name="m", faults=(parse_plan("cut=1;times=1:0.0"),))
    with SimulatedServer(options) as server:
        with openai.OpenAI(base_url=server.base_url, api_key="any", max_retries=0) as client:
            answer = client.chat.completions.create(
                model=server.model, messages=[{"role": "user", "content": "A quiet morning."}]
            )
        assert answer.choices[0].message.content == "A quiet morning."
        assert server.stats()["answered"] == 1
        assert server.reset(5)["seed"] == 5
        process_id = server.process_id
    with pytest.raises(ProcessLookupError):
        os.kill(process_id, 0)


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="looks for the process in /proc")
def test_a_server_does_not_outlive_the_process_that_started_it() -> None:
    started = subprocess.run([sys.executable, "-c", STARTER], capture_output=True, text=True, check=False)
    assert started.returncode == 1, started.stderr
    process_id = int(started.stdout)
    assert any(not is_running(process_id) for _ in range(LOOKS_MAX))


def test_a_server_that_cannot_start_says_why() -> None:
    with SimulatedServer() as first:
        port = int(first.base_url.removesuffix("/v1").rpartition(":")[2])
        with (
            pytest.raises(ServerDidNotStart, match="cannot listen") as raised,
            SimulatedServer(SimOptions(port=port)),
        ):
            pass
    assert "--port" in raised.value.log


def test_small_writes_leave_at_once_because_the_socket_names_its_protocol() -> None:
    with listen(SimOptions()) as listener:
        assert listener.proto == socket.IPPROTO_TCP


@pytest.mark.parametrize(
    "settings",
    [
        {"profile": "none"},
        {"slots": 0},
        {"jitter": -1},
        {"time_scale": 0},
        {"order": "lifo"},
        {"port": 70_000},
        {"waiting_limit": -1},
        {"log_level": "loud"},
    ],
)
def test_a_setting_that_cannot_be_is_refused(settings: dict[str, object]) -> None:
    with pytest.raises(SimOptionError):
        SimOptions(**settings)  # type: ignore[arg-type]


@pytest.mark.parametrize("arguments", [["--fault", "boom:1"], ["--slots", "0"], ["--port", "99999"]])
def test_the_command_refuses_bad_settings_with_a_reason(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["sim", *arguments]) == 2
    assert capsys.readouterr().err.startswith("alto-lg sim: ")


def test_the_help_names_every_profile_and_fault(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["sim", "--help"])
    text = capsys.readouterr().out
    for name in ("h100-8b", "a100-8b", "api-mini", "llm-d", "refuse", "rate-limit", "stall-middle", "cut"):
        assert name in text
