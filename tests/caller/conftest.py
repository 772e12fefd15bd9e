"""A real LiveKit server, and sounds to say."""

from pathlib import Path

import numpy as np
import pytest
from livekit import rtc
from numpy.typing import NDArray

from tests.livekit_server import livekit as livekit


def tone(seconds: float, rate: int = 48_000, hertz: float = 440, amplitude: float = 0.3) -> NDArray[np.float64]:
    return amplitude * np.sin(2 * np.pi * hertz * np.arange(round(seconds * rate)) / rate)


def write_wav(path: Path, samples: NDArray[np.float64], rate: int = 48_000) -> Path:
    pcm = (samples * 32767).astype(np.int16)
    path.write_bytes(rtc.AudioFrame(pcm.tobytes(), rate, 1, len(pcm)).to_wav_bytes())
    return path


@pytest.fixture
def hello_wav(tmp_path: Path) -> Path:
    """0.2 s of silence, 0.4 s of tone, 0.3 s of silence: the file is longer than its sound."""
    sound = np.concatenate([np.zeros(9_600), tone(0.4), np.zeros(14_400)])
    return write_wav(tmp_path / "hello.wav", sound)
