"""A VAD that detects speech when the test says so."""

from __future__ import annotations

import asyncio
import time

from livekit.agents import vad


class ScriptedVAD(vad.VAD):
    """Streams the events that the test emits; audio is ignored."""

    def __init__(self) -> None:
        super().__init__(capabilities=vad.VADCapabilities(update_interval=0.032))
        self.events: asyncio.Queue[vad.VADEvent] = asyncio.Queue()

    def stream(self) -> vad.VADStream:
        """Open a stream of the scripted events."""
        return _ScriptedStream(self)

    def start_speech(self, duration_s: float = 0.1) -> None:
        """Speech has been detected for this time."""
        self._emit(vad.VADEventType.START_OF_SPEECH, speech_s=duration_s, speaking=True)

    def end_speech(self, duration_s: float = 1.0, silence_s: float = 0.5) -> None:
        """Speech of ``duration_s`` has ended ``silence_s`` ago."""
        self._emit(vad.VADEventType.END_OF_SPEECH, speech_s=duration_s, silence_s=silence_s)

    def hear(self, silence_s: float = 0.0) -> None:
        """Speech is still heard, or was last heard ``silence_s`` ago and may go on."""
        self._emit(vad.VADEventType.INFERENCE_DONE, silence_s=silence_s, speaking=True)

    def _emit(
        self, type_: vad.VADEventType, *, speech_s: float = 0.0, silence_s: float = 0.0, speaking: bool = False
    ) -> None:
        event = vad.VADEvent(
            type=type_,
            samples_index=0,
            timestamp=time.time(),
            speech_duration=speech_s,
            silence_duration=silence_s,
            speaking=speaking,
            raw_accumulated_silence=silence_s,
        )
        self.events.put_nowait(event)


class _ScriptedStream(vad.VADStream):
    async def _main_task(self) -> None:
        script: ScriptedVAD = self._vad  # type: ignore[assignment]
        while True:
            self._event_ch.send_nowait(await script.events.get())
