"""The worker died: its calls' processes ask for other agents before they end."""

from __future__ import annotations

import asyncio
import contextlib
import sys
import time

from livekit import api
from livekit.agents import JobContext

from agent_worker.one_agent import asked
from agent_worker.replacement import ask_for_another, livekit_api, remove
from agent_worker.settings import Settings

#: Seconds. A worker that is started again needs some ten of them; LiveKit asks the workers that are there, once.
_GIVE_UP_AFTER = 60.0
_LOOK_EVERY = 1.0
#: What workers may take to accept a call, and then to begin it: they may have to start many at the same moment.
_LONGEST_ANSWER = 2.5
_LONGEST_START = 20.0
_NO_CALLERS = {api.ParticipantInfo.Kind.AGENT, api.ParticipantInfo.Kind.EGRESS, api.ParticipantInfo.Kind.INGRESS}

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
            _say("the worker has died: another agent is asked for")
            with contextlib.suppress(asyncio.TimeoutError):
                await asyncio.wait_for(_hand_over(job, settings), _GIVE_UP_AFTER)


def _say(what: str) -> None:
    """What is logged goes through the worker; what reads our errors may have died with it."""
    with contextlib.suppress(OSError):
        print(f"agent-worker: {what}", file=sys.stderr, flush=True)


async def _hand_over(job: JobContext, settings: Settings) -> None:
    request = _Request()
    while True:
        try:
            async with livekit_api(settings) as livekit:
                while await _is_needed(livekit, job):
                    await request.see_to_it(livekit, job)
                    await asyncio.sleep(_LOOK_EVERY)
                return
        except Exception as error:  # LiveKit may be on its way back too
            _say(f"no other agent yet: {type(error).__name__}")
            await asyncio.sleep(_LOOK_EVERY)


async def _is_needed(livekit: api.LiveKitAPI, job: JobContext) -> bool:
    """Whether a caller is in the room, and no other agent of this name. This one is taken out of it."""
    name, me = job.job.room.name, job.room.local_participant.identity
    present = (await livekit.room.list_participants(api.ListParticipantsRequest(room=name))).participants
    if any(one.identity == me for one in present):
        await remove(livekit, name, me)
    others = [one for one in present if one.identity != me]
    if not any(one.kind not in _NO_CALLERS for one in others):
        return False
    agents = [asked(one) for one in others if one.kind == api.ParticipantInfo.Kind.AGENT]
    return job.job.agent_name not in [agent[0] for agent in agents if agent]


class _Request:
    """What LiveKit was last asked for."""

    def __init__(self) -> None:
        self._dispatch: api.AgentDispatch | None = None
        self._at = 0.0

    async def see_to_it(self, livekit: api.LiveKitAPI, job: JobContext) -> None:
        """Ask, unless an agent is on its way. One that comes late after all would be taken back: never two."""
        if self._dispatch:
            if await self._is_on_its_way(livekit, self._dispatch):
                return
            await livekit.agent_dispatch.delete_dispatch(self._dispatch.id, self._dispatch.room)
        self._dispatch, self._at = await ask_for_another(livekit, job.job), time.monotonic()

    async def _is_on_its_way(self, livekit: api.LiveKitAPI, dispatch: api.AgentDispatch) -> bool:
        waited = time.monotonic() - self._at
        if waited < _LONGEST_ANSWER:
            return True
        now = await livekit.agent_dispatch.get_dispatch(dispatch.id, dispatch.room)
        return waited < _LONGEST_START and bool(now and now.state.jobs)
