"""A real LiveKit server, and sounds to say."""

import os
import shutil
import socket
import subprocess
import time
import wave
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from agent_worker.core.folders import cache_dir


@dataclass(frozen=True)
class LiveKitServer:
    url: str
    api_key: str
    api_secret: str


def _server_binary() -> str | None:
    cached = cache_dir() / "bin" / "livekit-server"
    return (
        os.environ.get("LIVEKIT_SERVER_BIN")
        or shutil.which("livekit-server")
        or (str(cached) if cached.exists() else None)
    )


def free_port(kind: socket.SocketKind = socket.SOCK_STREAM) -> int:
    with socket.socket(socket.AF_INET, kind) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture(scope="session")
def livekit_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveKitServer]:
    binary = _server_binary()
    if binary is None:
        pytest.skip("no livekit-server: set LIVEKIT_SERVER_BIN or put it on PATH")
    port = free_port()
    config = f"port: {port}\nrtc: {{tcp_port: {free_port()}, udp_port: {free_port(socket.SOCK_DGRAM)}}}\n"
    command = [binary, "--dev", "--bind", "127.0.0.1", "--node-ip", "127.0.0.1", "--config-body", config]
    log = tmp_path_factory.mktemp("livekit") / "server.log"
    with log.open("wb") as out, subprocess.Popen(command, stdout=out, stderr=out) as process:
        try:
            for _ in range(200):
                with socket.socket() as probe:
                    if probe.connect_ex(("127.0.0.1", port)) == 0:
                        break
                assert process.poll() is None, log.read_text()
                time.sleep(0.1)
            yield LiveKitServer(f"ws://127.0.0.1:{port}", "devkey", "secret")
        finally:
            process.terminate()


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
