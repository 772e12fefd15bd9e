"""A call that has lasted long enough is ended, with a word of farewell."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from livekit.agents import AgentSession

from agent_worker.core.log import logger
from agent_worker.text import messages

#: From the end of the farewell to the end of the call, seconds: its last sound is still on its way to the caller.
_LINGER = 0.5
#: What the farewell may take, seconds: the voice may be out of order.
_PATIENCE = 15.0


def farewell(language: str) -> str:
    """Said at the end of such a call."""
    return messages.farewell(language)


def end_call_after(
    seconds: float, session: AgentSession[Any], language: str, close_room: Callable[[], Awaitable[Any]]
) -> asyncio.Task[None]:
    """Say goodbye after so many seconds, unless the session has ended by then, and close the room."""
    task = asyncio.create_task(_end(seconds, session, language, close_room), name="longest_call")
    session.once("close", lambda _: task.cancel())
    return task


async def _end(
    seconds: float, session: AgentSession[Any], language: str, close_room: Callable[[], Awaitable[Any]]
) -> None:
    await asyncio.sleep(seconds)
    logger.info("a call is ended: it has lasted %.0f s (CALL_MAX_SECONDS)", seconds)
    try:
        await asyncio.wait_for(_said(session, farewell(language)), _PATIENCE)
        await asyncio.sleep(_LINGER)
    except (asyncio.TimeoutError, RuntimeError) as error:
        logger.warning("a call ends without a farewell: %s", type(error).__name__)
    await asyncio.shield(asyncio.ensure_future(close_room()))  # which closes the session, and so ends this
    session.shutdown(drain=False)  # the room could not be closed, or there is none, as on the console


async def _said(session: AgentSession[Any], text: str) -> None:
    await session.interrupt()
    await session.say(text, allow_interruptions=False)
