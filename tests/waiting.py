"""Waiting in tests: for conditions without a deadline, and for the absence of something."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

_POLL_S = 0.01
_SETTLE_S = 0.05


async def until(condition: Callable[[], object]) -> None:
    """Return when the condition holds. pytest-timeout ends a test whose condition never does."""
    while not condition():
        await asyncio.sleep(_POLL_S)


async def settle() -> None:
    """Give unwanted events a moment to happen.

    Use it only before asserting that something did not happen: on a slow machine the test may then miss a fault, and
    never reports one that is not there.
    """
    await asyncio.sleep(_SETTLE_S)
