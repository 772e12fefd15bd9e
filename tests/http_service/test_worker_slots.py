"""The free slots of all workers together, as the page and the call guard know them."""

from __future__ import annotations

import json
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from aiohttp import web

from http_service.worker_slots import WorkerAddresses, WorkerSlots


class Workers:
    """Workers, and a clock."""

    def __init__(self, *answers: Any) -> None:
        self.answers = list(answers)
        self.asked = 0
        self.now = 0.0
        self.slots = WorkerSlots(self, "guide", clock=lambda: self.now)

    async def __call__(self) -> list[Any]:
        self.asked += 1
        return self.answers


def worker(free: int | None, name: str = "guide") -> dict[str, Any]:
    return {"agent_name": name, "free": free}


async def test_slots_of_all_workers_of_the_name_are_added() -> None:
    assert await Workers(worker(2), worker(3), worker(9, "tour")).slots.free() == 5


@pytest.mark.parametrize("answers", [[], [worker(9, "tour")], [worker(2), worker(None)], ["text", 5, None]])
async def test_number_is_unknown_without_an_answer_or_with_a_worker_without_a_limit(answers: list[Any]) -> None:
    assert await Workers(*answers).slots.free() is None


async def test_calls_that_were_let_in_count_until_the_workers_know_them() -> None:
    workers = Workers(worker(2))
    assert [await workers.slots.take(0) for _ in range(3)] == [True, True, False]
    workers.answers = [worker(0)]
    workers.now = 4.0
    assert await workers.slots.free() == 0
    workers.answers = [worker(1)]
    workers.now = 5.0
    assert await workers.slots.take(0)


async def test_calls_that_the_workers_know_already_do_not_count_twice() -> None:
    workers = Workers(worker(10))
    assert all([await workers.slots.take(0) for _ in range(5)])
    workers.answers = [worker(7)]  # three of the five have their agents
    workers.now = 1.0
    assert await workers.slots.free() == 5
    workers.answers = [worker(5)]
    workers.now = 2.0
    assert await workers.slots.free() == 5
    assert all([await workers.slots.take(0) for _ in range(5)])
    assert not await workers.slots.take(0)


async def test_workers_are_not_asked_for_each_caller() -> None:
    workers = Workers(worker(50))
    for _ in range(20):
        await workers.slots.take(0)
    assert workers.asked == 1
    workers.now = 1.0
    await workers.slots.take(0)
    assert workers.asked == 2


@asynccontextmanager
async def serving(text: str, status: int = 200) -> AsyncIterator[str]:
    async def answer(_: web.Request) -> web.Response:
        return web.Response(text=text, status=status, content_type="application/json")

    app = web.Application()
    app.router.add_get("/slots", answer)
    runner = web.AppRunner(app)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


async def test_workers_are_asked_at_their_addresses() -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        down = f"http://127.0.0.1:{closed.getsockname()[1]}"
    async with serving(json.dumps(worker(3))) as up, serving("no JSON") as broken, serving("{}", 500) as failing:
        asked = WorkerAddresses([up, down, broken, failing, "http://no-such-host.invalid:8081"])
        assert await asked() == [worker(3)]
