"""The interfaces between protocols and models: one per modality, implemented by real and simulated models."""

from __future__ import annotations

import contextlib
import math
from collections.abc import AsyncGenerator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

Span = tuple[float, float]
"""Start and end in seconds, from the start of a stream."""

Audio = NDArray[np.float32]
"""Mono samples between -1 and 1, shape (n,). For speech recognition always at `STT_SAMPLE_RATE`."""

STT_SAMPLE_RATE = 16_000
TTS_SAMPLE_RATE = 24_000
VAD_FRAME_SAMPLES = 512
"""A frame of voice activity detection: 32 ms at `STT_SAMPLE_RATE`, the only size that Silero takes."""


class UnknownModelError(Exception):
    """No model answers to the requested name."""

    def __init__(self, model: str) -> None:
        super().__init__(f"The model '{model}' does not exist or you do not have access to it.")


class BadInputError(Exception):
    """A well-formed request that the model cannot take; `param` and `code` are those of OpenAI's errors."""

    def __init__(self, message: str, *, param: str | None = None, code: str | None = None) -> None:
        super().__init__(message)
        self.param = param
        self.code = code


class ModelNames(Protocol):
    """The names that clients may ask for, and the name of the model that answers."""

    @property
    def listed(self) -> tuple[str, ...]:
        """The names in the list of models."""

    def resolve(self, requested: str) -> str:
        """Return the name of the model that answers, or raise `UnknownModelError`."""


@dataclass(frozen=True)
class AliasedModel:
    """One model that also answers to the names that the worker's stacks request from the providers."""

    name: str
    aliases: frozenset[str]

    @property
    def listed(self) -> tuple[str, ...]:
        """The model's own name."""
        return (self.name,)

    def resolve(self, requested: str) -> str:
        """Return the model's own name, or raise `UnknownModelError`."""
        if requested != self.name and requested not in self.aliases:
            raise UnknownModelError(requested)
        return self.name


@dataclass(frozen=True)
class Message:
    """A message of a chat."""

    role: str
    text: str


@dataclass(frozen=True)
class ChatRequest:
    """A chat and how to answer it."""

    model: str
    messages: tuple[Message, ...]
    max_tokens: int | None = None
    options: Mapping[str, object] = field(default_factory=dict)
    """Sampling options by OpenAI's names: temperature, top_p, stop, seed, …"""
    tools: tuple[str, ...] = ()
    """Names of the tools that may be called; only the simulation calls one."""
    answers_tool: bool = False
    """Whether the last message is what a tool returned."""


@dataclass(frozen=True)
class ChatChunk:
    """A chunk of an answer: text, or in the last one the finish reason ('stop' or 'length') and the tokens used.

    `tool` is the name of a tool that is called, without arguments.
    """

    text: str = ""
    finish_reason: str | None = None
    prompt_tokens: int = 0
    completion_tokens: int = 0
    tool: str = ""


@dataclass(frozen=True)
class Word:
    """Times in seconds from the start of the audio that was transcribed; confidence from 0 to 1."""

    text: str
    start: float
    end: float
    confidence: float


@dataclass(frozen=True)
class TurnPause:
    """How certain a model becomes, during a silence, that the speaker's turn is over.

    Attributes:
        level: The certainty that it approaches, from 0 to 1.
        rise_s: Seconds after which it has risen to 63 % of that.
    """

    level: float = 0.95
    rise_s: float = 0.195
    """With the default level, 0.7 is reached after 0.26 s, which is what Deepgram says of Flux."""

    def confidence(self, silence_s: float) -> float:
        """Return the certainty after this much silence."""
        return self.level * -math.expm1(-silence_s / self.rise_s)


@dataclass(frozen=True)
class Transcript:
    """A transcript with its words, and Whisper's probability of silence and mean log probability of a token."""

    text: str
    words: tuple[Word, ...]
    no_speech_probability: float = 0.0
    mean_log_probability: float = 0.0

    @property
    def confidence(self) -> float:
        """The mean of the words' confidences."""
        return sum(word.confidence for word in self.words) / len(self.words) if self.words else 0.0


@dataclass(frozen=True)
class SpeechRequest:
    """A text to synthesise."""

    model: str
    text: str
    voice: str
    speed: float = 1.0


class Model(Protocol):
    """A model of any modality."""

    @property
    def names(self) -> ModelNames:
        """The names it answers to."""


class LLM(Model, Protocol):
    """A language model."""

    def stream(self, request: ChatRequest) -> AsyncGenerator[ChatChunk, None]:
        """Yield the answer as it is generated. Closing the generator stops the model."""


class VoiceActivityDetector(Protocol):
    """Detects speech in one continuous stream of audio; keeps state between calls."""

    def probabilities(self, frames: Audio) -> list[float]:
        """Return the probability of speech in each frame; `frames` has shape (n, `VAD_FRAME_SAMPLES`).

        Blocks: about 0.2 ms a frame.
        """


class STT(Model, Protocol):
    """A speech-to-text model."""

    @property
    def idle(self) -> bool:
        """Whether a transcription that is requested now would start at once."""

    async def transcribe(
        self, model: str, audio: Audio, *, segment: int, final: bool, spans: Sequence[Span] = ()
    ) -> Transcript:
        """Transcribe the connection's segment of this number.

        `spans` are where the connection's segments up to this one lie in its stream. Only the simulation uses number
        and spans, to choose its text.
        """

    def takes_language(self, model: str, language: str) -> bool:
        """Return whether a model transcribes a language, given by its subtag, such as `de`."""

    def turn_pause(self, model: str, text: str) -> TurnPause:
        """Return how the certainty rises that a turn is over, in the silence that has begun after this text."""

    def voice_activity_detector(self) -> VoiceActivityDetector:
        """Return a detector for one stream."""


class TTS(Model, Protocol):
    """A text-to-speech model."""

    def stream(self, request: SpeechRequest) -> AsyncGenerator[bytes, None]:
        """Yield signed 16-bit mono PCM at `TTS_SAMPLE_RATE`, a sentence at a time.

        Raises `BadInputError` before the first chunk for a voice it does not know. Closing the generator stops it.
        """


@dataclass(frozen=True)
class Backends:
    """The models of a server; `mode` is 'real' or 'simulated'."""

    mode: str
    llm: LLM
    stt: STT
    tts: TTS

    def listed(self) -> list[str]:
        """Return the names of all models."""
        return [name for backend in (self.llm, self.stt, self.tts) for name in backend.names.listed]

    def resolve(self, requested: str) -> str:
        """Return the own name of the model that answers to a name, or raise `UnknownModelError`."""
        for backend in (self.llm, self.stt, self.tts):
            with contextlib.suppress(UnknownModelError):
                return backend.names.resolve(requested)
        raise UnknownModelError(requested)
