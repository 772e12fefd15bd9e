"""Models that say what they are told, as fast as they are told: for tests and benchmarks.

Same server, same protocols, no weights. Texts, tones and latencies come from a `SimulationConfig`; the same config
and the same order of requests give the same answers at the same pace.
"""

from __future__ import annotations

import asyncio
import math
import random
from collections import Counter
from collections.abc import AsyncGenerator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, TypeVar

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
    VoiceDetector,
    Word,
)

PREFIX = "simulated-"
Milliseconds = Annotated[float, Field(ge=0)]
Hertz = Annotated[float, Field(gt=0, lt=TTS_SAMPLE_RATE / 2)]
P95_OF_NORMAL = 1.645
WORDS_PER_SECOND = 3
"""How fast interim transcripts grow."""


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Jitter(_Strict):
    """Log-normal variation of every latency; the configured one is its median. Give one of the two, or none."""

    sigma: Annotated[float, Field(ge=0)] | None = None
    p95_over_median: Annotated[float, Field(ge=1)] | None = None

    def factor(self, rng: random.Random) -> float:
        sigma = self.sigma or (math.log(self.p95_over_median) / P95_OF_NORMAL if self.p95_over_median else 0.0)
        return rng.lognormvariate(0.0, sigma) if sigma else 1.0


class SimulatedLLM(Jitter):
    ttft_ms: Milliseconds = 0.0
    tokens_per_second: Annotated[float, Field(gt=0)] | None = None
    """A token is a word. None: all at once."""
    replies: Annotated[list[str], Field(min_length=1)] = ["This is a simulated answer."]
    """Cycled, request by request."""


class SimulatedSTT(Jitter):
    final_ms: Milliseconds = 0.0
    interim_ms: Milliseconds = 0.0
    transcripts: Annotated[list[str], Field(min_length=1)] = ["this is a simulated transcript"]
    """Cycled, utterance by utterance; each live connection begins with the first."""


class SimulatedTTS(Jitter):
    ttfb_ms: Milliseconds = 0.0
    realtime_factor: Annotated[float, Field(ge=0)] = 0.0
    """Seconds that a second of audio takes to make."""
    chars_per_second: Annotated[float, Field(gt=0)] = 15.0
    """How fast the voice speaks: it makes a text's duration."""
    tone_hz: Hertz = 440.0
    tones: dict[str, Hertz] = {}
    """The tone of a text that contains the key, so that a listener can tell texts apart. The first that fits counts;
    `tone_hz` is for the others."""

    def tone(self, text: str) -> float:
        return next((hertz for part, hertz in self.tones.items() if part in text), self.tone_hz)


class SimulationConfig(_Strict):
    """Models by the name they are asked for; '*' is any other."""

    seed: int = 0
    models: list[str] | None = None
    """The only names known. None: every name is."""
    llm: dict[str, SimulatedLLM] = {}
    stt: dict[str, SimulatedSTT] = {}
    tts: dict[str, SimulatedTTS] = {}


class ConfigError(Exception):
    """Every problem of a config file, a line each."""


