"""When is a tone heard, and until when?

The simulated voice speaks in tones: one for the answer, another for all else. So an ear can tell where the answer
begins, to a few milliseconds, whatever the agent says about itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from benchmarks.latency.profiles import ANSWER_HZ, PRERESPONSE_HZ
from caller import Segment
from caller.audio import FRAME_SAMPLES, SAMPLE_RATE, Pcm

Frame = tuple[float, Pcm]
"""10 ms of sound and the instant of its first sample."""

_HOP = SAMPLE_RATE // 200
_SPAN = SAMPLE_RATE // 100
"""Short enough to find an edge, long enough for a Hann window to tell tones that are 440 Hz apart."""
_EDGE = 0.5
"""Of the loudest: the window is half in the tone when its middle is at the edge."""
_SILENCE = 300.0
"""Amplitude below which there is no tone at all, -41 dBFS; the voice's is 30 dB above."""
_SHORTEST = 0.03
_LONGEST_GAP = 0.03
"""Seconds. A click is no tone, and a lost packet does not end one."""


@dataclass(frozen=True)
class HeardTones:
    """TurnTimestamps on the clock of the frames; None for what was not heard."""

    answer_start: float | None
    preresponse_end: float | None
    """When what was spoken before the answer ended."""

    @property
    def seam(self) -> float | None:
        """Silence between the two, seconds."""
        if self.answer_start is None or self.preresponse_end is None:
            return None
        return max(self.answer_start - self.preresponse_end, 0.0)


def hear_tones(frames: Sequence[Frame]) -> HeardTones:
    answers, others = stretches(frames, (ANSWER_HZ, PRERESPONSE_HZ))
    start = answers[0].start if answers else None
    before = [stretch.end for stretch in others if start is None or stretch.start < start]
    return HeardTones(start, before[-1] if before else None)


def stretches(frames: Sequence[Frame], tones: Sequence[float]) -> list[list[Segment]]:
    """For each tone, when it was heard."""
    sound = np.concatenate([pcm for _, pcm in frames]) if frames else np.zeros(0, np.int16)
    if len(sound) < _SPAN:
        return [[] for _ in tones]
    levels = _levels(sound, tones)
    threshold = max(_EDGE * float(levels.max()), _SILENCE)
    middles = np.arange(levels.shape[1]) * _HOP + _SPAN // 2
    instants = np.array([at for at, _ in frames])[middles // FRAME_SAMPLES] + middles % FRAME_SAMPLES / SAMPLE_RATE
    return [_segments(instants, level >= threshold) for level in levels]


def _levels(sound: Pcm, tones: Sequence[float]) -> NDArray[np.float64]:
    """Amplitude of each tone, every 5 ms."""
    window = np.hanning(_SPAN)
    phases = 2j * np.pi * np.outer(np.arange(_SPAN), tones) / SAMPLE_RATE
    kernel = 2 * window[:, None] * np.exp(-phases) / window.sum()
    spans = sliding_window_view(sound, _SPAN)[::_HOP].astype(np.float64)
    levels: NDArray[np.float64] = np.abs(spans @ kernel).T
    return levels


def _segments(instants: NDArray[np.float64], present: NDArray[np.bool_]) -> list[Segment]:
    edges = np.flatnonzero(np.diff(np.concatenate(([False], present, [False])).astype(int)))
    found: list[Segment] = []
    for first, after in zip(edges[::2], edges[1::2], strict=True):
        start, end = float(instants[first]), float(instants[after - 1])
        if found and start - found[-1].end < _LONGEST_GAP:
            found[-1].end = end
        else:
            found.append(Segment(start, end))
    return [segment for segment in found if segment.end - segment.start >= _SHORTEST]
