"""Audio input and output of a session without devices."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

from livekit import rtc
from livekit.agents.voice import io

from agent_worker.testing.tts import SAMPLE_RATE_HZ

_FRAME_S = 0.02


class SilentMicrophone(io.AudioInput):
    """Yields silence, 16-bit mono at 16 kHz, in frames of 20 ms, so that the session listens."""

    def __init__(self) -> None:
        super().__init__(label="silent-microphone")

    async def __anext__(self) -> rtc.AudioFrame:
        await asyncio.sleep(_FRAME_S)
        samples = int(SAMPLE_RATE_HZ * _FRAME_S)
        return rtc.AudioFrame(bytes(2 * samples), SAMPLE_RATE_HZ, 1, samples)


class ManualAudioOutput(io.AudioOutput):
    """Keeps the segments that the agent speaks, and plays one when the test calls ``play``.

    Args:
        automatic: Play each segment as soon as it is complete.
        can_pause: Whether the playout can pause. What is paused neither begins nor ends.

    Attributes:
        segments: Duration of each segment so far, seconds.
        complete: Number of segments that were received to their end.
        is_playing: Whether a segment has begun and was not played to its end.
        is_paused: Whether the playout is paused.
    """

    def __init__(self, *, automatic: bool = False, can_pause: bool = False) -> None:
        super().__init__(
            label="manual-output",
            capabilities=io.AudioOutputCapabilities(pause=can_pause),
            sample_rate=SAMPLE_RATE_HZ,
        )
        self.automatic = automatic
        self.segments: list[float] = []
        self.complete = 0
        self.is_playing = False
        self.is_paused = False
        self._starts_on_resume = self._ends_on_resume = False
        self._changed = asyncio.Condition()

    async def capture_frame(self, frame: rtc.AudioFrame) -> None:
        """Receive a frame."""
        await super().capture_frame(frame)
        if not self.is_playing:
            self.is_playing = True
            self.segments.append(0.0)
            self._starts_on_resume = self.is_paused
            if not self.is_paused:
                self.on_playback_started(created_at=time.time())
        self.segments[-1] += frame.duration
        await self._notify()

    def flush(self) -> None:
        """End the segment."""
        super().flush()
        if self.is_playing:
            self.complete = len(self.segments)
            asyncio.get_running_loop().call_soon(self._on_complete)

    def clear_buffer(self) -> None:
        """Interrupt the segment."""
        if self.is_playing:
            self.is_playing = self._starts_on_resume = self._ends_on_resume = False
            self.on_playback_finished(playback_position=0.1, interrupted=True)

    def pause(self) -> None:
        """Fall silent."""
        self.is_paused = True

    def resume(self) -> None:
        """Go on."""
        self.is_paused = False
        if self._starts_on_resume:
            self._starts_on_resume = False
            self.on_playback_started(created_at=time.time())
        if self._ends_on_resume:
            self.play()

    def play(self) -> None:
        """Play the current segment to its end, or do so when the playout goes on."""
        self._ends_on_resume = self.is_playing and self.is_paused
        if self.is_playing and not self.is_paused:
            self.is_playing = False
            self.on_playback_finished(playback_position=self.segments[-1], interrupted=False)

    async def wait_until(self, condition: Callable[[ManualAudioOutput], bool]) -> None:
        """Return when the condition holds; it is checked with each frame and at the end of each segment."""
        async with self._changed:
            await self._changed.wait_for(lambda: condition(self))

    def _on_complete(self) -> None:
        if self.automatic:
            self.play()
        self._notification = asyncio.ensure_future(self._notify())

    async def _notify(self) -> None:
        async with self._changed:
            self._changed.notify_all()
