"""Notice speech of which no transcript arrives, apologise once, and reconnect the recogniser."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterable, AsyncIterator, Callable, Sequence
from typing import Any, TypeVar

from livekit.agents import (
    AgentSession,
    APITimeoutError,
    ConversationItemAddedEvent,
    ErrorEvent,
    UserInputTranscribedEvent,
    UserStateChangedEvent,
    stt,
)
from livekit.agents.voice.events import UserTranscriptionTimeoutEvent

from agent_worker.core.aio import wait_future_or_event
from agent_worker.core.log import logger
from agent_worker.turn_taking.loudness import Sound, last_sound

#: Shorter sounds may be coughs, which have no transcript.
_MAX_COUGH_S = 1.0
#: A connection that has stalled is replaced at the first sound without a transcript. If the sounds go on without words,
#: it is rather noise; the connection may still have stalled again.
_RECONNECT_INTERVAL_S = 60.0

T = TypeVar("T")


class TranscriptTimeoutError(APITimeoutError):
    """No transcript arrived for the caller's speech; perhaps it held no words."""


class TranscriptTimeouts:
    """Decides what follows from sounds of the caller of which no transcript arrives.

    Nothing follows from a cough, from a sound that is quieter than a voice, or if the recogniser has answered that it
    holds no words. Otherwise the caller is asked to repeat it: once, then not again until there are words, unless the
    recogniser is known to fail.

    Args:
        session: The session.
        ask_to_repeat: Says that the caller was not understood.
        reconnect: Replaces the connection to the recogniser.
        levels: Returns the levels of the caller's audio, as ``SpeechEndTracker.levels``; nothing while there is none.
        clock: Monotonic time in seconds.
    """

    def __init__(
        self,
        session: AgentSession[Any],
        ask_to_repeat: Callable[[], None],
        reconnect: Callable[[], None],
        levels: Callable[[], Sequence[float]] = lambda: (),
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._session = session
        self._ask_to_repeat = ask_to_repeat
        self._reconnect = reconnect
        self._levels = levels
        self._clock = clock
        self._reconnected_at: float | None = None
        self._is_failing = False
        self._has_asked = False
        self._is_answered = False
        #: Since the last timeout or turn: the number of sounds, and the longest of those that were measured.
        self._sounds = 0
        self._longest: Sound | None = None
        self._reported_s = 0.0
        session.on("error", self._on_error)
        session.on("user_state_changed", self._on_user_state)
        session.on("user_input_transcribed", self._on_transcript)
        session.on("conversation_item_added", self._on_item)
        session.on("user_transcription_timeout", self._on_timeout)

    def on_wordless(self) -> None:
        """The recogniser has answered, and there are no words in it."""
        self._is_answered = True

    def _on_error(self, event: ErrorEvent) -> None:
        error = event.error
        if isinstance(error, stt.STTError) and not isinstance(error.error, TranscriptTimeoutError):
            self._is_failing = True

    def _on_user_state(self, event: UserStateChangedEvent) -> None:
        if event.new_state == "speaking":
            if self._is_answered:
                self._longest = None
            self._is_answered = False
        elif event.old_state == "speaking":
            self._sounds += 1
            if levels := self._levels():
                sound = last_sound(levels)
                self._longest = max(self._longest or sound, sound, key=lambda it: it.seconds)

    def _on_transcript(self, event: UserInputTranscribedEvent) -> None:
        if event.transcript:
            self._is_failing = self._has_asked = False
            self._reconnected_at = None

    def _on_item(self, event: ConversationItemAddedEvent) -> None:
        if event.item.type == "message" and event.item.role == "user":
            self._has_asked = False
            self._forget_sounds(reported_s=0.0)

    def _on_timeout(self, event: UserTranscriptionTimeoutEvent) -> None:
        may_be_speech = self._is_failing or self._may_be_speech(event.speech_duration)
        self._forget_sounds(reported_s=event.speech_duration)
        if not may_be_speech or self._session.user_state == "speaking" or self._session.agent_state != "listening":
            return
        if self._has_asked and not self._is_failing:
            logger.debug("another sound without a transcript: nothing is said until there are words")
        else:
            logger.warning("the caller spoke and no transcript arrived")
            self._has_asked = True
            self._ask_to_repeat()
        if self._reconnected_at is None or self._clock() - self._reconnected_at >= _RECONNECT_INTERVAL_S:
            self._reconnected_at = self._clock()
            self._reconnect()

    def _may_be_speech(self, reported_s: float) -> bool:
        """Whether a sound since the last timeout was too long for a cough, and loud enough for a voice.

        Args:
            reported_s: Duration of all sounds in this turn. livekit-agents does not tell how long each of them was.
        """
        if self._is_answered:
            return False
        if self._longest is not None:
            return self._longest.seconds > _MAX_COUGH_S and not self._longest.is_quiet(None)
        return (reported_s - self._reported_s) / max(1, self._sounds) > _MAX_COUGH_S

    def _forget_sounds(self, reported_s: float) -> None:
        self._sounds, self._longest, self._reported_s = 0, None, reported_s


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
