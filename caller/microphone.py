"""Speaking: a stream in real time, as from a real microphone, and when each sample really left."""

import asyncio
import contextlib
from dataclasses import dataclass
from typing import Any

import numpy as np
from livekit import rtc

from caller.audio import SAMPLE_RATE, WINDOW, Pcm, Recording, audible_part
from caller.clock import Clock

_FRAME = WINDOW / SAMPLE_RATE
_TOO_LATE = 0.2  # seconds; after a longer stall (a laptop asleep) what was missed is not sent in a burst
_SILENCE: Pcm = np.zeros(WINDOW, np.int16)


@dataclass
class Spoken:
    """When the first and the last audible sample of a clip left, seconds on the call's clock."""

    first_sent: float = 0.0
    last_sent: float = 0.0


class _Clip:
    def __init__(self, pcm: Pcm) -> None:
        part = audible_part(pcm)
        assert part is not None, "silent clips are refused when they are read"
        self.frames = np.pad(pcm, (0, -len(pcm) % WINDOW)).reshape(-1, WINDOW)
        self.first, self.last = part.start, part.end
        self.done: asyncio.Future[Spoken] = asyncio.get_running_loop().create_future()
        self.spoken = Spoken()
        self._position = 0

    def next(self) -> Pcm:
        frame: Pcm = self.frames[self._position]
        self._position += 1
        return frame

    def sent(self, at: float) -> None:
        """The frame from `next` left at `at`."""
        start = (self._position - 1) * _FRAME
        if start <= self.first < start + _FRAME:
            self.spoken.first_sent = at + self.first - start
        if start < self.last <= start + _FRAME:
            self.spoken.last_sent = at + self.last - start
        if self._position == len(self.frames) and not self.done.done():
            self.done.set_result(self.spoken)

    @property
    def over(self) -> bool:
        return self._position == len(self.frames)


class Microphone:
    """Sends 10 ms frames without end, silence when there is nothing to say."""

    def __init__(self, clock: Clock, recording: Recording | None) -> None:
        # Without a queue a frame goes to the encoder inside `capture_frame`, so the instant it left is known
        # exactly, and the pace is ours; a queue would hold each sample back by an amount we could only guess.
        self.source = rtc.AudioSource(SAMPLE_RATE, 1, queue_size_ms=0)
        self._clock = clock
        self._recording = recording
        self._clip: _Clip | None = None
        self._sending = asyncio.create_task(self._send())

    async def say(self, pcm: Pcm) -> Spoken:
        """Speak a clip and wait until it has all been sent."""
        self._clip = clip = _Clip(pcm)
        either: set[asyncio.Future[Any]] = {clip.done, self._sending}
        await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
        if self._sending.done():
            self._sending.result()  # raises what has stopped it
        return await clip.done

    async def aclose(self) -> None:
        self._sending.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._sending
        await self.source.aclose()

    async def _send(self) -> None:
        due = self._clock.now()
        while True:
            clip = self._clip  # it may be set while the frame is being sent
            frame = clip.next() if clip else _SILENCE
            at = self._clock.now()
            await self.source.capture_frame(rtc.AudioFrame(frame.tobytes(), SAMPLE_RATE, 1, WINDOW))
            if clip:
                if self._recording:
                    self._recording.add(at, frame)
                clip.sent(at)
                if clip.over:
                    self._clip = None
            due += _FRAME
            late = self._clock.now() - due
            if late > _TOO_LATE:
                due += late
            await asyncio.sleep(max(-late, 0))
