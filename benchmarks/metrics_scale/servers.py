"""The services that are measured, each a process of its own, and how long a scrape of one takes."""

from __future__ import annotations

import http.client
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil

from testbed.processes import free_port

#: As Prometheus asks.
HEADERS = {
    "Accept": "application/openmetrics-text;version=1.0.0;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1",
    "Accept-Encoding": "gzip",
}
_THEIRS = """
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
    port: int
    process: subprocess.Popen[bytes]

    def scrape(self, path: str = "/metrics") -> tuple[float, int, bytes]:
        """How long a scrape took, in seconds, its status and its body."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port)
        started = time.perf_counter()
        connection.request("GET", path, headers=HEADERS)
        response = connection.getresponse()
        body = response.read()
        seconds = time.perf_counter() - started
        connection.close()
        return seconds, response.status, body

    def memory_bytes(self) -> int:
        return int(psutil.Process(self.process.pid).memory_info().rss)


@contextmanager
def ours(root: Path) -> Iterator[Server]:
    port = free_port()
    command = [sys.executable, "-m", "agent_metrics", "--dir", str(root), "--host", "127.0.0.1", "--port", str(port)]
    with _running(command, port) as server:
        while server.scrape("/healthz")[1] != 200:
            time.sleep(0.05)
        yield server


@contextmanager
def theirs(root: Path) -> Iterator[Server]:
    port = free_port()
    with _running([sys.executable, "-c", _THEIRS, str(root), str(port)], port) as server:
        yield server


@contextmanager
def _running(command: list[str], port: int) -> Iterator[Server]:
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    try:
        server = Server(port, process)
        while not _answers(server):
            time.sleep(0.05)
        yield server
    finally:
        process.terminate()
        process.wait()


def _answers(server: Server) -> bool:
    try:
        server.scrape()
        return True
    except OSError:
        return False
