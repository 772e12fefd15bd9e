"""Waits for what comes, until something else has happened."""

from __future__ import annotations

import asyncio
from typing import Any


async def wait_future_or_event(coming: asyncio.Future[Any], event: asyncio.Event) -> None:
    """Return as soon as ``coming`` is done or ``event`` is set, whichever is first. Neither is cancelled."""
    if coming.done() or event.is_set():
        return  # nothing to wait for: no task is made for every frame of audio
    waiting = asyncio.create_task(event.wait())
    try:
        await asyncio.wait([coming, waiting], return_when=asyncio.FIRST_COMPLETED)
    finally:
        waiting.cancel()
