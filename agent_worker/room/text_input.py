"""Bounded text input: limits the length and rate of chat messages from the caller.

Protocol: LiveKit text streams on the topic ``lk.chat``.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

from livekit import rtc
from livekit.agents import AgentSession
from livekit.agents.types import TOPIC_CHAT
from livekit.agents.voice import room_io

from agent_worker.core.compat.livekit import TextInputCallback, default_text_input_callback
from agent_worker.core.log import logger
from agent_worker.text.sanitize import strip_surrogates

#: The rest of a longer message is dropped.
MAX_TEXT_CHARS = 4_000
#: Messages that may be in transfer or wait for their turn; others are dropped.
MAX_PENDING = 4
_MIN_INTERVAL_S = 0.5
_TRANSFER_TIMEOUT_S = 30.0


class BoundedTextInput:
    """Passes the caller's chat messages to a session, within limits.

    livekit-agents reads each message to its end, and asks the models for each. So a caller could fill the memory, and
    use up what a provider allows all callers together.

    Args:
        session: Receives the messages. Start it with ``text_input=False``.
        room: Where the messages come from.
        deliver: Hands a message to the session. Default: what livekit-agents does with it.
        sleep: Waits between two messages.
    """

    def __init__(
        self,
        session: AgentSession[Any],
        room: rtc.Room,
        *,
        deliver: TextInputCallback | None = None,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._session = session
        self._room = room
        self._deliver = deliver or default_text_input_callback()
        self._sleep = sleep
        self._pending: set[asyncio.Task[None]] = set()
        self._warned = False
        self._one_at_a_time = asyncio.Lock()

    def attach(self) -> None:
        """Take the room's chat messages from now on. Call it after ``session.start``."""
        self._room.register_text_stream_handler(TOPIC_CHAT, self._on_stream)

    def _on_stream(self, reader: rtc.TextStreamReader, identity: str) -> None:
        caller = self._session.room_io.linked_participant
        if caller is None or identity != caller.identity:
            reader.close()
            return
        if len(self._pending) >= MAX_PENDING:
            self._warn_once()
            reader.close()
            return
        task = asyncio.create_task(self._receive(reader, caller), name="text_input")
        self._pending.add(task)
        task.add_done_callback(self._pending.discard)

    def _warn_once(self) -> None:
        """Log the first dropped message only: a caller must not be able to fill the log."""
        if not self._warned:
            logger.warning("chat messages of a caller are dropped: %d others are pending", MAX_PENDING)
        self._warned = True

    async def _receive(self, reader: rtc.TextStreamReader, caller: rtc.RemoteParticipant) -> None:
        try:
            text = await asyncio.wait_for(read_bounded(reader), _TRANSFER_TIMEOUT_S)
            async with self._one_at_a_time:
                message = room_io.TextInputEvent(text=text, info=reader.info, participant=caller)
                if (delivery := self._deliver(self._session, message)) is not None:
                    await delivery
                await self._sleep(_MIN_INTERVAL_S)
        except (ConnectionError, RuntimeError, asyncio.TimeoutError) as error:  # the caller or the session has gone
            logger.debug("a chat message is lost: %s", type(error).__name__)
        finally:
            reader.close()


async def read_bounded(chunks: AsyncIterator[str]) -> str:
    """Return the first :data:`MAX_TEXT_CHARS` characters of a text stream, without surrogates."""
    text = ""
    async for chunk in chunks:
        text += strip_surrogates(chunk)
        if len(text) > MAX_TEXT_CHARS:
            break
    return text[:MAX_TEXT_CHARS]
