"""Simulated models for tests and benchmarks: same server, same protocols, no weights.

Texts, tones and latencies come from a `SimulationConfig`; the same config
and the same order of requests give the same answers at the same pace.
"""

from __future__ import annotations

import asyncio
import math
import random
from collections import Counter
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Generic, Literal, TypeVar

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
    Span,
    SpeechRequest,
    Transcript,
    TurnPause,
    UnknownModelError,
    VoiceActivityDetector,
    Word,
)
from model_server.segmenter import FRAME_S, LEAD_FRAMES, ONSET_FRAMES

PREFIX = "simulated-"
Sleep = Callable[[float], Awaitable[object]]
Milliseconds = Annotated[float, Field(ge=0)]
Probability = Annotated[float, Field(ge=0, le=1)]
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
    calls_tool: bool = False
    """Whether a streamed reply calls the first tool that it is offered, unless it follows what a tool returned."""
    relays: str = ""
    """Where the last message begins with this, the reply is the rest of its first paragraph. Empty: never."""

    def reply(self, number: int, last_message: str) -> str:
        """Return the text of a request's reply."""
        if self.relays and last_message.startswith(self.relays):
            return last_message.removeprefix(self.relays).partition("\n\n")[0]
        return self.replies[number % len(self.replies)]


class TimedWords(_Strict):
    """Words that are spoken one after the other, seconds after the first sound of their utterance."""

    text: str
    start: Annotated[float, Field(ge=0)]
    end: Annotated[float, Field(ge=0)]

    def words(self) -> list[Word]:
        """Return the words, each with its share of the time."""
        words = self.text.split()
        each = (self.end - self.start) / max(1, len(words))
        return [Word(word, self.start + i * each, self.start + (i + 1) * each, 0.99) for i, word in enumerate(words)]


class TimedUtterance(_Strict):
    """What a caller says, and when in it."""

    words: list[TimedWords] = []
    """None: a sound without words."""
    seconds: Annotated[float, Field(gt=0)]
    """From its first sound to its last."""
    final_ms: Milliseconds | None = None
    """Delay of its final transcripts, which have no interim ones before them. None: the model's, with interim ones."""


class SimulatedSTT(Jitter):
    """A speech-to-text model."""

    final_ms: Milliseconds = 0.0
    interim_ms: Milliseconds = 0.0
    transcripts: Annotated[list[str], Field(min_length=1)] = ["this is a simulated transcript"]
    """Cycled, segment by segment; each live connection begins with the first. One that ends with a comma, a dash or an
    ellipsis is followed by a pause inside a turn, for Flux; any other by the end of the turn."""
    utterances: list[TimedUtterance] = []
    """Instead of `transcripts`, for live connections of `/v1/listen`: what the caller says, in this order. The next
    utterance begins with the first sound after the end of the one before, so that its pauses may cut it into any number
    of segments."""
    detector: Literal["level", "silero"] = "level"
    """What tells speech in live connections: any sound, or the real detector, for recordings with noise."""
    languages: Annotated[list[str], Field(min_length=1)] | None = None
    """The only languages that it takes, such as `en`. None: every language."""
    turn_rise_ms: Annotated[float, Field(gt=0)] = 195.0
    """For Flux: how fast the confidence rises, in a silence, that the turn is over; it varies like latencies."""
    turn_end_level: Probability = 0.95
    """The confidence that a silence approaches at the end of a turn."""
    turn_pause_level: Probability = 0.6
    """The confidence that it approaches in a pause inside a turn. Above the eager threshold, a long pause is answered
    too early and the turn is resumed."""
    turn_error_rate: Probability = 0.0
    """The share of silences that are taken for the other kind."""

    def is_inside_turn(self, text: str) -> bool:
        """Return whether the speaker goes on after this text."""
        return text.rstrip().endswith((",", "-", "\u2013", "\u2014", "\u2026", "..."))


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


@dataclass(frozen=True)
class SimulatedBackends(Backends):
    """The simulated models of a server."""

    def configure(self, config: SimulationConfig) -> None:
        """Replace texts, tones and latencies; every cycle begins anew."""
        for models in (self.llm, self.stt, self.tts):
            if isinstance(models, _Simulated):
                models.configure(config)


