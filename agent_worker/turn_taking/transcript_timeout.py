"""The caller spoke, and nothing was understood."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterable, AsyncIterator, Callable
from typing import Any, TypeVar

from livekit.agents import AgentSession, APIConnectionError, ErrorEvent, UserInputTranscribedEvent, stt
from livekit.agents.voice.events import UserTranscriptionTimeoutEvent

from agent_worker.core.aio import wait_future_or_event
from agent_worker.core.log import logger

#: Coughs are shorter, and there is nothing in them to understand, seconds.
_LONGEST_COUGH = 1.0

T = TypeVar("T")


class TranscriptTimeoutError(APIConnectionError):
    """No transcript came of what the caller said: perhaps there was nothing in it to understand."""


def watch_transcript_timeouts(session: AgentSession[Any], on_unheard: Callable[[], None]) -> None:
    """Call ``on_unheard`` whenever the caller has said something of which no transcript comes.

    While recognition is known to fail that is every sound; else one that is too long for a cough.
    """
    failing = False

    @session.on("error")
    def _on_error(event: ErrorEvent) -> None:
        nonlocal failing
        error = event.error
        failing = failing or (isinstance(error, stt.STTError) and not isinstance(error.error, TranscriptTimeoutError))

    @session.on("user_input_transcribed")
    def _on_transcript(event: UserInputTranscribedEvent) -> None:
        nonlocal failing
        failing = failing and not event.transcript

    @session.on("user_transcription_timeout")
    def _on_timeout(event: UserTranscriptionTimeoutEvent) -> None:
        if session.user_state == "speaking" or session.agent_state != "listening":
            return
        if failing or event.speech_duration > _LONGEST_COUGH:
            logger.warning("the caller spoke for %.1f s and no transcript came", event.speech_duration)
            on_unheard()


def report_transcript_timeout(session: AgentSession[Any]) -> None:
    """Have it counted: a connection that has fallen silent reports no error by itself."""
    if session.stt is not None:
        error = TranscriptTimeoutError("no transcript came")
        session.stt.emit(
            "error", stt.STTError(timestamp=time.time(), label=session.stt.label, error=error, recoverable=True)
        )


async def reconnect_on(events: AsyncIterable[T], given_up: asyncio.Event) -> AsyncIterator[T]:
    """The events of a recogniser's stream, until ``given_up`` is set.

    Raises:
        APIConnectionError: Then. livekit-agents makes a new stream.
    """
    given_up.clear()
    stream = aiter(events)
    while True:
        coming = asyncio.ensure_future(anext(stream, None))
        try:
            await wait_future_or_event(coming, given_up)
        finally:
            if not coming.done():
                coming.cancel()
                await asyncio.wait([coming])
        if coming.cancelled():
            raise TranscriptTimeoutError("nothing was understood over this connection")
        event = coming.result()
        if event is None:
            return
        yield event
