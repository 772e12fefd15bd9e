"""The command `python -m page_server`: output, exit codes, warnings."""

from __future__ import annotations

import http.client
import os
import signal
import socket
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest

from testbed.processes import free_port

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


def test_a_page_behind_a_proxy_that_is_not_configured_is_warned_of(page: Path) -> None:
    env = environment(page, PAGE_HOST="0.0.0.0", PAGE_PUBLIC="1", PAGE_ORIGIN="https://talk.example.com")
    with subprocess.Popen(
        COMMAND, cwd=page, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.readline()
        process.terminate()
        assert "FORWARDED_ALLOW_IPS is not set" in process.stderr.read()


def get(port: int, path: str, source: str) -> int:
    """Return the status of a request from an address of loopback; 0 if the connection is closed instead."""
    connection = http.client.HTTPConnection("127.0.0.1", port, source_address=(source, 0))
    try:
        connection.request("GET", path)
        return connection.getresponse().status
    except (ConnectionError, http.client.HTTPException):
        return 0
    finally:
        connection.close()


def test_idle_connections_of_one_client_fill_neither_the_page_nor_its_health_port(page: Path) -> None:
    """The attack: 505 idle connections made the page and its health check answer 503."""
    health = free_port()
    env = environment(page, PAGE_HEALTH_PORT=str(health), FORWARDED_ALLOW_IPS="127.0.0.9")  # 127.0.0.1 is no proxy
    with subprocess.Popen(COMMAND, cwd=page, env=env, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        port = int(process.stdout.readline().rstrip().rpartition(":")[2])
        while get(health, "/healthz", "127.0.0.2") != 200:  # it listens, and is starting
            pass
        idle = [socket.create_connection(("127.0.0.1", port)) for _ in range(505)]
        assert get(port, "/", "127.0.0.1") == 0
        assert get(port, "/", "127.0.0.2") == 200
        assert get(health, "/healthz", "127.0.0.1") == 200
        assert get(health, "/", "127.0.0.1") == 404
        for connection in idle:
            connection.close()
        process.terminate()
    assert process.returncode == 0


def test_health_port_answers_while_proxies_take_all_connections(page: Path, tmp_path: Path) -> None:
    health, log = free_port(), (tmp_path / "log").open("w")
    env = environment(page, PAGE_HEALTH_PORT=str(health))
    with subprocess.Popen(COMMAND, cwd=page, env=env, stdout=subprocess.PIPE, stderr=log, text=True) as process:
        assert process.stdout is not None
        port = int(process.stdout.readline().rstrip().rpartition(":")[2])
        taken = []
        while get(port, "/", "127.0.0.2") != 503:
            for _ in range(20):  # each begins a request, whose body never comes
                taken.append(socket.create_connection(("127.0.0.1", port)))
                taken[-1].sendall(
                    b"POST /api/session HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
                    b"Origin: http://localhost\r\nContent-Length: 2\r\n\r\n"
                )
        assert get(health, "/healthz", "127.0.0.2") == 200
        for connection in taken:
            connection.close()
        process.terminate()
    log.close()
    assert process.returncode == 0
    assert "Traceback" not in (tmp_path / "log").read_text()


def test_health_port_serves_the_metrics_and_the_page_does_not(page: Path) -> None:
    health = free_port()
    env = environment(page, PAGE_HEALTH_PORT=str(health))
    with subprocess.Popen(COMMAND, cwd=page, env=env, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        port = int(process.stdout.readline().rstrip().rpartition(":")[2])
        while get(health, "/healthz", "127.0.0.2") != 200:  # it listens, and is starting
            pass
        with urllib.request.urlopen(f"http://127.0.0.1:{health}/metrics") as response:
            assert "page_sessions_total 0.0" in response.read().decode().splitlines()
            assert response.headers["content-type"].startswith("text/plain; version=")
        assert get(port, "/metrics", "127.0.0.1") == 404
        process.terminate()
    assert process.returncode == 0


def test_a_taken_health_port_is_reported_in_one_line(page: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        (line,) = stderr_of_refusal(page, PAGE_HEALTH_PORT=str(taken.getsockname()[1])).splitlines()
    assert "PAGE_HEALTH_PORT" in line


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
