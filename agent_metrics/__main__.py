"""``python -m agent_metrics``: serve the metrics of every worker process on one port."""

from __future__ import annotations

import argparse
import logging
import os
import signal
import socket
import sys
import threading
from pathlib import Path
from typing import NoReturn

from dotenv import load_dotenv
from prometheus_client import disable_created_metrics

from agent_metrics.collector import FolderCollector
from agent_metrics.server.app import create_app
from agent_metrics.server.service import Service
from agent_metrics.server.web_config import BadWebConfigError, WebConfig, load
from agent_metrics.storage.folder import ServiceLockError, acquire_service_lock
from agent_metrics.storage.ledger import BadLedgerError
from agent_metrics.storage.trusted import UntrustedError, make_folder
from agent_metrics.writer import DEFAULT_ROOT
from http_service.connections import limited_config
from http_service.server import Server, block_stop_signals, exit_misconfigured, listen

_PROGRAM = "agent-metrics" if Path(sys.argv[0]).name == "agent-metrics" else "python -m agent_metrics"
_MAX_CONNECTIONS_PER_CLIENT = 100
#: The metrics are for this machine unless ``METRICS_HOST`` or ``--host`` says otherwise.
DEFAULT_HOST = "127.0.0.1"


def main() -> None:
    """Run the service until SIGINT or SIGTERM. Exit with code 2 if it cannot start."""
    block_stop_signals()
    load_dotenv(".env")
    options = _parse_options()
    logging.basicConfig(format="agent_metrics: %(message)s", level=logging.WARNING)
    disable_created_metrics()  # type: ignore[no-untyped-call]
    config = _load_web_config(options.web_config_file)
    listener = _listen(options.host, options.port)
    service, _lock = _open_service(options.dir)  # the lock's descriptor stays open until the process ends
    if options.until_stdin_ends:
        threading.Thread(target=_stop_when_stdin_ends, daemon=True).start()
    _serve(listener, service, config, options.dir)
    sys.exit(0)


def _parse_options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog=_PROGRAM, description=__doc__)
    folder = os.environ.get("PROMETHEUS_MULTIPROC_DIR") or DEFAULT_ROOT
    parser.add_argument("--dir", type=Path, default=Path(folder), help="the metrics folder (default: %(default)s)")
    host = os.environ.get("METRICS_HOST") or DEFAULT_HOST
    parser.add_argument("--host", default=host, help="address to listen on (default: %(default)s)")
    parser.add_argument("--port", type=int, default=9100, help="default: %(default)s")
    parser.add_argument(
        "--web.config.file",
        dest="web_config_file",
        type=Path,
        default=os.environ.get("METRICS_WEB_CONFIG_FILE") or None,
        metavar="FILE",
        help="TLS and basic auth, in the format of Prometheus's exporter-toolkit",
    )
    parser.add_argument("--until-stdin-ends", action="store_true", help="stop with the process that started this one")
    return parser.parse_args()


def _stop_when_stdin_ends() -> None:
    # Not sys.stdin: a thread that reads it holds its lock, and Python aborts if it cannot close it at exit.
    while os.read(0, 4096):
        pass
    os.kill(os.getpid(), signal.SIGTERM)


def _load_web_config(path: Path | None) -> WebConfig:
    try:
        return load(path) if path else WebConfig()
    except BadWebConfigError as error:
        _exit(f"{len(error.problems)} problem(s) in {path}", *error.problems)


def _listen(host: str, port: int) -> socket.socket:
    try:
        return listen(host, port)
    except OSError as error:
        _exit(f"{error}. Choose another with --host and --port.")


def _open_service(root: Path) -> tuple[Service, int | None]:
    try:
        make_folder(root)
        lock = acquire_service_lock(root)
        service = Service(FolderCollector(root))
        service.open()
    except UntrustedError as error:
        _exit(str(error))
    except OSError as error:
        _exit(f"cannot make the folder {root}: {error.strerror}. Choose another with --dir.")
    except ServiceLockError as error:
        _exit(str(error))
    except BadLedgerError as error:
        _exit(f"{error}. Restore a copy of it; or move it away, and all totals begin at zero.")
    return service, lock


def _serve(listener: socket.socket, service: Service, web_config: WebConfig, root: Path) -> None:
    tls = web_config.tls_server_config
    app = create_app(service, web_config.password_hashes)
    config = limited_config(app, _MAX_CONNECTIONS_PER_CLIENT)
    config.load()
    config.ssl = tls.ssl_context() if tls else None
    host, port = listener.getsockname()[:2]
    print(f"agent_metrics: serving {root} on http{'s' if tls else ''}://{host}:{port}/metrics", flush=True)
    Server(config).run(sockets=[listener])


def _exit(message: str, *details: str) -> NoReturn:
    exit_misconfigured("agent_metrics", message, *details)


if __name__ == "__main__":
    main()
