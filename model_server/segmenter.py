"""Cut a continuous stream of audio into segments of speech."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from enum import Enum, auto

import numpy as np

from model_server.backends import STT_SAMPLE_RATE, VAD_FRAME_SAMPLES, Audio

FRAME_S = VAD_FRAME_SAMPLES / STT_SAMPLE_RATE

# Silero's own recommendation: it takes a higher probability to start a segment than to go on with one.
START_PROBABILITY = 0.5
STAY_PROBABILITY = 0.35
# A click is not speech: three frames, about 0.1 s, must agree. The audio before them is kept, because Whisper needs
# the soft beginning of the first word.
ONSET_FRAMES = 3
LEAD_FRAMES = 10
# Whisper takes at most 30 seconds at a time.
MAX_SEGMENT_FRAMES = int(25 / FRAME_S)


@dataclass(frozen=True)
class SpeechSegment:
    """Audio of one segment; `start_s` is counted from the start of the stream."""

    audio: Audio
    start_s: float

    @property
    def duration_s(self) -> float:
        """The segment's length."""
        return len(self.audio) / STT_SAMPLE_RATE


class SegmentEvent(Enum):
    """What a frame has changed."""

    STARTED = auto()
    ENDED = auto()
    FULL = auto()
    """The segment is as long as Whisper can take; speech goes on."""


class Segmenter:
    """Takes one frame at a time with its probability of speech.

    Args:
        endpointing_s: Silence that ends a segment. None: only `take` ends one.
    """

    def __init__(self, endpointing_s: float | None) -> None:
        self._endpointing_s = endpointing_s
        self._lead: deque[Audio] = deque(maxlen=LEAD_FRAMES)
        self._open: list[Audio] = []
        self._onset_frames = 0
        self._frames = 0
        self._silent_frames = 0

    @property
    def is_open(self) -> bool:
        """Whether a segment is open, be its latest frame speech or not."""
        return bool(self._open)

    @property
    def speaking(self) -> bool:
        """Whether a segment is open and its latest frame is speech."""
        return bool(self._open) and self._silent_frames == 0

    @property
    def elapsed_s(self) -> float:
        """The length of the stream so far."""
        return self._frames * FRAME_S

    @property
    def silence_s(self) -> float:
        """The time since the latest speech."""
        return self._silent_frames * FRAME_S

    def push(self, frame: Audio, probability: float) -> SegmentEvent | None:
        """Take the next frame; return what it has changed."""
        self._frames += 1
        if not self._open:
            self._lead.append(frame)
            self._silent_frames += 1
            self._onset_frames = self._onset_frames + 1 if probability >= START_PROBABILITY else 0
            if self._onset_frames < ONSET_FRAMES:
                return None
            self._open = list(self._lead)
            self._lead.clear()
            self._silent_frames = 0
            return SegmentEvent.STARTED
        self._open.append(frame)
        self._silent_frames = 0 if probability >= STAY_PROBABILITY else self._silent_frames + 1
        if self._endpointing_s is not None and self.silence_s >= self._endpointing_s:
            return SegmentEvent.ENDED
        return SegmentEvent.FULL if len(self._open) >= MAX_SEGMENT_FRAMES else None

    def snapshot(self) -> SpeechSegment | None:
        """Return the open segment so far."""
        if not self._open:
            return None
        return SpeechSegment(np.concatenate(self._open), (self._frames - len(self._open)) * FRAME_S)

    def take(self) -> SpeechSegment | None:
        """Close the open segment and return it."""
        segment = self.snapshot()
        self._lead.extend(self._open[-LEAD_FRAMES:])
        self._open = []
        self._onset_frames = 0
        return segment
