"""Loudness and pitch at the end of speech: how the voice fell before it fell silent."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

SAMPLE_RATE = 16_000
#: Only this much of the speech is looked at.
MAX_SPEECH_S = 6.0
_FRAME_SAMPLES = 640
_HOP_SAMPLES = 160
_HOP_S = _HOP_SAMPLES / SAMPLE_RATE
_END_S = 0.3
_PITCH_SPAN_S = 3.0
_MIN_HZ, _MAX_HZ = 70, 400
_MIN_VOICING = 0.5
_SPEECH_RANGE_DB = 25.0
_FLOOR_DB = -90.0

Samples = npt.NDArray[np.int16]
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Prosody:
    """The end of a stretch of speech against the rest of it.

    Attributes:
        level_drop_db: Level of the speech less that of its last 0.3 s.
        pitch_drop: Median pitch less that of the last voiced 0.15 s, semitones; 0 without pitch.
        pitch_slope: Pitch at the end less that 0.15 s before, semitones; 0 without pitch.
        last_sound_s: Duration of the last sound, from the dip in level before it.
        voiced_share: Share of voiced frames in the last 0.5 s.
    """

    level_drop_db: float = 0.0
    pitch_drop: float = 0.0
    pitch_slope: float = 0.0
    last_sound_s: float = 0.0
    voiced_share: float = 0.0


def prosody(speech: Samples) -> Prosody:
    """Measure the end of a stretch of speech.

    Args:
        speech: Mono at 16 kHz, the last seconds up to the last sound; silence after it may be included.
    """
    speech = speech[-round(MAX_SPEECH_S * SAMPLE_RATE) :]
    if len(speech) < 2 * _FRAME_SAMPLES:
        return Prosody()
    frames = np.lib.stride_tricks.sliding_window_view(speech.astype(np.float64) / 32768, _FRAME_SAMPLES)[::_HOP_SAMPLES]
    levels = np.maximum(_FLOOR_DB, 10 * np.log10((frames**2).mean(axis=1) + 1e-12))
    loud = levels > np.quantile(levels, 0.95) - _SPEECH_RANGE_DB
    audible = np.flatnonzero(loud)
    end = int(audible[-1]) + 1
    levels, loud, frames = levels[:end], loud[:end], frames[:end]
    end_frames = round(_END_S / _HOP_S)
    pitch = _pitch(frames[-round(_PITCH_SPAN_S / _HOP_S) :])
    voiced = np.flatnonzero(np.isfinite(pitch))
    drop = slope = 0.0
    if len(voiced) >= 20:
        final = float(np.median(pitch[voiced[-10:]]))
        drop = float(np.median(pitch[voiced])) - final
        slope = float(np.median(pitch[voiced[-5:]]) - np.median(pitch[voiced[-20:-15]]))
    return Prosody(
        level_drop_db=float(levels[loud].mean() - levels[-end_frames:].mean()),
        pitch_drop=float(np.clip(drop, -12, 12)),
        pitch_slope=float(np.clip(slope, -12, 12)),
        last_sound_s=_last_sound(levels),
        voiced_share=float(np.isfinite(pitch[-round(0.5 / _HOP_S) :]).mean()),
    )


def _pitch(frames: Floats) -> Floats:
    """Return the pitch of each frame in semitones over 1 Hz, NaN where there is none (autocorrelation)."""
    centred = (frames - frames.mean(axis=1, keepdims=True)) * np.hanning(_FRAME_SAMPLES)
    spectrum = np.fft.rfft(centred, 2 * _FRAME_SAMPLES)
    correlation = np.fft.irfft(np.abs(spectrum) ** 2)[:, : SAMPLE_RATE // _MIN_HZ + 1]
    window = np.fft.irfft(np.abs(np.fft.rfft(np.hanning(_FRAME_SAMPLES), 2 * _FRAME_SAMPLES)) ** 2)
    energy = np.maximum(correlation[:, :1], 1e-9)
    normalised = correlation / energy / (window[: correlation.shape[1]] / window[0])
    first = SAMPLE_RATE // _MAX_HZ
    lags = normalised[:, first:].argmax(axis=1) + first
    strength = normalised[np.arange(len(lags)), lags]
    semitones: Floats = 12 * np.log2(SAMPLE_RATE / lags)
    return np.where((strength > _MIN_VOICING) & (correlation[:, 0] > 1e-6 * _FRAME_SAMPLES), semitones, np.nan)


def _last_sound(levels: Floats) -> float:
    """Return how long the level has stayed within 12 dB of the last peak, seconds."""
    peak = float(levels[-round(_END_S / _HOP_S) :].max())
    below = np.flatnonzero(levels[: -round(0.05 / _HOP_S)] < peak - 12)
    return float((len(levels) - (below[-1] if len(below) else 0)) * _HOP_S)
