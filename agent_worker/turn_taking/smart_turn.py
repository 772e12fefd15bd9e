"""smart-turn v3.2 (Pipecat, BSD-2): the probability that the caller's turn has ended, from its last eight seconds."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from agent_worker.core.folders import cache_dir

SAMPLE_RATE = 16_000
SHA256 = "2bb026316b14a660486a75b1733cd3fbab8c2fd0314dc9af7be49f8cca967e4f"
REMEDY = "run `scripts/get smart-turn`, or set SMART_TURN_PATH to smart-turn-v3.2-cpu.onnx"

_FILE = "smart-turn-v3.2-cpu.onnx"
_WINDOW_SAMPLES = 8 * SAMPLE_RATE
_FFT_SAMPLES = 400
_HOP_SAMPLES = 160
_MEL_BANDS = 80
_DYNAMIC_RANGE = 8.0

Samples = npt.NDArray[np.int16]
Floats = npt.NDArray[np.float64]


class SmartTurnMissingError(Exception):
    """The weights, or the library that runs them, are missing or wrong; the message is one line with the remedy."""


def weights_path() -> Path:
    """Return where the weights are without SMART_TURN_PATH: in the cache, or where the image has them."""
    in_cache, in_image = cache_dir() / "models" / _FILE, Path(sys.prefix) / "share" / "agent-worker" / _FILE
    return in_image if in_image.is_file() and not in_cache.is_file() else in_cache


_NO_LIBRARY = "onnxruntime is not installed, or cannot be imported: pip install 'agent-worker[smart-turn]'"


def check(path: Path) -> None:
    """Check the weights and the library that runs them. Blocks for some 0.2 s.

    Raises:
        SmartTurnMissingError: If one is missing, or the file is another.
    """
    # In a process of its own: the library takes 15 MB, and starts a thread.
    if subprocess.run([sys.executable, "-c", "import onnxruntime"], capture_output=True, check=False).returncode:
        raise SmartTurnMissingError(_NO_LIBRARY)
    _check_weights(path)


def _check_weights(path: Path) -> None:
    try:
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError as error:
        raise SmartTurnMissingError(f"cannot read {path} ({error.strerror}): {REMEDY}") from error
    if digest != SHA256:
        raise SmartTurnMissingError(f"{path} is not smart-turn-v3.2-cpu.onnx (sha256 {digest[:12]}…): {REMEDY}")


class SmartTurn:
    """The model, on one thread.

    Args:
        path: Its weights.
    """

    def __init__(self, path: Path) -> None:
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.execution_mode = onnxruntime.ExecutionMode.ORT_SEQUENTIAL
        options.inter_op_num_threads = options.intra_op_num_threads = 1
        options.enable_cpu_mem_arena = options.enable_mem_pattern = False  # 10 MB less, and as fast
        self._session: Any = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])

    def probability(self, samples: Samples) -> float:
        """Return the probability that the turn has ended.

        Args:
            samples: The turn so far, mono at 16 kHz, with the silence after it; at most the last 8 s count.
        """
        features = log_mel(samples)[np.newaxis]
        return float(self._session.run(None, {"input_features": features})[0].reshape(-1)[0])


@cache
def load(path: Path) -> SmartTurn:
    """Return the model, checked and loaded once in a process.

    Raises:
        SmartTurnMissingError: If it cannot be loaded.
    """
    _check_weights(path)
    try:
        return SmartTurn(path)
    except ImportError:
        raise SmartTurnMissingError(_NO_LIBRARY) from None


def log_mel(samples: Samples) -> npt.NDArray[np.float32]:
    """Return Whisper's log-mel spectrogram as the model was trained on, shape (80, 800).

    A shorter turn is padded in front with zeros; then the whole window is scaled to mean 0 and variance 1.
    """
    window = np.zeros(_WINDOW_SAMPLES)
    recent = samples[-_WINDOW_SAMPLES:]
    window[_WINDOW_SAMPLES - len(recent) :] = recent / 32768
    window = (window - window.mean()) / np.sqrt(window.var() + 1e-7)
    padded = np.pad(window, _FFT_SAMPLES // 2, mode="reflect")
    frames = np.lib.stride_tricks.sliding_window_view(padded, _FFT_SAMPLES)[::_HOP_SAMPLES][:-1]
    hann = np.hanning(_FFT_SAMPLES + 1)[:-1]
    power = np.abs(np.fft.rfft(frames * hann)) ** 2
    log_power = np.log10(np.maximum(_mel_filters() @ power.T, 1e-10))
    log_power = np.maximum(log_power, log_power.max() - _DYNAMIC_RANGE)
    scaled: npt.NDArray[np.float32] = ((log_power + 4) / 4).astype(np.float32)
    return scaled


@cache
def _mel_filters() -> Floats:
    """Return triangular filters of equal area on Slaney's mel scale, shape (80, 201)."""
    frequencies = np.linspace(0, SAMPLE_RATE / 2, _FFT_SAMPLES // 2 + 1)
    edges = _mel_to_hertz(np.linspace(0, float(_hertz_to_mel(SAMPLE_RATE / 2)), _MEL_BANDS + 2))
    below, peaks, above = (edges[start : start + _MEL_BANDS, np.newaxis] for start in range(3))
    rising, falling = (frequencies - below) / (peaks - below), (above - frequencies) / (above - peaks)
    triangles: Floats = np.maximum(0, np.minimum(rising, falling))
    return triangles * 2 / (above - below)


def _hertz_to_mel(hertz: float) -> float:
    linear = hertz * 3 / 200
    return linear if hertz < 1000 else 15 + 27 * np.log(hertz / 1000) / np.log(6.4)


def _mel_to_hertz(mel: Floats) -> Floats:
    return np.where(mel < 15, mel * 200 / 3, 1000 * np.exp(np.log(6.4) / 27 * (mel - 15)))
