"""Helpers for asyncio."""

from __future__ import annotations

import asyncio
from typing import Any


async def wait_future_or_event(pending: asyncio.Future[Any], event: asyncio.Event) -> None:
    """Return as soon as ``pending`` is done or ``event`` is set. Neither is cancelled."""
    if pending.done() or event.is_set():
        return  # called for every frame of audio: most calls need no task
    event_wait = asyncio.create_task(event.wait())
    try:
        await asyncio.wait([pending, event_wait], return_when=asyncio.FIRST_COMPLETED)
    finally:
        event_wait.cancel()
