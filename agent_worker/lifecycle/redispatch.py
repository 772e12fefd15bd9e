"""A room whose agent is gone gets another."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable

from livekit import api

from agent_worker.core.settings import Settings
from agent_worker.lifecycle.duplicate_agent import asked

#: Seconds. A worker that is started again needs some ten of them; LiveKit asks the workers that are there, once.
_GIVE_UP_AFTER = 60.0
_LOOK_EVERY = 1.0
#: What workers may take to accept a call, and then to begin it: they may have to start many at the same moment.
_LONGEST_ANSWER = 2.5
_LONGEST_START = 20.0
_NO_CALLERS = {api.ParticipantInfo.Kind.AGENT, api.ParticipantInfo.Kind.EGRESS, api.ParticipantInfo.Kind.INGRESS}


async def redispatch_agent(settings: Settings, job: api.Job, gone: str, say: Callable[[str], None]) -> None:
    """Take an agent out of its room, and ask for others until one is there or no caller is. Gives up after a minute.

    Args:
        job: What it was in the room for.
        gone: Its identity.
        say: Is told when LiveKit's API fails, which may be on its way back.
    """
    with contextlib.suppress(asyncio.TimeoutError):
        await asyncio.wait_for(_insist(settings, job, gone, say), _GIVE_UP_AFTER)


async def _insist(settings: Settings, job: api.Job, gone: str, say: Callable[[str], None]) -> None:
    request = _Request(job)
    while True:
        try:
            async with livekit_api(settings) as livekit:
                while await _is_needed(livekit, job, gone):
                    await request.ensure_dispatched(livekit)
                    await asyncio.sleep(_LOOK_EVERY)
                return
        except Exception as error:
            say(f"no other agent yet: {type(error).__name__}")
            await asyncio.sleep(_LOOK_EVERY)


async def _is_needed(livekit: api.LiveKitAPI, job: api.Job, gone: str) -> bool:
    """Whether a caller is in the room, and no other agent of this name. The one that is gone is taken out of it."""
    present = await participants(livekit, job.room.name)
    if any(one.identity == gone for one in present):
        await remove(livekit, job.room.name, gone)
    others = [one for one in present if one.identity != gone]
    if not any(one.kind not in _NO_CALLERS for one in others):
        return False
    agents = [asked(one) for one in others if one.kind == api.ParticipantInfo.Kind.AGENT]
    return job.agent_name not in [agent[0] for agent in agents if agent]


class _Request:
    """What LiveKit was last asked for."""

    def __init__(self, job: api.Job) -> None:
        self._wanted = api.CreateAgentDispatchRequest(
            agent_name=job.agent_name, room=job.room.name, metadata=job.metadata
        )
        self._dispatch: api.AgentDispatch | None = None
        self._at = 0.0

    async def ensure_dispatched(self, livekit: api.LiveKitAPI) -> None:
        """Ask, unless an agent is on its way. One that comes late after all would be taken back: never two."""
        if self._dispatch:
            if await self._is_on_its_way(livekit, self._dispatch):
                return
            in_vain, self._dispatch = self._dispatch, None  # and is forgotten even if LiveKit does not know it any more
            await livekit.agent_dispatch.delete_dispatch(in_vain.id, in_vain.room)
        self._dispatch, self._at = await livekit.agent_dispatch.create_dispatch(self._wanted), time.monotonic()

    async def _is_on_its_way(self, livekit: api.LiveKitAPI, dispatch: api.AgentDispatch) -> bool:
        waited = time.monotonic() - self._at
        if waited < _LONGEST_ANSWER:
            return True
        now = await livekit.agent_dispatch.get_dispatch(dispatch.id, dispatch.room)
        return waited < _LONGEST_START and bool(now and now.state.jobs)


async def remove(livekit: api.LiveKitAPI, room: str, identity: str) -> None:
    """Take an agent out of its room."""
    await livekit.room.remove_participant(api.RoomParticipantIdentity(room=room, identity=identity))


async def participants(livekit: api.LiveKitAPI, room: str) -> list[api.ParticipantInfo]:
    """Who is in a room."""
    return list((await livekit.room.list_participants(api.ListParticipantsRequest(room=room))).participants)


def livekit_api(settings: Settings) -> api.LiveKitAPI:
    return api.LiveKitAPI(
        str(settings.livekit_url), settings.livekit_api_key, settings.livekit_api_secret.get_secret_value()
    )
