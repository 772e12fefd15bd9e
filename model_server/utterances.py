"""Cuts a continuous stream of speech into utterances."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from enum import Enum, auto

import numpy as np

from model_server.backends import STT_SAMPLE_RATE, VAD_FRAME, Audio

FRAME_SECONDS = VAD_FRAME / STT_SAMPLE_RATE

# Silero's own recommendation: it takes more to start an utterance than to go on with one.
START_PROBABILITY = 0.5
STAY_PROBABILITY = 0.35
# A click is not speech: three frames, about 0.1 s, must agree. The audio that led up to them is kept, as Whisper
# needs the soft beginning of the first word.
ONSET_FRAMES = 3
LEAD_FRAMES = 10
# Whisper hears at most 30 seconds at a time.
MAX_FRAMES = int(25 / FRAME_SECONDS)


@dataclass(frozen=True)
class Utterance:
    """`start` is in seconds from the start of the stream."""

    audio: Audio
    start: float

    @property
    def duration(self) -> float:
        return len(self.audio) / STT_SAMPLE_RATE


class Change(Enum):
    STARTED = auto()
    ENDED = auto()
    FULL = auto()


class Segmenter:
    """Fed with one frame at a time and the probability that it is speech; says what the frame changed."""

    def __init__(self, endpointing: float | None) -> None:
        """`endpointing`: seconds of silence that end an utterance; None: only `take` ends one."""
        self._endpointing = endpointing
        self._lead: deque[Audio] = deque(maxlen=LEAD_FRAMES)
        self._open: list[Audio] = []
        self._onset = 0
        self._heard = 0
        self._silent = 0

    @property
    def speaking(self) -> bool:
        """An utterance is open, and its latest frame is speech."""
        return bool(self._open) and self._silent == 0

    @property
    def heard(self) -> float:
        """Seconds heard so far."""
        return self._heard * FRAME_SECONDS

    @property
    def silence(self) -> float:
        """Seconds since the latest speech."""
        return self._silent * FRAME_SECONDS

    def push(self, frame: Audio, probability: float) -> Change | None:
        self._heard += 1
        if not self._open:
            self._lead.append(frame)
            self._silent += 1
            self._onset = self._onset + 1 if probability >= START_PROBABILITY else 0
            if self._onset < ONSET_FRAMES:
                return None
            self._open = list(self._lead)
            self._lead.clear()
            self._silent = 0
            return Change.STARTED
        self._open.append(frame)
        self._silent = 0 if probability >= STAY_PROBABILITY else self._silent + 1
        if self._endpointing is not None and self.silence >= self._endpointing:
            return Change.ENDED
        return Change.FULL if len(self._open) >= MAX_FRAMES else None

    def snapshot(self) -> Utterance | None:
        """The open utterance so far."""
        if not self._open:
            return None
        return Utterance(np.concatenate(self._open), (self._heard - len(self._open)) * FRAME_SECONDS)

    def take(self) -> Utterance | None:
        """The open utterance, which is thereby over."""
        utterance = self.snapshot()
        self._lead.extend(self._open[-LEAD_FRAMES:])
        self._open = []
        self._onset = 0
        return utterance
