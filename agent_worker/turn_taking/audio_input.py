"""The caller's audio on its way in, and when the caller was last audible."""

from __future__ import annotations

import math
import time
from collections import deque
from collections.abc import Callable, Sequence
from itertools import takewhile
from typing import Any

import numpy as np
from livekit import rtc
from livekit.agents import AgentSession
from livekit.agents.voice import io

from agent_worker.audio.sound_edges import (
    MICROPHONE,
    NOISE_HISTORY_BLOCKS,
    Hysteresis,
    as_float,
    end_level,
    level_dbfs,
    split_blocks,
)

#: The last syllables of a softer voice could not be told from silence.
_MIN_VOICE_DBFS = -35.0
#: How long before the voice activity detector's end of speech the last sound may lie.
_MAX_VAD_DELAY_S = 0.4
_SEARCH_WINDOW_S = 0.6
#: After so much silence frames are combined: each frame, however short, costs every consumer a turn of the event loop,
#: and nothing waits for silence.
_ATTENTION_S = 1.0
_COMBINED_FRAME_S = 0.1


class SpeechEndTracker(io.AudioInput):
    """Passes audio on and remembers its levels, to tell when the caller was last audible.

    Sounds, and the second after one, are passed on at once; longer silence is passed on in longer frames.

    A voice activity detector reports the end of speech 50 to 150 ms after its last sound, later for some words than for
    others. The caller's wait is measured from the sound.

    Args:
        source: The audio input to read from.
        now: The clock of all instants here.
    """

    def __init__(self, source: io.AudioInput, now: Callable[[], float] = time.monotonic) -> None:
        super().__init__(label="agent-worker", source=source)
        self._now = now
        self._ends: deque[float] = deque(maxlen=NOISE_HISTORY_BLOCKS)
        self._levels: deque[float] = deque(maxlen=NOISE_HISTORY_BLOCKS)
        self._last_sound = -math.inf

    async def __anext__(self) -> rtc.AudioFrame:
        held: list[rtc.AudioFrame] = []
        seconds = 0.0
        while True:
            frame, arrived = await super().__anext__(), self._now()
            self.record(frame, arrived)
            held.append(frame)
            seconds += frame.duration
            if arrived - self._last_sound < _ATTENTION_S or seconds >= _COMBINED_FRAME_S:
                return frame if len(held) == 1 else rtc.combine_audio_frames(held)

    def record(self, frame: rtc.AudioFrame, arrived: float) -> None:
        """Remember the levels of a frame whose last sample arrived at `arrived`."""
        samples = np.frombuffer(frame.data, dtype=np.int16)[:: frame.num_channels]
        for start, block in split_blocks(as_float(samples), frame.sample_rate):
            end = arrived - (len(samples) - start - len(block)) / frame.sample_rate
            level = level_dbfs(block)
            self._ends.append(end)
            self._levels.append(level)
            if level > MICROPHONE.end_dbfs:
                self._last_sound = end

    @property
    def levels(self) -> Sequence[float]:
        """The levels of the last 10 s in blocks of 10 ms, dBFS, the latest last."""
        return tuple(self._levels)

    def last_audible(self, vad_end: float) -> float:
        """Return the end of the last sound of the caller's speech, on the tracker's clock.

        Args:
            vad_end: The voice activity detector's end of speech. It is returned where the levels do not tell better:
                when it is too long ago, when the voice is very soft, or when the noise is as loud as a voice.
        """
        blocks = zip(reversed(self._ends), reversed(self._levels), strict=True)
        recent = [*takewhile(lambda block: block[0] > vad_end - _SEARCH_WINDOW_S, blocks)]
        end_dbfs, hysteresis = end_level(self._levels, MICROPHONE), Hysteresis(MICROPHONE)
        loudest, last = MICROPHONE.end_dbfs, vad_end
        for end, level in reversed(recent):
            if end > vad_end:
                break
            loudest = max(loudest, level)
            if hysteresis.update(level, end_dbfs):
                last = end
        return last if loudest > _MIN_VOICE_DBFS and last > vad_end - _MAX_VAD_DELAY_S else vad_end


def attach(session: AgentSession[Any]) -> SpeechEndTracker | None:
    """Put a `SpeechEndTracker` behind the session's audio input. Call it after `session.start`."""
    if session.input.audio is None:
        return None
    session.input.audio = tracker = SpeechEndTracker(session.input.audio)
    return tracker
