"""Ask for an agent by its name: LiveKit's explicit dispatch."""

import json
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from urllib.parse import urlsplit

import aiohttp
from livekit import api
from livekit.protocol.agent import JobStatus

from agent_worker.core.outbound_call import place_call
from caller.errors import RoomError
from caller.options import CallOptions

#: Of a job; one that nobody accepted has no job, and one whose agent has left is over.
_AT_WORK = {JobStatus.JS_PENDING, JobStatus.JS_RUNNING}

Connect = Callable[[CallOptions], AbstractAsyncContextManager[api.LiveKitAPI]]


def livekit_api(options: CallOptions) -> api.LiveKitAPI:
    """Return a client of the server's API, to be used as a context manager in a running loop."""
    return api.LiveKitAPI(options.url, options.api_key, options.api_secret)


async def ensure_dispatched(options: CallOptions, room: str, *, connect: Connect = livekit_api) -> None:
    """Dispatch the agent `options.agent_name` to the room, unless it is there or on its way.

    Raises:
        RoomError: If the server refuses.
    """
    try:
        async with connect(options) as livekit:
            dispatches = await livekit.agent_dispatch.list_dispatch(room)
            if any(_brings(dispatch, options.agent_name) for dispatch in dispatches):
                return
            await livekit.agent_dispatch.create_dispatch(
                api.CreateAgentDispatchRequest(
                    agent_name=options.agent_name, room=room, metadata=options.agent_metadata
                )
            )
    except (api.ServerError, aiohttp.ClientError) as error:
        raise _refused(options, error) from None


async def place(options: CallOptions, *, connect: Connect = livekit_api) -> str:
    """Have the agent call the telephone `options.dial`; return the name of the room.

    Raises:
        RoomError: If the server refuses.
    """
    metadata = json.loads(options.agent_metadata or "{}")
    try:
        async with connect(options) as livekit:
            return await place_call(
                livekit, options.agent_name, options.dial, room=options.room or None, metadata=metadata
            )
    except (api.ServerError, aiohttp.ClientError) as error:
        raise _refused(options, error) from None


def _refused(options: CallOptions, error: Exception) -> RoomError:
    where = urlsplit(options.url).netloc.rpartition("@")[2]
    return RoomError(
        f"{where}: the agent {options.agent_name} could not be dispatched ({type(error).__name__}): check"
        " LIVEKIT_API_KEY and LIVEKIT_API_SECRET"
    )


def _brings(dispatch: api.AgentDispatch, agent_name: str) -> bool:
    """Whether an agent of this name is in the room, or on its way, by a dispatch."""
    return dispatch.agent_name == agent_name and any(job.state.status in _AT_WORK for job in dispatch.state.jobs)
