"""Decode uploaded audio; encode synthesised audio in the requested format."""

from __future__ import annotations

import io
import wave
from collections.abc import Callable

import av
import numpy as np

from model_server.backends import STT_SAMPLE_RATE, TTS_SAMPLE_RATE, Audio, BadInputError

MAX_UPLOAD_S = 600
"""Longer uploads would delay every other transcription."""

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
    """Return samples as signed 16-bit little-endian PCM."""
    return (np.clip(audio, -1.0, 1.0) * 32767).astype("<i2").tobytes()


def from_pcm16(pcm: bytes) -> Audio:
    """Return signed 16-bit little-endian PCM as samples."""
    return np.frombuffer(pcm, "<i2").astype(np.float32) / np.float32(32768)


def decode(data: bytes) -> Audio:
    """Return the first audio stream of a file in any format of FFmpeg, at `STT_SAMPLE_RATE`. Blocks.

    Raises:
        BadInputError: If there is no audio in it, or too much.
    """
    resampler = Resampler(STT_SAMPLE_RATE)
    chunks, seconds = [], 0.0
    try:
        with av.open(io.BytesIO(data), mode="r", metadata_errors="ignore") as container:
            for frame in container.decode(audio=0):
                chunks.append(resampler.push(frame))
                seconds += frame.samples / frame.sample_rate
                if seconds > MAX_UPLOAD_S:
                    raise BadInputError(f"The audio is longer than {MAX_UPLOAD_S} seconds.", param="file")
    except (av.FFmpegError, IndexError, ValueError) as error:
        raise BadInputError("The file could not be decoded as audio.", param="file") from error
    if not chunks:
        raise BadInputError("The file holds no audio.", param="file")
    return np.concatenate([*chunks, resampler.push(None)])


class Resampler:
    """Converts FFmpeg frames to mono samples at one rate; keeps the filter's state between frames."""

    def __init__(self, rate: int) -> None:
        self._resampler = av.AudioResampler(format="flt", layout="mono", rate=rate)

    def push(self, frame: av.AudioFrame | None) -> Audio:
        """Return the samples that are ready; `None` drains the filter."""
        chunks = [chunk.to_ndarray().reshape(-1) for chunk in self._resampler.resample(frame)]
        return np.concatenate(chunks).astype(np.float32) if chunks else np.zeros(0, np.float32)


def pcm_reader(sample_rate: int, channels: int) -> Callable[[bytes], Audio]:
    """Return a function that converts the interleaved 16-bit PCM of one live stream to `STT_SAMPLE_RATE` mono."""
    return raw_reader("linear16", sample_rate, channels)


class UndecodableAudioError(Exception):
    """Bytes of a live stream are no audio in the format that was announced."""


SAMPLE_BYTES = {"linear16": 2, "linear32": 4, "mulaw": 1, "alaw": 1}
"""The size of a sample in each encoding without a container, by Deepgram's names."""
_PCM_CODECS = {"linear16": "pcm_s16le", "linear32": "pcm_f32le", "mulaw": "pcm_mulaw", "alaw": "pcm_alaw"}


def raw_reader(encoding: str, sample_rate: int, channels: int) -> Callable[[bytes], Audio]:
    """Return a function that converts the interleaved samples of one live stream to `STT_SAMPLE_RATE` mono.

    It raises `UndecodableAudioError` for bytes that are no whole number of samples.

    Args:
        encoding: One of `SAMPLE_BYTES`.
        sample_rate: Samples a second of each channel.
        channels: 1 or 2, which are mixed.
    """
    if channels not in (1, 2):
        raise UndecodableAudioError(f"{channels} channels; 1 or 2 are supported")
    step = SAMPLE_BYTES[encoding] * channels
    is_native = encoding == "linear16" and sample_rate == STT_SAMPLE_RATE and channels == 1
    decoder = av.CodecContext.create(_PCM_CODECS[encoding], "r")
    assert isinstance(decoder, av.AudioCodecContext)
    decoder.sample_rate = sample_rate
    decoder.layout = "mono" if channels == 1 else "stereo"
    resampler = Resampler(STT_SAMPLE_RATE)

    def read(data: bytes) -> Audio:
        if len(data) % step:
            raise UndecodableAudioError(f"not a whole number of {encoding} samples")
        if is_native:
            return from_pcm16(data)
        chunks = [resampler.push(frame) for frame in decoder.decode(av.Packet(data))] if data else []
        return np.concatenate(chunks) if chunks else np.zeros(0, np.float32)

    return read


class Encoder:
    """Encodes PCM at `TTS_SAMPLE_RATE` as one of `CONTENT_TYPES`, chunk by chunk, so that playout can start early."""

    def __init__(self, format: str) -> None:
        self._sink = _Sink()
        self._container = None
        if format == "wav":
            self._sink.write(_streaming_wav_header())
        elif format in _CONTAINERS:
            name, codec = _CONTAINERS[format]
            # Without the header that has the number of frames, which is known only at the end.
            options = {"write_xing": "0", "id3v2_version": "0"} if format == "mp3" else {}
            self._container = av.open(self._sink, mode="w", format=name, options=options)
            stream = self._container.add_stream(codec, rate=TTS_SAMPLE_RATE, layout="mono")
            assert isinstance(stream, av.AudioStream)
            self._stream = stream

    def encode(self, pcm: bytes) -> bytes:
        """Take PCM; return the bytes that are ready."""
        if self._container is None:
            self._sink.write(pcm)
        elif pcm:
            frame = av.AudioFrame.from_ndarray(np.frombuffer(pcm, "<i2").reshape(1, -1), format="s16", layout="mono")
            frame.sample_rate = TTS_SAMPLE_RATE
            self._container.mux(self._stream.encode(frame))
        return self._sink.drain()

    def finish(self) -> bytes:
        """Return the rest of the bytes."""
        if self._container is not None:
            self._container.mux(self._stream.encode(None))
            self._container.close()
        return self._sink.drain()


class _Sink:
    """An append-only file for FFmpeg."""

    def __init__(self) -> None:
        self._data = bytearray()

    def write(self, data: bytes) -> int:
        self._data += data
        return len(data)

    def drain(self) -> bytes:
        data = bytes(self._data)
        self._data.clear()
        return data


def _streaming_wav_header() -> bytes:
    file = io.BytesIO()
    with wave.open(file, "wb") as writer:
        writer.setparams((1, 2, TTS_SAMPLE_RATE, 0, "NONE", ""))
    header = bytearray(file.getvalue())
    # The length is not known yet: the largest one means 'until the data ends', and OpenAI sends it too.
    header[4:8] = header[40:44] = b"\xff" * 4
    return bytes(header)
