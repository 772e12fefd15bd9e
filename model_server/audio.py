"""Audio in and out of bytes: decoding what callers upload, encoding what they asked for."""

from __future__ import annotations

import io
import struct
from collections.abc import Callable

import av
import numpy as np

from model_server.backends import STT_SAMPLE_RATE, TTS_SAMPLE_RATE, Audio, BadInputError

MAX_SECONDS = 600
"""Longer uploads would hold up every caller's speech behind them."""

CONTENT_TYPES = {
    "pcm": "audio/pcm",
    "wav": "audio/wav",
    "mp3": "audio/mpeg",
    "opus": "audio/ogg",
    "aac": "audio/aac",
    "flac": "audio/flac",
}
_CONTAINERS = {
    "mp3": ("mp3", "libmp3lame"),
    "opus": ("ogg", "libopus"),
    "aac": ("adts", "aac"),
    "flac": ("flac", "flac"),
}


def to_pcm16(audio: Audio) -> bytes:
    return (np.clip(audio, -1.0, 1.0) * 32767).astype("<i2").tobytes()


def from_pcm16(pcm: bytes) -> Audio:
    return np.frombuffer(pcm, "<i2").astype(np.float32) / np.float32(32768)


def decode(data: bytes) -> Audio:
    """The first audio stream of a file in any container that FFmpeg knows, at `STT_SAMPLE_RATE`. Blocks."""
    resampler = Resampler(STT_SAMPLE_RATE)
    pieces, seconds = [], 0.0
    try:
        with av.open(io.BytesIO(data), mode="r", metadata_errors="ignore") as container:
            for frame in container.decode(audio=0):
                pieces.append(resampler.push(frame))
                seconds += frame.samples / frame.sample_rate
                if seconds > MAX_SECONDS:
                    raise BadInputError(f"The audio is longer than {MAX_SECONDS} seconds.", param="file")
    except (av.FFmpegError, IndexError, ValueError) as error:
        raise BadInputError("The file could not be decoded as audio.", param="file") from error
    if not pieces:
        raise BadInputError("The file holds no audio.", param="file")
    return np.concatenate([*pieces, resampler.push(None)])


class Resampler:
    """Any FFmpeg frames to mono samples at one rate; keeps the filter's state from frame to frame."""

    def __init__(self, rate: int) -> None:
        self._resampler = av.AudioResampler(format="flt", layout="mono", rate=rate)

    def push(self, frame: av.AudioFrame | None) -> Audio:
        """`None` drains the filter."""
        pieces = [piece.to_ndarray().reshape(-1) for piece in self._resampler.resample(frame)]
        return np.concatenate(pieces).astype(np.float32) if pieces else np.zeros(0, np.float32)


def pcm_reader(sample_rate: int, channels: int) -> Callable[[bytes], Audio]:
    """A function that turns successive interleaved 16-bit PCM of one live stream into `STT_SAMPLE_RATE` mono."""
    if sample_rate == STT_SAMPLE_RATE and channels == 1:
        return from_pcm16
    resampler = Resampler(STT_SAMPLE_RATE)

    def read(pcm: bytes) -> Audio:
        samples = np.frombuffer(pcm, "<i2").reshape(1, -1)
        frame = av.AudioFrame.from_ndarray(samples, format="s16", layout="mono" if channels == 1 else "stereo")
        frame.sample_rate = sample_rate
        return resampler.push(frame)

    return read


class Encoder:
    """PCM at `TTS_SAMPLE_RATE` to one of `CONTENT_TYPES`, piece by piece, so that playing can start early."""

    def __init__(self, format: str) -> None:
        self._sink = _Sink()
        self._container = None
        if format == "wav":
            self._sink.write(_wav_header())
        elif format in _CONTAINERS:
            name, codec = _CONTAINERS[format]
            # The header with the frame count is left out: it can only be written when the audio has ended.
            options = {"write_xing": "0", "id3v2_version": "0"} if format == "mp3" else {}
            self._container = av.open(self._sink, mode="w", format=name, options=options)
            stream = self._container.add_stream(codec, rate=TTS_SAMPLE_RATE, layout="mono")
            assert isinstance(stream, av.AudioStream)
            self._stream = stream

    def encode(self, pcm: bytes) -> bytes:
        if self._container is None:
            self._sink.write(pcm)
        elif pcm:
            frame = av.AudioFrame.from_ndarray(np.frombuffer(pcm, "<i2").reshape(1, -1), format="s16", layout="mono")
            frame.sample_rate = TTS_SAMPLE_RATE
            self._container.mux(self._stream.encode(frame))
        return self._sink.drain()

    def finish(self) -> bytes:
        if self._container is not None:
            self._container.mux(self._stream.encode(None))
            self._container.close()
        return self._sink.drain()


class _Sink:
    """A file that FFmpeg can only append to."""

    def __init__(self) -> None:
        self._data = bytearray()

    def write(self, data: bytes) -> int:
        self._data += data
        return len(data)

    def drain(self) -> bytes:
        data = bytes(self._data)
        self._data.clear()
        return data


def _wav_header() -> bytes:
    # The length is not known yet: the largest one means 'until the data ends', as OpenAI itself sends it.
    unknown, byte_rate = 0xFFFFFFFF, TTS_SAMPLE_RATE * 2
    fmt = struct.pack("<4sIHHIIHH", b"fmt ", 16, 1, 1, TTS_SAMPLE_RATE, byte_rate, 2, 16)
    return struct.pack("<4sI4s", b"RIFF", unknown, b"WAVE") + fmt + struct.pack("<4sI", b"data", unknown)
