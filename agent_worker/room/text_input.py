"""What the caller types: as much of it as one may send, and no faster than anybody reads the answers."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

from livekit import rtc
from livekit.agents import AgentSession
from livekit.agents.types import TOPIC_CHAT
from livekit.agents.voice import room_io

from agent_worker.core.log import logger
from agent_worker.text.sanitize import strip_surrogates

#: Characters; what is longer is cut off.
MAX_TEXT_CHARS = 4_000
#: How many texts may be on their way or wait, and the seconds between two.
_WAITING = 4
_APART = 0.5
_LONGEST_TYPING = 30.0  #: seconds that a text may take to arrive


class BoundedTextInput:
    """Gives the caller's texts to a session, as livekit-agents would.

    It reads each to its end, whatever its length, and asks the models as often as texts come: a caller could fill the
    memory, and use up what a provider allows all callers together.
    """

    def __init__(self, session: AgentSession[Any], room: rtc.Room) -> None:
        self._session = session
        self._room = room
        self._taking: set[asyncio.Task[None]] = set()
        self._dropped = False
        self._one_by_one = asyncio.Lock()
        self._take = room_io.TextInputOptions().text_input_cb

    def listen(self) -> None:
        """Call it after ``session.start`` without a text input."""
        self._room.register_text_stream_handler(TOPIC_CHAT, self._on_stream)

    def _on_stream(self, reader: rtc.TextStreamReader, identity: str) -> None:
        caller = self._session.room_io.linked_participant
        if caller is None or identity != caller.identity:
            reader.close()
            return
        if len(self._taking) >= _WAITING:
            if not self._dropped:  # once: the log is no place for a caller to write to
                logger.warning("a caller's typed texts are dropped: %d others wait", _WAITING)
            self._dropped = True
            reader.close()
            return
        task = asyncio.create_task(self._receive(reader, caller), name="typed_text")
        self._taking.add(task)
        task.add_done_callback(self._taking.discard)

    async def _receive(self, reader: rtc.TextStreamReader, caller: rtc.RemoteParticipant) -> None:
        try:
            text = await asyncio.wait_for(beginning(reader), _LONGEST_TYPING)
            async with self._one_by_one:
                taken = self._take(
                    self._session, room_io.TextInputEvent(text=text, info=reader.info, participant=caller)
                )
                if taken is not None:
                    await taken
                await asyncio.sleep(_APART)
        except (ConnectionError, RuntimeError, asyncio.TimeoutError) as error:  # the caller, or the session, is gone
            logger.debug("a typed text is lost: %s", type(error).__name__)
        finally:
            reader.close()


async def beginning(pieces: AsyncIterator[str]) -> str:
    """The text that comes in pieces, up to the longest that is taken."""
    text = ""
    async for piece in pieces:
        text += strip_surrogates(piece)
        if len(text) > MAX_TEXT_CHARS:
            break
    return text[:MAX_TEXT_CHARS]
