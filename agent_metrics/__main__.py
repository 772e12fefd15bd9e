"""``python -m agent_metrics``: serve the metrics of every worker process on one port.

``backup FILE`` and ``restore FILE`` copy its ledger: the counts of the processes that have ended.
"""

from __future__ import annotations

import argparse
import logging
import os
import signal
import socket
import sqlite3
import sys
import tempfile
import threading
from pathlib import Path
from typing import NoReturn

from dotenv import load_dotenv
from prometheus_client import disable_created_metrics

from agent_metrics.collector import FolderCollector
from agent_metrics.server.app import create_app
from agent_metrics.server.service import Service
from agent_metrics.server.web_config import BadWebConfigError, WebConfig, load
from agent_metrics.storage.backup import BackupError, back_up, restore
from agent_metrics.storage.folder import ServiceLockError, acquire_service_lock
from agent_metrics.storage.ledger import BadLedgerError, NewerLedgerError
from agent_metrics.storage.trusted import UntrustedError, make_folder
from agent_metrics.writer import DEFAULT_ROOT
from http_service.connections import limited_config
from http_service.server import Server, block_stop_signals, exit_misconfigured, listen

_PROGRAM = "agent-metrics" if Path(sys.argv[0]).name == "agent-metrics" else "python -m agent_metrics"
_MAX_CONNECTIONS_PER_CLIENT = 100
#: The metrics are for this machine unless ``METRICS_HOST`` or ``--host`` says otherwise.
DEFAULT_HOST = "127.0.0.1"


def main() -> None:
    """Run the service until SIGINT or SIGTERM, or copy its ledger. Exit with code 2 if that cannot be done."""
    block_stop_signals()
    load_dotenv(".env")
    options = _parse_options()
    logging.basicConfig(format="agent_metrics: %(message)s", level=logging.WARNING)
    disable_created_metrics()  # type: ignore[no-untyped-call]
    if options.command is not None:
        _unblock_stop_signals()
        _copy_ledger(options)
        return
    config = _load_web_config(options.web_config_file)
    listener = _listen(options.host, options.port)
    service, _lock = _open_service(options.dir)  # the lock's descriptor stays open until the process ends
    if options.until_stdin_ends:
        threading.Thread(target=_stop_when_stdin_ends, daemon=True).start()
    _serve(listener, service, config, options.dir)
    sys.exit(0)


def _parse_options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog=_PROGRAM, description=(__doc__ or "").partition("\n")[0])
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
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", help="without one, the metrics are served")
    backup = commands.add_parser("backup", help="copy the ledger to a file, also while it is in use")
    restore = commands.add_parser("restore", help="put such a copy into a folder that is not in use")
    restore.add_argument("--replace", action="store_true", help="also into a folder that holds metrics")
    for command, what in ((backup, "a new file; - is the standard output"), (restore, "- is the standard input")):
        command.add_argument("file", metavar="FILE", help=what)
        command.add_argument("--dir", type=Path, default=argparse.SUPPRESS, help="the metrics folder")
    return parser.parse_args()


def _unblock_stop_signals() -> None:
    """Let them end this process: copies can be broken off at any point."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, (signal.SIGINT, signal.SIGTERM))


def _copy_ledger(options: argparse.Namespace) -> None:
    """Run ``backup`` or ``restore``."""
    try:
        if options.command == "backup":
            _back_up(options.dir, options.file)
        else:
            with sys.stdin.buffer if options.file == "-" else Path(options.file).open("rb") as copy:
                restore(options.dir, copy, replace=options.replace)
            print(f"agent_metrics: {options.dir} has the ledger of {options.file}", file=sys.stderr)
    except NewerLedgerError as error:
        _exit(f"{error}. Use the newer version")
    except (BackupError, BadLedgerError, ServiceLockError, sqlite3.Error, OSError) as error:
        _exit(str(error))


def _back_up(root: Path, file: str) -> None:
    if file != "-":
        back_up(root, Path(file))
    else:
        with tempfile.TemporaryDirectory() as folder:
            copy = Path(folder) / "ledger.sqlite"
            back_up(root, copy)
            sys.stdout.buffer.write(copy.read_bytes())
            sys.stdout.buffer.flush()
    print(f"agent_metrics: copied the ledger of {root}: the processes that have ended", file=sys.stderr)


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
    except NewerLedgerError as error:
        _exit(
            f"{error}. Start the newer version again; or `{_PROGRAM} restore --replace FILE` a copy from before it, "
            "without what was counted since"
        )
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
