"""Play a short sound beside the agent's speech: no turn of the agent, and nothing that can be interrupted."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import numpy as np
from livekit import rtc

#: A listener's sound is softer than speech.
_GAIN = 0.5


class SoftVoice:
    """Plays clips straight into the audio that the room hears, so that livekit-agents knows nothing of them.

    Args:
        source: What the room hears.
    """

    def __init__(self, source: rtc.AudioSource) -> None:
        self._source = source
        self._task: asyncio.Task[None] | None = None

    def play(self, clip: Sequence[rtc.AudioFrame]) -> None:
        """Start a clip; the one before is stopped."""
        self.stop()
        self._task = asyncio.create_task(self._play(clip), name="soft_voice")

    def stop(self) -> None:
        """Fall silent at once. Does nothing if no clip is being played: what is queued then is speech."""
        if self._task is not None and not self._task.done():
            self._task.cancel()
            self._source.clear_queue()
        self._task = None

    async def _play(self, clip: Sequence[rtc.AudioFrame]) -> None:
        for frame in prepared(clip, self._source.sample_rate):
            await self._source.capture_frame(frame)
        await self._source.wait_for_playout()


def prepared(clip: Sequence[rtc.AudioFrame], sample_rate: int) -> list[rtc.AudioFrame]:
    """Return the clip at this sample rate, softer."""
    frames = list(clip)
    if frames and frames[0].sample_rate != sample_rate:
        resampler = rtc.AudioResampler(frames[0].sample_rate, sample_rate, num_channels=frames[0].num_channels)
        frames = [out for frame in frames for out in resampler.push(frame)] + resampler.flush()
    return [_softer(frame) for frame in frames]


def _softer(frame: rtc.AudioFrame) -> rtc.AudioFrame:
    samples = (np.frombuffer(frame.data, dtype=np.int16) * _GAIN).astype(np.int16)
    return rtc.AudioFrame(samples.tobytes(), frame.sample_rate, frame.num_channels, frame.samples_per_channel)
