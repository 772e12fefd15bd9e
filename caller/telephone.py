"""What a telephone network leaves of audio: G.711 mu-law at 8 kHz, so nothing above 4 kHz, in 256 levels.

The conversions are FFmpeg's. They are exact in time: the sample at an instant comes out as the sample at that instant.
"""

from collections import deque
from collections.abc import Iterator
from typing import Literal

import av
import numpy as np

from caller.audio import FRAME_SAMPLES, SAMPLE_RATE, Pcm

RATE = 8_000
_TAIL_SAMPLES = SAMPLE_RATE // 10
"""Silence that is pushed behind a clip: the resamplers hold the last 4 ms back."""


class TelephoneLine:
    """One direction of a call by telephone."""

    def __init__(self) -> None:
        self._down = av.AudioResampler(format="s16", layout="mono", rate=RATE)
        self._up = av.AudioResampler(format="s16", layout="mono", rate=SAMPLE_RATE)
        self._encoder = _codec("w")
        self._decoder = _codec("r")

    def push(self, pcm: Pcm) -> Pcm:
        """Return what comes out for these samples and those that were held back, 4 ms less than has gone in."""
        frame = av.AudioFrame.from_ndarray(pcm[np.newaxis, :], format="s16", layout="mono")
        frame.sample_rate = SAMPLE_RATE
        out = [np.zeros(0, np.int16)]
        for narrow in _timeless(self._down.resample(frame)):
            for packet in self._encoder.encode(narrow):
                for decoded in _timeless(self._decoder.decode(packet)):
                    wide = _timeless(self._up.resample(decoded))
                    out += [np.asarray(piece.to_ndarray(), np.int16).reshape(-1) for piece in wide]
        return np.concatenate(out)


def through_telephone(pcm: Pcm) -> Pcm:
    """Return a clip as it arrives at the other end of a telephone line; it keeps its length."""
    return TelephoneLine().push(np.pad(pcm, (0, _TAIL_SAMPLES)))[: len(pcm)]


class TelephoneReceiver:
    """Puts received audio through a telephone line, frame by frame, each with the instant at which it arrived."""

    def __init__(self) -> None:
        self._line = TelephoneLine()
        self._arrivals: deque[float] = deque()
        self._pending: Pcm = np.zeros(0, np.int16)

    def push(self, at: float, frame: Pcm) -> Iterator[tuple[float, Pcm]]:
        """Take a frame of 10 ms; yield the frames that have come out."""
        self._arrivals.append(at)
        self._pending = np.concatenate([self._pending, self._line.push(frame)])
        while len(self._pending) >= FRAME_SAMPLES:
            yield self._arrivals.popleft(), self._pending[:FRAME_SAMPLES]
            self._pending = self._pending[FRAME_SAMPLES:]


def _codec(mode: Literal["r", "w"]) -> av.AudioCodecContext:
    codec = av.CodecContext.create("pcm_mulaw", mode)
    codec.sample_rate = RATE
    codec.layout = "mono"
    if mode == "w":
        codec.format = av.AudioFormat("s16")
    return codec


def _timeless(frames: list[av.AudioFrame]) -> Iterator[av.AudioFrame]:
    """Yield frames without their time stamps, which the next stage would take for gaps."""
    for frame in frames:
        frame.pts = None
        yield frame
