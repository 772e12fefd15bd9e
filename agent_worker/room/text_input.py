"""Bounded text input: limits the length and rate of chat messages from the caller.

Protocol: LiveKit text streams on the topic ``lk.chat``.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from typing import Any

from livekit import rtc
from livekit.agents import AgentSession
from livekit.agents.types import TOPIC_CHAT
from livekit.agents.voice import SpeechHandle, room_io

from agent_worker.core.compat.livekit import reply_to_text
from agent_worker.core.log import logger
from agent_worker.room.token_bucket import TokenBucket
from agent_worker.telemetry.events import EngineEvents
from agent_worker.text.sanitize import strip_surrogates

#: The rest of a longer message is dropped.
MAX_TEXT_CHARS = 4_000
#: Messages that may be in transfer or wait for their turn; others are dropped.
MAX_PENDING = 4
#: So many messages may follow each other quickly; then one in each interval.
BURST = 4
INTERVAL_S = 4.0
_TRANSFER_TIMEOUT_S = 30.0

Deliver = Callable[[Any, room_io.TextInputEvent], Awaitable[SpeechHandle | None]]


class BoundedTextInput:
    """Passes the caller's chat messages to a session, within limits.

    livekit-agents reads each message to its end, and asks the models for each. So a caller could fill the memory, use
    up what a provider allows all callers together, and cause cost with requests that the next message cancels. Here
    messages are delivered at the rate of a token bucket, and each waits until the answer to the one before has begun.

    Args:
        session: Receives the messages. Start it with ``text_input=False``.
        room: Where the messages come from.
        events: Tell when an answer begins.
        deliver: Hands a message to the session and returns the reply. Default: what livekit-agents does with it.
        bucket: Limits the rate.
        sleep: Waits for so many seconds.
    """

    def __init__(
        self,
        session: AgentSession[Any],
        room: rtc.Room,
        events: EngineEvents,
        *,
        deliver: Deliver = reply_to_text,
        bucket: TokenBucket | None = None,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._session = session
        self._room = room
        self._events = events
        self._deliver = deliver
        self._bucket = bucket or TokenBucket(BURST, INTERVAL_S)
        self._sleep = sleep
        self._pending: set[asyncio.Task[None]] = set()
        self._warned = False
        self._is_detached = False
        self._one_at_a_time = asyncio.Lock()

    def attach(self) -> None:
        """Take the room's chat messages from now on. Call it after ``session.start``."""
        self._room.register_text_stream_handler(TOPIC_CHAT, self._on_stream)
        self._session.once("close", lambda _: self.detach())

    def detach(self) -> None:
        """Take no more messages, and drop those that wait."""
        self._is_detached = True
        self._room.unregister_text_stream_handler(TOPIC_CHAT)
        for task in self._pending:
            task.cancel()

    def submit(self, text: str) -> None:
        """Deliver, within the limits, a text that the caller has entered in another way, such as by a keypad."""
        caller = self._session.room_io.linked_participant
        if caller is None or self._is_detached:
            return
        if len(self._pending) >= MAX_PENDING:
            self._warn_once()
            return
        self._start(self._deliver_text(room_io.TextInputEvent(text=text, participant=caller)))

    def _start(self, delivery: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(delivery, name="text_input")
        self._pending.add(task)
        task.add_done_callback(self._pending.discard)

    def _on_stream(self, reader: rtc.TextStreamReader, identity: str) -> None:
        caller = self._session.room_io.linked_participant
        if caller is not None and identity != caller.identity:
            reader.close()
            return
        if len(self._pending) >= MAX_PENDING:
            self._warn_once()
            reader.close()
            return
        self._start(self._receive(reader, identity))

    def _warn_once(self) -> None:
        """Log the first dropped message only: a caller must not be able to fill the log."""
        if not self._warned:
            logger.warning("chat messages of a caller are dropped: %d others are pending", MAX_PENDING)
        self._warned = True

    async def _receive(self, reader: rtc.TextStreamReader, identity: str) -> None:
        try:
            text = await asyncio.wait_for(read_bounded(reader), _TRANSFER_TIMEOUT_S)
            # An agent that was there first may receive a caller's message before it is told that the caller has joined.
            await asyncio.wait_for(self._session.room_io.wait_for_ready(), _TRANSFER_TIMEOUT_S)
            caller = self._session.room_io.linked_participant
            if caller is None or identity != caller.identity:
                return
            await self._deliver_text(room_io.TextInputEvent(text=text, info=reader.info, participant=caller))
        except (ConnectionError, RuntimeError, asyncio.TimeoutError) as error:  # the caller or the session has gone
            logger.debug("a chat message is lost: %s", type(error).__name__)
        finally:
            reader.close()

    async def _deliver_text(self, message: room_io.TextInputEvent) -> None:
        try:
            async with self._one_at_a_time:
                await self._sleep(self._bucket.take())
                if (reply := await self._deliver(self._session, message)) is not None:
                    await self._wait_until_answered(reply)
        except RuntimeError as error:  # the session has gone
            logger.debug("a chat message is lost: %s", type(error).__name__)

    async def _wait_until_answered(self, reply: SpeechHandle) -> None:
        """Return when the answer has begun, or when the reply has ended without one."""
        begun = asyncio.Event()

        def on_event(_: object) -> None:
            begun.set()

        self._events.on("answer_started", on_event)
        reply.add_done_callback(on_event)
        try:
            if not reply.done():
                await begun.wait()
        finally:
            self._events.off("answer_started", on_event)


async def read_bounded(chunks: AsyncIterator[str]) -> str:
    """Return the first :data:`MAX_TEXT_CHARS` characters of a text stream, without surrogates."""
    text = ""
    async for chunk in chunks:
        text += strip_surrogates(chunk)
        if len(text) > MAX_TEXT_CHARS:
            break
    return text[:MAX_TEXT_CHARS]
