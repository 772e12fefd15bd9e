"""Dispatch another agent when the process of a call has died.

LiveKit does nothing about an agent whose process is dead: it stays in the room, without a word, until the server
gives its connection up, and no other follows. An agent that ends its call leaves the room first. So an agent that is
still in its room, without a process, has died.
"""

from __future__ import annotations

import asyncio
import functools
from collections import Counter
from collections.abc import Awaitable, Callable
from typing import TypeVar

from livekit import api
from livekit.agents import AgentServer
from livekit.agents.job import RunningJobInfo
from tenacity import AsyncRetrying, RetryCallState, retry_if_exception_type, stop_after_attempt, wait_fixed

from agent_worker.core.log import logger
from agent_worker.core.settings import Settings
from agent_worker.lifecycle.redispatch import (
    Connect,
    Redispatch,
    Sleep,
    list_participants,
    livekit_api,
    redispatch_agent,
    remove_participant,
)

_POLL_INTERVAL_S = 1.0
#: How often LiveKit is asked whether the agent of a dead process is in its room, and to remove it from there.
_MAX_ATTEMPTS = 60
#: A room whose agents die again and again gets no more than this.
_MAX_REDISPATCHES_PER_ROOM = 3

_T = TypeVar("_T")


def watch_dead_jobs(server: AgentServer, settings: Settings) -> None:
    """Watch the processes of a worker's calls from its start on."""
    watch = DeadJobWatch(functools.partial(livekit_api, settings))
    tasks: set[asyncio.Task[None]] = set()

    @server.on("worker_started")
    def _start() -> None:
        tasks.add(asyncio.create_task(watch.run(server), name="watch_dead_jobs"))


class DeadJobWatch:
    """Dispatches another agent to each room whose agent's process has died.

    Args:
        connect: Opens a client of LiveKit's API.
        redispatch: Dispatches another agent.
        sleep: Waits between two polls.
    """

    def __init__(
        self, connect: Connect, *, redispatch: Redispatch = redispatch_agent, sleep: Sleep = asyncio.sleep
    ) -> None:
        self._connect = connect
        self._redispatch = redispatch
        self._sleep = sleep
        self._redispatches: Counter[str] = Counter()  # by room

    async def run(self, server: AgentServer) -> None:
        """Look after each job that is no longer active. Returns only when it is cancelled."""
        active: dict[str, RunningJobInfo] = {}
        tasks: set[asyncio.Task[None]] = set()
        while True:
            await self._sleep(_POLL_INTERVAL_S)
            now = {info.job.id: info for info in server.active_jobs if not info.fake_job}
            for job_id in active.keys() - now.keys():
                task = asyncio.create_task(self.redispatch_if_dead(active[job_id]))
                tasks.add(task)
                task.add_done_callback(tasks.discard)
            active = now

    async def redispatch_if_dead(self, info: RunningJobInfo) -> None:
        """Dispatch another agent if that of a job without a process is still in its room."""
        room, identity = info.job.room, info.accept_arguments.identity
        present = await self._retry(lambda livekit: list_participants(livekit, room.name))
        if identity not in [one.identity for one in present or []]:
            return
        self._redispatches[room.sid] += 1
        if (deaths := self._redispatches[room.sid]) > _MAX_REDISPATCHES_PER_ROOM:
            logger.error("the process of a call died, for the %dth time in its room: no other agent", deaths)
            await self._retry(lambda livekit: remove_participant(livekit, room.name, identity))
            return
        logger.error("the process of a call died: another agent is dispatched")
        await self._redispatch(self._connect, info.job, identity, logger.warning)

    async def _retry(self, request: Callable[[api.LiveKitAPI], Awaitable[_T]]) -> _T | None:
        """Return LiveKit's reply; ``None`` if there is no such room or agent, or if it does not reply in the end."""

        async def attempt() -> _T | None:
            try:
                async with self._connect() as livekit:
                    return await request(livekit)
            except api.ServerError as error:
                if error.code == api.ServerErrorCode.NOT_FOUND:
                    return None
                raise

        retry = AsyncRetrying(
            sleep=self._sleep,
            wait=wait_fixed(_POLL_INTERVAL_S),
            stop=stop_after_attempt(_MAX_ATTEMPTS),
            retry=retry_if_exception_type(Exception),
            before_sleep=_log_failure,
            retry_error_callback=_log_failure,
        )
        return await retry(attempt)


def _log_failure(state: RetryCallState) -> None:
    error = state.outcome.exception() if state.outcome else None
    logger.warning("cannot ask LiveKit whether a call lost its agent: %s", type(error).__name__)
