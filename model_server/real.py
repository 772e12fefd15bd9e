"""Loads the real models and runs each once, so that no client waits for a first run."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Protocol, TypeVar

import numpy as np

from model_server import weights
from model_server.backends import (
    LLM,
    STT_SAMPLE_RATE,
    TTS,
    VAD_FRAME_SAMPLES,
    Backends,
    ChatRequest,
    Message,
    SpeechRequest,
)
from model_server.checksum import WeightsError

T = TypeVar("T")


class Progress(Protocol):
    """Runs a step of loading and reports it to the operator."""

    def __call__(self, name: str, load: Callable[[], T]) -> T:
        """Return the result of `load`."""


TTS_NAMES = {"hibari": "hibari-heart", "kokoro": "kokoro-82m"}
"""The voices to choose from, with the names of their models."""
VOICES = tuple(TTS_NAMES)
STT_NAME = "whisper-tiny.en"

DEFAULT_VOICE = "hibari"
DEFAULT_MAIN_MODEL = "qwen-1.5b"
DEFAULT_FAST_MODEL = "qwen-0.5b"

_SLOTS = 4
"""Chats that are answered at the same time: by one model, or by two that share them."""


@dataclass(frozen=True)
class ModelChoice:
    """Which real models are served.

    Attributes:
        main_model: The language model that answers: one of `weights.LANGUAGE_MODELS`, or the path of a GGUF file.
        fast_model: The one that speaks first. It is loaded once if it is the same.
        voice: One of `VOICES`; the other one is neither checked nor imported.
        llm_threads: CPU threads of each language model.
    """

    main_model: str = DEFAULT_MAIN_MODEL
    fast_model: str = DEFAULT_FAST_MODEL
    voice: str = DEFAULT_VOICE
    llm_threads: int = 1


async def real_backends(progress: Progress, choice: ModelChoice) -> Backends:
    """Load the models.

    Args:
        progress: Runs each step of loading.
        choice: Which models.

    Raises:
        WeightsError: Before anything is loaded, if a file is missing or has the wrong checksum.
    """

    def find() -> tuple[Callable[[], LLM], Path, Callable[[], TTS]]:
        return _llm_loader(choice), weights.whisper(), tts_loader(choice.voice)

    try:
        load_llm, whisper_dir, load_tts = progress("weights found and checked", find)
        from model_server.stt import Whisper

        llm = progress(" and ".join(dict.fromkeys((choice.main_model, choice.fast_model))), load_llm)
        stt = progress(STT_NAME, lambda: Whisper(whisper_dir))
        tts = progress(choice.voice, load_tts)
    except ImportError as error:
        raise WeightsError(f"'{error.name}' is not installed: run `rm -rf .venv && make install`") from error

    for name in llm.names.listed:
        async for _ in llm.stream(ChatRequest(name, (Message("user", "Hello"),), max_tokens=8)):
            pass
    async for _ in tts.stream(SpeechRequest("", "Hello, how can I help you today?", "alloy")):
        pass
    stt.voice_activity_detector().probabilities(np.zeros((1, VAD_FRAME_SAMPLES), np.float32))
    await stt.transcribe("", np.zeros(STT_SAMPLE_RATE, np.float32), segment=0, final=True)
    return Backends("real", llm, stt, tts)


def _llm_loader(choice: ModelChoice) -> Callable[[], LLM]:
    """Check the weights of the language models and return what loads them."""
    from model_server.llm import FAST_ALIASES, MAIN_ALIASES, LlamaCpp, MainAndFastModel

    main_name, main_path = weights.language_model(choice.main_model)
    if choice.fast_model == choice.main_model:
        return lambda: LlamaCpp(main_path, main_name, MAIN_ALIASES | FAST_ALIASES, choice.llm_threads, _SLOTS)
    fast_name, fast_path = weights.language_model(choice.fast_model)
    return lambda: MainAndFastModel(
        LlamaCpp(main_path, main_name, MAIN_ALIASES, choice.llm_threads, _SLOTS // 2),
        LlamaCpp(fast_path, fast_name, FAST_ALIASES, choice.llm_threads, _SLOTS // 2),
    )


def tts_loader(name: str) -> Callable[[], TTS]:
    """Check the weights of a TTS model and return what loads it."""
    from model_server.tts import HibariTTS, KokoroTTS

    if name == "hibari":
        return partial(HibariTTS, weights.hibari())
    return partial(KokoroTTS, *weights.kokoro())
