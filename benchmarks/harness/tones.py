"""Detection of tones in what the caller hears.

The simulated voice speaks in tones, and the tone tells what is spoken (the answer, a phrase, an apology). So the start
and end of each are known to about 5 ms, whatever the agent reports.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from caller import Segment
from caller.audio import FRAME_SAMPLES, SAMPLE_RATE, Pcm

Frame = tuple[float, Pcm]
"""10 ms of audio and the instant of its first sample, seconds."""

_HOP_SAMPLES = SAMPLE_RATE // 200
_WINDOW_SAMPLES = SAMPLE_RATE // 100
"""Short enough to find an edge; long enough for a Hann window to separate tones that are 440 Hz apart."""
_EDGE_SHARE = 0.5
"""Of the loudest level: at an edge, half of the window is in the tone."""
_MIN_AMPLITUDE = 300.0
"""-41 dBFS; the simulated voice is 30 dB louder."""
_MIN_TONE_S = 0.03
"""A shorter one is a click."""
_MAX_GAP_S = 0.03
"""A lost packet does not end a tone."""
_EDGE_FRAMES = 2
"""At either end of a tone, a codec adds other frequencies."""
_PITCH_STEP_HZ = 0.1


def tone_segments(
    frames: Sequence[Frame], frequencies_hz: Sequence[float], *, exclusive: bool = False
) -> list[list[Segment]]:
    """Return for each frequency the segments in which it was heard, on the clock of the frames.

    Args:
        frames: The audio.
        frequencies_hz: Of the tones.
        exclusive: Take the loudest tone of each instant only; then tones may be 100 Hz apart.
    """
    sound = np.concatenate([pcm for _, pcm in frames]) if frames else np.zeros(0, np.int16)
    if len(sound) < _WINDOW_SAMPLES:
        return [[] for _ in frequencies_hz]
    levels = _amplitudes(sound, frequencies_hz)
    threshold = max(_EDGE_SHARE * float(levels.max()), _MIN_AMPLITUDE)
    middles = np.arange(levels.shape[1]) * _HOP_SAMPLES + _WINDOW_SAMPLES // 2
    instants = np.array([at for at, _ in frames])[middles // FRAME_SAMPLES] + middles % FRAME_SAMPLES / SAMPLE_RATE
    present = levels >= threshold
    if exclusive:
        present &= levels == levels.max(axis=0)
    return [_segments(instants, tone) for tone in present]


def pitch(frames: Sequence[Frame], sound: Segment, range_hz: tuple[float, float]) -> float:
    """Return the frequency of a tone within a range, Hz; a tone of 0.3 s is told from one that is 2 Hz away."""
    heard = [pcm for at, pcm in frames if sound.start <= at and at + FRAME_SAMPLES / SAMPLE_RATE <= sound.end]
    samples = np.concatenate(heard[_EDGE_FRAMES:-_EDGE_FRAMES] or heard or [np.zeros(FRAME_SAMPLES, np.int16)])
    hertz = np.arange(*range_hz, _PITCH_STEP_HZ)
    size = round(SAMPLE_RATE / _PITCH_STEP_HZ)
    spectrum = np.abs(np.fft.rfft(samples * np.hanning(len(samples)), max(size, len(samples))))
    bins = np.round(hertz * max(size, len(samples)) / SAMPLE_RATE).astype(int)
    return float(hertz[np.argmax(spectrum[bins])])


def _amplitudes(sound: Pcm, frequencies_hz: Sequence[float]) -> NDArray[np.float64]:
    """Return the amplitude of each frequency every 5 ms, shape (frequencies, windows)."""
    window = np.hanning(_WINDOW_SAMPLES)
    phases = 2j * np.pi * np.outer(np.arange(_WINDOW_SAMPLES), frequencies_hz) / SAMPLE_RATE
    kernel = 2 * window[:, None] * np.exp(-phases) / window.sum()
    spans = sliding_window_view(sound, _WINDOW_SAMPLES)[::_HOP_SAMPLES].astype(np.float64)
    levels: NDArray[np.float64] = np.abs(spans @ kernel).T
    return levels


def _segments(instants: NDArray[np.float64], present: NDArray[np.bool_]) -> list[Segment]:
    edges = np.flatnonzero(np.diff(np.concatenate(([False], present, [False])).astype(int)))
    found: list[Segment] = []
    for first, after in zip(edges[::2], edges[1::2], strict=True):
        start, end = float(instants[first]), float(instants[after - 1])
        if found and start - found[-1].end < _MAX_GAP_S:
            found[-1].end = end
        else:
            found.append(Segment(start, end))
    return [segment for segment in found if segment.end - segment.start >= _MIN_TONE_S]
