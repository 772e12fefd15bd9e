"""Find where sounds start and end in audio. Imports nothing but numpy, so that every tool here can use it.

One algorithm, energy with hysteresis, serves all purposes; each purpose has its parameters below:

1. Audio is split into blocks of 10 ms, and each block's RMS level is taken in dBFS (decibels of full scale).
2. A sound starts with a block at or above the start level and goes on while blocks stay at or above the end level,
   which may be lower, so that a level around one threshold does not chop the sound up.
3. Where noise is expected, both levels rise with it. The noise floor is the tenth percentile of the levels of the
   last 10 s: even fluent speech pauses for longer than that.
4. A sound shorter than `min_blocks` is a click and does not count. A silence shorter than `min_gap_s` belongs to the
   sound around it.
5. Within its first and last block, a sound's edges are the first and last sample that reach the block's threshold.

`web/src/gaps.ts` implements the same for the page; `tests/sound_edges.json` holds the vectors that both must find.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any

import numpy as np
from numpy.typing import NDArray

BLOCKS_PER_S = 100
NOISE_HISTORY_BLOCKS = 10 * BLOCKS_PER_S
_NOISE_STRIDE_BLOCKS = 10
_NOISE_RANK = 10  # the tenth part of the levels is the noise floor or quieter
_MIN_POWER = 1e-10  # -100 dBFS: the level of digital silence

Samples = NDArray[Any]
"""int16, or floats between -1 and 1. Shape (samples,) or (samples, channels)."""


@dataclass(frozen=True)
class SoundLevels:
    """The parameters of the detection. Levels are RMS in dBFS over 10 ms."""

    end_dbfs: float
    """A sound goes on down to this level."""
    start_above_db: float = 0.0
    """How much louder than `end_dbfs` a sound must be to start."""
    min_blocks: int = 1
    """Blocks in a row that it takes to be a sound."""
    min_gap_s: float = 0.0
    """Silence that separates two sounds."""
    above_noise_db: float | None = None
    """How far above the noise floor a sound ends. None: the noise is not measured."""
    max_end_dbfs: float = 0.0
    """The end level rises no higher than this with the noise."""
    margin_before_s: float = 0.0
    """What `find_edges` leaves standing before the first sound."""
    margin_after_s: float = 0.0
    """What `find_edges` leaves standing after the last sound."""


RECEIVED_SPEECH = SoundLevels(end_dbfs=-50, start_above_db=5, min_blocks=3, min_gap_s=0.2)
"""Speech from a quiet source, for measuring: what the caller hears of the agent, a WAV file.

Speech, also soft speech, is above -40 dBFS in nearly every block; comfort noise, codec noise and the hiss of synthetic
voices are below -55. A click is shorter than 30 ms, and pauses inside words are shorter than 200 ms.
"""

MICROPHONE = replace(RECEIVED_SPEECH, above_noise_db=6, max_end_dbfs=-35)
"""Speech over the noise of a room. The threshold never rises to a level that soft speech would be under."""

SYNTHESISED_SPEECH = SoundLevels(end_dbfs=-54, margin_before_s=0.02, margin_after_s=0.05)
"""Speech from a TTS service, for trimming. There is no noise, and cutting into a soft consonant is worse than leaving
10 ms of silence: so the level is lower, without hysteresis, and a margin stays."""

MODEL_OUTPUT = replace(SYNTHESISED_SPEECH, margin_before_s=0.05, margin_after_s=0.15)
"""Sentences as a local TTS model makes them: the margins are a speaker's breath between two sentences."""


@dataclass
class Sound:
    """A stretch of audible sound, in seconds."""

    start: float
    end: float


