"""The room of a canary's call: made as the page makes rooms, and marked, so that it is not counted as a caller's."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator
from typing import Protocol

import aiohttp
from livekit import api

from agent_worker.core.page_room import signed_metadata
from caller.canary.settings import CanarySettings
from caller.errors import RoomError

#: From the creation of the room, or the canary's departure, to its end; should the canary die before it closes it.
_EMPTY_TIMEOUT_S = 20


class Rooms(Protocol):
    """What makes and closes rooms."""

    async def create_room(self, create: api.CreateRoomRequest) -> api.Room:
        """Make a room."""

    async def delete_room(self, delete: api.DeleteRoomRequest) -> api.DeleteRoomResponse:
        """Close a room."""


@contextlib.asynccontextmanager
async def canary_room(rooms: Rooms, name: str, settings: CanarySettings) -> AsyncIterator[None]:
    """Make a room to which the agent is dispatched; close it at the end, so that the agent leaves at once.

    Raises:
        RoomError: If LiveKit's API does not answer, or refuses.
    """
    request = api.CreateRoomRequest(
        name=name,
        empty_timeout=_EMPTY_TIMEOUT_S,
        departure_timeout=_EMPTY_TIMEOUT_S,
        metadata=signed_metadata(name, time.time(), settings.livekit_api_secret.get_secret_value(), is_canary=True),
    )
    if settings.agent_name:
        request.agents.append(api.RoomAgentDispatch(agent_name=settings.agent_name))
    try:
        await rooms.create_room(request)
    except (api.ServerError, aiohttp.ClientError, asyncio.TimeoutError) as error:
        raise RoomError(f"the room could not be made: {_reason(error)}") from None
    try:
        yield
    finally:
        with contextlib.suppress(api.ServerError, aiohttp.ClientError, asyncio.TimeoutError):  # it ends a little later
            await rooms.delete_room(api.DeleteRoomRequest(room=name))


def _reason(error: Exception) -> str:
    return f"HTTP {error.status}, {error.code}" if isinstance(error, api.ServerError) else type(error).__name__
