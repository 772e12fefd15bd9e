"""Loads the three real models and makes each do its work once, so that no caller is the first."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol, TypeVar

import numpy as np

from model_server import weights
from model_server.backends import STT_SAMPLE_RATE, Backends, ChatRequest, Message, SpeechRequest

T = TypeVar("T")


class Progress(Protocol):
    """Runs a step of loading and tells the operator about it."""

    def __call__(self, name: str, load: Callable[[], T]) -> T: ...


async def real_backends(progress: Progress) -> Backends:
    """Raises `WeightsError`, before anything is loaded, if a file is missing or not what it should be."""
    gguf, whisper_dir, (onnx, voices) = progress(
        "weights found and checked", lambda: (weights.smollm(), weights.whisper(), weights.kokoro())
    )
    try:
        from model_server.llm import SmolLM
        from model_server.stt import Whisper
        from model_server.tts import KokoroTTS
    except ImportError as error:
        raise weights.WeightsError(f"'{error.name}' is not installed: run `make install`") from error

    llm = progress("SmolLM2-135M-Instruct loaded", lambda: SmolLM(gguf))
    stt = progress("whisper-tiny.en loaded", lambda: Whisper(whisper_dir))
    tts = progress("kokoro-82m loaded", lambda: KokoroTTS(onnx, voices))

    async for _ in llm.stream(ChatRequest("", (Message("user", "Hello"),), max_tokens=8)):
        pass
    async for _ in tts.stream(SpeechRequest("", "Hello, how can I help you today?", "alloy")):
        pass
    stt.voice_detector().probabilities(np.zeros((1, 512), np.float32))
    await stt.transcribe("", np.zeros(STT_SAMPLE_RATE, np.float32), utterance=0, final=True)
    return Backends("real", llm, stt, tts)
