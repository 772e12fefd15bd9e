"""Dispatch another agent to a room whose agent is dead.

Protocol: LiveKit's agent dispatch API. LiveKit asks the workers that are registered at that moment, once; a dispatch
that no worker accepts stays without a job. So the room is polled, and dispatched to again, until an agent is there.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable, Iterable
from contextlib import AbstractAsyncContextManager

from livekit import api
from tenacity import AsyncRetrying, RetryCallState, retry_if_exception_type, retry_if_result, wait_fixed

from agent_worker.core.settings import Settings
from agent_worker.lifecycle.duplicate_agent import dispatch_claim

Connect = Callable[[], AbstractAsyncContextManager[api.LiveKitAPI]]
Sleep = Callable[[float], Awaitable[None]]
#: :func:`redispatch_agent` without its options.
Redispatch = Callable[[Connect, api.Job, str, Callable[[str], None]], Awaitable[None]]

#: How long to go on: a worker that is restarted needs some ten seconds.
_TIMEOUT_S = 60.0
_POLL_INTERVAL_S = 1.0
#: How long workers may take to accept a job, and to start it: they may have to start many at the same moment.
_ACCEPT_TIMEOUT_S = 2.5
_START_TIMEOUT_S = 20.0
_NO_CALLERS = {api.ParticipantInfo.Kind.AGENT, api.ParticipantInfo.Kind.EGRESS, api.ParticipantInfo.Kind.INGRESS}


def livekit_api(settings: Settings) -> api.LiveKitAPI:
    """Return a client of the LiveKit server's API. Close it, or use it as a context manager, in a running loop."""
    return api.LiveKitAPI(
        str(settings.livekit_url), settings.livekit_api_key, settings.livekit_api_secret.get_secret_value()
    )


async def redispatch_agent(
    connect: Connect,
    job: api.Job,
    dead_identity: str,
    log: Callable[[str], None],
    *,
    timeout_s: float = _TIMEOUT_S,
    sleep: Sleep = asyncio.sleep,
    clock: Callable[[], float] = time.monotonic,
) -> None:
    """Remove a dead agent from its room, and dispatch others until one is there or no caller is.

    Args:
        connect: Opens a client of LiveKit's API.
        job: The dead agent's job: its room, agent name and metadata.
        dead_identity: The dead agent's identity in the room.
        log: Receives a line each time that LiveKit's API fails. The API may be restarting, so it is tried again.
        timeout_s: Seconds after which to give up.
        sleep: Waits between two polls.
        clock: Seconds, monotonic.
    """
    dispatcher = _Dispatcher(job, clock)

    async def poll(livekit: api.LiveKitAPI) -> bool:
        present = await list_participants(livekit, job.room.name)
        if any(one.identity == dead_identity for one in present):
            await remove_participant(livekit, job.room.name, dead_identity)
        others = [one for one in present if one.identity != dead_identity]
        if not _needs_agent(others, job.agent_name):
            return True
        await dispatcher.ensure_dispatched(livekit)
        return False

    def log_failure(state: RetryCallState) -> None:
        if state.outcome and (error := state.outcome.exception()):
            log(f"cannot dispatch another agent yet: {type(error).__name__}")

    retry = AsyncRetrying(
        sleep=sleep,
        wait=wait_fixed(_POLL_INTERVAL_S),
        retry=retry_if_exception_type(Exception) | retry_if_result(lambda done: not done),
        before_sleep=log_failure,
    )
    async with connect() as livekit:
        with contextlib.suppress(asyncio.TimeoutError):
            await asyncio.wait_for(retry(poll, livekit), timeout_s)


def _needs_agent(others: Iterable[api.ParticipantInfo], agent_name: str) -> bool:
    """Whether a caller is in the room and no agent of this name."""
    if not any(one.kind not in _NO_CALLERS for one in others):
        return False
    claims = [dispatch_claim(one) for one in others if one.kind == api.ParticipantInfo.Kind.AGENT]
    return agent_name not in [claim.agent_name for claim in claims if claim]


class _Dispatcher:
    """Keeps at most one dispatch open for a room, so that never two agents come."""

    def __init__(self, job: api.Job, clock: Callable[[], float]) -> None:
        self._request = api.CreateAgentDispatchRequest(
            agent_name=job.agent_name, room=job.room.name, metadata=job.metadata
        )
        self._clock = clock
        self._dispatch: api.AgentDispatch | None = None
        self._dispatched_at = 0.0

    async def ensure_dispatched(self, livekit: api.LiveKitAPI) -> None:
        """Create a dispatch, unless the last one may still bring an agent. A late one is deleted first."""
        if self._dispatch:
            if await self._is_pending(livekit, self._dispatch):
                return
            late, self._dispatch = self._dispatch, None  # forgotten even if LiveKit does not know it any more
            await livekit.agent_dispatch.delete_dispatch(late.id, late.room)
        self._dispatch = await livekit.agent_dispatch.create_dispatch(self._request)
        self._dispatched_at = self._clock()

    async def _is_pending(self, livekit: api.LiveKitAPI, dispatch: api.AgentDispatch) -> bool:
        age_s = self._clock() - self._dispatched_at
        if age_s < _ACCEPT_TIMEOUT_S:
            return True
        current = await livekit.agent_dispatch.get_dispatch(dispatch.id, dispatch.room)
        return age_s < _START_TIMEOUT_S and bool(current and current.state.jobs)


async def list_participants(livekit: api.LiveKitAPI, room: str) -> list[api.ParticipantInfo]:
    """Return the participants of a room.

    Raises:
        livekit.api.ServerError: If there is no such room, for one.
    """
    return list((await livekit.room.list_participants(api.ListParticipantsRequest(room=room))).participants)


async def remove_participant(livekit: api.LiveKitAPI, room: str, identity: str) -> None:
    """Remove a participant from a room.

    Raises:
        livekit.api.ServerError: If it is not in the room, for one.
    """
    await livekit.room.remove_participant(api.RoomParticipantIdentity(room=room, identity=identity))
