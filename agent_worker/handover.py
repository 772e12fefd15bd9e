"""The worker died: its calls' processes ask for other agents before they end."""

from __future__ import annotations

import asyncio
import sys

from livekit import api
from livekit.agents import JobContext

from agent_worker.replacement import ask_for_another, livekit_api
from agent_worker.settings import Settings
from agent_worker.topics import ASKED_ATTRIBUTE

#: Seconds that a worker has to accept the call and join it. LiveKit asks the workers that are there, once.
_JOINED_AFTER = 3.0
#: Times that it is asked for: a worker that is started again needs some ten seconds.
_ATTEMPTS = 20

_watching: set[asyncio.Task[None]] = set()


def hand_over_when_the_worker_dies(job: JobContext, settings: Settings) -> None:
    """Watch over a call from within its own process.

    livekit-agents ends a call's process, and falls silent, when the connection to its worker breaks. The room would
    keep a dumb agent until LiveKit gives that up, and get no other.
    """
    task = asyncio.create_task(_until_the_process_ends(job, settings), name="hand_over_when_the_worker_dies")
    _watching.add(task)


async def _until_the_process_ends(job: JobContext, settings: Settings) -> None:
    try:
        await asyncio.Event().wait()
    except asyncio.CancelledError:  # as all tasks are at the end, which then waits for them
        if job.room.isconnected():  # a call that ends as calls do has left its room before
            # What is logged goes through the worker.
            print("agent-worker: the worker has died: another agent is asked for", file=sys.stderr, flush=True)
            await job.room.disconnect()
            await _hand_over(job, settings)


async def _hand_over(job: JobContext, settings: Settings) -> None:
    for _ in range(_ATTEMPTS):
        try:
            async with livekit_api(settings) as livekit:
                if await _has_another(livekit, job):
                    return
        except Exception as error:  # LiveKit may be on its way back too
            print(f"agent-worker: no other agent yet: {type(error).__name__}", file=sys.stderr, flush=True)
            await asyncio.sleep(_JOINED_AFTER)


async def _has_another(livekit: api.LiveKitAPI, job: JobContext) -> bool:
    """Whether nobody needs an agent here, or one that is asked for now has come."""
    asked = await ask_for_another(livekit, job.job)
    await asyncio.sleep(_JOINED_AFTER)
    room = job.job.room.name
    present = (await livekit.room.list_participants(api.ListParticipantsRequest(room=room))).participants
    callers = [one for one in present if one.kind != api.ParticipantInfo.Kind.AGENT]
    agents = [one for one in present if one.attributes.get(ASKED_ATTRIBUTE, "").endswith(f" {job.job.agent_name}")]
    if callers and not agents:
        await livekit.agent_dispatch.delete_dispatch(asked.id, room)
        return False
    return True
