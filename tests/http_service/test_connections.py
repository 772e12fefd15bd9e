from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator

import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from http_service.connections import ConnectionLimit, limited_protocol
from http_service.health import serve_health
from http_service.server import listen
from tests.waiting import until

REQUEST = b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"
MAX_CONNECTIONS = 20
NEVER_S = 1e6


async def read_body(request: Request) -> Response:
    return PlainTextResponse(f"read {len(await request.body())}")


@contextlib.asynccontextmanager
async def serving(
    limit: ConnectionLimit, headers_timeout_s: float = NEVER_S, request_timeout_s: float = NEVER_S
) -> AsyncIterator[int]:
    """Yield the port of a server that allows :data:`MAX_CONNECTIONS`."""
    app = Starlette(routes=[Route("/", read_body, methods=["GET", "POST"])])
    config = uvicorn.Config(
        app,
        http=limited_protocol(limit, headers_timeout_s, request_timeout_s),
        limit_concurrency=MAX_CONNECTIONS,
        log_level="critical",
        timeout_graceful_shutdown=1,
    )
    listener = listen("127.0.0.1", 0)
    server = uvicorn.Server(config)
    task = asyncio.create_task(server.serve([listener]))
    await until(lambda: server.started)
    try:
        yield listener.getsockname()[1]
    finally:
        server.should_exit = True
        await task


class Client:
    """A connection from an address of loopback."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    @classmethod
    async def connect(cls, port: int, address: str = "127.0.0.1") -> Client:
        return cls(*await asyncio.open_connection("127.0.0.1", port, local_addr=(address, 0)))

    def send(self, data: bytes) -> None:
        self._writer.write(data)

    async def status(self) -> int | None:
        """Return the status of the response; None if the connection is closed instead."""
        try:
            head = await self._reader.readuntil(b"\r\n\r\n")
        except (asyncio.IncompleteReadError, ConnectionError):
            return None
        length = next(line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length"))
        await self._reader.readexactly(int(length.split(b":")[1]))
        return int(head.split()[1])

    async def get(self) -> int | None:
        with contextlib.suppress(ConnectionError):
            self.send(REQUEST)
            await self._writer.drain()
        return await self.status()

    def close(self) -> None:
        self._writer.close()


async def test_idle_connections_of_one_client_leave_the_server_to_others() -> None:
    async with serving(ConnectionLimit(5)) as port:
        idle = [await Client.connect(port) for _ in range(2 * MAX_CONNECTIONS)]
        answers = [await client.get() for client in idle]
        assert answers.count(200) == 5
        assert answers.count(None) == len(idle) - 5
        other = await Client.connect(port, "127.0.0.2")
        assert await other.get() == 200
        for client in (*idle, other):
            client.close()


async def test_connections_from_many_addresses_of_one_network_are_limited_too() -> None:
    async with serving(ConnectionLimit(1)) as port:
        neighbours = [await Client.connect(port, f"127.0.0.{number}") for number in range(1, 20)]
        assert [await client.get() for client in neighbours].count(200) == 8
        for client in neighbours:
            client.close()


async def test_ended_connections_count_no_longer() -> None:
    async with serving(ConnectionLimit(1)) as port:
        for _ in range(5):
            client = await Client.connect(port)
            while await client.get() is None:  # the server has not seen the end of the one before
                client = await Client.connect(port)
            client.close()


async def test_proxies_have_no_limit_of_connections() -> None:
    async with serving(ConnectionLimit(1, exempt=["127.0.0.0/8"])) as port:
        connections = [await Client.connect(port) for _ in range(5)]
        assert [await client.get() for client in connections] == [200] * 5
        for client in connections:
            client.close()


@pytest.mark.parametrize("sent", [b"", b"GET / HTTP/1.1\r\nHost: local"])
async def test_connection_without_a_whole_request_is_closed(sent: bytes) -> None:
    async with serving(ConnectionLimit(5), headers_timeout_s=0.05) as port:
        client = await Client.connect(port)
        client.send(sent)
        assert await client.status() is None


async def test_connection_that_begins_its_second_request_and_does_not_end_it_is_closed() -> None:
    async with serving(ConnectionLimit(5), headers_timeout_s=0.1) as port:
        client = await Client.connect(port)
        while await client.get() is None:  # the machine is too slow for the first request
            client = await Client.connect(port)
        client.send(b"GET / HTTP/1.1\r\n")
        assert await client.status() is None


async def test_request_whose_body_does_not_arrive_is_ended() -> None:
    async with serving(ConnectionLimit(5), request_timeout_s=0.05) as port:
        client = await Client.connect(port)
        client.send(b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\n\r\nabc")
        assert await client.status() is None


async def test_requests_one_after_the_other_and_at_once_are_answered() -> None:
    async with serving(ConnectionLimit(1)) as port:
        client = await Client.connect(port)
        assert await client.get() == 200
        client.send(REQUEST * 3)
        assert [await client.status() for _ in range(3)] == [200] * 3
        client.send(REQUEST.replace(b"\r\n\r\n", b"\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n"))
        assert await client.status() == 200
        client.close()


async def test_health_listener_answers_its_path_and_nothing_else() -> None:
    listener = listen("127.0.0.1", 0)
    server = await serve_health(listener)
    async with server:
        port = listener.getsockname()[1]
        for path, status in ((b"/healthz", 200), (b"/", 404), (b"/api/session", 404)):
            client = await Client.connect(port)
            client.send(b"GET " + path + b" HTTP/1.1\r\nHost: 10.1.2.3\r\n\r\n")
            assert await client.status() == status
        broken = await Client.connect(port)
        broken.send(b"\r\n\r\n")
        assert await broken.status() == 404
