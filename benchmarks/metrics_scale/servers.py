"""The services that are scraped, each in a process of its own."""

from __future__ import annotations

import contextlib
import http.client
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil

from testbed.processes import free_port

_PROMETHEUS_HEADERS = {
    "Accept": "application/openmetrics-text;version=1.0.0;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1",
    "Accept-Encoding": "gzip",
}
_PROMETHEUS_CLIENT = """
import sys, threading
from prometheus_client import CollectorRegistry, start_http_server
from prometheus_client.multiprocess import MultiProcessCollector
registry = CollectorRegistry()
MultiProcessCollector(registry, sys.argv[1])
start_http_server(int(sys.argv[2]), "127.0.0.1", registry)
threading.Event().wait()
"""


@dataclass(frozen=True)
class Server:
    """A running service on a port of loopback."""

    port: int
    process: subprocess.Popen[bytes]

    def scrape(self, path: str = "/metrics") -> tuple[float, int, bytes]:
        """Request a page as Prometheus does; return the duration in seconds, the status and the body."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port)
        started = time.perf_counter()
        connection.request("GET", path, headers=_PROMETHEUS_HEADERS)
        response = connection.getresponse()
        body = response.read()
        seconds = time.perf_counter() - started
        connection.close()
        return seconds, response.status, body

    def memory_bytes(self) -> int:
        """Return the resident set size."""
        return int(psutil.Process(self.process.pid).memory_info().rss)


def agent_metrics(root: Path) -> contextlib.AbstractContextManager[Server]:
    """Run agent-metrics on a folder."""
    port = free_port()
    return _running(["-m", "agent_metrics", "--dir", str(root), "--host", "127.0.0.1", "--port", str(port)], port)


def prometheus_client(root: Path) -> contextlib.AbstractContextManager[Server]:
    """Run the MultiProcessCollector of prometheus_client on a folder, behind its own HTTP server."""
    port = free_port()
    return _running(["-c", _PROMETHEUS_CLIENT, str(root), str(port)], port)


@contextlib.contextmanager
def _running(arguments: Sequence[str], port: int) -> Iterator[Server]:
    process = subprocess.Popen([sys.executable, *arguments], stdout=subprocess.DEVNULL)
    try:
        server = Server(port, process)
        while not _is_ready(server):
            time.sleep(0.05)
        yield server
    finally:
        process.terminate()
        process.wait()


def _is_ready(server: Server) -> bool:
    try:
        return server.scrape("/healthz")[1] != http.client.SERVICE_UNAVAILABLE
    except OSError:
        return False
