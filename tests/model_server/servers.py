"""Model servers for tests: in a process, or in the test's event loop with injected parts."""

from __future__ import annotations

import asyncio
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

import uvicorn
from openai import AsyncOpenAI
from websockets.asyncio.client import ClientConnection, connect

from model_server.app import create_app
from model_server.backends import Backends
from testbed.processes import announced_server

LISTEN = {
    "model": "nova-3",
    "encoding": "linear16",
    "sample_rate": "16000",
    "interim_results": "true",
    "vad_events": "true",
    "punctuate": "true",
}
LISTEN_FLUX = {"model": "flux-general-en", "encoding": "linear16", "sample_rate": "16000"}


@dataclass(frozen=True)
class Address:
    url: str
    process: subprocess.Popen[str] | None = None

    @property
    def v1(self) -> str:
        return f"{self.url}/v1"

    def openai(self, api_key: str = "any") -> AsyncOpenAI:
        return AsyncOpenAI(base_url=self.v1, api_key=api_key, max_retries=0)

    def listen(self, headers: Mapping[str, str] | None = None, **options: str) -> connect:
        """`async with` it: a Deepgram live connection."""
        query = "&".join(f"{key}={value}" for key, value in {**LISTEN, **options}.items() if value)
        url = f"{self.v1.replace('http', 'ws', 1)}/listen?{query}"
        return connect(url, additional_headers=headers, proxy=None)

    def listen_flux(self, headers: Mapping[str, str] | None = None, **options: object) -> connect:
        """`async with` it: a Deepgram connection by turns."""
        given = {key: value for key, value in {**LISTEN_FLUX, **options}.items() if value != ""}
        url = f"{self.url.replace('http', 'ws', 1)}/v2/listen?{urlencode(given, doseq=True)}"
        return connect(url, additional_headers=headers, proxy=None)


def command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "model_server", "--port", "0", *arguments]


@contextmanager
def server_process(*arguments: str) -> Iterator[Address]:
    with announced_server(command(*arguments), "model server ready on ") as (url, process):
        yield Address(url, process)


class _Server(uvicorn.Server):
    """Sets an event once it accepts connections; leaves the signals to pytest."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.listening = asyncio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.listening.set()

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


@asynccontextmanager
async def server_inside(backends: Backends, **options: Any) -> AsyncIterator[Address]:
    server = _Server(
        uvicorn.Config(create_app(backends, **options), port=0, log_level="warning", timeout_graceful_shutdown=1)
    )
    serving = asyncio.create_task(server.serve())
    await server.listening.wait()
    port = server.servers[0].sockets[0].getsockname()[1]
    try:
        yield Address(f"http://127.0.0.1:{port}")
    finally:
        server.should_exit = True
        await serving


__all__ = ["Address", "ClientConnection", "command", "server_inside", "server_process"]
