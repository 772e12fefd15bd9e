"""A microphone: a stream in real time, and the instant at which each sample was sent."""

import asyncio
import contextlib
from dataclasses import dataclass
from typing import Any

import numpy as np
from livekit import rtc

from caller.audio import FRAME_SAMPLES, SAMPLE_RATE, Pcm, Recording, audible_part
from caller.clock import Clock

_FRAME_S = FRAME_SAMPLES / SAMPLE_RATE
_MAX_STALL_S = 0.2  # after a longer one (a laptop that slept) what was missed is not sent in a burst
_SILENCE: Pcm = np.zeros(FRAME_SAMPLES, np.int16)


@dataclass
class SendTimes:
    """When the first and the last audible sample of a clip were sent, seconds on the call's clock."""

    first_sent: float = 0.0
    last_sent: float = 0.0


class _Playback:
    """The progress of one clip."""

    def __init__(self, pcm: Pcm) -> None:
        part = audible_part(pcm)
        assert part is not None, "silent clips are refused when they are read"
        self._frames = np.pad(pcm, (0, -len(pcm) % FRAME_SAMPLES)).reshape(-1, FRAME_SAMPLES)
        self._audible = part
        self._position = 0
        self._times = SendTimes()
        self.sent: asyncio.Future[SendTimes] = asyncio.get_running_loop().create_future()

    @property
    def finished(self) -> bool:
        return self._position == len(self._frames)

    def next_frame(self) -> Pcm:
        frame: Pcm = self._frames[self._position]
        self._position += 1
        return frame

    def frame_sent(self, at: float) -> None:
        """Take note that the frame from `next_frame` was sent at the instant `at`."""
        start = (self._position - 1) * _FRAME_S
        if start <= self._audible.start < start + _FRAME_S:
            self._times.first_sent = at + self._audible.start - start
        if start < self._audible.end <= start + _FRAME_S:
            self._times.last_sent = at + self._audible.end - start
        if self.finished and not self.sent.done():
            self.sent.set_result(self._times)


class Microphone:
    """Sends 10 ms frames continuously, silence when there is no clip."""

    def __init__(self, clock: Clock, recording: Recording | None = None) -> None:
        # Without a queue a frame goes to the encoder inside `capture_frame`, so the instant at which it was sent is
        # known exactly, and the pace is ours; a queue would hold each sample back by an unknown time.
        self.source = rtc.AudioSource(SAMPLE_RATE, 1, queue_size_ms=0)
        self._clock = clock
        self._recording = recording
        self._playback: _Playback | None = None
        self._sending = asyncio.create_task(self._send())

    async def play(self, pcm: Pcm) -> SendTimes:
        """Send a clip and wait until all of it has been sent."""
        self._playback = playback = _Playback(pcm)
        either: set[asyncio.Future[Any]] = {playback.sent, self._sending}
        await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
        if self._sending.done():
            self._sending.result()  # raises what has stopped it
        return await playback.sent

    async def aclose(self) -> None:
        """Stop sending."""
        self._sending.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._sending
        await self.source.aclose()

    async def _send(self) -> None:
        due = self._clock.now()
        while True:
            playback = self._playback  # it may be set while the frame is being sent
            frame = playback.next_frame() if playback else _SILENCE
            at = self._clock.now()
            await self.source.capture_frame(rtc.AudioFrame(frame.tobytes(), SAMPLE_RATE, 1, FRAME_SAMPLES))
            if playback:
                if self._recording:
                    self._recording.add(at, frame)
                playback.frame_sent(at)
                if playback.finished:
                    self._playback = None
            due += _FRAME_S
            late = self._clock.now() - due
            if late > _MAX_STALL_S:
                due += late
            await self._clock.sleep(max(-late, 0))