def load_config(source: str) -> SimulationConfig:
    """`source` is a JSON file's path, or 'default'."""
    if source == "default":
        return SimulationConfig()
    try:
        return SimulationConfig.model_validate_json(Path(source).read_bytes())
    except OSError as error:
        raise ConfigError(f"cannot read {source}: {error.strerror}") from error
    except ValidationError as error:
        problems = (f"{source}: {'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors())
        raise ConfigError("\n".join(problems)) from error


def simulated_backends(config: SimulationConfig) -> Backends:
    return Backends("simulated", _LLM(config), _STT(config), _TTS(config))


@dataclass(frozen=True)
class _Names:
    config: SimulationConfig
    entries: Mapping[str, object]

    @property
    def listed(self) -> tuple[str, ...]:
        return tuple(PREFIX + name for name in self.entries if name != "*")

    def resolve(self, requested: str) -> str:
        # What the server calls a model is also a good name to ask for it.
        asked = requested.removeprefix(PREFIX)
        if self.config.models is not None and asked not in self.config.models:
            raise UnknownModelError(requested)
        return PREFIX + asked


Entry = TypeVar("Entry", bound=Jitter)


def _entry(entries: Mapping[str, Entry], model: str, default: Entry) -> Entry:
    return entries.get(model.removeprefix(PREFIX)) or entries.get("*") or default


class _Clock:
    """A random generator a request, from the seed, the model and how many requests it had before."""

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._requests: Counter[str] = Counter()

    def next(self, model: str) -> tuple[int, random.Random]:
        number = self._requests[model]
        self._requests[model] += 1
        return number, random.Random(f"{self._seed}/{model}/{number}")


class _LLM:
    def __init__(self, config: SimulationConfig) -> None:
        self.names = _Names(config, config.llm)
        self._entries = config.llm
        self._clock = _Clock(config.seed)

    async def stream(self, request: ChatRequest) -> AsyncGenerator[ChatChunk, None]:
        model = _entry(self._entries, request.model, SimulatedLLM())
        number, rng = self._clock.next(request.model)
        tokens = model.replies[number % len(model.replies)].split()
        spoken = tokens[: request.max_tokens]
        await asyncio.sleep(model.ttft_ms / 1000 * model.factor(rng))
        for position, token in enumerate(spoken):
            if position and model.tokens_per_second:
                await asyncio.sleep(model.factor(rng) / model.tokens_per_second)
            yield ChatChunk(f" {token}" if position else token)
        prompt = sum(len(message.text.split()) for message in request.messages)
        yield ChatChunk("", "stop" if len(spoken) == len(tokens) else "length", prompt, len(spoken))


class _STT:
    idle = True

    def __init__(self, config: SimulationConfig) -> None:
        self.names = _Names(config, config.stt)
        self._entries = config.stt
        self._clock = _Clock(config.seed)

    async def transcribe(self, model: str, audio: Audio, *, utterance: int, final: bool) -> Transcript:
        entry = _entry(self._entries, model, SimulatedSTT())
        _, rng = self._clock.next(model)
        await asyncio.sleep((entry.final_ms if final else entry.interim_ms) / 1000 * entry.factor(rng))
        words = entry.transcripts[utterance % len(entry.transcripts)].split()
        seconds = len(audio) / STT_SAMPLE_RATE
        if not final:
            words = words[: max(1, int(seconds * WORDS_PER_SECOND))]
        each = seconds / max(1, len(words))
        return Transcript(
            " ".join(words),
            tuple(Word(word, i * each, (i + 1) * each, 0.99) for i, word in enumerate(words)),
        )

    def voice_detector(self) -> VoiceDetector:
        return _LoudnessDetector()


class _LoudnessDetector:
    """Hears a tone as well as a voice."""

    def probabilities(self, frames: Audio) -> list[float]:
        return [float(level > 0.005) for level in np.sqrt(np.mean(np.square(frames), axis=1))]


class _TTS:
    chunk_seconds = 0.1

    def __init__(self, config: SimulationConfig) -> None:
        self.names = _Names(config, config.tts)
        self._entries = config.tts
        self._clock = _Clock(config.seed)

    async def stream(self, request: SpeechRequest) -> AsyncGenerator[bytes, None]:
        model = _entry(self._entries, request.model, SimulatedTTS())
        _, rng = self._clock.next(request.model)
        await asyncio.sleep(model.ttfb_ms / 1000 * model.factor(rng))
        samples = int(len(request.text) / model.chars_per_second / request.speed * TTS_SAMPLE_RATE)
        step = int(self.chunk_seconds * TTS_SAMPLE_RATE)
        hertz = model.tone(request.text)
        for start in range(0, samples, step):
            times = np.arange(start, min(start + step, samples)) / TTS_SAMPLE_RATE
            yield to_pcm16((0.3 * np.sin(2 * np.pi * hertz * times)).astype(np.float32))
            await asyncio.sleep(len(times) / TTS_SAMPLE_RATE * model.realtime_factor * model.factor(rng))
