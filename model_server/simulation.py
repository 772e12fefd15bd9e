"""Simulated models for tests and benchmarks: same server, same protocols, no weights.

Texts, tones and latencies come from a `SimulationConfig`; the same config
and the same order of requests give the same answers at the same pace.
"""

from __future__ import annotations

import asyncio
import math
import random
from collections import Counter
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Generic, TypeVar

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from model_server.audio import to_pcm16
from model_server.backends import (
    STT_SAMPLE_RATE,
    TTS_SAMPLE_RATE,
    Audio,
    Backends,
    ChatChunk,
    ChatRequest,
    SpeechRequest,
    Transcript,
    UnknownModelError,
    VoiceActivityDetector,
    Word,
)

PREFIX = "simulated-"
Sleep = Callable[[float], Awaitable[object]]
Milliseconds = Annotated[float, Field(ge=0)]
Hertz = Annotated[float, Field(gt=0, lt=TTS_SAMPLE_RATE / 2)]
P95_OF_NORMAL = 1.645
WORDS_PER_S = 3
"""How fast interim transcripts grow."""


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Jitter(_Strict):
    """Log-normal variation of every latency; the configured one is its median. Give one of the two, or none."""

    sigma: Annotated[float, Field(ge=0)] | None = None
    p95_over_median: Annotated[float, Field(ge=1)] | None = None

    def factor(self, rng: random.Random) -> float:
        """Return what to multiply the next latency by."""
        sigma = self.sigma or (math.log(self.p95_over_median) / P95_OF_NORMAL if self.p95_over_median else 0.0)
        return rng.lognormvariate(0.0, sigma) if sigma else 1.0


class SimulatedLLM(Jitter):
    """A language model."""

    ttft_ms: Milliseconds = 0.0
    tokens_per_second: Annotated[float, Field(gt=0)] | None = None
    """A token is a word. None: all at once."""
    replies: Annotated[list[str], Field(min_length=1)] = ["This is a simulated answer."]
    """Cycled, request by request."""


class SimulatedSTT(Jitter):
    """A speech-to-text model."""

    final_ms: Milliseconds = 0.0
    interim_ms: Milliseconds = 0.0
    transcripts: Annotated[list[str], Field(min_length=1)] = ["this is a simulated transcript"]
    """Cycled, segment by segment; each live connection begins with the first."""


class SimulatedTTS(Jitter):
    """A text-to-speech model."""

    ttfb_ms: Milliseconds = 0.0
    realtime_factor: Annotated[float, Field(ge=0)] = 0.0
    """Synthesis time per second of audio."""
    chars_per_second: Annotated[float, Field(gt=0)] = 15.0
    """The speed of the voice, which gives the duration of a text."""
    tone_hz: Hertz = 440.0
    tones: dict[str, Hertz] = {}
    """The tone of a text that contains the key, so that a listener can tell texts apart. The first match
    counts; `tone_hz` is for the others."""

    def tone(self, text: str) -> float:
        """Return the frequency of a text."""
        return next((hertz for part, hertz in self.tones.items() if part in text), self.tone_hz)


class SimulationConfig(_Strict):
    """Models by the name that is requested; '*' is any other."""

    seed: int = 0
    models: list[str] | None = None
    """The only known names. None: every name is known."""
    llm: dict[str, SimulatedLLM] = {}
    stt: dict[str, SimulatedSTT] = {}
    tts: dict[str, SimulatedTTS] = {}


class ConfigError(Exception):
    """An invalid config file; the message has a line for each problem."""


