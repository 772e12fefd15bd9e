"""Listening: what is heard of the agent, and when."""

import asyncio
import contextlib

import numpy as np
from livekit import rtc

from caller.audio import SAMPLE_RATE, Audibility, Recording
from caller.clock import Clock
from caller.report import Segment


class Ear:
    """Follows one audio track at a time; a sample is heard when its frame comes out of the jitter buffer."""

    def __init__(self, clock: Clock, recording: Recording | None) -> None:
        self._clock = clock
        self._recording = recording
        self._audibility = Audibility()
        self._listening: asyncio.Task[None] | None = None

    def follow(self, track: rtc.Track) -> None:
        """Listen to this track, unless another is still being listened to."""
        if self._listening is None or self._listening.done():
            self._listening = asyncio.create_task(self._listen(track))

    def let_go(self) -> None:
        """Whoever is listened to has left; after a new connection to a server the track's end would never come."""
        if self._listening:
            self._listening.cancel()
            self._listening = None

    def segments(self, since: float) -> list[Segment]:
        """What has been audible after `since`, the part before it cut off."""
        return [Segment(max(s.start, since), s.end) for s in self._audibility.segments if s.end > since]

    @property
    def last_audible(self) -> float:
        segments = self._audibility.segments
        return segments[-1].end if segments else 0.0

    async def aclose(self) -> None:
        if self._listening:
            self._listening.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._listening

    async def _listen(self, track: rtc.Track) -> None:
        stream = rtc.AudioStream(track, sample_rate=SAMPLE_RATE, num_channels=1, frame_size_ms=10)
        try:
            async for event in stream:
                at = self._clock.now()
                window = np.frombuffer(event.frame.data, np.int16)
                self._audibility.push(window, at)
                if self._recording:
                    self._recording.add(at, window.copy())
        finally:
            await stream.aclose()
