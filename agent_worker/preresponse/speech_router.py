"""Route each segment of a reply to its audio: audio that is ready, or the voice."""

from __future__ import annotations

import time
from collections.abc import AsyncIterable, AsyncIterator, Callable, Iterable

from livekit import rtc
from livekit.agents import APIError

from agent_worker.audio.phrase_cache import PhraseAudio
from agent_worker.audio.silence import trim_silence
from agent_worker.core.log import logger
from agent_worker.preresponse.strategies import Preresponse
from agent_worker.telemetry.trace import TurnTrace

Synthesize = Callable[[AsyncIterable[str]], AsyncIterator[rtc.AudioFrame]]
"""Starts the synthesis of a text with the session's voice."""


class SpeechRouter:
    """Find the audio of a segment.

    Args:
        phrase_audio: The cached audio of fixed sentences.
        on_preresponse_error: Is told when a pre-response could not be spoken. The answer follows all the same.
        clock: Monotonic time in seconds.

    Attributes:
        phrase_audio: The cached audio in the present voice.
    """

    def __init__(
        self,
        phrase_audio: PhraseAudio | None,
        on_preresponse_error: Callable[[APIError], None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.phrase_audio = phrase_audio
        self._on_preresponse_error = on_preresponse_error
        self._clock = clock

    async def preresponse(
        self, preresponse: Preresponse, text: AsyncIterable[str], trace: TurnTrace, synthesize: Synthesize
    ) -> AsyncIterator[rtc.AudioFrame]:
        """Yield the audio of a pre-response: synthesised already, or cached, or synthesised now.

        A failure of the voice is reported and not raised: livekit-agents would give up the answer, too.
        """
        try:
            async for frame in self._preresponse_audio(preresponse, text, synthesize):
                if trace.fast_first_audio is None:
                    trace.fast_first_audio = self._clock()
                yield frame
        except APIError as error:
            logger.warning("a pre-response could not be spoken: %s", type(error).__name__)
            self._on_preresponse_error(error)

    def _preresponse_audio(
        self, preresponse: Preresponse, text: AsyncIterable[str], synthesize: Synthesize
    ) -> AsyncIterator[rtc.AudioFrame]:
        if preresponse.speech:
            return preresponse.speech.frames()
        if frames := self._cached(preresponse.text):
            return _replay(frames)
        return trim_silence(synthesize(text), trailing=True)

    async def sentence_or_answer(
        self, text: AsyncIterable[str], trace: TurnTrace | None, synthesize: Synthesize
    ) -> AsyncIterator[rtc.AudioFrame]:
        """Yield the audio of any other segment: of a cached sentence at its beginning, then of what the voice speaks.

        Raises:
            APIError: If the voice fails.
        """
        pieces = aiter(text)
        first = await self._first_sentence(pieces)
        if first is not None and (frames := self._cached(first.strip())):
            for frame in frames:
                yield frame
            first = await anext(pieces, None)
        if first is None:
            return
        async for frame in trim_silence(synthesize(_chain(first, pieces)), trailing=False):
            if trace and trace.main_first_token and not trace.main_first_audio:
                trace.main_first_audio = self._clock()
            yield frame

    async def _first_sentence(self, pieces: AsyncIterator[str]) -> str | None:
        """Return the first words, up to the end of a cached sentence if they begin one.

        livekit's text filters pass a text on in small pieces.
        """
        first = await anext(pieces, None)
        while first is not None and self.phrase_audio and self.phrase_audio.has_longer(first.strip()):
            if (more := await anext(pieces, None)) is None:
                break
            first += more
        return first

    def _cached(self, text: str) -> Iterable[rtc.AudioFrame]:
        return self.phrase_audio.frames(text) if self.phrase_audio else ()


class TextTee:
    """Pass a text on and keep it.

    Attributes:
        text: The text that was passed on so far.
    """

    def __init__(self, pieces: AsyncIterable[str]) -> None:
        self._pieces = pieces
        self.text = ""

    async def __aiter__(self) -> AsyncIterator[str]:
        async for piece in self._pieces:
            self.text += piece
            yield piece


async def _chain(first: str, rest: AsyncIterator[str]) -> AsyncIterator[str]:
    yield first
    async for piece in rest:
        yield piece


async def _replay(frames: Iterable[rtc.AudioFrame]) -> AsyncIterator[rtc.AudioFrame]:
    for frame in frames:
        yield frame
