"""Say a phrase when a tool takes long and nothing has been said yet."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from livekit.agents import AgentSession

#: How long a tool may be at work in silence.
_SILENCE_S = 1.0


class ToolFiller:
    """Waits for a slow tool, once per turn.

    Args:
        sleep: Waits for some seconds.
    """

    def __init__(self, sleep: Callable[[float], Awaitable[None]] = asyncio.sleep) -> None:
        self._sleep = sleep
        self._task: asyncio.Task[None] | None = None

    def start(self, session: AgentSession[Any], phrase: str, on_spoken: Callable[[str], None]) -> None:
        """Say ``phrase`` if the tool is still at work after a second and the caller does not speak.

        Args:
            session: The session.
            phrase: The phrase.
            on_spoken: Is called with the phrase just before it is spoken.
        """
        self._task = asyncio.create_task(self._speak_if_slow(session, phrase, on_spoken), name="tool_filler")

    def cancel(self) -> None:
        """Stop waiting: the tool has returned."""
        if self._task:
            self._task.cancel()

    async def _speak_if_slow(self, session: AgentSession[Any], phrase: str, on_spoken: Callable[[str], None]) -> None:
        await self._sleep(_SILENCE_S)
        if session.agent_state == "thinking" and session.user_state != "speaking":
            on_spoken(phrase)
            session.say(phrase)
