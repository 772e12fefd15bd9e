"""The agent's audio as the caller receives it."""

import asyncio
import contextlib

import numpy as np
from livekit import rtc

from agent_worker.audio.sound_edges import RECEIVED_SPEECH, SoundDetector
from caller.audio import SAMPLE_RATE, Recording
from caller.clock import Clock
from caller.report import Segment
from caller.telephone import TelephoneReceiver


class AgentAudioMonitor:
    """Finds the audible segments in one audio track at a time.

    The instant of a sample is when its frame leaves the jitter buffer.

    Args:
        clock: The call's clock.
        recording: Receives the audio.
        phone: Hear it by telephone: what is measured and recorded is what is left of it there.
    """

    def __init__(self, clock: Clock, recording: Recording | None = None, *, phone: bool = False) -> None:
        self._clock = clock
        self._recording = recording
        self._phone = phone
        self._detector = SoundDetector(RECEIVED_SPEECH, SAMPLE_RATE)
        self._reading: asyncio.Task[None] | None = None

    def attach(self, track: rtc.Track) -> None:
        """Read this track, unless another one is still being read."""
        if self._reading is None or self._reading.done():
            self._reading = asyncio.create_task(self._read(track))

    def detach(self) -> None:
        """Stop reading: after its participant has left and we have reconnected, a track's end would never arrive."""
        if self._reading:
            self._reading.cancel()
            self._reading = None

    def segments(self, since: float) -> list[Segment]:
        """Return what has been audible after `since`, without the part before it."""
        return [Segment(max(s.start, since), s.end) for s in self._detector.sounds if s.end > since]

    @property
    def last_audible(self) -> float:
        """The end of the last audible segment, 0 if there was none."""
        sounds = self._detector.sounds
        return sounds[-1].end if sounds else 0.0

    async def aclose(self) -> None:
        """Stop reading and wait until the stream is closed."""
        if self._reading:
            self._reading.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._reading

    async def _read(self, track: rtc.Track) -> None:
        stream = rtc.AudioStream(track, sample_rate=SAMPLE_RATE, num_channels=1, frame_size_ms=10)
        receiver = TelephoneReceiver() if self._phone else None
        try:
            async for event in stream:
                arrived = self._clock.now()
                frame = np.frombuffer(event.frame.data, np.int16)
                for at, block in receiver.push(arrived, frame) if receiver else [(arrived, frame)]:
                    self._detector.push(block, at)
                    if self._recording:
                        self._recording.add(at, block.copy())
        finally:
            await stream.aclose()
