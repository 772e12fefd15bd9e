"""The command `python -m call_guard`: output and exit codes."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import urllib.request
from pathlib import Path

from testbed.services import ROOT

COMMAND = [sys.executable, "-m", "call_guard"]


def environment(**more: str) -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(ROOT), "GUARD_PORT": "0", **more}


def stderr_of_refusal(folder: Path, **more: str) -> str:
    run = subprocess.run(COMMAND, cwd=folder, env=environment(**more), capture_output=True, text=True, check=False)
    assert run.returncode == 2
    assert "Traceback" not in run.stderr
    return run.stderr


def test_all_bad_settings_are_listed_and_the_exit_code_is_2(tmp_path: Path) -> None:
    message = stderr_of_refusal(tmp_path, LIVEKIT_API_KEY="", GUARD_SWEEP_INTERVAL="0", GUARD_WAIT_LIMIT="never")
    for name in ("LIVEKIT_API_KEY is not set", "GUARD_SWEEP_INTERVAL is wrong", "GUARD_WAIT_LIMIT is wrong"):
        assert name in message
    assert "s3cret-value" not in message


def test_a_taken_port_is_reported_in_one_line(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        (line,) = stderr_of_refusal(tmp_path, GUARD_PORT=str(taken.getsockname()[1])).splitlines()
    assert "cannot listen on" in line
    assert "GUARD_PORT" in line


def test_guard_serves_its_metrics_while_livekit_is_down_and_ends_with_code_0(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        url = f"ws://127.0.0.1:{closed.getsockname()[1]}"
    env = environment(LIVEKIT_URL=url, PROMETHEUS_MULTIPROC_DIR=str(tmp_path))
    with subprocess.Popen(
        COMMAND, cwd=tmp_path, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        port = process.stdout.readline().rstrip().rpartition(":")[2]
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics") as response:
            assert b"call_guard_rooms" in response.read()
        assert "a room could not be looked at" in process.stderr.readline()
        process.terminate()
        rest = process.stderr.read()
    assert process.returncode == 0
    assert "Traceback" not in rest
    assert list(tmp_path.iterdir()) == []  # no metrics files among those of the workers
