from __future__ import annotations

import asyncio

import pytest

from agent_worker.core.aio import wait_future_or_event


@pytest.mark.parametrize("future_is_first", [True, False])
async def test_wait_ends_with_the_first_and_leaves_the_other_pending(future_is_first: bool) -> None:
    loop = asyncio.get_running_loop()
    pending: asyncio.Future[int] = loop.create_future()
    event = asyncio.Event()
    loop.call_soon(*((pending.set_result, 1) if future_is_first else (event.set,)))
    await wait_future_or_event(pending, event)
    assert (pending.done(), event.is_set()) == (future_is_first, not future_is_first)
    assert not pending.cancelled()


async def test_wait_returns_without_suspending_when_the_event_is_set() -> None:
    event = asyncio.Event()
    event.set()
    with pytest.raises(StopIteration):
        wait_future_or_event(asyncio.get_running_loop().create_future(), event).send(None)
