"""Loads the three real models and runs each once, so that no client waits for a first run."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Protocol, TypeVar

import numpy as np

from model_server import weights
from model_server.backends import STT_SAMPLE_RATE, TTS, VAD_FRAME_SAMPLES, Backends, ChatRequest, Message, SpeechRequest

T = TypeVar("T")


class Progress(Protocol):
    """Runs a step of loading and reports it to the operator."""

    def __call__(self, name: str, load: Callable[[], T]) -> T:
        """Return the result of `load`."""


TTS_NAMES = ("hibari", "kokoro")
"""The text-to-speech models to choose from."""

DEFAULT_TTS = "hibari"


async def real_backends(progress: Progress, tts_name: str = DEFAULT_TTS) -> Backends:
    """Load the models.

    Args:
        progress: Runs each step of loading.
        tts_name: One of `TTS_NAMES`; the other model is neither checked nor imported.

    Raises:
        WeightsError: Before anything is loaded, if a file is missing or has the wrong checksum.
    """

    def find() -> tuple[Path, Path, Callable[[], TTS]]:
        return weights.smollm(), weights.whisper(), _tts_loader(tts_name)

    try:
        gguf, whisper_dir, load_tts = progress("weights found and checked", find)
        from model_server.llm import SmolLM
        from model_server.stt import Whisper

        llm = progress("SmolLM2-135M-Instruct loaded", lambda: SmolLM(gguf))
        stt = progress("whisper-tiny.en loaded", lambda: Whisper(whisper_dir))
        tts = progress(f"{tts_name} loaded", load_tts)
    except ImportError as error:
        raise weights.WeightsError(f"'{error.name}' is not installed: run `make install`") from error

    async for _ in llm.stream(ChatRequest("", (Message("user", "Hello"),), max_tokens=8)):
        pass
    async for _ in tts.stream(SpeechRequest("", "Hello, how can I help you today?", "alloy")):
        pass
    stt.voice_activity_detector().probabilities(np.zeros((1, VAD_FRAME_SAMPLES), np.float32))
    await stt.transcribe("", np.zeros(STT_SAMPLE_RATE, np.float32), segment=0, final=True)
    return Backends("real", llm, stt, tts)


def _tts_loader(name: str) -> Callable[[], TTS]:
    """Check the weights of a TTS model and return what loads it."""
    from model_server.tts import HibariTTS, KokoroTTS

    if name == "hibari":
        return partial(HibariTTS, weights.hibari())
    return partial(KokoroTTS, *weights.kokoro())
