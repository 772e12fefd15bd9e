"""The health endpoint: its path, its answer, and a listener that serves nothing else."""

from __future__ import annotations

import asyncio
import contextlib
import socket

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

HEALTH_PATH = "/healthz"
_HEADERS_TIMEOUT_S = 5.0
_MAX_CONNECTIONS = 100
_OK = (
    b"HTTP/1.1 200 OK\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: 3\r\nConnection: close\r\n\r\nok\n"
)
_NOT_FOUND = b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"


async def answer_ok(_: Request) -> Response:
    """Answer 200: a service that can answer at all is healthy."""
    return PlainTextResponse("ok\n")


async def serve_health(listener: socket.socket) -> asyncio.Server:
    """Serve :data:`HEALTH_PATH` on a port of its own, in the running event loop, and return the server.

    It answers as long as the event loop runs, also while all connections of the service are taken.
    """
    open_connections: set[asyncio.StreamWriter] = set()

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        open_connections.add(writer)
        try:
            if len(open_connections) > _MAX_CONNECTIONS:
                return
            head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), _HEADERS_TIMEOUT_S)
            path = head.split(b" ", 2)[1:2]
            writer.write(_OK if path == [HEALTH_PATH.encode()] else _NOT_FOUND)
            await asyncio.wait_for(writer.drain(), _HEADERS_TIMEOUT_S)
        except (asyncio.TimeoutError, asyncio.IncompleteReadError, asyncio.LimitOverrunError, OSError):
            pass  # a client that sends no request, or leaves
        finally:
            open_connections.discard(writer)
            with contextlib.suppress(OSError):
                writer.close()

    return await asyncio.start_server(answer, sock=listener)
