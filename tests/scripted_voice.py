"""A voice and a loudspeaker for tests: the voice speaks at once, the loudspeaker plays when the test says so."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Any

import numpy as np
from livekit import rtc
from livekit.agents import DEFAULT_API_CONNECT_OPTIONS, APIConnectOptions, tts
from livekit.agents.voice import io

RATE = 16000
SECONDS_PER_CHARACTER = 0.05


def tone(seconds: float, level: float = 0.3) -> rtc.AudioFrame:
    times = np.arange(int(RATE * seconds)) / RATE
    samples = (level * 32767 * np.sin(2 * np.pi * 440 * times)).astype(np.int16)
    return rtc.AudioFrame(samples.tobytes(), RATE, 1, len(samples))


class ScriptedTTS(tts.TTS[Any]):
    """Speaks every text as a tone. ``error`` is raised instead, if there is one; the second half waits for ``gate``."""

    def __init__(self, error: Exception | None = None) -> None:
        super().__init__(capabilities=tts.TTSCapabilities(streaming=False), sample_rate=RATE, num_channels=1)
        self.error = error
        self.gate: asyncio.Event | None = None
        self.texts: list[str] = []

    def synthesize(
        self, text: str, *, conn_options: APIConnectOptions = DEFAULT_API_CONNECT_OPTIONS
    ) -> tts.ChunkedStream:
        self.texts.append(text)
        once = APIConnectOptions(max_retry=0, timeout=conn_options.timeout)
        return _ScriptedSpeech(tts=self, input_text=text, conn_options=once)


class _ScriptedSpeech(tts.ChunkedStream):
    async def _run(self, output_emitter: tts.AudioEmitter) -> None:
        voice: ScriptedTTS = self._tts  # type: ignore[assignment]
        if voice.error is not None:
            raise voice.error
        output_emitter.initialize(request_id="scripted", sample_rate=RATE, num_channels=1, mime_type="audio/pcm")
        audio = bytes(tone(SECONDS_PER_CHARACTER * len(self.input_text)).data)
        output_emitter.push(audio[: len(audio) // 4 * 2])
        if voice.gate is not None:
            await voice.gate.wait()
        output_emitter.push(audio[len(audio) // 4 * 2 :])
        output_emitter.flush()


class SilentTTS(ScriptedTTS):
    """Takes every text and says nothing."""

    def synthesize(
        self, text: str, *, conn_options: APIConnectOptions = DEFAULT_API_CONNECT_OPTIONS
    ) -> tts.ChunkedStream:
        self.texts.append(text)
        return _Silence(tts=self, input_text=text, conn_options=conn_options)


class _Silence(tts.ChunkedStream):
    async def _run(self, output_emitter: tts.AudioEmitter) -> None:
        await asyncio.Event().wait()


class Loudspeaker(io.AudioOutput):
    """Keeps what it is given, one segment after the other, and plays a segment when told to."""

    def __init__(self) -> None:
        super().__init__(label="test", capabilities=io.AudioOutputCapabilities(pause=False), sample_rate=RATE)
        self.segments: list[float] = []
        self.whole = 0
        self.playing = False
        self.automatic = False
        self.changed = asyncio.Condition()

    async def capture_frame(self, frame: rtc.AudioFrame) -> None:
        await super().capture_frame(frame)
        if not self.playing:
            self.playing = True
            self.segments.append(0.0)
            self.on_playback_started(created_at=time.time())
        self.segments[-1] += frame.duration
        await self._notify()

    def flush(self) -> None:
        super().flush()
        if self.playing:
            self.whole = len(self.segments)
            asyncio.get_running_loop().call_soon(self._flushed)

    def _flushed(self) -> None:
        if self.automatic:
            self.play()

    def clear_buffer(self) -> None:
        if self.playing:
            self.playing = False
            self.on_playback_finished(playback_position=0.1, interrupted=True)

    def play(self) -> None:
        """Play the current segment to its end."""
        if self.playing:
            self.playing = False
            self.on_playback_finished(playback_position=self.segments[-1], interrupted=False)

    async def until(self, condition: Callable[[Loudspeaker], bool]) -> None:
        async with self.changed:
            await self.changed.wait_for(lambda: condition(self))

    async def _notify(self) -> None:
        async with self.changed:
            self.changed.notify_all()
