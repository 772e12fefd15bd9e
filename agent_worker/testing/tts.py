"""Voices for tests: one that speaks every text as a tone, one that stays silent."""

from __future__ import annotations

import asyncio
from typing import Any

import numpy as np
from livekit import rtc
from livekit.agents import DEFAULT_API_CONNECT_OPTIONS, APIConnectOptions, tts

SAMPLE_RATE_HZ = 16_000
SECONDS_PER_CHAR = 0.05
_TONE_HZ = 440


def tone(seconds: float, level: float = 0.3) -> rtc.AudioFrame:
    """Return a sine tone: 16-bit mono at 16 kHz, ``level`` from 0 to 1."""
    times = np.arange(int(SAMPLE_RATE_HZ * seconds)) / SAMPLE_RATE_HZ
    samples = (level * 32767 * np.sin(2 * np.pi * _TONE_HZ * times)).astype(np.int16)
    return rtc.AudioFrame(samples.tobytes(), SAMPLE_RATE_HZ, 1, len(samples))


class ScriptedTTS(tts.TTS[Any]):
    """Speaks every text as a tone of 50 ms a character.

    Args:
        error: Raised instead of speaking.

    Attributes:
        gate: If set to an event, the second half of each text waits for it.
        texts: The texts so far.
        asked: Set with each request.
    """

    def __init__(self, error: Exception | None = None) -> None:
        super().__init__(capabilities=tts.TTSCapabilities(streaming=False), sample_rate=SAMPLE_RATE_HZ, num_channels=1)
        self.error = error
        self.gate: asyncio.Event | None = None
        self.texts: list[str] = []
        self.asked = asyncio.Event()

    def synthesize(
        self, text: str, *, conn_options: APIConnectOptions = DEFAULT_API_CONNECT_OPTIONS
    ) -> tts.ChunkedStream:
        """Speak a text. It is not retried."""
        self.texts.append(text)
        self.asked.set()
        once = APIConnectOptions(max_retry=0, timeout=conn_options.timeout)
        return _ScriptedSpeech(tts=self, input_text=text, conn_options=once)


class _ScriptedSpeech(tts.ChunkedStream):
    async def _run(self, output_emitter: tts.AudioEmitter) -> None:
        voice: ScriptedTTS = self._tts  # type: ignore[assignment]
        if voice.error is not None:
            raise voice.error
        output_emitter.initialize(
            request_id="scripted", sample_rate=SAMPLE_RATE_HZ, num_channels=1, mime_type="audio/pcm"
        )
        audio = bytes(tone(SECONDS_PER_CHAR * len(self.input_text)).data)
        half = len(audio) // 4 * 2
        output_emitter.push(audio[:half])
        if voice.gate is not None:
            await voice.gate.wait()
        output_emitter.push(audio[half:])
        output_emitter.flush()


class SilentTTS(ScriptedTTS):
    """Accepts every text and sends no audio."""

    def synthesize(
        self, text: str, *, conn_options: APIConnectOptions = DEFAULT_API_CONNECT_OPTIONS
    ) -> tts.ChunkedStream:
        """Accept a text."""
        self.texts.append(text)
        self.asked.set()
        return _Silence(tts=self, input_text=text, conn_options=conn_options)


class _Silence(tts.ChunkedStream):
    async def _run(self, output_emitter: tts.AudioEmitter) -> None:
        await asyncio.Event().wait()
