"""`python -m page_server` as its operator sees it."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import urllib.request
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
COMMAND = [sys.executable, "-m", "page_server"]


def settings(folder: Path, **more: str) -> dict[str, str]:
    """The environment of :mod:`tests.page_server.conftest`, and more."""
    return {**os.environ, "PYTHONPATH": str(ROOT), "PAGE_PORT": "0", **more}


def refused(folder: Path, **more: str) -> str:
    env = settings(folder, **more)
    run = subprocess.run(COMMAND, cwd=folder, env=env, capture_output=True, text=True, check=False)
    assert run.returncode == 2
    assert "Traceback" not in run.stderr
    return run.stderr


def test_bad_settings_are_all_told_and_exit_with_2(page: Path) -> None:
    told = refused(page, LIVEKIT_API_KEY="", PAGE_HOST="0.0.0.0")
    assert "LIVEKIT_API_KEY is not set" in told
    assert "PAGE_PASSWORD" in told
    assert "s3cret-value" not in told


def test_a_taken_port_is_told_in_one_line(page: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        (line,) = refused(page, PAGE_PORT=str(taken.getsockname()[1])).splitlines()
    assert "cannot listen on" in line
    assert "PAGE_PORT" in line


def test_it_says_where_it_serves_and_loudly_that_anybody_may_call(page: Path) -> None:
    env = settings(page, PAGE_HOST="0.0.0.0", PAGE_PUBLIC="1")
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
