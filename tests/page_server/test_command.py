"""The command `python -m page_server`: output, exit codes, warnings."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
COMMAND = [sys.executable, "-m", "page_server"]


def environment(folder: Path, **more: str) -> dict[str, str]:
    """Return the environment of :mod:`tests.page_server.conftest`, with more variables."""
    return {**os.environ, "PYTHONPATH": str(ROOT), "PAGE_PORT": "0", **more}


def stderr_of_refusal(folder: Path, **more: str) -> str:
    env = environment(folder, **more)
    run = subprocess.run(COMMAND, cwd=folder, env=env, capture_output=True, text=True, check=False)
    assert run.returncode == 2
    assert "Traceback" not in run.stderr
    return run.stderr


def test_all_bad_settings_are_listed_and_the_exit_code_is_2(page: Path) -> None:
    message = stderr_of_refusal(page, LIVEKIT_API_KEY="", PAGE_HOST="0.0.0.0")
    assert "LIVEKIT_API_KEY is not set" in message
    assert "PAGE_PASSWORD" in message
    assert "s3cret-value" not in message


def test_a_taken_port_is_reported_in_one_line(page: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        (line,) = stderr_of_refusal(page, PAGE_PORT=str(taken.getsockname()[1])).splitlines()
    assert "cannot listen on" in line
    assert "PAGE_PORT" in line


def test_the_address_is_printed_and_a_public_page_warned_of(page: Path) -> None:
    env = environment(page, PAGE_HOST="0.0.0.0", PAGE_PUBLIC="1")
    with subprocess.Popen(
        COMMAND, cwd=page, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        line = process.stdout.readline()
        with urllib.request.urlopen(f"http://127.0.0.1:{line.rstrip().rpartition(':')[2]}/") as response:
            assert b"Talk" in response.read()
            assert "server" not in response.headers
        process.terminate()
        warnings = process.stderr.read()
    assert process.returncode == 0
    assert "ANYBODY" in warnings
    assert "https" in warnings


@pytest.mark.parametrize("number", [signal.SIGTERM, pytest.param(signal.SIGINT, marks=pytest.mark.slow)])
def test_a_signal_before_the_server_starts_is_handled_when_it_does(
    number: signal.Signals, page: Path, tmp_path: Path
) -> None:
    """The server reads `.env`, here a pipe, after it has blocked the signals."""
    os.mkfifo(tmp_path / ".env")
    with subprocess.Popen(COMMAND, cwd=tmp_path, env=environment(page), stderr=subprocess.PIPE, text=True) as process:
        with (tmp_path / ".env").open("w"):  # waits until the server reads it
            process.send_signal(number)
        _, stderr = process.communicate()
    assert (process.returncode, stderr) == (0, "")
