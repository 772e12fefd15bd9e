"""Dispatch another agent when the worker of a call has died.

livekit-agents ends the process of a call when its connection to the worker breaks. The room would keep an agent
without a voice until LiveKit gives that up, and get no other. So the process dispatches one before it ends.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import sys

from livekit.agents import JobContext

from agent_worker.core.settings import Settings
from agent_worker.lifecycle.redispatch import Redispatch, livekit_api, redispatch_agent

_tasks: set[asyncio.Task[None]] = set()


def redispatch_on_worker_death(
    job: JobContext, settings: Settings, *, redispatch: Redispatch = redispatch_agent
) -> asyncio.Task[None]:
    """Wait, within the process of a call, for its end, and dispatch another agent if the room is still connected.

    Returns:
        The waiting task, of which a reference is kept here.
    """
    task = asyncio.create_task(_redispatch_at_end(job, settings, redispatch), name="redispatch_on_worker_death")
    _tasks.add(task)
    return task


async def _redispatch_at_end(job: JobContext, settings: Settings, redispatch: Redispatch) -> None:
    try:
        await asyncio.Event().wait()
    except asyncio.CancelledError:  # livekit-agents cancels every task at the end of the process, and awaits it
        if job.room.isconnected():  # a call that ends in the usual way has left its room before
            _log("the worker has died: another agent is dispatched")
            connect = functools.partial(livekit_api, settings)
            await redispatch(connect, job.job, job.room.local_participant.identity, _log)


def _log(message: str) -> None:
    """Write to stderr: log records go through the worker. Whoever reads stderr may have died with the worker."""
    with contextlib.suppress(OSError):
        print(f"agent-worker: {message}", file=sys.stderr, flush=True)
