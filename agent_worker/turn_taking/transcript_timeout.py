"""Notice speech of which no transcript arrives, and reconnect the recogniser."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterable, AsyncIterator, Callable
from typing import Any, TypeVar

from livekit.agents import AgentSession, APIConnectionError, ErrorEvent, UserInputTranscribedEvent, stt
from livekit.agents.voice.events import UserTranscriptionTimeoutEvent

from agent_worker.core.aio import wait_future_or_event
from agent_worker.core.log import logger

#: Shorter sounds may be coughs, which have no transcript.
_MAX_COUGH_S = 1.0

T = TypeVar("T")


class TranscriptTimeoutError(APIConnectionError):
    """No transcript arrived for the caller's speech; perhaps it held no words."""


def watch_transcript_timeouts(session: AgentSession[Any], on_timeout: Callable[[], None]) -> None:
    """Call ``on_timeout`` whenever the caller spoke and no transcript arrives.

    A sound counts as speech if it is too long for a cough, or if the recogniser is known to fail.
    """
    is_failing = False

    @session.on("error")
    def _on_error(event: ErrorEvent) -> None:
        nonlocal is_failing
        error = event.error
        is_stt_error = isinstance(error, stt.STTError) and not isinstance(error.error, TranscriptTimeoutError)
        is_failing = is_failing or is_stt_error

    @session.on("user_input_transcribed")
    def _on_transcript(event: UserInputTranscribedEvent) -> None:
        nonlocal is_failing
        is_failing = is_failing and not event.transcript

    @session.on("user_transcription_timeout")
    def _on_timeout(event: UserTranscriptionTimeoutEvent) -> None:
        if session.user_state == "speaking" or session.agent_state != "listening":
            return
        if is_failing or event.speech_duration > _MAX_COUGH_S:
            logger.warning("the caller spoke for %.1f s and no transcript arrived", event.speech_duration)
            on_timeout()


def report_transcript_timeout(session: AgentSession[Any]) -> None:
    """Emit the error on the session's STT, so that it is counted: a silent connection reports none itself."""
    if session.stt is not None:
        error = TranscriptTimeoutError("no transcript arrived")
        session.stt.emit(
            "error", stt.STTError(timestamp=time.time(), label=session.stt.label, error=error, recoverable=True)
        )


async def reconnect_on(reconnect: asyncio.Event, events: AsyncIterable[T]) -> AsyncIterator[T]:
    """Yield the events of a recogniser's stream until ``reconnect`` is set.

    Raises:
        TranscriptTimeoutError: Then; livekit-agents opens a new stream.
    """
    reconnect.clear()
    stream = aiter(events)
    while True:
        pending = asyncio.ensure_future(anext(stream, None))
        try:
            await wait_future_or_event(pending, reconnect)
        finally:
            if not pending.done():
                pending.cancel()
                await asyncio.wait([pending])
        if pending.cancelled():
            raise TranscriptTimeoutError("no transcript arrived over this connection")
        event = pending.result()
        if event is None:
            return
        yield event
