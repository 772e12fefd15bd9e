"""The health endpoint: its path, its answer, and a listener for it and a few pages."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Callable, Mapping

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

HEALTH_PATH = "/healthz"
_HEADERS_TIMEOUT_S = 5.0
_MAX_CONNECTIONS = 100

#: Returns the content of a page, and its content type.
Page = Callable[[], tuple[bytes, str]]


async def answer_ok(_: Request) -> Response:
    """Answer 200: a service that can answer at all is healthy."""
    return PlainTextResponse("ok\n")


async def serve_health(listener: socket.socket, pages: Mapping[str, Page] | None = None) -> asyncio.Server:
    """Serve :data:`HEALTH_PATH` on a port of its own, in the running event loop, and return the server.

    It answers as long as the event loop runs, also while all connections of the service are taken.

    Args:
        listener: The port.
        pages: What else to serve, by path.
    """
    served = {**(pages or {}), HEALTH_PATH: lambda: (b"ok\n", "text/plain; charset=utf-8")}
    open_connections: set[asyncio.StreamWriter] = set()

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        open_connections.add(writer)
        try:
            if len(open_connections) > _MAX_CONNECTIONS:
                return
            head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), _HEADERS_TIMEOUT_S)
            _, path, *_ = [*head.split(b" ", 2), b""]
            writer.write(_response(served.get(path.decode(errors="replace"))))
            await asyncio.wait_for(writer.drain(), _HEADERS_TIMEOUT_S)
        except (asyncio.TimeoutError, asyncio.IncompleteReadError, asyncio.LimitOverrunError, OSError):
            pass  # a client that sends no request, or leaves
        finally:
            open_connections.discard(writer)
            with contextlib.suppress(OSError):
                writer.close()

    return await asyncio.start_server(answer, sock=listener)


def _response(page: Page | None) -> bytes:
    if page is None:
        return _head("404 Not Found", 0)
    content, content_type = page()
    return _head("200 OK", len(content), f"Content-Type: {content_type}\r\n") + content


def _head(status: str, length: int, more: str = "") -> bytes:
    return f"HTTP/1.1 {status}\r\n{more}Content-Length: {length}\r\nConnection: close\r\n\r\n".encode()