def simulated_backends(config: SimulationConfig, sleep: Sleep = asyncio.sleep) -> SimulatedBackends:
    """Return the simulated models, which wait for their latencies by `sleep`."""
    return SimulatedBackends(
        "simulated",
        _LLM(config, lambda it: it.llm, SimulatedLLM(), sleep),
        _STT(config, lambda it: it.stt, SimulatedSTT(), sleep),
        _TTS(config, lambda it: it.tts, SimulatedTTS(), sleep),
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

    def __init__(
        self,
        config: SimulationConfig,
        entries: Callable[[SimulationConfig], Mapping[str, Entry]],
        default: Entry,
        sleep: Sleep,
    ) -> None:
        self._entries_of = entries
        self._default = default
        self._sleep = sleep
        self.configure(config)

    def configure(self, config: SimulationConfig) -> None:
        """Use another config from now on."""
        self._entries = self._entries_of(config)
        self.names = _Names(config, self._entries)
        self._seed = config.seed
        self._counts: Counter[str] = Counter()

    def _entry(self, model: str) -> Entry:
        return self._entries.get(model.removeprefix(PREFIX)) or self._entries.get("*") or self._default

    def _next_request(self, model: str, kind: str = "") -> tuple[Entry, int, random.Random]:
        """Count a request; requests of another kind do not change the numbers, and so the latencies, of this one."""
        key = f"{model}/{kind}" if kind else model
        number = self._counts[key]
        self._counts[key] += 1
        return self._entry(model), number, random.Random(f"{self._seed}/{key}/{number}")


class _LLM(_Simulated[SimulatedLLM]):
    async def stream(self, request: ChatRequest) -> AsyncGenerator[ChatChunk, None]:
        model, number, rng = self._next_request(request.model)
        tokens = model.reply(number, request.messages[-1].text if request.messages else "").split()
        spoken = tokens[: request.max_tokens]
        await self._sleep(model.ttft_ms / 1000 * model.factor(rng))
        if model.calls_tool and request.tools and not request.answers_tool:
            yield ChatChunk(tool=request.tools[0])
            yield ChatChunk("", "tool_calls")
            return
        for position, token in enumerate(spoken):
            if position and model.tokens_per_second:
                await self._sleep(model.factor(rng) / model.tokens_per_second)
            yield ChatChunk(f" {token}" if position else token)
        prompt = sum(len(message.text.split()) for message in request.messages)
        yield ChatChunk("", "stop" if len(spoken) == len(tokens) else "length", prompt, len(spoken))


class _STT(_Simulated[SimulatedSTT]):
    idle = True

    def takes_language(self, model: str, language: str) -> bool:
        languages = self._entry(model).languages
        return languages is None or language in languages

    def turn_pause(self, model: str, text: str) -> TurnPause:
        entry, _, rng = self._next_request(model, "turn")
        is_inside = entry.is_inside_turn(text) != (rng.random() < entry.turn_error_rate)
        level = entry.turn_pause_level if is_inside else entry.turn_end_level
        return TurnPause(level, entry.turn_rise_ms / 1000 * entry.factor(rng))

    async def transcribe(
        self, model: str, audio: Audio, *, segment: int, final: bool, spans: Sequence[Span] = ()
    ) -> Transcript:
        entry, _, rng = self._next_request(model)
        if entry.utterances and spans:
            return await self._scripted(entry, spans, final, entry.factor(rng))
        await self._sleep((entry.final_ms if final else entry.interim_ms) / 1000 * entry.factor(rng))
        return self._cycled(entry, audio, segment, final)

    async def _scripted(self, entry: SimulatedSTT, spans: Sequence[Span], final: bool, factor: float) -> Transcript:
        utterance, words = timed_words(entry.utterances, spans)
        own_ms = utterance.final_ms if utterance else None
        if own_ms is not None and not final:
            return Transcript("", ())
        final_ms = entry.final_ms if own_ms is None else own_ms
        await self._sleep((final_ms if final else entry.interim_ms) / 1000 * factor)
        return Transcript(" ".join(word.text for word in words), tuple(words))

    def _cycled(self, entry: SimulatedSTT, audio: Audio, segment: int, final: bool) -> Transcript:
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
        if any(entry.detector == "silero" for entry in self._entries.values()):
            from model_server.stt import SileroVAD  # it imports the real recogniser, which takes a second

            return SileroVAD()
        return _LevelDetector()


#: How much of a segment lies before its first sound: the segmenter keeps ten frames, three of which are sound.
_LEAD_S = (LEAD_FRAMES - ONSET_FRAMES) * FRAME_S
#: How much earlier than its last sound an utterance may seem to have ended.
_END_TOLERANCE_S = 0.1


def sound_start(segment_start_s: float) -> float:
    """Return when the first sound of a segment begins; there is silence before it, unless the stream is too short."""
    return segment_start_s + min(_LEAD_S, segment_start_s)


def timed_words(
    utterances: Sequence[TimedUtterance], spans: Sequence[Span]
) -> tuple[TimedUtterance | None, list[Word]]:
    """Return the utterance to which the last of a connection's segments belongs, and the words in that segment.

    Args:
        utterances: In their order.
        spans: Where the connection's segments up to now lie in its stream.

    Returns:
        None and no words for a segment after the last utterance. The words' times are from the start of the segment.
    """
    number, origin, since = -1, 0.0, -math.inf
    for position, (start, _) in enumerate(spans):
        sound = sound_start(start)
        since = spans[position - 1][1] - origin
        if number < 0 or (number < len(utterances) and sound >= origin + utterances[number].seconds - _END_TOLERANCE_S):
            number, origin, since = number + 1, sound, -math.inf
    if number >= len(utterances):
        return None, []
    start, end = spans[-1]
    spoken = (word for words in utterances[number].words for word in words.words())
    return utterances[number], [
        Word(word.text, word.start + origin - start, word.end + origin - start, word.confidence)
        for word in spoken
        if since < (word.start + word.end) / 2 <= end - origin
    ]


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
