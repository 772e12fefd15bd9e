"""`python -m agent_metrics` as Prometheus and its operator see it."""

from __future__ import annotations

import asyncio
import base64
import errno
import fcntl
import gzip
import os
import signal
import socket
import ssl
import subprocess
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import aiohttp
import bcrypt
import pytest
import pytest_asyncio
import trustme
from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse_openmetrics
from prometheus_client.parser import text_string_to_metric_families as parse_text

from agent_metrics.files import is_alive
from agent_metrics.service import ClaimError, Service, claim
from agent_metrics.web import create_app
from agent_metrics.web_config import BadWebConfigError, load
from tests.agent_metrics.processes import PlayedProcess
from tests.agent_metrics.services import Running, command, refused, running, wait_until_ready

OPENMETRICS = "application/openmetrics-text; version=1.0.0; charset=utf-8"


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    root = tmp_path_factory.mktemp("metrics")
    dead = PlayedProcess.start(root)
    dead.write("counter", "c", 3, sample="c_total")
    dead.write("gauge_sum", "cost_total", 0.5, label='hostile "\n\\ 😀')
    dead.die()
    with running(root) as service:
        yield service


@pytest_asyncio.fixture
async def http(service: Running) -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession(auto_decompress=False, headers={"Accept-Encoding": "identity"}) as http:
        await wait_until_ready(service, http)
        yield http


async def test_text_is_served_to_whom_asks_for_nothing_else(service: Running, http: aiohttp.ClientSession) -> None:
    async with http.get(f"{service.url}/metrics") as response:
        assert response.status == 200
        assert response.content_type == "text/plain"
        found = {sample.name: sample for family in parse_text(await response.text()) for sample in family.samples}
    assert found["c_total"].value == 3
    assert found["cost_total"].labels == {"label": 'hostile "\n\\ 😀'}
    assert found["agent_metrics_processes_folded_total"].value == 1
    assert found["agent_metrics_ledger_series"].value == 2


async def test_openmetrics_is_served_to_whom_asks_for_it(service: Running, http: aiohttp.ClientSession) -> None:
    async with http.get(f"{service.url}/metrics", headers={"Accept": OPENMETRICS}) as response:
        assert response.content_type == "application/openmetrics-text"
        text = await response.text()
    assert text.endswith("# EOF\n")
    assert {family.name for family in parse_openmetrics(text)} >= {"agent_metrics_processes_folded"}


async def test_gzip_is_served_to_whom_takes_it(service: Running, http: aiohttp.ClientSession) -> None:
    async with http.get(f"{service.url}/metrics", headers={"Accept-Encoding": "gzip"}) as response:
        assert response.headers["Content-Encoding"] == "gzip"
        assert b"c_total 3.0" in gzip.decompress(await response.read())
    async with http.get(f"{service.url}/metrics", headers={"Accept-Encoding": "identity"}) as response:
        assert "Content-Encoding" not in response.headers
        assert b"c_total 3.0" in await response.read()


async def test_head_has_the_headers_and_no_body(service: Running, http: aiohttp.ClientSession) -> None:
    async with http.head(f"{service.url}/metrics") as response:
        assert response.status == 200
        assert int(response.headers["Content-Length"]) > 0
        assert await response.read() == b""


async def test_other_addresses_and_methods(service: Running, http: aiohttp.ClientSession) -> None:
    async with http.get(service.url) as response:
        assert 'href="metrics"' in await response.text()
    async with http.get(f"{service.url}/healthz") as response:
        assert (response.status, await response.text()) == (200, "ok\n")
    async with http.get(f"{service.url}/nothing") as response:
        assert response.status == 404
    async with http.post(f"{service.url}/metrics") as response:
        assert response.status == 405


async def test_before_the_dead_are_counted_there_is_no_number_at_all(tmp_path: Path) -> None:
    """A counter that shows less than before a restart would be taken for one that began anew."""
    PlayedProcess.start(tmp_path).die()
    app = create_app(Service(tmp_path), {})  # which nobody has started to fold
    for path in ("/metrics", "/healthz"):
        assert await _status(app, path) == 503