def load_config(source: str) -> SimulationConfig:
    """Return the config in a JSON file, or the default one for `default`."""
    if source == "default":
        return SimulationConfig()
    try:
        return SimulationConfig.model_validate_json(Path(source).read_bytes())
    except OSError as error:
        raise ConfigError(f"cannot read {source}: {error.strerror}") from error
    except ValidationError as error:
        problems = (f"{source}: {'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors())
        raise ConfigError("\n".join(problems)) from error


def simulated_backends(config: SimulationConfig, sleep: Sleep = asyncio.sleep) -> Backends:
    """Return the simulated models, which wait for their latencies by `sleep`."""
    return Backends(
        "simulated",
        _LLM(config, config.llm, SimulatedLLM(), sleep),
        _STT(config, config.stt, SimulatedSTT(), sleep),
        _TTS(config, config.tts, SimulatedTTS(), sleep),
    )


@dataclass(frozen=True)
class _Names:
    config: SimulationConfig
    entries: Mapping[str, object]

    @property
    def listed(self) -> tuple[str, ...]:
        return tuple(PREFIX + name for name in self.entries if name != "*")

    def resolve(self, requested: str) -> str:
        # The name in an answer can be requested too.
        name = requested.removeprefix(PREFIX)
        if self.config.models is not None and name not in self.config.models:
            raise UnknownModelError(requested)
        return PREFIX + name


Entry = TypeVar("Entry", bound=Jitter)


class _Simulated(Generic[Entry]):
    """The models of one modality; every request gets its number and a random generator from seed, model and number."""

    def __init__(self, config: SimulationConfig, entries: Mapping[str, Entry], default: Entry, sleep: Sleep) -> None:
        self.names = _Names(config, entries)
        self._seed = config.seed
        self._entries = entries
        self._default = default
        self._sleep = sleep
        self._counts: Counter[str] = Counter()

    def _next_request(self, model: str) -> tuple[Entry, int, random.Random]:
        number = self._counts[model]
        self._counts[model] += 1
        entry = self._entries.get(model.removeprefix(PREFIX)) or self._entries.get("*") or self._default
        return entry, number, random.Random(f"{self._seed}/{model}/{number}")


class _LLM(_Simulated[SimulatedLLM]):
    async def stream(self, request: ChatRequest) -> AsyncGenerator[ChatChunk, None]:
        model, number, rng = self._next_request(request.model)
        tokens = model.replies[number % len(model.replies)].split()
        spoken = tokens[: request.max_tokens]
        await self._sleep(model.ttft_ms / 1000 * model.factor(rng))
        for position, token in enumerate(spoken):
            if position and model.tokens_per_second:
                await self._sleep(model.factor(rng) / model.tokens_per_second)
            yield ChatChunk(f" {token}" if position else token)
        prompt = sum(len(message.text.split()) for message in request.messages)
        yield ChatChunk("", "stop" if len(spoken) == len(tokens) else "length", prompt, len(spoken))


class _STT(_Simulated[SimulatedSTT]):
    idle = True

    async def transcribe(self, model: str, audio: Audio, *, segment: int, final: bool) -> Transcript:
        entry, _, rng = self._next_request(model)
        await self._sleep((entry.final_ms if final else entry.interim_ms) / 1000 * entry.factor(rng))
        words = entry.transcripts[segment % len(entry.transcripts)].split()
        seconds = len(audio) / STT_SAMPLE_RATE
        if not final:
            words = words[: max(1, int(seconds * WORDS_PER_S))]
        each = seconds / max(1, len(words))
        return Transcript(
            " ".join(words),
            tuple(Word(word, i * each, (i + 1) * each, 0.99) for i, word in enumerate(words)),
        )

    def voice_activity_detector(self) -> VoiceActivityDetector:
        return _LevelDetector()


class _LevelDetector:
    """Takes any sound for speech, so that tones will do."""

    def probabilities(self, frames: Audio) -> list[float]:
        return [float(level > 0.005) for level in np.sqrt(np.mean(np.square(frames), axis=1))]


class _TTS(_Simulated[SimulatedTTS]):
    _chunk_s = 0.1

    async def stream(self, request: SpeechRequest) -> AsyncGenerator[bytes, None]:
        model, _, rng = self._next_request(request.model)
        await self._sleep(model.ttfb_ms / 1000 * model.factor(rng))
        samples = int(len(request.text) / model.chars_per_second / request.speed * TTS_SAMPLE_RATE)
        step = int(self._chunk_s * TTS_SAMPLE_RATE)
        hertz = model.tone(request.text)
        for start in range(0, samples, step):
            times = np.arange(start, min(start + step, samples)) / TTS_SAMPLE_RATE
            yield to_pcm16((0.3 * np.sin(2 * np.pi * hertz * times)).astype(np.float32))
            await self._sleep(len(times) / TTS_SAMPLE_RATE * model.realtime_factor * model.factor(rng))
