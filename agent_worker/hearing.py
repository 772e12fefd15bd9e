"""The first step of a turn: the caller's audio on its way in, and when it was last audible."""

from __future__ import annotations

import time
from collections import deque
from typing import Any

import numpy as np
from livekit import rtc
from livekit.agents import AgentSession
from livekit.agents.voice import io

_BLOCKS_PER_SECOND = 100
_KEPT = 10 * _BLOCKS_PER_SECOND
#: Levels in dB of full scale. Sound ends under the first in a quiet room; with noise behind the voice, so far above
#: the noise as the third says, but never at a level that soft speech would be under. It begins a little louder than
#: it ends, as for ``caller.audio``.
_SILENCE = -50.0
_LOUDEST_NOISE = -35.0
_ABOVE_NOISE = 6.0
_BEGINS_ABOVE = 5.0
#: How far back from the voice activity detector's last voice the last sound may lie, seconds.
_LATE_DETECTION = 0.4


class HeardAudio(io.AudioInput):
    """Passes audio on and remembers how loud it was, so as to tell when the caller was last audible.

    A voice activity detector goes on hearing a voice for 50 to 150 ms after its last sound, for longer after some words
    than after others. What the caller waited counts from the sound.
    """

    def __init__(self, source: io.AudioInput) -> None:
        super().__init__(label="agent-worker", source=source)
        self._blocks: deque[tuple[float, float]] = deque(maxlen=_KEPT)

    async def __anext__(self) -> rtc.AudioFrame:
        frame = await super().__anext__()
        self._note(frame, time.monotonic())
        return frame

    def last_audible(self, last_voice: float) -> float:
        """The end of the last sound of a voice, on ``time.monotonic()``.

        Args:
            last_voice: What the voice activity detector takes for it. It is returned if it cannot be told better:
                when it is too long ago, or when the noise behind the voice is as loud as a voice.
        """
        ends, found, sounding = self._limit(), last_voice, False
        for end, level in self._blocks:
            if end > last_voice:
                break
            sounding = level > (ends if sounding else ends + _BEGINS_ABOVE)
            if sounding:
                found = end
        return found if found > last_voice - _LATE_DETECTION else last_voice

    def _limit(self) -> float:
        noise = float(np.percentile([level for _, level in self._blocks], 10)) if self._blocks else _SILENCE
        return min(max(noise + _ABOVE_NOISE, _SILENCE), _LOUDEST_NOISE)

    def _note(self, frame: rtc.AudioFrame, arrived: float) -> None:
        samples = np.frombuffer(frame.data, dtype=np.int16).reshape(-1, frame.num_channels)[:, 0]
        size = frame.sample_rate // _BLOCKS_PER_SECOND
        for start in range(0, len(samples), size):
            block = samples[start : start + size].astype(np.float32) / 32768
            end = arrived - (len(samples) - start - len(block)) / frame.sample_rate
            self._blocks.append((end, 10 * float(np.log10(np.mean(np.square(block)) + 1e-10))))


def listen(session: AgentSession[Any]) -> HeardAudio | None:
    """Put a :class:`HeardAudio` behind the session's audio input. Call it after ``session.start``."""
    if session.input.audio is None:
        return None
    session.input.audio = heard = HeardAudio(session.input.audio)
    return heard
