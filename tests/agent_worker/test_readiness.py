"""A worker says that it is ready when a call would get an agent at once, and not before."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from types import SimpleNamespace
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from livekit.agents import JobExecutorType
from livekit.protocol import agent as protocol

from agent_worker.core.compat import livekit
from agent_worker.core.settings import CloudSettings, load
from agent_worker.lifecycle.worker_status import ReadinessProbe, report_status
from agent_worker.telemetry import metrics
from tests.waiting import settle, until


class FakeLiveKit:
    """Registers workers, and drops their connections."""

    def __init__(self) -> None:
        self.url = ""
        self.is_closed = False
        self._sockets: list[web.WebSocketResponse] = []

    async def register(self, request: web.Request) -> web.StreamResponse:
        if self.is_closed:
            return web.Response(status=503)
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        self._sockets.append(socket)
        await socket.receive()
        answer = protocol.ServerMessage(register=protocol.RegisterWorkerResponse(worker_id="AW_1"))
        await socket.send_bytes(answer.SerializeToString())
        async for _ in socket:
            pass
        return socket

    async def drop_connections(self) -> None:
        for socket in self._sockets:
            await socket.close()


@pytest.fixture
async def livekit_server() -> AsyncIterator[FakeLiveKit]:
    fake = FakeLiveKit()
    app = web.Application()
    app.router.add_get("/agent", fake.register)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    fake.url = f"ws://127.0.0.1:{runner.addresses[0][1]}"
    yield fake
    await fake.drop_connections()
    await runner.cleanup()


@pytest.fixture
def settings(monkeypatch: pytest.MonkeyPatch) -> CloudSettings:
    for name in ("LIVEKIT_API_KEY", "LIVEKIT_API_SECRET", "GROQ_API_KEY", "DEEPGRAM_API_KEY", "OPENAI_API_KEY"):
        monkeypatch.setenv(name, "given")
    monkeypatch.setenv("LIVEKIT_URL", "ws://localhost:7880")
    return load(CloudSettings)


class Port:
    """The port of a worker that runs."""

    def __init__(self, http: aiohttp.ClientSession, port: int) -> None:
        self._http, self._port = http, port

    async def status(self, path: str) -> int:
        async with self._http.get(f"http://127.0.0.1:{self._port}{path}") as response:
            return response.status

    async def content(self, path: str) -> Any:
        async with self._http.get(f"http://127.0.0.1:{self._port}{path}") as response:
            return await response.json()

    async def until_status(self, path: str, wanted: int) -> None:
        while await self.status(path) != wanted:
            await asyncio.sleep(0.05)


@contextlib.asynccontextmanager
async def running_worker(url: str, settings: CloudSettings) -> AsyncIterator[tuple[livekit.JsonAgentServer, Port]]:
    server = livekit.JsonAgentServer(
        ws_url=url,
        api_key="key",
        api_secret="a secret that is long enough for a token",
        host="127.0.0.1",
        port=0,
        job_executor_type=JobExecutorType.THREAD,
        num_idle_processes=1,
    )
    report_status(server, settings, 0.7)
    server.rtc_session(lambda _: settle())
    started = asyncio.Event()
    server.on("worker_started", started.set)
    running = asyncio.create_task(server.run())
    try:
        await started.wait()
        async with aiohttp.ClientSession() as http:
            yield server, Port(http, server.worker_info.http_port)
    finally:
        await server.aclose()
        await asyncio.gather(running, return_exceptions=True)


async def test_worker_is_ready_while_livekit_knows_it(livekit_server: FakeLiveKit, settings: CloudSettings) -> None:
    async with running_worker(livekit_server.url, settings) as (server, port):
        await port.until_status("/ready", 200)
        found = await port.content("/ready")
        assert (found["registered"], found["ready"], found["warm_processes"]) == (True, True, 1)
        livekit_server.is_closed = True
        await livekit_server.drop_connections()
        await port.until_status("/ready", 503)
        assert [await port.status(path) for path in ("/healthz", "/startup")] == [200, 200]
        livekit_server.is_closed = False
        await until(lambda: livekit.is_registered(server))
        assert await port.status("/ready") == 200


async def test_worker_tells_the_version_of_its_deployment(livekit_server: FakeLiveKit, settings: CloudSettings) -> None:
    settings = settings.model_copy(update={"agent_worker_version": "3.2.1-test"})
    async with running_worker(livekit_server.url, settings):
        running = metrics.BUILD_INFO.collect()[0].samples
        assert [sample.value for sample in running if sample.labels == {"version": "3.2.1-test"}] == [1]


async def test_worker_with_a_wrong_address_of_livekit_starts_and_is_alive_and_never_ready(
    settings: CloudSettings,
) -> None:
    tries: list[str] = []

    async def no_livekit(request: web.Request) -> web.Response:
        tries.append(request.path)
        return web.Response(status=404)

    app = web.Application()
    app.router.add_get("/{path:.*}", no_livekit)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        async with running_worker(f"ws://127.0.0.1:{runner.addresses[0][1]}", settings) as (_, port):
            await until(lambda: len(tries) >= 2)
            assert [await port.status(path) for path in ("/startup", "/healthz", "/ready")] == [200, 200, 503]
            assert (await port.content("/ready"))["registered"] is False
    finally:
        await runner.cleanup()


class Pool:
    def __init__(self, warm: int, idle: int = 2) -> None:
        self._warmed_proc_queue: asyncio.Queue[int] = asyncio.Queue()
        self._default_num_idle_processes = idle
        for each in range(warm):
            self._warmed_proc_queue.put_nowait(each)


def server(warm: int, calls: int = 0, idle: int = 2, **more: Any) -> Any:
    state = {"id": "AW_1", "_connecting": False, "_closed": False, "draining": False, **more}
    return SimpleNamespace(active_jobs=[None] * calls, _reserved_slots=0, _proc_pool=Pool(warm, idle), **state)


@pytest.mark.parametrize(
    ("worker", "is_ready"),
    [
        (server(warm=1), True),
        (server(warm=0), False),
        (server(warm=0, calls=1), True),  # all slots may be taken: the processes work
        (server(warm=0, idle=0), True),  # `dev` makes them on demand
        (server(warm=1, draining=True), False),
        (server(warm=1, id="unregistered"), False),
        (server(warm=1, _connecting=True), False),
    ],
)
async def test_ready_is_registered_with_a_process_for_a_call_and_not_draining(worker: Any, is_ready: bool) -> None:
    assert ReadinessProbe(worker).readiness().ready is is_ready


async def test_worker_has_started_once_a_process_is_prepared_whatever_comes_later() -> None:
    worker = server(warm=0)
    probe = ReadinessProbe(worker)
    assert not probe.readiness().started
    worker._proc_pool = Pool(1)
    assert probe.readiness().started
    worker._proc_pool = Pool(0)
    assert probe.readiness().started


def test_worker_that_only_a_restart_helps_is_not_alive() -> None:
    dead = SimpleNamespace(is_alive=lambda: False)
    alive = SimpleNamespace(is_alive=lambda: True)
    assert livekit.has_failed(server(1, _connection_failed=True))
    assert not livekit.has_failed(server(1, _connection_failed=False, _inference_executor=dead))  # calls go on
    assert not livekit.has_failed(server(1, _connection_failed=False, _inference_executor=alive))