def split_blocks(samples: Samples, sample_rate: int) -> Iterator[tuple[int, Samples]]:
    """Yield each block of 10 ms with the index of its first sample; the last block may be shorter."""
    size = max(1, sample_rate // BLOCKS_PER_S)
    for start in range(0, len(samples), size):
        yield start, samples[start : start + size]


def level_dbfs(block: Samples) -> float:
    """Return a block's RMS level, -100 dBFS for digital silence."""
    flat = as_float(block).reshape(-1)
    return 10 * math.log10(max(float(np.dot(flat, flat)) / len(flat), _MIN_POWER))


def end_level(history: Iterable[float], levels: SoundLevels) -> float:
    """Return the level at which a sound ends, given the levels of the last `NOISE_HISTORY_BLOCKS` blocks."""
    if levels.above_noise_db is None:
        return levels.end_dbfs
    sampled = sorted(islice(history, 0, None, _NOISE_STRIDE_BLOCKS))
    noise = sampled[len(sampled) // _NOISE_RANK] if sampled else levels.end_dbfs
    return min(max(noise + levels.above_noise_db, levels.end_dbfs), levels.max_end_dbfs)


class Hysteresis:
    """Tells block by block whether there is sound; it takes more to start a sound than to go on with it."""

    def __init__(self, levels: SoundLevels) -> None:
        self._start_above_db = levels.start_above_db
        self.threshold = 0.0
        self.sounding = False

    def update(self, level: float, end: float) -> bool:
        """Take the next block's level and the end level of the moment; return whether the block sounds."""
        self.threshold = end if self.sounding else end + self._start_above_db
        self.sounding = level >= self.threshold
        return self.sounding


class SoundDetector:
    """Finds the sounds in a stream of blocks, exact to the sample."""

    def __init__(self, levels: SoundLevels, sample_rate: int) -> None:
        self.sounds: list[Sound] = []
        """In order of time; the last one grows while it goes on."""
        self._levels = levels
        self._sample_rate = sample_rate
        self._history: deque[float] = deque(maxlen=NOISE_HISTORY_BLOCKS)
        self._hysteresis = Hysteresis(levels)
        self._blocks = 0
        self._start = 0.0

    def push(self, block: Samples, at: float) -> None:
        """Take the next 10 ms, whose first sample is at the instant `at`, in seconds."""
        level = level_dbfs(block)
        self._history.append(level)
        if not self._hysteresis.update(level, end_level(self._history, self._levels)):
            self._blocks = 0
            return
        first, last = _edges_within(block, self._hysteresis.threshold)
        self._blocks += 1
        if self._blocks == 1:
            self._start = at + first / self._sample_rate
        end = at + (last + 1) / self._sample_rate
        if self.sounds and self._start - self.sounds[-1].end < self._levels.min_gap_s:
            self.sounds[-1].end = end
        elif self._blocks >= self._levels.min_blocks:
            self.sounds.append(Sound(self._start, end))


def find_sounds(samples: Samples, sample_rate: int, levels: SoundLevels) -> list[Sound]:
    """Return the sounds in a clip, in seconds from its start."""
    detector = SoundDetector(levels, sample_rate)
    for start, block in split_blocks(samples, sample_rate):
        detector.push(block, start / sample_rate)
    return detector.sounds


def find_edges(samples: Samples, sample_rate: int, levels: SoundLevels) -> tuple[int, int] | None:
    """Return the indices of the first sample and behind the last one that trimming leaves; None if all is silent."""
    sounds = find_sounds(samples, sample_rate, levels)
    if not sounds:
        return None
    start = round((sounds[0].start - levels.margin_before_s) * sample_rate)
    end = round((sounds[-1].end + levels.margin_after_s) * sample_rate)
    return max(0, start), min(len(samples), end)


def as_float(samples: Samples) -> NDArray[np.float32]:
    """Return samples from -1 to 1; those that are so already as they are."""
    if samples.dtype == np.int16:
        return samples.astype(np.float32) / np.float32(32768)
    return samples.astype(np.float32, copy=False)


def _edges_within(block: Samples, threshold: float) -> tuple[int, int]:
    peaks = np.abs(as_float(block)).reshape(len(block), -1).max(axis=1)
    # A peak is never below the RMS level but for rounding.
    loud = np.flatnonzero(peaks >= min(10 ** (threshold / 20), float(peaks.max())))
    return int(loud[0]), int(loud[-1])
