"""Recordings: sentences synthesized by Kokoro, with pauses of known place and length, over room noise."""

from __future__ import annotations

import asyncio
import hashlib
import itertools
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from agent_worker.core.folders import cache_dir
from model_server import weights
from model_server.audio import from_pcm16, pcm_reader, to_pcm16
from model_server.backends import TTS_SAMPLE_RATE, Audio, SpeechRequest
from model_server.tts import KokoroTTS

SAMPLE_RATE = 16000
"""VAD and end-of-turn model resample to it first."""

_VOICES = ("nova", "onyx")
_PAUSE_S = (0.3, 1.2)
_NOISE_DBFS = (-75.0, -50.0)
"""From a quiet room with a browser's noise suppression to a bad telephone line. A single level would decide the result:
the end-of-turn model's probabilities rise with the noise."""

_PEAK = 0.5
LEAD_S = 0.5
_TAIL_S = 1.5

_MARKS = (",", "\N{HORIZONTAL ELLIPSIS}", ";")
"""Punctuation at a pause: the first after which Kokoro leaves all the gaps is used."""

_MIN_GAP_S = 0.1
"""Kokoro leaves 0.14 s or more at most commas; the closure of a 't' or 'k' takes up to 0.08 s."""
_GAP_SEARCH_RADIUS_S = 0.45
_QUIET_SHARE = 0.02
_AUDIBLE_SHARE = 0.01
_WINDOW_SAMPLES = TTS_SAMPLE_RATE // 100
_FADE_SAMPLES = TTS_SAMPLE_RATE // 200


@dataclass(frozen=True)
class Sentence:
    """A sentence in parts, with a pause between two parts."""

    number: int
    category: str
    parts: tuple[str, ...]


@dataclass(frozen=True)
class Recording:
    """A spoken sentence; times in seconds.

    Attributes:
        samples: 16-bit mono at ``SAMPLE_RATE``.
        pauses: Start and end of each.
        end: When the last sound has faded: the true end of the turn.
        one_piece: Whether it was synthesized as one sentence and cut at gaps, so that the intonation spans the pauses.
    """

    sentence: Sentence
    voice: str
    samples: npt.NDArray[np.int16]
    pauses: tuple[tuple[float, float], ...]
    noise_dbfs: float
    end: float
    one_piece: bool


Speak = Callable[[str, str], Audio]
"""Synthesizes a text in a voice, at TTS_SAMPLE_RATE."""


def _load_sentences() -> list[Sentence]:
    lines = (Path(__file__).parent / "sentences.jsonl").read_text().splitlines()
    return [_sentence(number, json.loads(line)) for number, line in enumerate(lines)]


def _sentence(number: int, line: dict[str, Any]) -> Sentence:
    return Sentence(number, line["category"], tuple(part.strip() for part in line["text"].split("|")))


def recordings(seed: int, stride: int = 1) -> Iterator[Recording]:
    """Yield every sentence, or each ``stride``-th one, in both voices."""
    speak = _cached_speech()
    noise = _pink_noise(seed)
    for sentence in _load_sentences()[::stride]:
        for index, voice in enumerate(_VOICES):
            yield _record(sentence, voice, speak, noise, np.random.default_rng((seed, sentence.number, index)))


def _record(sentence: Sentence, voice: str, speak: Speak, noise: Audio, rng: np.random.Generator) -> Recording:
    pieces = _in_one_piece(sentence, voice, speak)
    one_piece = pieces is not None
    if pieces is None:
        # The comma at the end of each part keeps the intonation from falling as at the end of a sentence.
        pieces = [_without_silence(speak(part, voice)) for part in sentence.parts]
    loudest = max(float(np.abs(piece).max()) for piece in pieces)
    # Up to one frame more, so that speech does not always start at the same position in a frame.
    position = LEAD_S + float(rng.uniform(0, 0.05))
    track, pauses = [np.zeros(_samples(position), np.float32)], []
    for index, piece in enumerate(pieces):
        if index:
            pause = float(rng.uniform(*_PAUSE_S))
            pauses.append((position, position + pause))
            track.append(np.zeros(_samples(pause), np.float32))
            position += pause
        track.append(_faded(piece * (_PEAK / loudest)))
        position += len(piece) / TTS_SAMPLE_RATE
    clean = np.concatenate([*track, np.zeros(_samples(_TAIL_S), np.float32)])
    noise_dbfs = float(rng.uniform(*_NOISE_DBFS))
    offset = int(rng.integers(len(noise) - len(clean)))
    noisy = clean + noise[offset : offset + len(clean)] * np.float32(10 ** (noise_dbfs / 20))
    samples = np.frombuffer(to_pcm16(pcm_reader(TTS_SAMPLE_RATE, 1)(to_pcm16(noisy))), "<i2")
    return Recording(sentence, voice, samples, tuple(pauses), round(noise_dbfs, 1), round(position, 4), one_piece)


