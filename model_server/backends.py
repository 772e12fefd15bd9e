"""What the protocols ask of a model: one small interface a modality, met by the real and the simulated models."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncGenerator, Mapping
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

Audio = NDArray[np.float32]
"""Mono samples between -1 and 1, shape (n,). For speech recognition always at `STT_SAMPLE_RATE`."""

STT_SAMPLE_RATE = 16_000
TTS_SAMPLE_RATE = 24_000
VAD_FRAME = 512
"""Samples a voice-detection frame: 32 ms at `STT_SAMPLE_RATE`, the only size that Silero takes."""


class UnknownModelError(Exception):
    def __init__(self, model: str) -> None:
        super().__init__(f"The model '{model}' does not exist or you do not have access to it.")


class BadInputError(Exception):
    """The request is well-formed, but the model cannot take it; `code` is OpenAI's error code."""

    def __init__(self, message: str, *, param: str | None = None, code: str | None = None) -> None:
        super().__init__(message)
        self.param = param
        self.code = code


class ModelNames(Protocol):
    """The names that callers may ask for, and the name of the model that answers."""

    @property
    def listed(self) -> tuple[str, ...]: ...

    def resolve(self, requested: str) -> str:
        """The answering model's own name. Raises `UnknownModelError`."""
        ...


@dataclass(frozen=True)
class AliasedModel:
    """One model, which also answers to the names that the worker's stacks ask the providers for."""

    name: str
    aliases: frozenset[str]

    @property
    def listed(self) -> tuple[str, ...]:
        return (self.name,)

    def resolve(self, requested: str) -> str:
        if requested != self.name and requested not in self.aliases:
            raise UnknownModelError(requested)
        return self.name


@dataclass(frozen=True)
class Message:
    role: str
    text: str


@dataclass(frozen=True)
class ChatRequest:
    model: str
    messages: tuple[Message, ...]
    max_tokens: int | None = None
    options: Mapping[str, object] = field(default_factory=dict)
    """Sampling options by OpenAI's names: temperature, top_p, stop, seed, …"""


@dataclass(frozen=True)
class ChatChunk:
    """A piece of an answer: text, or in the last one why it ended ('stop' or 'length') and the tokens used."""

    text: str = ""
    finish_reason: str | None = None
    prompt_tokens: int = 0
    completion_tokens: int = 0


@dataclass(frozen=True)
class Word:
    """Times in seconds from the start of the audio that was transcribed; confidence from 0 to 1."""

    text: str
    start: float
    end: float
    confidence: float


@dataclass(frozen=True)
class Transcript:
    text: str
    words: tuple[Word, ...]

    @property
    def confidence(self) -> float:
        return sum(word.confidence for word in self.words) / len(self.words) if self.words else 0.0


@dataclass(frozen=True)
class SpeechRequest:
    model: str
    text: str
    voice: str
    speed: float = 1.0


class LLM(Protocol):
    @property
    def names(self) -> ModelNames: ...

    def stream(self, request: ChatRequest) -> AsyncGenerator[ChatChunk, None]:
        """Yields the answer as it is made. Closing the generator stops the model."""
        ...


class VoiceDetector(Protocol):
    """Finds speech in one continuous stream of audio; keeps state between calls."""

    def probabilities(self, frames: Audio) -> list[float]:
        """The probability of speech in each frame; `frames` has shape (n, `VAD_FRAME`). Blocks: about 0.2 ms each."""
        ...


class STT(Protocol):
    @property
    def names(self) -> ModelNames: ...

    @property
    def idle(self) -> bool:
        """Whether a transcription asked for now would start now."""
        ...

    async def transcribe(self, model: str, audio: Audio, *, utterance: int, final: bool) -> Transcript:
        """`utterance` counts a connection's utterances; only the simulation looks at it, to choose its text."""
        ...

    def voice_detector(self) -> VoiceDetector: ...


class TTS(Protocol):
    @property
    def names(self) -> ModelNames: ...

    def stream(self, request: SpeechRequest) -> AsyncGenerator[bytes, None]:
        """Yields signed 16-bit mono PCM at `TTS_SAMPLE_RATE`, a sentence at a time.

        Raises `BadInputError` before the first chunk for a voice it does not know. Closing the generator stops it.
        """
        ...


@dataclass(frozen=True)
class Backends:
    mode: str
    llm: LLM
    stt: STT
    tts: TTS

    def listed(self) -> list[str]:
        return [name for backend in (self.llm, self.stt, self.tts) for name in backend.names.listed]

    def resolve(self, requested: str) -> str:
        """The own name of whichever model answers to a name. Raises `UnknownModelError`."""
        for backend in (self.llm, self.stt, self.tts):
            with contextlib.suppress(UnknownModelError):
                return backend.names.resolve(requested)
        raise UnknownModelError(requested)
