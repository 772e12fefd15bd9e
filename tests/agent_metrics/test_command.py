"""The command `python -m agent_metrics`: signals, exit codes, TLS."""

from __future__ import annotations

import base64
import os
import signal
import socket
import ssl
import subprocess
from pathlib import Path

import aiohttp
import bcrypt
import pytest
import trustme

from tests.agent_metrics.service_processes import command, running, stderr_of_refusal, wait_until_ready

SIGNALS = [signal.SIGTERM, pytest.param(signal.SIGINT, marks=pytest.mark.slow)]


@pytest.mark.parametrize("number", SIGNALS)
def test_a_signal_before_the_server_starts_is_handled_when_it_does(number: signal.Signals, tmp_path: Path) -> None:
    """The service reads `.env`, here a pipe, after it has blocked the signals."""
    os.mkfifo(tmp_path / ".env")
    with subprocess.Popen(
        command(tmp_path / "metrics"), cwd=tmp_path, env=_environment(), stderr=subprocess.PIPE, text=True
    ) as process:
        with (tmp_path / ".env").open("w"):  # waits until the service reads it
            process.send_signal(number)
        _, stderr = process.communicate()
    assert (process.returncode, stderr) == (0, "")


def _environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}


@pytest.mark.parametrize("number", SIGNALS)
def test_a_signal_stops_the_service_with_success(number: signal.Signals, tmp_path: Path) -> None:
    with running(tmp_path) as service:
        service.process.send_signal(number)
        assert service.process.wait() == 0


async def test_idle_connections_of_one_client_leave_the_service_to_others(tmp_path: Path) -> None:
    with running(tmp_path) as service:
        host, port = service.url.removeprefix("http://").split(":")
        idle = [socket.create_connection((host, int(port))) for _ in range(505)]
        from_elsewhere = aiohttp.TCPConnector(local_addr=("127.0.0.2", 0))
        async with aiohttp.ClientSession(connector=from_elsewhere) as http:
            await wait_until_ready(service, http)
        for connection in idle:
            connection.close()


@pytest.mark.parametrize("stopped_by", [pytest.param("signal", marks=pytest.mark.slow), "end of stdin"])
def test_the_service_stops_silently_by_signal_and_with_its_stdin(stopped_by: str, tmp_path: Path) -> None:
    process = subprocess.Popen(
        command(tmp_path, "--until-stdin-ends"),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert "serving" in process.stdout.readline()
    if stopped_by == "signal":
        process.send_signal(signal.SIGTERM)  # stdin stays open
        assert process.wait() == 0
    _, stderr = process.communicate()
    assert (process.returncode, stderr) == (0, "")


def test_a_second_service_is_refused_until_the_first_is_killed(tmp_path: Path) -> None:
    with running(tmp_path) as service:
        assert "another agent-metrics serves" in stderr_of_refusal(tmp_path)
        service.process.kill()
        service.process.wait()
    with running(tmp_path):
        pass


def test_a_taken_port_is_reported_in_one_line(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        message = stderr_of_refusal(tmp_path, "--port", str(taken.getsockname()[1]))
    assert "cannot listen on" in message
    assert len(message.splitlines()) == 1


def test_a_folder_that_cannot_be_made_is_reported(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    assert "cannot make the folder" in stderr_of_refusal(tmp_path / "file")


@pytest.mark.slow
def test_a_damaged_ledger_is_reported_with_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "agent-metrics").mkdir()
    (tmp_path / "agent-metrics" / "ledger.sqlite").write_text("hello" * 1000)
    assert "move it away" in stderr_of_refusal(tmp_path)


def test_problems_of_the_web_config_are_listed_one_a_line(tmp_path: Path) -> None:
    config = tmp_path / "web.yml"
    config.write_text("basic_auth_users: {somebody: plain-password}\nhttp_server_config: {}\n")
    first, *details = stderr_of_refusal(tmp_path, "--web.config.file", str(config)).splitlines()
    assert "2 problem(s)" in first
    assert [line.split(":")[0] for line in details] == ["  - basic_auth_users.somebody", "  - http_server_config"]


async def test_tls_version_client_certificate_and_password_are_required(tmp_path: Path) -> None:
    authority = trustme.CA()
    certificate = authority.issue_cert("127.0.0.1")
    (tmp_path / "cert.pem").write_bytes(b"".join(blob.bytes() for blob in certificate.cert_chain_pems))
    certificate.private_key_pem.write_to_path(str(tmp_path / "key.pem"))
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    hashed = bcrypt.hashpw(b"correct horse", bcrypt.gensalt(4)).decode()
    (tmp_path / "web.yml").write_text(
        "tls_server_config:\n  cert_file: cert.pem\n  key_file: key.pem\n  min_version: TLS13\n"
        "  client_ca_file: ca.pem\n  client_auth_type: RequireAndVerifyClientCert\n"
        f"basic_auth_users: {{prometheus: {hashed}}}\n"
    )

    def client_context() -> ssl.SSLContext:
        context = ssl.create_default_context()
        authority.configure_trust(context)
        return context

    known, unknown, old = client_context(), client_context(), client_context()
    for context in (known, old):
        authority.issue_cert("prometheus.test").configure_cert(context)
    old.maximum_version = ssl.TLSVersion.TLSv1_2
    with running(tmp_path / "root", "--web.config.file", str(tmp_path / "web.yml")) as service:
        assert service.url.startswith("https://")
        async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=known)) as http:
            await wait_until_ready(service, http)  # health needs no password
            async with http.get(f"{service.url}/metrics") as response:
                assert response.status == 401
            credentials = base64.b64encode(b"prometheus:correct horse").decode()
            headers = {"Authorization": f"Basic {credentials}"}
            async with http.get(f"{service.url}/metrics", headers=headers) as response:
                assert response.status == 200
        async with aiohttp.ClientSession() as http:
            for context in (unknown, old):
                with pytest.raises((aiohttp.ClientError, OSError)):
                    async with http.get(f"{service.url}/healthz", ssl=context) as response:
                        await response.read()
            with pytest.raises(aiohttp.ClientError):
                await http.get(f"{service.url.replace('https', 'http')}/healthz")
