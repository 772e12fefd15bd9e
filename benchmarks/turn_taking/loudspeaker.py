"""A loudspeaker and a microphone of a simulated call: what is heard of the agent and when, and what it hears."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass

from livekit import rtc
from livekit.agents.voice import io

from benchmarks.turn_taking.recordings import SAMPLE_RATE, Samples

_FRAME_S = 0.02
_FRAME_SAMPLES = round(_FRAME_S * SAMPLE_RATE)


@dataclass(frozen=True)
class Heard:
    """A stretch in which the agent was heard.

    Attributes:
        start: Seconds.
        end: Seconds.
        segment: The number of what it said, from 0.
    """

    start: float
    end: float
    segment: int


class Loudspeaker(io.AudioOutput):
    """Plays at the pace of its clock, and falls silent the moment it is told to.

    Args:
        now: The clock.
        sample_rate: Of the agent's voice.
    """

    def __init__(self, now: Callable[[], float], sample_rate: int = SAMPLE_RATE) -> None:
        super().__init__(
            label="loudspeaker", capabilities=io.AudioOutputCapabilities(pause=True), sample_rate=sample_rate
        )
        self._now = now
        self._heard: list[Heard] = []
        self._segment = -1
        self._is_open = self._has_begun = self._is_paused = self._is_flushed = self._is_interrupted = False
        self._finished = asyncio.Event()
        self._left_s = self._played_s = 0.0
        self._playing_since: float | None = None
        self._end: asyncio.TimerHandle | None = None

    def heard(self) -> list[Heard]:
        """Return what has been heard until now."""
        self._account()
        return list(self._heard)

    async def capture_frame(self, frame: rtc.AudioFrame) -> None:
        """Take a frame."""
        await super().capture_frame(frame)
        if self._is_open and self._is_flushed:
            await self._finished.wait()
        self._account()
        if not self._is_open:
            self._is_open, self._segment = True, self._segment + 1
            self._has_begun = self._is_flushed = self._is_interrupted = False
            self._left_s = self._played_s = 0.0
            self._finished.clear()
        if not self._is_interrupted:
            self._left_s += frame.duration
        self._continue()

    def flush(self) -> None:
        """End the segment."""
        super().flush()
        self._account()
        self._is_flushed = True
        self._continue()

    def clear_buffer(self) -> None:
        """Interrupt the segment; as of a room's output, it is over when it is flushed too."""
        self._account()
        self._is_interrupted, self._left_s = self._is_open, 0.0
        self._continue()

    def pause(self) -> None:
        """Fall silent."""
        self._account()
        self._is_paused, self._playing_since = True, None
        self._continue()

    def resume(self) -> None:
        """Go on."""
        self._account()
        self._is_paused = False
        self._continue()

    def _account(self) -> None:
        """Take note of what was played since the last call."""
        if self._playing_since is None:
            return
        start, now = self._playing_since, self._now()
        played = min(now - start, self._left_s)
        if played > 0:
            last = self._heard[-1] if self._heard else None
            if last and last.segment == self._segment and abs(last.end - start) < 1e-6:
                self._heard[-1] = Heard(last.start, start + played, self._segment)
            else:
                self._heard.append(Heard(start, start + played, self._segment))
        self._left_s -= played
        self._played_s += played
        self._playing_since = now

    def _continue(self) -> None:
        """Play, and plan the end, as the state demands."""
        if self._end:
            self._end.cancel()
            self._end = None
        if self._is_open and self._is_interrupted:
            self._playing_since = None
            if self._is_flushed:
                self._end = asyncio.get_running_loop().call_later(0.0, self._on_end)
            return
        if not self._is_open or self._is_paused:
            return
        if self._playing_since is None:
            self._playing_since = self._now()
        if not self._has_begun:
            self._has_begun = True
            self.on_playback_started(created_at=time.time())
        if self._is_flushed:
            self._end = asyncio.get_running_loop().call_later(max(0.0, self._left_s), self._on_end)

    def _on_end(self) -> None:
        self._account()
        if not self._is_open:
            return
        self._is_open, self._playing_since, self._end = False, None, None
        self._finished.set()
        self.on_playback_finished(playback_position=self._played_s, interrupted=self._is_interrupted)


class Microphone(io.AudioInput):
    """Gives the samples in frames of 20 ms at the pace of its clock, then silence.

    Args:
        samples: At 16 kHz.
        now: The clock.
    """

    def __init__(self, samples: Samples, now: Callable[[], float]) -> None:
        super().__init__(label="microphone")
        self._samples = samples
        self._now = now
        self._began = now()
        self._frames = 0

    async def __anext__(self) -> rtc.AudioFrame:
        start = self._frames * _FRAME_SAMPLES
        self._frames += 1
        await asyncio.sleep(max(0.0, self._began + self._frames * _FRAME_S - self._now()))
        piece = self._samples[start : start + _FRAME_SAMPLES].tobytes()
        return rtc.AudioFrame(piece.ljust(2 * _FRAME_SAMPLES, b"\0"), SAMPLE_RATE, 1, _FRAME_SAMPLES)
