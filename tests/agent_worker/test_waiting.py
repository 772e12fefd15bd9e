from __future__ import annotations

import asyncio

import pytest

from agent_worker.core.aio import wait_future_or_event


@pytest.mark.parametrize("first", ["done", "set"])
async def test_either_ends_the_wait_and_the_other_goes_on(first: str) -> None:
    coming: asyncio.Future[int] = asyncio.get_running_loop().create_future()
    event = asyncio.Event()
    waiting = asyncio.create_task(wait_future_or_event(coming, event))
    await asyncio.sleep(0)
    assert not waiting.done()
    if first == "done":
        coming.set_result(1)
    else:
        event.set()
    await waiting
    assert (coming.done(), event.is_set()) == (first == "done", first == "set")


async def test_nobody_else_gets_a_turn_when_there_is_nothing_to_wait_for() -> None:
    event = asyncio.Event()
    event.set()
    with pytest.raises(StopIteration):
        wait_future_or_event(asyncio.get_running_loop().create_future(), event).send(None)
