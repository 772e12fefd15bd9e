"""Providers on real sockets that send exactly the bytes that a test tells them to."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Iterable

from aiohttp import WSMsgType, web

Reply = bytes | Iterable[bytes]
OK = b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Type: %s\r\n\r\n"


@contextlib.asynccontextmanager
async def http_server(reply: Reply, content_type: str = "text/event-stream") -> AsyncIterator[str]:
    """Answer every request with the same bytes. Yields the base URL."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            head = await reader.readuntil(b"\r\n\r\n")
            length = next((line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length")), b":0")
            await reader.readexactly(int(length.split(b":")[1]))
            writer.write(OK % content_type.encode())
            for chunk in [reply] if isinstance(reply, bytes) else reply:
                writer.write(chunk)
                await writer.drain()
                await asyncio.sleep(0)  # an endless reply must not starve the client, which shares the event loop
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1"
    finally:
        server.close()


def event(content: object) -> bytes:
    return b"data: " + (content if isinstance(content, bytes) else json.dumps(content).encode()) + b"\n\n"


def delta(content: object, **more: object) -> bytes:
    choice = {"index": 0, "delta": {"role": "assistant", "content": content}, "finish_reason": None}
    return event(
        {"id": "1", "object": "chat.completion.chunk", "created": 1, "model": "m", "choices": [choice], **more}
    )


def completion(text: str, usage: object) -> bytes:
    return delta(text) + event({"id": "1", "choices": [], "usage": usage}) + event(b"[DONE]")


@contextlib.asynccontextmanager
async def websocket_server(first: str | bytes, then: str) -> AsyncIterator[str]:
    """Send ``first`` once, and ``then`` in each connection, as soon as audio arrives. Yields the URL.

    ``first`` as bytes is sent as a text message whatever it contains.
    """

    connections = 0

    async def handler(request: web.Request) -> web.WebSocketResponse:
        nonlocal connections
        connections += 1
        is_first = connections == 1
        socket = web.WebSocketResponse(max_msg_size=0)
        await socket.prepare(request)
        started = False
        async for message in socket:
            if message.type is WSMsgType.BINARY and not started:
                started = True
                with contextlib.suppress(ConnectionError):
                    if not is_first:
                        pass
                    elif isinstance(first, bytes):
                        await socket._writer.send_frame(first, WSMsgType.TEXT)
                    else:
                        await socket.send_str(first)
                    await socket.send_str(then)
        return socket

    app = web.Application()
    app.router.add_get("/v1/listen", handler)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}/v1/listen"
    finally:
        await runner.cleanup()
