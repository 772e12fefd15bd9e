"""End a call that has reached its time limit, with a farewell."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from livekit.agents import AgentSession

from agent_worker.core.log import logger
from agent_worker.text.messages import farewell

#: From the end of the farewell to the end of the call: its last sound is still on its way to the caller.
_LINGER_S = 0.5
#: How long the farewell may take: the TTS may be down.
_FAREWELL_TIMEOUT_S = 15.0


def end_call_after(
    limit_s: float,
    session: AgentSession[Any],
    language: str,
    close_room: Callable[[], Awaitable[Any]],
    *,
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
) -> asyncio.Task[None]:
    """Say goodbye after ``limit_s`` seconds and close the room, unless the session has ended by then.

    Args:
        limit_s: How long the call may last, in seconds.
        session: The call's session. It is shut down at the end.
        language: Of the farewell.
        close_room: Closes the room; may do nothing where there is none, as on the console.
        sleep: Waits for so many seconds.

    Returns:
        The task that waits for the limit. The end of the session cancels it.
    """
    task = asyncio.create_task(_end_call(limit_s, session, language, close_room, sleep), name="end_call_after")
    session.once("close", lambda _: task.cancel())
    return task


async def _end_call(
    limit_s: float,
    session: AgentSession[Any],
    language: str,
    close_room: Callable[[], Awaitable[Any]],
    sleep: Callable[[float], Awaitable[None]],
) -> None:
    await sleep(limit_s)
    logger.info("a call is ended after %.0f s (CALL_MAX_SECONDS)", limit_s)
    try:
        await asyncio.wait_for(_say_farewell(session, language), _FAREWELL_TIMEOUT_S)
        await sleep(_LINGER_S)
    except (asyncio.TimeoutError, RuntimeError) as error:
        logger.warning("a call is ended without a farewell: %s", type(error).__name__)
    await asyncio.shield(asyncio.ensure_future(close_room()))  # closes the session, which cancels this task
    session.shutdown(drain=False)  # the room could not be closed, or there is none


async def _say_farewell(session: AgentSession[Any], language: str) -> None:
    await session.interrupt()
    await session.say(farewell(language), allow_interruptions=False)
