"""A call's process died: its caller gets another agent."""

from __future__ import annotations

import asyncio
from collections import Counter

from livekit import api
from livekit.agents import AgentServer
from livekit.agents.job import RunningJobInfo

from agent_worker.log import logger
from agent_worker.settings import Settings

_LOOK_EVERY = 1.0  # seconds
#: A room in which agents go on dying is not worth another.
_MOST_IN_A_ROOM = 3


def replace_the_dead(server: AgentServer, settings: Settings) -> None:
    """Watch the calls' processes from the worker's start on.

    LiveKit does nothing about an agent whose process is gone: it stands in the room, deaf and dumb, until the server
    gives its connection up, and none follows. One that ends its call leaves the room first, so what is still there
    without a process has died.
    """
    watching: set[asyncio.Task[None]] = set()

    @server.on("worker_started")
    def _start() -> None:
        watching.add(asyncio.create_task(_watch(server, settings), name="replace_the_dead"))


async def _watch(server: AgentServer, settings: Settings) -> None:
    replaced: Counter[str] = Counter()
    before: dict[str, RunningJobInfo] = {}
    while True:
        await asyncio.sleep(_LOOK_EVERY)
        now = {info.job.id: info for info in server.active_jobs if not info.fake_job}
        gone = before.keys() - now.keys()
        await asyncio.gather(*(_look_after(before[job_id], settings, replaced) for job_id in gone))
        before = now


async def _look_after(info: RunningJobInfo, settings: Settings, replaced: Counter[str]) -> None:
    try:
        async with livekit_api(settings) as livekit:
            await replace_if_dead(livekit, info, replaced)
    except Exception as error:  # whatever it is, the next call's process is to be watched too
        logger.warning("whether a call lost its agent is not known: %s", type(error).__name__)


async def replace_if_dead(livekit: api.LiveKitAPI, info: RunningJobInfo, replaced: Counter[str]) -> None:
    """Put another agent in the place of one that is still in its room though its process has ended.

    Args:
        replaced: How many were, by room.
    """
    room, identity = info.job.room.name, info.accept_arguments.identity
    present = await livekit.room.list_participants(api.ListParticipantsRequest(room=room))
    if identity not in (participant.identity for participant in present.participants):
        return
    await remove(livekit, room, identity)
    replaced[info.job.room.sid] += 1
    if replaced[info.job.room.sid] > _MOST_IN_A_ROOM:
        logger.error("a call's process died, for the %dth time: no other agent", replaced[info.job.room.sid])
        return
    logger.error("a call's process died: another agent is asked for")
    await ask_for_another(livekit, info.job)


async def remove(livekit: api.LiveKitAPI, room: str, identity: str) -> None:
    """Take an agent out of its room."""
    await livekit.room.remove_participant(api.RoomParticipantIdentity(room=room, identity=identity))


async def ask_for_another(livekit: api.LiveKitAPI, job: api.Job) -> api.AgentDispatch:
    """Have LiveKit send an agent to the room of a job."""
    return await livekit.agent_dispatch.create_dispatch(
        api.CreateAgentDispatchRequest(agent_name=job.agent_name, room=job.room.name, metadata=job.metadata)
    )


def livekit_api(settings: Settings) -> api.LiveKitAPI:
    return api.LiveKitAPI(
        str(settings.livekit_url), settings.livekit_api_key, settings.livekit_api_secret.get_secret_value()
    )
