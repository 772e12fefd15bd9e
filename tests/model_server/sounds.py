"""Audio to send, and to look at."""

from __future__ import annotations

import io
import wave

import av
import numpy as np


def tone(seconds: float, rate: int = 16_000) -> bytes:
    """Signed 16-bit mono PCM."""
    times = np.arange(int(seconds * rate)) / rate
    return (8000 * np.sin(2 * np.pi * 440 * times)).astype("<i2").tobytes()


def silence(seconds: float, rate: int = 16_000) -> bytes:
    return bytes(2 * int(seconds * rate))


def wav(pcm: bytes, rate: int = 16_000) -> bytes:
    file = io.BytesIO()
    with wave.open(file, "wb") as writer:
        writer.setnchannels(1)
        writer.setsampwidth(2)
        writer.setframerate(rate)
        writer.writeframes(pcm)
    return file.getvalue()


def encoded(pcm: bytes, codec: str, rate: int, container: str = "") -> bytes:
    """Samples in another encoding of FFmpeg, in a container or without one."""
    file = io.BytesIO()
    format = container or codec.removeprefix("pcm_")
    with av.open(file, mode="w", format=format) as writer:
        stream = writer.add_stream(codec, rate=rate, layout="mono")
        frame = av.AudioFrame.from_ndarray(np.frombuffer(pcm, "<i2").reshape(1, -1), format="s16", layout="mono")
        frame.sample_rate = rate
        resampler = av.AudioResampler(format=stream.format, layout="mono", rate=rate)
        for converted in resampler.resample(frame):
            writer.mux(stream.encode(converted))
        writer.mux(stream.encode(None))
    return file.getvalue()


def seconds(encoded: bytes) -> float:
    """How long a file of any format plays."""
    with av.open(io.BytesIO(encoded)) as container:
        return sum(frame.samples / frame.sample_rate for frame in container.decode(audio=0))


def resampled(pcm: bytes, rate: int, wanted: int) -> bytes:
    samples = np.frombuffer(pcm, "<i2").astype(np.float32)
    at = np.arange(0, len(samples), rate / wanted)
    return np.interp(at, np.arange(len(samples)), samples).astype("<i2").tobytes()
