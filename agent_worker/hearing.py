"""The first step of a turn: the caller's audio on its way in, and when it was last audible."""

from __future__ import annotations

import time
from collections import deque
from itertools import islice, takewhile
from typing import Any

import numpy as np
from livekit import rtc
from livekit.agents import AgentSession
from livekit.agents.voice import io

_BLOCKS_PER_SECOND = 100
_KEPT = 10 * _BLOCKS_PER_SECOND
_SAMPLED = 10  # every so many blocks, to learn how loud the noise is
#: Levels in dB of full scale. Sound ends under the first in a quiet room; with noise behind the voice, so far above
#: the noise as the third says, but never at a level that soft speech would be under. It begins a little louder than
#: it ends, as for ``caller.audio``.
_SILENCE = -50.0
_LOUDEST_NOISE = -35.0
_ABOVE_NOISE = 6.0
_BEGINS_ABOVE = 5.0
#: A voice under this is so soft that its last syllables could not be told from silence.
_SOFT_VOICE = -35.0
#: How far back from the voice activity detector's last voice the last sound may lie, seconds.
_LATE_DETECTION = 0.4
_LOOKED_AT = 0.6


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
        self.note(frame, time.monotonic())
        return frame

    def last_audible(self, last_voice: float) -> float:
        """The end of the last sound of a voice, on ``time.monotonic()``.

        Args:
            last_voice: What the voice activity detector takes for it. It is returned if it cannot be told better:
                when it is too long ago, when the voice is very soft, or when the noise behind it is as loud as a voice.
        """
        after = last_voice - _LOOKED_AT
        recent = list(takewhile(lambda block: block[0] > after, reversed(self._blocks)))
        ends, loudest, found, sounding = self._limit(), _SILENCE, last_voice, False
        for end, level in reversed(recent):
            if end > last_voice:
                break
            loudest = max(loudest, level)
            sounding = level > (ends if sounding else ends + _BEGINS_ABOVE)
            if sounding:
                found = end
        return found if loudest > _SOFT_VOICE and found > last_voice - _LATE_DETECTION else last_voice

    def _limit(self) -> float:
        levels = sorted(level for _, level in islice(self._blocks, 0, None, _SAMPLED))
        noise = levels[len(levels) // 10] if levels else _SILENCE
        return min(max(noise + _ABOVE_NOISE, _SILENCE), _LOUDEST_NOISE)

    def note(self, frame: rtc.AudioFrame, arrived: float) -> None:
        """Remember how loud a frame is whose last sample arrived at ``arrived``."""
        samples = np.frombuffer(frame.data, dtype=np.int16).reshape(-1, frame.num_channels)[:, 0]
        size = max(1, frame.sample_rate // _BLOCKS_PER_SECOND)
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
