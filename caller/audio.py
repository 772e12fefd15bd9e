"""Samples: read and write WAV files, find what is audible.

Everywhere in this package audio is 48 kHz, mono, 16-bit, in a numpy array of int16.
"""

from pathlib import Path
from typing import IO

import av
import numpy as np
from livekit import rtc
from numpy.typing import NDArray

from agent_worker.audio.sound_edges import BLOCKS_PER_S, RECEIVED_SPEECH, find_sounds
from caller.report import Segment

SAMPLE_RATE = 48_000
FRAME_SAMPLES = SAMPLE_RATE // BLOCKS_PER_S
"""Samples in 10 ms: a frame that is sent or received, and the block whose level decides whether it is audible."""

Pcm = NDArray[np.int16]


class NotAudioError(Exception):
    """The data is no WAV, or has no sound in it; the message completes 'FILE: ...'."""


def audible_segments(pcm: Pcm) -> list[Segment]:
    """Return the segments of a clip that can be heard, in seconds from its start."""
    return find_sounds(pcm, SAMPLE_RATE, RECEIVED_SPEECH)


def audible_part(pcm: Pcm) -> Segment | None:
    """Return the stretch from the first to the last audible sample of a clip; None if it is silent."""
    segments = audible_segments(pcm)
    return Segment(segments[0].start, segments[-1].end) if segments else None


def read_wav(source: Path | IO[bytes]) -> Pcm:
    """Decode a WAV of any rate, channels and sample format. Blocks: call it in a thread.

    Raises:
        NotAudioError: If it cannot be read, is no WAV, or is silent.
    """
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
    """Frames with their instants, which `write` lays out on the call's clock with silence between them."""

    _MAX_JITTER_SAMPLES = SAMPLE_RATE // 10
    """A gap of up to 100 ms is jitter: the frames are joined, as a player would join them."""

    def __init__(self) -> None:
        self.frames: list[tuple[float, Pcm]] = []
        """Each with the instant of its first sample."""

    def add(self, at: float, pcm: Pcm) -> None:
        """Append a frame whose first sample is at the instant `at`."""
        self.frames.append((at, pcm))

    def write(self, path: Path) -> None:
        """Write a WAV file. Blocks: call it in a thread."""
        parts: list[Pcm] = []
        written = 0
        for at, pcm in self.frames:
            missing = round(at * SAMPLE_RATE) - written
            if missing > (self._MAX_JITTER_SAMPLES if parts else 0):
                parts.append(np.zeros(missing, np.int16))
                written += missing
            parts.append(pcm)
            written += len(pcm)
        data = np.concatenate([*parts, np.zeros(0, np.int16)]).tobytes()
        path.write_bytes(rtc.AudioFrame(data, SAMPLE_RATE, 1, written).to_wav_bytes())
