"""Samples: reading them, telling sound from silence, and writing them down.

Everywhere in this package audio is 48 kHz, mono, 16-bit, in a numpy array of int16.
"""

import wave
from pathlib import Path
from typing import IO

import av
import numpy as np
from numpy.typing import NDArray

from caller.report import Segment

SAMPLE_RATE = 48_000
WINDOW = SAMPLE_RATE // 100
"""Samples in 10 ms: a frame of the microphone and of the ear, and the window that loudness is taken over."""

Pcm = NDArray[np.int16]

# Speech, also soft speech, is above -40 dBFS in nearly every window between its first and last sound; comfort
# noise, codec noise and the hiss of synthetic voices are below -55. Sound begins at the middle of the two, and
# must fall 5 dB lower to end, so that a level around the threshold does not chop it up.
_BEGINS = 32768 * 10 ** (-45 / 20)
_GOES_ON = 32768 * 10 ** (-50 / 20)
_CONFIRMED_BY = 3  # windows: a click is shorter than 30 ms, a spoken sound is not
_SPLIT = 0.2  # seconds of silence between two segments; pauses inside words are shorter


class NotAudioError(Exception):
    """The data is no WAV, or holds no sound; the message completes 'FILE: ...'."""


class Audibility:
    """Splits a stream of 10 ms windows into the segments that can be heard, exact to the sample."""

    def __init__(self) -> None:
        self.segments: list[Segment] = []
        """The last one grows while sound goes on."""
        self._loud = 0  # windows in a row
        self._onset = 0.0

    def push(self, window: Pcm, at: float) -> None:
        """`at` is the instant of the window's first sample."""
        level = np.abs(window.astype(np.float32))
        threshold = _GOES_ON if self._loud else _BEGINS
        if np.sqrt(np.mean(level**2)) < threshold:
            self._loud = 0
            return
        over = np.flatnonzero(level >= threshold)  # never empty: a peak is no less than the mean
        end = at + float(over[-1] + 1) / SAMPLE_RATE
        self._loud += 1
        if self._loud == 1:
            self._onset = at + float(over[0]) / SAMPLE_RATE
        if self.segments and self._onset - self.segments[-1].end < _SPLIT:
            self.segments[-1].end = end
        elif self._loud >= _CONFIRMED_BY:
            self.segments.append(Segment(self._onset, end))


def audible_part(pcm: Pcm) -> Segment | None:
    """From the first to the last audible sample of a clip, seconds from its start; None if it is silent."""
    audibility = Audibility()
    for start in range(0, len(pcm), WINDOW):
        audibility.push(pcm[start : start + WINDOW], start / SAMPLE_RATE)
    segments = audibility.segments
    return Segment(segments[0].start, segments[-1].end) if segments else None


def read_wav(source: Path | IO[bytes]) -> Pcm:
    """Decode a WAV of any rate, channels and sample format. Blocks: call it in a thread."""
    resampler = av.AudioResampler(format="s16", layout="mono", rate=SAMPLE_RATE)
    chunks: list[Pcm] = []
    try:
        with av.open(str(source) if isinstance(source, Path) else source, mode="r", format="wav") as container:
            if not container.streams.audio:
                raise NotAudioError("has no audio in it: record it again")
            for frame in [*container.decode(audio=0), None]:
                chunks += [np.asarray(out.to_ndarray(), np.int16).reshape(-1) for out in resampler.resample(frame)]
    except FileNotFoundError:
        raise NotAudioError("no such file: check the path") from None
    except (av.FFmpegError, OSError) as error:
        if isinstance(error, PermissionError | IsADirectoryError):
            raise NotAudioError("cannot be read: give a file you may read") from None
        raise NotAudioError("is no WAV file: convert it, e.g. ffmpeg -i INPUT output.wav") from None
    pcm = np.concatenate(chunks) if chunks else np.zeros(0, np.int16)
    if audible_part(pcm) is None:
        raise NotAudioError("has nothing audible in it (all below -45 dBFS): record it louder")
    return pcm


class Recording:
    """Frames with their instants, to be laid out on the call's clock with silence between them."""

    _SLACK = SAMPLE_RATE // 10
    """Frames arrive a little early or late; up to 100 ms they are joined, as a player would."""

    def __init__(self) -> None:
        self.frames: list[tuple[float, Pcm]] = []
        """Each with the instant of its first sample."""

    def add(self, at: float, pcm: Pcm) -> None:
        self.frames.append((at, pcm))

    def write(self, path: Path) -> None:
        """Blocks: call it in a thread."""
        with wave.open(str(path), "wb") as file:
            file.setnchannels(1)
            file.setsampwidth(2)
            file.setframerate(SAMPLE_RATE)
            written = 0
            for at, pcm in self.frames:
                missing = round(at * SAMPLE_RATE) - written
                if missing > self._SLACK or written == 0:
                    file.writeframes(bytes(2 * max(missing, 0)))
                    written += max(missing, 0)
                file.writeframes(pcm.tobytes())
                written += len(pcm)
