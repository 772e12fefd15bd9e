"""Wait for a result for a limited time."""

import asyncio
from collections.abc import Awaitable
from typing import TypeVar

_T = TypeVar("_T")


async def wait_for(awaitable: Awaitable[_T], timeout: float) -> _T:
    """Return the result, or raise `asyncio.TimeoutError` after `timeout` seconds.

    `asyncio.wait_for` loses a cancellation that arrives together with the result before Python 3.12.
    """
    task = asyncio.ensure_future(awaitable)
    try:
        done, _ = await asyncio.wait([task], timeout=timeout)
        if not done:
            raise asyncio.TimeoutError
        return task.result()
    finally:
        if not task.done():
            task.cancel()
            await asyncio.wait([task])
