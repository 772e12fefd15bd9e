"""The worker died: its calls' processes ask for other agents before they end."""

from __future__ import annotations

import asyncio
import contextlib
import sys

from livekit.agents import JobContext

from agent_worker.core.settings import Settings
from agent_worker.lifecycle.redispatch import redispatch_agent

_watching: set[asyncio.Task[None]] = set()


def redispatch_on_worker_death(job: JobContext, settings: Settings) -> None:
    """Watch over a call from within its own process.

    livekit-agents ends a call's process, and falls silent, when the connection to its worker breaks. The room would
    keep a dumb agent until LiveKit gives that up, and get no other.
    """
    task = asyncio.create_task(_until_the_process_ends(job, settings), name="redispatch_on_worker_death")
    _watching.add(task)


async def _until_the_process_ends(job: JobContext, settings: Settings) -> None:
    try:
        await asyncio.Event().wait()
    except asyncio.CancelledError:  # as all tasks are at the end, which then waits for them
        if job.room.isconnected():  # a call that ends as calls do has left its room before
            _say("the worker has died: another agent is asked for")
            await redispatch_agent(settings, job.job, job.room.local_participant.identity, _say)


def _say(what: str) -> None:
    """What is logged goes through the worker; what reads our errors may have died with it."""
    with contextlib.suppress(OSError):
        print(f"agent-worker: {what}", file=sys.stderr, flush=True)
