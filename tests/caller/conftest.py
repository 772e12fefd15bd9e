"""A real LiveKit server, and sounds to say."""

import wave
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from testbed.services import API_KEY, API_SECRET, Ports
from tests.livekit_server import livekit as livekit


@dataclass(frozen=True)
class LiveKitServer:
    url: str
    api_key: str
    api_secret: str


@pytest.fixture(scope="session")
def livekit_server(livekit: Ports) -> LiveKitServer:
    return LiveKitServer(livekit.livekit_url, API_KEY, API_SECRET)


def tone(seconds: float, rate: int = 48_000, hertz: float = 440, amplitude: float = 0.3) -> NDArray[np.float64]:
    return amplitude * np.sin(2 * np.pi * hertz * np.arange(round(seconds * rate)) / rate)


def write_wav(path: Path, samples: NDArray[np.float64], rate: int = 48_000) -> Path:
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes((samples * 32767).astype("<i2").tobytes())
    return path


@pytest.fixture
def hello_wav(tmp_path: Path) -> Path:
    """0.3 s of silence, 0.8 s of tone, 0.4 s of silence: its file ends later than its sound."""
    sound = np.concatenate([np.zeros(14_400), tone(0.8), np.zeros(19_200)])
    return write_wav(tmp_path / "hello.wav", sound)
