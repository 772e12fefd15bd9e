"""Refuse jobs in rooms that the page server did not make."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from livekit.agents import JobRequest

from agent_worker.core.log import logger
from agent_worker.core.page_room import is_page_room

OnRequest = Callable[[JobRequest], Awaitable[None]]


def page_rooms_only(secret: str, accept: OnRequest) -> OnRequest:
    """Return a handler of job requests that hands only those in rooms of the page server on.

    Args:
        secret: The LiveKit API secret, with which the page server signs the metadata of its rooms.
        accept: Accepts a job.
    """

    async def accept_page_room(request: JobRequest) -> None:
        room = request.room
        if is_page_room(room.name, room.creation_time, room.metadata, secret):
            await accept(request)
            return
        logger.warning(
            "refused a room that the page server did not make (WORKER_PAGE_ROOMS_ONLY). If it did: page server and "
            "worker need the same LIVEKIT_API_SECRET, and the clocks of page server and LiveKit server must agree"
        )
        await request.reject()  # no other worker is asked

    return accept_page_room
