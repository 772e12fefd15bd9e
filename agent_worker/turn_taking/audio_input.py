"""The first step of a turn: the caller's audio on its way in, and when it was last audible."""

from __future__ import annotations

import math
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
_FULL_SCALE = 32768.0**2
_SILENT_POWER = 10 ** (_SILENCE / 10)
#: A voice under this is so soft that its last syllables could not be told from silence.
_SOFT_VOICE = -35.0
#: How far back from the voice activity detector's last voice the last sound may lie, seconds.
_LATE_DETECTION = 0.4
_LOOKED_AT = 0.6
#: Silence is passed on in pieces of so many seconds, from so long after the last sound on. Each frame, however short,
#: is a turn of the event loop for every part that hears it, and nobody waits for silence.
_SILENT_PIECE = 0.1
_ATTENTION = 1.0


class SpeechEndTracker(io.AudioInput):
    """Passes audio on and remembers how loud it was, so as to tell when the caller was last audible.

    Sounds, and the second after one, are passed on at once; silence that lasts in longer frames.

    A voice activity detector goes on hearing a voice for 50 to 150 ms after its last sound, for longer after some words
    than after others. What the caller waited counts from the sound.
    """

    def __init__(self, source: io.AudioInput) -> None:
        super().__init__(label="agent-worker", source=source)
        self._blocks: deque[tuple[float, float]] = deque(maxlen=_KEPT)
        self._last_sound = -math.inf

    async def __anext__(self) -> rtc.AudioFrame:
        held: list[rtc.AudioFrame] = []
        seconds = 0.0
        while True:
            frame, arrived = await super().__anext__(), time.monotonic()
            self.note(frame, arrived)
            held.append(frame)
            seconds += frame.duration
            if arrived - self._last_sound < _ATTENTION or seconds >= _SILENT_PIECE:
                return frame if len(held) == 1 else rtc.combine_audio_frames(held)

    def last_audible(self, last_voice: float) -> float:
        """The end of the last sound of a voice, on ``time.monotonic()``.

        Args:
            last_voice: What the voice activity detector takes for it. It is returned if it cannot be told better:
                when it is too long ago, when the voice is very soft, or when the noise behind it is as loud as a voice.
        """
        after = last_voice - _LOOKED_AT
        recent = list(takewhile(lambda block: block[0] > after, reversed(self._blocks)))
        ends, loudest, found, sounding = self._limit(), _SILENCE, last_voice, False
        for end, power in reversed(recent):
            if end > last_voice:
                break
            level = _decibels(power)
            loudest = max(loudest, level)
            sounding = level > (ends if sounding else ends + _BEGINS_ABOVE)
            if sounding:
                found = end
        return found if loudest > _SOFT_VOICE and found > last_voice - _LATE_DETECTION else last_voice

    def _limit(self) -> float:
        powers = sorted(power for _, power in islice(self._blocks, 0, None, _SAMPLED))
        noise = _decibels(powers[len(powers) // 10]) if powers else _SILENCE
        return min(max(noise + _ABOVE_NOISE, _SILENCE), _LOUDEST_NOISE)

    def note(self, frame: rtc.AudioFrame, arrived: float) -> None:
        """Remember how loud a frame is whose last sample arrived at ``arrived``."""
        samples = np.frombuffer(frame.data, dtype=np.int16)[:: frame.num_channels].astype(np.float32)
        size = max(1, frame.sample_rate // _BLOCKS_PER_SECOND)
        for start in range(0, len(samples), size):
            block = samples[start : start + size]
            end = arrived - (len(samples) - start - len(block)) / frame.sample_rate
            power = float(np.dot(block, block)) / len(block) / _FULL_SCALE
            self._blocks.append((end, power))
            if power > _SILENT_POWER:
                self._last_sound = end


def _decibels(power: float) -> float:
    return 10 * math.log10(power + 1e-10)


def listen(session: AgentSession[Any]) -> SpeechEndTracker | None:
    """Put a :class:`SpeechEndTracker` behind the session's audio input. Call it after ``session.start``."""
    if session.input.audio is None:
        return None
    session.input.audio = heard = SpeechEndTracker(session.input.audio)
    return heard
