"""The id of a call, by which a complaint leads to its turns, and what ran the call."""

from __future__ import annotations

import socket
from importlib import metadata

from livekit.agents import JobContext

from agent_worker.core.page_room import is_page_room
from agent_worker.core.settings import Settings
from agent_worker.telemetry.record import CallIdentity
from agent_worker.telemetry.tracing import current_trace_id

_PACKAGE = "agent-worker"


def identity_of(job: JobContext, settings: Settings) -> CallIdentity:
    """Return the identity of a job's call.

    A room of the page is there for one call, and the page knows its name before any agent joins. The names of other
    rooms may be used again, or hold a telephone number.
    """
    room = job.job.room
    secret = settings.livekit_api_secret.get_secret_value()
    is_of_page = is_page_room(room.name, room.creation_time, room.metadata, secret)
    return CallIdentity(
        id=room.name if is_of_page else room.sid,
        room=room.name,
        worker=socket.gethostname(),
        version=version_of(settings),
        trace_id=current_trace_id(),
    )


def version_of(settings: Settings) -> str:
    """Return the version of this deployment; ``unknown`` for a copy of the code that is not installed."""
    try:
        return settings.agent_worker_version or metadata.version(_PACKAGE)
    except metadata.PackageNotFoundError:
        return "unknown"
