import asyncio

import pytest

from caller.waiting import within


async def _soon() -> str:
    await asyncio.sleep(0)
    return "here"


async def test_the_result_or_a_timeout() -> None:
    assert await within(_soon(), 10) == "here"
    with pytest.raises(asyncio.TimeoutError):
        await within(asyncio.Event().wait(), 0)


async def test_a_cancellation_as_the_wait_ends_is_not_forgotten() -> None:
    ends: asyncio.Future[str] = asyncio.get_running_loop().create_future()
    waiting = asyncio.create_task(within(ends, 10))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    ends.set_result("here")
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting


async def test_what_is_waited_for_ends_with_the_wait() -> None:
    ended = asyncio.Event()

    async def forever() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    waiting = asyncio.create_task(within(forever(), 10))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert ended.is_set()