def _in_one_piece(sentence: Sentence, voice: str, speak: Speak) -> list[Audio] | None:
    for mark in _MARKS:
        marked = [part[:-1] + mark if part.endswith(",") else part for part in sentence.parts[:-1]]
        pieces = _split_at_gaps(speak(" ".join([*marked, sentence.parts[-1]]), voice), sentence.parts)
        if pieces is not None:
            return pieces
    return None


def _split_at_gaps(speech: Audio, parts: Sequence[str]) -> list[Audio] | None:
    """Cut speech at the gap near the end of each part; return None if there is no gap.

    A part's end is expected after its share of the letters, which is accurate to about 0.3 s.
    """
    speech = _without_silence(speech)
    letters = [sum(character.isalnum() for character in part) for part in parts]
    gaps = _gaps(speech)
    pieces, start = [], 0
    for index in range(1, len(parts)):
        expected = int(len(speech) * sum(letters[:index]) / sum(letters))
        near = [
            gap
            for gap in gaps
            if gap[0] > start and abs(sum(gap) / 2 - expected) < _GAP_SEARCH_RADIUS_S * TTS_SAMPLE_RATE
        ]
        if not near:
            return None
        # Of two gaps the comma's is longer; a nearer one is preferred unless it is much shorter.
        begin, end = max(near, key=lambda gap: gap[1] - gap[0] - abs(sum(gap) / 2 - expected))
        pieces.append(speech[start:begin])
        start = end
    return [*pieces, speech[start:]]


def _gaps(speech: Audio) -> list[tuple[int, int]]:
    count = len(speech) // _WINDOW_SAMPLES
    level = np.sqrt((speech[: count * _WINDOW_SAMPLES].reshape(count, _WINDOW_SAMPLES) ** 2).mean(axis=1))
    loud = np.flatnonzero(level > _QUIET_SHARE * level.max())
    return [
        (int(before + 1) * _WINDOW_SAMPLES, int(after) * _WINDOW_SAMPLES)
        for before, after in itertools.pairwise(loud)
        if (after - before - 1) * _WINDOW_SAMPLES >= _MIN_GAP_S * TTS_SAMPLE_RATE
    ]


def _without_silence(speech: Audio) -> Audio:
    audible = np.flatnonzero(np.abs(speech) > _AUDIBLE_SHARE * np.abs(speech).max())
    return speech[int(audible[0]) : int(audible[-1]) + 1]


def _faded(piece: Audio) -> Audio:
    """Fade both ends, because a hard cut clicks."""
    piece = piece.copy()
    ramp = np.linspace(0, 1, _FADE_SAMPLES, dtype=np.float32)
    piece[:_FADE_SAMPLES] *= ramp
    piece[-_FADE_SAMPLES:] *= ramp[::-1]
    return piece


def _pink_noise(seed: int, seconds: float = 60.0) -> Audio:
    """Return pink noise at 0 dBFS, similar to that of rooms and telephone lines."""
    count = _samples(seconds)
    spectrum = np.fft.rfft(np.random.default_rng(seed).standard_normal(count))
    spectrum[1:] /= np.sqrt(np.arange(1, len(spectrum)))
    spectrum[0] = 0
    noise = np.fft.irfft(spectrum, count)
    noise /= np.sqrt((noise**2).mean())
    result: Audio = noise.astype(np.float32)
    return result


def _samples(seconds: float) -> int:
    return round(seconds * TTS_SAMPLE_RATE)


def _cached_speech() -> Speak:
    """Return Kokoro with a cache on disk, because a second of speech takes about 0.6 s of two cores."""
    folder = cache_dir() / "benchmarks" / "endpointing"
    folder.mkdir(parents=True, exist_ok=True)
    kokoro: KokoroTTS | None = None

    def speak(text: str, voice: str) -> Audio:
        nonlocal kokoro
        key = hashlib.sha256(json.dumps([weights.KOKORO_SHA256, voice, text]).encode()).hexdigest()
        path = folder / f"{key[:32]}.pcm"
        if not path.exists():
            kokoro = kokoro or KokoroTTS(*weights.kokoro())
            path.with_suffix(".part").write_bytes(_synthesize(kokoro, text, voice))
            path.with_suffix(".part").replace(path)
        return from_pcm16(path.read_bytes())

    return speak


def _synthesize(kokoro: KokoroTTS, text: str, voice: str) -> bytes:
    async def speech() -> bytes:
        request = SpeechRequest(model="kokoro", text=text, voice=voice)
        return b"".join([pcm async for pcm in kokoro.stream(request)])

    return asyncio.run(speech())
