from __future__ import annotations

import http.server
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from agent_worker.app.health import health_error, health_urls


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ({}, ["http://localhost:8081/healthz"]),
        ({"WORKER_PORT": "", "METRICS_PORT": ""}, ["http://localhost:8081/healthz"]),
        (
            {"WORKER_PORT": "8090", "METRICS_PORT": "9100"},
            ["http://localhost:8090/healthz", "http://localhost:9100/healthz"],
        ),
        ({"WORKER_PORT": "0", "METRICS_PORT": "9100"}, ["http://localhost:9100/healthz"]),
        ({"WORKER_PORT": "0", "METRICS_PORT": "1", "METRICS_HOST": "0.0.0.0"}, ["http://localhost:1/healthz"]),
        ({"WORKER_PORT": "0", "METRICS_PORT": "1", "METRICS_HOST": "10.0.0.7"}, ["http://10.0.0.7:1/healthz"]),
        ({"WORKER_PORT": "0", "METRICS_PORT": "1", "METRICS_HOST": "fd00::7"}, ["http://[fd00::7]:1/healthz"]),
    ],
)
def test_worker_is_asked_and_agent_metrics_if_the_worker_serves_it(
    environment: dict[str, str], expected: list[str]
) -> None:
    assert health_urls(environment) == expected


@pytest.mark.parametrize(
    ("tls", "expected"),
    [
        ("{}", ["http://localhost:9100/healthz"]),
        ("{cert_file: cert.pem, key_file: key.pem}", ["https://localhost:9100/healthz"]),
        ("{client_auth_type: VerifyClientCertIfGiven}", ["https://localhost:9100/healthz"]),
        ("{client_auth_type: RequireAndVerifyClientCert}", []),
        ("[", ["http://localhost:9100/healthz"]),
    ],
)
def test_agent_metrics_is_asked_with_tls_if_it_has_it_and_not_if_it_wants_a_certificate(
    tls: str, expected: list[str], tmp_path: Path
) -> None:
    config = tmp_path / "web.yml"
    config.write_text(f"tls_server_config: {tls}\n")
    environment = {"WORKER_PORT": "0", "METRICS_PORT": "9100", "METRICS_WEB_CONFIG_FILE": str(config)}
    assert health_urls(environment) == expected


class _Answer(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(int(self.path.strip("/")))
        self.end_headers()
        self.wfile.write(b"inference process not running")

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def server() -> Iterator[str]:
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Answer) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()


def test_any_status_but_200_is_an_error_with_the_body(server: str) -> None:
    assert health_error(f"{server}/200") is None
    assert health_error(f"{server}/503") == f"{server}/503: 503 inference process not running"


def test_command_exits_with_1_and_names_the_address_that_does_not_answer(server: str) -> None:
    command = [sys.executable, "-m", "agent_worker.app.health"]
    assert subprocess.run([*command, f"{server}/200"], check=False).returncode == 0
    silent = "http://127.0.0.1:1/"
    result = subprocess.run([*command, f"{server}/200", silent], capture_output=True, text=True, check=False)
    assert result.returncode == 1
    assert result.stderr.startswith(silent)
    assert len(result.stderr.splitlines()) == 1
