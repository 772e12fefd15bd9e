import asyncio

import pytest

from caller.timeouts import wait_for


class Pending:
    """An awaitable that reports when it is awaited and when it has ended."""

    def __init__(self) -> None:
        self.awaited = asyncio.Event()
        self.ended = asyncio.Event()
        self.result: asyncio.Future[str] = asyncio.get_running_loop().create_future()

    async def wait(self) -> str:
        self.awaited.set()
        try:
            return await self.result
        finally:
            self.ended.set()


async def test_result_is_returned() -> None:
    pending = Pending()
    pending.result.set_result("here")
    assert await wait_for(pending.wait(), 10) == "here"


async def test_timeout_is_raised() -> None:
    with pytest.raises(asyncio.TimeoutError):
        await wait_for(Pending().wait(), 0)


async def test_cancellation_that_arrives_together_with_the_result_is_not_lost() -> None:
    pending = Pending()
    waiting = asyncio.create_task(wait_for(pending.wait(), 10))
    await pending.awaited.wait()
    pending.result.set_result("here")
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting


async def test_awaitable_is_cancelled_with_the_wait() -> None:
    pending = Pending()
    waiting = asyncio.create_task(wait_for(pending.wait(), 10))
    await pending.awaited.wait()
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert pending.ended.is_set()
