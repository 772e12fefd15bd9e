"""Guard the audio stream of a TTS: it must begin, continue and end in time."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, AsyncIterable, AsyncIterator, Callable
from typing import Any

from livekit import rtc
from livekit.agents import AgentSession, APIError, APITimeoutError, tokenize, tts, utils

from agent_worker.core.aio import wait_future_or_event
from agent_worker.core.log import logger
from agent_worker.text.sanitize import MAX_SENTENCE_CHARS

#: How long a voice may take to begin a sentence. The providers' clients wait for up to 30 s, and callers do not.
TTS_TIMEOUT_S = 3.5
#: Limits of the audio that a text may become: many times what the slowest voice needs.
_MAX_START_S = 10.0
_MAX_S_PER_CHAR = 0.5

#: Splits text as livekit-agents does for a voice that takes whole sentences.
_SENTENCES = tokenize.blingfire.SentenceTokenizer(retain_format=True)


class VoiceSilentError(APITimeoutError):
    """A voice received text and sent no audio in time."""


def report_voice_silent(session: AgentSession[Any], error: APIError) -> None:
    """Emit a ``VoiceSilentError`` on the session's TTS, so that it is counted. The TTS reports all other errors."""
    if isinstance(error, VoiceSilentError) and isinstance(session.tts, tts.TTS):
        session.tts.emit(
            "error", tts.TTSError(timestamp=time.time(), label=session.tts.label, error=error, recoverable=True)
        )


class TTSInput:
    """Pass a text on to a voice, and tell when the voice has something to speak.

    Attributes:
        speakable: Set while a complete sentence, or the end of the text, waits to be spoken.
    """

    def __init__(self, text: AsyncIterable[str]) -> None:
        self._text = text
        self._sentence = ""
        self._chars = 0
        self._voice_has_begun = self._has_ended = False
        self.speakable = asyncio.Event()

    async def __aiter__(self) -> AsyncIterator[str]:
        async for piece in self._text:
            self._chars += len(piece)
            self._sentence += piece
            *complete, rest = _SENTENCES.tokenize(self._sentence) or [""]
            if complete:
                self._sentence = rest
            if complete or (self._chars > MAX_SENTENCE_CHARS and not self._voice_has_begun):
                self.speakable.set()
            yield piece
        self._has_ended = True
        self.speakable.set()

    def on_audio(self) -> None:
        """Note that the voice has sent audio: it waits for more text now."""
        self._voice_has_begun = True
        if not self._has_ended:
            self.speakable.clear()

    @property
    def max_audio_s(self) -> float:
        """Longest plausible audio of the text that was passed on so far, seconds."""
        return max_audio_s(self._chars)


def max_audio_s(chars: int) -> float:
    """Return the longest plausible audio of a text, seconds. A voice that goes on longer is out of order."""
    return _MAX_START_S + _MAX_S_PER_CHAR * chars


async def limit_duration(
    audio: AsyncIterable[rtc.AudioFrame], max_s: Callable[[], float]
) -> AsyncIterator[rtc.AudioFrame]:
    """Yield the audio, but at most ``max_s()`` seconds of it."""
    passed_s = 0.0
    async for frame in audio:
        passed_s += frame.duration
        if passed_s > max_s():
            logger.warning("TTS audio is cut off: it is longer than %.0f s", max_s())
            if isinstance(audio, AsyncGenerator):
                await audio.aclose()
            return
        yield frame


async def with_timeout(
    audio: AsyncIterable[rtc.AudioFrame],
    tts_input: TTSInput,
    timeout_s: float = TTS_TIMEOUT_S,
    clock: Callable[[], float] = time.monotonic,
) -> AsyncIterator[rtc.AudioFrame]:
    """Yield TTS frames.

    The time starts when a sentence is there, and does not run while earlier audio is still being heard.

    Args:
        audio: The frames of the voice.
        tts_input: The text that the voice was given.
        timeout_s: How long the voice may leave a sentence unspoken.
        clock: Monotonic time in seconds.

    Raises:
        VoiceSilentError: If no frame arrives in time.
    """
    frames = aiter(limit_duration(audio, lambda: tts_input.max_audio_s))
    heard_until = 0.0
    while True:
        pending = asyncio.ensure_future(anext(frames, None))
        try:
            await wait_future_or_event(pending, tts_input.speakable)
            await asyncio.wait([pending], timeout=timeout_s + max(0.0, heard_until - clock()))
            if not pending.done():
                raise VoiceSilentError("the voice sent no audio in time")
        finally:
            if not pending.done():
                await utils.aio.cancel_and_wait(pending)
        frame = pending.result()
        if frame is None:
            return
        heard_until = max(heard_until, clock()) + frame.duration
        tts_input.on_audio()
        yield frame