@pytest.mark.parametrize("is_damaged", [False, True])
async def test_why_the_dead_cannot_be_counted_is_in_the_answer(is_damaged: bool, tmp_path: Path) -> None:
    ledger = tmp_path / "agent-metrics" / "ledger.sqlite"
    ledger.mkdir(parents=True)  # which nobody can open
    service = Service(tmp_path)
    service.open()
    if is_damaged:
        ledger.rmdir()
        ledger.write_text("hello" * 1000)
    app = create_app(service, {})
    async with service:
        for path in ("/metrics", "/healthz"):
            status, body = await _answer(app, path)
            while is_damaged and "not a ledger" not in body:
                await asyncio.sleep(0.01)
                status, body = await _answer(app, path)
            assert status == 503
            assert ("not a ledger" if is_damaged else "unable to open") in body


async def _status(app: object, path: str) -> int:
    return (await _answer(app, path))[0]


async def _answer(app: object, path: str) -> tuple[int, str]:
    statuses, body = [], b""

    async def receive() -> dict[str, object]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: dict[str, object]) -> None:
        if message["type"] == "http.response.start":
            statuses.append(message["status"])
        else:
            nonlocal body
            part = message["body"]
            assert isinstance(part, bytes)
            body += part

    scope = {"type": "http", "method": "GET", "path": path, "headers": [], "query_string": b"", "root_path": ""}
    await app(scope, receive, send)  # type: ignore[operator]
    (status,) = statuses
    assert isinstance(status, int)
    return status, body.decode()


# --- the operator ---


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_with_success(number: signal.Signals, tmp_path: Path) -> None:
    with running(tmp_path) as service:
        service.process.send_signal(number)
        assert service.process.wait() == 0


def test_a_second_service_on_one_folder_refuses(tmp_path: Path) -> None:
    with running(tmp_path):
        assert "another agent-metrics serves" in refused(tmp_path)
    with running(tmp_path):
        pass  # the first has gone, and left nothing that would be in the way


def test_a_service_that_was_killed_is_in_nobody_s_way(tmp_path: Path) -> None:
    with running(tmp_path) as service:
        service.process.kill()
        service.process.wait()
    with running(tmp_path):
        pass


def test_a_taken_port_and_a_bad_folder_are_one_line(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        message = refused(tmp_path, "--port", str(taken.getsockname()[1]))
    assert "cannot listen on" in message
    assert len(message.splitlines()) == 1
    (tmp_path / "file").touch()
    assert "cannot make the folder" in refused(tmp_path / "file")


@pytest.mark.parametrize("number", [errno.ENOLCK, errno.EOPNOTSUPP])
def test_a_folder_where_locks_do_not_work_is_said_to_be_one(
    number: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    process = PlayedProcess.start(tmp_path)

    def refuse(descriptor: int, operation: int) -> None:
        raise OSError(number, os.strerror(number))

    with monkeypatch.context() as patch:
        patch.setattr(fcntl, "flock", refuse)
        with pytest.raises(ClaimError, match="flock"):
            claim(tmp_path)
        assert is_alive(process.folder.path)  # who cannot be asked is not declared dead
    process.die()


def test_a_damaged_ledger_says_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "agent-metrics").mkdir()
    (tmp_path / "agent-metrics" / "ledger.sqlite").write_text("hello" * 1000)
    assert "move it away" in refused(tmp_path)


# --- TLS and passwords ---


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def secured(tmp_path: Path, authority: trustme.CA) -> Path:
    """A web config with TLS for the address that it is served on, and one user."""
    certificate = authority.issue_cert("127.0.0.1")
    (tmp_path / "cert.pem").write_bytes(b"".join(blob.bytes() for blob in certificate.cert_chain_pems))
    certificate.private_key_pem.write_to_path(str(tmp_path / "key.pem"))
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    hashed = bcrypt.hashpw(b"correct horse", bcrypt.gensalt(4)).decode()
    (tmp_path / "web.yml").write_text(
        "tls_server_config: {cert_file: cert.pem, key_file: key.pem, min_version: TLS13}\n"
        f"basic_auth_users: {{prometheus: {hashed}}}\n"
    )
    return tmp_path / "web.yml"


def _trusting(authority: trustme.CA) -> ssl.SSLContext:
    context = ssl.create_default_context()
    authority.configure_trust(context)
    return context


async def test_only_who_has_the_password_sees_the_metrics(secured: Path, authority: trustme.CA, tmp_path: Path) -> None:
    connector = aiohttp.TCPConnector(ssl=_trusting(authority))
    with running(tmp_path / "root", "--web.config.file", str(secured)) as service:
        assert service.url.startswith("https://")
        async with aiohttp.ClientSession(connector=connector) as http:
            await wait_until_ready(service, http)  # health needs no password

            async def status(name: str, password: str) -> int:
                credentials = base64.b64encode(f"{name}:{password}".encode()).decode()
                headers = {"Authorization": f"Basic {credentials}"}
                async with http.get(f"{service.url}/metrics", headers=headers) as response:
                    return response.status

            for _ in range(2):  # the second time by the verdict that was kept
                assert await status("prometheus", "correct horse") == 200
                assert await status("prometheus", "wrong") == 401
                assert await status("nobody", "correct horse") == 401
            assert await status("prometheus", "x" * 100) == 401  # longer than bcrypt takes
            async with http.get(f"{service.url}/metrics") as response:
                assert response.status == 401
                assert response.headers["WWW-Authenticate"].startswith("Basic")
            for header in ("Basic", "Basic !", "Bearer abc", "Basic bm9jb2xvbg=="):
                async with http.get(f"{service.url}/metrics", headers={"Authorization": header}) as response:
                    assert response.status == 401


async def test_tls_below_the_minimum_and_plain_http_are_refused(
    secured: Path, authority: trustme.CA, tmp_path: Path
) -> None:
    old = _trusting(authority)
    old.maximum_version = ssl.TLSVersion.TLSv1_2
    with running(tmp_path / "root", "--web.config.file", str(secured)) as service:
        async with aiohttp.ClientSession() as http:
            with pytest.raises(aiohttp.ClientError):
                await http.get(f"{service.url}/healthz", ssl=old)
            with pytest.raises(aiohttp.ClientError):
                await http.get(f"{service.url.replace('https', 'http')}/healthz")


@pytest.fixture
def asking_for_certificates(secured: Path) -> Path:
    secured.write_text(
        "tls_server_config:\n  cert_file: cert.pem\n  key_file: key.pem\n"
        "  client_ca_file: ca.pem\n  client_auth_type: RequireAndVerifyClientCert\n"
    )
    return secured


async def test_clients_can_be_asked_for_a_certificate(
    asking_for_certificates: Path, authority: trustme.CA, tmp_path: Path
) -> None:
    known = _trusting(authority)
    authority.issue_cert("prometheus.test").configure_cert(known)
    with running(tmp_path / "root", "--web.config.file", str(asking_for_certificates)) as service:
        async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=known)) as http:
            await wait_until_ready(service, http)
        async with aiohttp.ClientSession() as http:
            with pytest.raises((aiohttp.ClientError, OSError)):
                async with http.get(f"{service.url}/healthz", ssl=_trusting(authority)) as response:
                    await response.read()


