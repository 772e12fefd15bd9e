"""The rooms of calls, made and found through LiveKit's API."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Collection
from typing import Protocol

import aiohttp
from livekit import api

from agent_worker.core.page_room import signed_metadata
from page_server.settings import PageSettings

#: One caller: agents and recorders do not count. A caller who rejoins replaces itself.
_MAX_PARTICIPANTS = 1
#: From the creation of a room to its end if no caller joins.
_EMPTY_TIMEOUT_S = 60
#: From the caller's departure to the end of the room: a caller who lost the network may come back meanwhile.
_DEPARTURE_TIMEOUT_S = 20

_logger = logging.getLogger(__name__)


class RoomsUnavailableError(Exception):
    """LiveKit's API does not answer, or refuses the request."""


class Rooms(Protocol):
    """Creates rooms, and tells which still exist."""

    async def create(self, name: str) -> None:
        """Create a room for one call. Raises :class:`RoomsUnavailableError`."""

    async def existing(self, names: Collection[str]) -> set[str]:
        """Return those of the rooms that still exist. Raises :class:`RoomsUnavailableError`."""


class LiveKitRooms:
    """The rooms of a LiveKit server.

    Args:
        settings: Address and credentials of the server, and the name of the agent.
        clock: Returns the time in seconds since 1970.
    """

    def __init__(self, settings: PageSettings, clock: Callable[[], float] = time.time) -> None:
        self._settings = settings
        self._clock = clock

    async def create(self, name: str) -> None:
        """Create a room for one call, with signed metadata; LiveKit dispatches the agent to it."""
        secret = self._settings.livekit_api_secret.get_secret_value()
        request = api.CreateRoomRequest(
            name=name,
            empty_timeout=_EMPTY_TIMEOUT_S,
            departure_timeout=_DEPARTURE_TIMEOUT_S,
            max_participants=_MAX_PARTICIPANTS,
            metadata=signed_metadata(name, self._clock(), secret),
        )
        if self._settings.agent_name:
            request.agents.append(api.RoomAgentDispatch(agent_name=self._settings.agent_name))
        try:
            async with self._connect() as livekit:
                await livekit.room.create_room(request)
        except (api.TwirpError, aiohttp.ClientError, asyncio.TimeoutError) as error:
            raise _unavailable(error) from None

    async def existing(self, names: Collection[str]) -> set[str]:
        """Return those of the rooms that still exist."""
        try:
            async with self._connect() as livekit:
                listed = await livekit.room.list_rooms(api.ListRoomsRequest(names=list(names)))
        except (api.TwirpError, aiohttp.ClientError, asyncio.TimeoutError) as error:
            raise _unavailable(error) from None
        return {room.name for room in listed.rooms}

    def _connect(self) -> api.LiveKitAPI:
        secret = self._settings.livekit_api_secret.get_secret_value()
        return api.LiveKitAPI(str(self._settings.livekit_url), self._settings.livekit_api_key, secret)


def _unavailable(error: Exception) -> RoomsUnavailableError:
    reason = f"HTTP {error.status}, {error.code}" if isinstance(error, api.TwirpError) else type(error).__name__
    _logger.warning("LiveKit's API failed (%s): check LIVEKIT_URL, LIVEKIT_API_KEY and LIVEKIT_API_SECRET", reason)
    return RoomsUnavailableError(reason)
