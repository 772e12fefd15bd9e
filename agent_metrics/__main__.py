"""``python -m agent_metrics``: serve the metrics of every worker process on one port."""

from __future__ import annotations

import argparse
import os
import signal
import sys
import threading
from collections.abc import Iterable
from pathlib import Path

from dotenv import load_dotenv
from prometheus_client import CollectorRegistry, Metric, start_http_server
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector


class MultiprocessFolder(Collector):
    """Aggregates the ``prometheus_client`` files in a folder and in the workers' folders below it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def collect(self) -> Iterable[Metric]:
        files = [str(path) for pattern in ("*.db", "*/*.db") for path in self._folder.glob(pattern)]
        metrics: Iterable[Metric] = MultiProcessCollector.merge(files, accumulate=True)  # type: ignore[no-untyped-call]
        return metrics


def main() -> int:
    load_dotenv(".env")
    parser = argparse.ArgumentParser(prog="agent_metrics", description=__doc__)
    default_folder = os.environ.get("PROMETHEUS_MULTIPROC_DIR") or "/tmp/prometheus_multiproc"
    parser.add_argument("--dir", type=Path, default=Path(default_folder), help="default: %(default)s")
    parser.add_argument("--host", default="0.0.0.0", help="default: %(default)s")
    parser.add_argument("--port", type=int, default=9100, help="default: %(default)s")
    options = parser.parse_args()

    registry = CollectorRegistry()
    registry.register(MultiprocessFolder(options.dir))
    try:
        server, thread = start_http_server(options.port, addr=options.host, registry=registry)
    except OSError as error:
        print(
            f"agent_metrics: cannot listen on {options.host}:{options.port}: {error.strerror}. "
            "Choose another with --port.",
            file=sys.stderr,
        )
        return 2
    print(f"agent_metrics: serving {options.dir} on http://{options.host}:{options.port}/metrics", flush=True)

    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    stop.wait()
    server.shutdown()
    thread.join()
    return 0


if __name__ == "__main__":
    sys.exit(main())