def test_every_problem_of_a_web_config_is_listed(tmp_path: Path) -> None:
    config = tmp_path / "web.yml"
    config.write_text(
        "tls_server_config: {cert_file: missing.pem, min_version: SSL3, client_auth_type: Maybe, cipher_suites: []}\n"
        "basic_auth_users: {somebody: plain-password}\nhttp_server_config: {}\n"
    )
    message = refused(tmp_path, "--web.config.file", str(config))
    for problem in (
        "tls_server_config.cert_file",
        "tls_server_config.key_file",
        "tls_server_config.min_version",
        "tls_server_config.client_auth_type",
        "tls_server_config.cipher_suites",
        "basic_auth_users.somebody",
        "http_server_config",
    ):
        assert problem in message
    assert "plain-password" not in message


@pytest.mark.parametrize(
    "content",
    [
        "[1, 2]",
        "a: [",
        "tls_server_config: 1",
        "basic_auth_users: [a]",
        "tls_server_config: {cert_file: web.yml, key_file: web.yml}",
    ],
)
def test_what_is_no_web_config_is_refused(content: str, tmp_path: Path) -> None:
    (tmp_path / "web.yml").write_text(content)
    with pytest.raises(BadWebConfigError):
        load(tmp_path / "web.yml")


def test_an_empty_web_config_protects_nothing_and_a_missing_one_is_refused(tmp_path: Path) -> None:
    (tmp_path / "web.yml").touch()
    assert load(tmp_path / "web.yml").tls is None
    with pytest.raises(BadWebConfigError):
        load(tmp_path / "missing.yml")


def test_service_stops_with_who_started_it(tmp_path: Path) -> None:
    process = subprocess.Popen(
        command(tmp_path, "--until-stdin-ends"), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdin is not None
    assert process.stdout is not None
    with process.stdout:
        assert " on http" in process.stdout.readline()
        process.stdin.close()
        assert process.wait() == 0
