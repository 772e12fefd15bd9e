"""The rooms of a LiveKit server, through its API."""

from __future__ import annotations

import logging
from typing import Protocol

from livekit import api

from call_guard.metrics import GuardMetrics
from call_guard.snapshot import Room, read_room

_logger = logging.getLogger(__name__)


class Rooms(Protocol):
    """Reads rooms, and changes who is in them. Each method may raise what LiveKit's client raises."""

    async def all(self) -> list[api.Room]:
        """Return all rooms."""

    async def read(self, name: str, listed: api.Room | None = None, *, with_dispatches: bool = True) -> Room | None:
        """Return a room; ``None`` if there is none of the name."""

    async def create_dispatch(self, room: str, agent_name: str) -> str:
        """Request an agent, and return the request's id."""

    async def delete_dispatch(self, room: str, dispatch_id: str) -> None:
        """Take a request back. One that is gone is no error."""

    async def remove(self, room: str, identity: str) -> None:
        """Remove a participant. One that is gone is no error."""

    async def close(self, room: str) -> None:
        """Close a room. One that is gone is no error."""


async def end_waiting_call(rooms: Rooms, room: str, metrics: GuardMetrics) -> None:
    """Close the room of a caller for whom no agent came in time."""
    await rooms.close(room)
    metrics.closed_rooms.inc()
    _logger.warning("a call was ended: no agent came within GUARD_WAIT_LIMIT")


class LiveKitRooms:
    """The rooms of a LiveKit server.

    Args:
        livekit: A client of its API; the caller closes it.
        secret: LiveKit's API secret, with which the page server signs its rooms.
    """

    def __init__(self, livekit: api.LiveKitAPI, secret: str) -> None:
        self._livekit = livekit
        self._secret = secret

    async def all(self) -> list[api.Room]:
        """Return all rooms. Agents and recorders do not count as their participants."""
        return list((await self._livekit.room.list_rooms(api.ListRoomsRequest())).rooms)

    async def read(self, name: str, listed: api.Room | None = None, *, with_dispatches: bool = True) -> Room | None:
        """Return a room; ``None`` if there is none of the name.

        Args:
            name: Of the room.
            listed: The room as in :meth:`all`; by default it is requested.
            with_dispatches: Whether to request the dispatches, too.
        """
        if listed is None:
            found = (await self._livekit.room.list_rooms(api.ListRoomsRequest(names=[name]))).rooms
            if not found:
                return None
            listed = found[0]
        try:
            present = await self._livekit.room.list_participants(api.ListParticipantsRequest(room=name))
            dispatches = await self._livekit.agent_dispatch.list_dispatch(name) if with_dispatches else []
        except api.ServerError as error:
            if _is_gone(error):  # it has just ended
                return None
            raise
        return read_room(listed, present.participants, dispatches, self._secret)

    async def create_dispatch(self, room: str, agent_name: str) -> str:
        """Request an agent, and return the request's id."""
        request = api.CreateAgentDispatchRequest(agent_name=agent_name, room=room)
        return (await self._livekit.agent_dispatch.create_dispatch(request)).id

    async def delete_dispatch(self, room: str, dispatch_id: str) -> None:
        """Take a request back. One that is gone, by the other guard, is no error."""
        try:
            await self._livekit.agent_dispatch.delete_dispatch(dispatch_id, room)
        except api.ServerError as error:
            _ignore_if_gone(error)

    async def remove(self, room: str, identity: str) -> None:
        """Remove a participant. One that is gone is no error."""
        try:
            await self._livekit.room.remove_participant(api.RoomParticipantIdentity(room=room, identity=identity))
        except api.ServerError as error:
            _ignore_if_gone(error)

    async def close(self, room: str) -> None:
        """Close a room. One that is gone is no error."""
        try:
            await self._livekit.room.delete_room(api.DeleteRoomRequest(room=room))
        except api.ServerError as error:
            _ignore_if_gone(error)


def _is_gone(error: api.ServerError) -> bool:
    return error.code == api.ServerErrorCode.NOT_FOUND


def _ignore_if_gone(error: api.ServerError) -> None:
    if not _is_gone(error):
        raise error
