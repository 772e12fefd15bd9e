"""agent-metrics beside the worker: where it listens, and with which protection."""

from __future__ import annotations

import base64
import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import aiohttp
import bcrypt
import pytest
import trustme

from agent_worker.core.settings import BadSettingsError, WorkerSettings
from agent_worker.telemetry.metrics_service import check_metrics, serve_metrics
from testbed.processes import free_port, poll


@contextmanager
def served(settings: WorkerSettings, folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("PROMETHEUS_MULTIPROC_DIR", str(folder / "metrics" / "worker-1"))
    service = serve_metrics(settings)
    assert service is not None
    try:
        yield
    finally:
        service.terminate()
        service.wait()


async def answers(address: str, port: int) -> bool:
    with socket.socket() as client:
        return client.connect_ex((address, port)) == 0


@pytest.mark.parametrize(("host", "from_outside"), [(None, False), ("0.0.0.0", True)])
async def test_the_worker_serves_its_metrics_to_this_machine_unless_a_setting_says_otherwise(
    host: str | None, from_outside: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    port = free_port()
    settings = WorkerSettings(metrics_port=port)
    if host:
        settings = settings.model_copy(update={"metrics_host": host})
    with served(settings, tmp_path, monkeypatch):
        await poll(lambda: answers("127.0.0.1", port))
        assert await answers("127.0.0.2", port) is from_outside  # an address as good as any other of this machine


async def test_the_worker_serves_its_metrics_with_tls_and_passwords(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    authority, port = trustme.CA(), free_port()
    certificate = authority.issue_cert("localhost")
    certificate.private_key_and_cert_chain_pem.write_to_path(tmp_path / "server.pem")
    hashed = bcrypt.hashpw(b"correct horse", bcrypt.gensalt(4)).decode()
    config = tmp_path / "web.yml"
    config.write_text(
        "tls_server_config: {cert_file: server.pem, key_file: server.pem}\n"
        f"basic_auth_users: {{prometheus: {hashed}}}\n"
    )
    context = ssl.create_default_context()
    authority.configure_trust(context)
    settings = WorkerSettings(metrics_port=port, metrics_web_config_file=config)
    check_metrics(settings)
    url = f"https://localhost:{port}"
    credentials = base64.b64encode(b"prometheus:correct horse").decode()
    with served(settings, tmp_path, monkeypatch):
        await poll(lambda: answers("127.0.0.1", port))
        async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=context)) as http:

            async def status(path: str, headers: dict[str, str]) -> int:
                async with http.get(f"{url}{path}", headers=headers) as response:
                    return response.status

            async def is_healthy() -> bool:
                return await status("/healthz", {}) == 200

            await poll(is_healthy)
            assert await status("/metrics", {}) == 401
            assert await status("/metrics", {"Authorization": f"Basic {credentials}"}) == 200
        async with aiohttp.ClientSession() as http:
            with pytest.raises(aiohttp.ClientError):
                await http.get(f"http://localhost:{port}/metrics")


def test_every_problem_of_the_web_config_is_reported_before_the_start(tmp_path: Path) -> None:
    config = tmp_path / "web.yml"
    config.write_text("tls_server_config: {cert_file: none.pem}\nbasic_auth_users: {a: secret}\n")
    with pytest.raises(BadSettingsError) as caught:
        check_metrics(WorkerSettings(metrics_web_config_file=config))
    assert all(problem.startswith(f"METRICS_WEB_CONFIG_FILE: {config}: ") for problem in caught.value.problems)
    assert len(caught.value.problems) == 3
    assert "secret" not in str(caught.value)
