"""Health check of a container, for Docker and Compose.

    python -m agent_worker.app.health                                  # the worker, and agent-metrics if it serves that
    python -m agent_worker.app.health http://localhost:8081/ready      # any other address

Exits with code 0 if each address answers with HTTP 200; else with 1 and one line for each that does not. It runs every
few seconds, so it imports nothing large.
"""

from __future__ import annotations

import os
import ssl
import sys
import urllib.error
import urllib.request
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml  # type: ignore[import-untyped]
from dotenv import load_dotenv

_TIMEOUT_S = 5.0
_MAX_BODY_BYTES = 200
#: Addresses at which `localhost` reaches a service that listens there.
_LOCAL_HOSTS = ("", "127.0.0.1", "0.0.0.0", "::1", "::")
#: The certificate of agent-metrics is for the name by which Prometheus knows it, and this asks `localhost`.
_TLS = ssl.create_default_context()
_TLS.check_hostname = False
_TLS.verify_mode = ssl.CERT_NONE
_OPENER = urllib.request.build_opener(
    urllib.request.ProxyHandler({}),  # ignores HTTP_PROXY
    urllib.request.HTTPSHandler(context=_TLS),
)


def main() -> None:
    """Run the command line."""
    load_dotenv(".env")
    errors = [error for url in sys.argv[1:] or health_urls(os.environ) if (error := health_error(url))]
    for error in errors:
        print(error, file=sys.stderr)
    sys.exit(1 if errors else 0)


def health_urls(environment: Mapping[str, str]) -> list[str]:
    """Return the addresses to ask, from the worker's settings.

    A worker with ``WORKER_PORT=0`` picks a free port, which is not known here: it is not asked.
    """
    worker_port = environment.get("WORKER_PORT") or "8081"
    urls = [] if worker_port == "0" else [f"http://localhost:{worker_port}/healthz"]
    return [*urls, *_metrics_urls(environment)]


def _metrics_urls(environment: Mapping[str, str]) -> list[str]:
    """Return the address of agent-metrics; none if the worker does not serve it, or it wants our certificate."""
    port, host = environment.get("METRICS_PORT"), environment.get("METRICS_HOST", "")
    tls = _tls_config(environment.get("METRICS_WEB_CONFIG_FILE", ""))
    if not port or tls.get("client_auth_type") == "RequireAndVerifyClientCert":
        return []
    name = "localhost" if host in _LOCAL_HOSTS else f"[{host}]" if ":" in host else host
    return [f"http{'s' if tls else ''}://{name}:{port}/healthz"]


def _tls_config(path: str) -> dict[str, Any]:
    try:
        config = yaml.safe_load(Path(path).read_text()) if path else None
    except (OSError, ValueError, yaml.YAMLError):  # the worker has refused it
        config = None
    tls = config.get("tls_server_config") if isinstance(config, dict) else None
    return tls if isinstance(tls, dict) else {}


def health_error(url: str) -> str | None:
    """Return how an address fails to answer with HTTP 200, or ``None`` if it does not fail."""
    try:
        with _OPENER.open(url, timeout=_TIMEOUT_S) as response:
            return None if response.status == 200 else f"{url}: {response.status}"
    except urllib.error.HTTPError as error:
        return f"{url}: {error.code} {error.read(_MAX_BODY_BYTES).decode(errors='replace').strip()}"
    except OSError as error:
        return f"{url}: {error}"


if __name__ == "__main__":
    main()
