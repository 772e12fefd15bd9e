"""agent-metrics in a process of its own, and scrapes as Prometheus makes them."""

from __future__ import annotations

import contextlib
import http.client
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil

from testbed.processes import free_port

_PROMETHEUS_HEADERS = {
    "Accept": "application/openmetrics-text;version=1.0.0;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1",
    "Accept-Encoding": "gzip",
}


@dataclass(frozen=True)
class Server:
    """A running service on a port of loopback."""

    port: int
    process: subprocess.Popen[bytes]

    def scrape(self, path: str = "/metrics") -> tuple[float, int, bytes]:
        """Request a page; return the duration in seconds, the status and the body."""
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


@contextlib.contextmanager
def agent_metrics(root: Path) -> Iterator[Server]:
    """Run agent-metrics on a folder; it is healthy when the context is entered."""
    port = free_port()
    command = [sys.executable, "-m", "agent_metrics", "--dir", str(root), "--host", "127.0.0.1", "--port", str(port)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    try:
        server = Server(port, process)
        while not _is_healthy(server):
            time.sleep(0.05)
        yield server
    finally:
        process.terminate()
        process.wait()


def _is_healthy(server: Server) -> bool:
    try:
        return server.scrape("/healthz")[1] == http.client.OK
    except OSError:
        return False
