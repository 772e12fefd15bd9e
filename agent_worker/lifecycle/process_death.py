"""A call's process died: its caller gets another agent."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from typing import TypeVar

from livekit import api
from livekit.agents import AgentServer
from livekit.agents.job import RunningJobInfo

from agent_worker.core.log import logger
from agent_worker.core.settings import Settings
from agent_worker.lifecycle.redispatch import livekit_api, participants, redispatch_agent, remove

_LOOK_EVERY = 1.0  # seconds
#: How often it is asked whether the agent of a process that has ended is still in its room, and then to remove it.
_MOST_TRIES = 60
#: A room in which agents go on dying is not worth another.
_MOST_IN_A_ROOM = 3

_T = TypeVar("_T")


def watch_dead_jobs(server: AgentServer, settings: Settings) -> None:
    """Watch the calls' processes from the worker's start on.

    LiveKit does nothing about an agent whose process is gone: it stands in the room, deaf and dumb, until the server
    gives its connection up, and none follows. One that ends its call leaves the room first, so what is still there
    without a process has died.
    """
    watching: set[asyncio.Task[None]] = set()

    @server.on("worker_started")
    def _start() -> None:
        watching.add(asyncio.create_task(_watch(server, settings), name="watch_dead_jobs"))


async def _watch(server: AgentServer, settings: Settings) -> None:
    replaced: Counter[str] = Counter()
    before: dict[str, RunningJobInfo] = {}
    looking: set[asyncio.Task[None]] = set()
    while True:
        await asyncio.sleep(_LOOK_EVERY)
        now = {info.job.id: info for info in server.active_jobs if not info.fake_job}
        for job_id in before.keys() - now.keys():
            task = asyncio.create_task(redispatch_if_dead(before[job_id], settings, replaced))
            looking.add(task)
            task.add_done_callback(looking.discard)
        before = now


async def redispatch_if_dead(info: RunningJobInfo, settings: Settings, replaced: Counter[str]) -> None:
    """Put another agent in the place of one that is still in its room though its process has ended.

    Args:
        replaced: How many were, by room.
    """
    room, identity = info.job.room, info.accept_arguments.identity
    present = await _insist(settings, lambda livekit: participants(livekit, room.name))
    if identity not in [one.identity for one in present or []]:
        return
    replaced[room.sid] += 1
    if replaced[room.sid] > _MOST_IN_A_ROOM:
        logger.error("a call's process died, for the %dth time: no other agent", replaced[room.sid])
        await _insist(settings, lambda livekit: remove(livekit, room.name, identity))
        return
    logger.error("a call's process died: another agent is asked for")
    await redispatch_agent(settings, info.job, identity, logger.warning)


async def _insist(settings: Settings, ask: Callable[[api.LiveKitAPI], Awaitable[_T]]) -> _T | None:
    for _ in range(_MOST_TRIES):
        try:
            async with livekit_api(settings) as livekit:
                return await ask(livekit)
        except Exception as error:
            if isinstance(error, api.ServerError) and error.code == api.ServerErrorCode.NOT_FOUND:
                return None  # the room, or the agent
            logger.warning("LiveKit does not say whether a call lost its agent: %s", type(error).__name__)
            await asyncio.sleep(_LOOK_EVERY)  # it may be on its way back
    return None
