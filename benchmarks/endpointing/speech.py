"""The recordings: sentences spoken by Kokoro, with pauses of known place and length, over the noise of a room."""

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
"""What the VAD and the turn detector resample to before anything else."""

VOICES = ("nova", "onyx")
PAUSE_SECONDS = (0.3, 1.2)
NOISE_DBFS = (-75.0, -50.0)
"""A muted room behind a browser's noise suppression, to a bad telephone line. One level for all recordings would
decide the result: the end-of-turn model's probabilities rise with the noise."""

PEAK = 0.5
LEAD_SECONDS = 0.5
TAIL_SECONDS = 1.5

_MARKS = (",", "\N{HORIZONTAL ELLIPSIS}", ";")
"""What stands at a pause, by preference: the first after which Kokoro leaves a gap wherever one is wanted."""

# Kokoro leaves 0.14 s or more at most commas, and the closure of a 't' or 'k' takes up to 0.08 s.
_SHORTEST_GAP = 0.1
_GAP_SEARCH_RADIUS = 0.45
_QUIET = 0.02
_AUDIBLE = 0.01
_WINDOW = TTS_SAMPLE_RATE // 100
_FADE = TTS_SAMPLE_RATE // 200


@dataclass(frozen=True)
class Sentence:
    number: int
    category: str
    parts: tuple[str, ...]
    """What is said between the marked pauses."""

    @property
    def text(self) -> str:
        return " ".join(self.parts)


@dataclass(frozen=True)
class Recording:
    sentence: Sentence
    voice: str
    samples: npt.NDArray[np.int16]
    pauses: tuple[tuple[float, float], ...]
    noise_dbfs: float
    end: float
    """When the last sound of the sentence has died away: the true end of the turn."""
    one_piece: bool
    """Spoken as one sentence and cut at the gaps, so that the intonation goes on over the pauses."""


Speak = Callable[[str, str], Audio]
"""Text and voice to clean speech at TTS_SAMPLE_RATE."""


def load_sentences() -> list[Sentence]:
    lines = (Path(__file__).parent / "sentences.jsonl").read_text().splitlines()
    return [_sentence(number, json.loads(line)) for number, line in enumerate(lines)]


def _sentence(number: int, line: dict[str, Any]) -> Sentence:
    return Sentence(number, line["category"], tuple(part.strip() for part in line["text"].split("|")))


def recordings(seed: int) -> Iterator[Recording]:
    speak = cached_speech()
    noise = room_noise(seed)
    for sentence in load_sentences():
        for index, voice in enumerate(VOICES):
            yield record(sentence, voice, speak, noise, np.random.default_rng((seed, sentence.number, index)))


def record(sentence: Sentence, voice: str, speak: Speak, noise: Audio, rng: np.random.Generator) -> Recording:
    pieces = _in_one_piece(sentence, voice, speak)
    one_piece = pieces is not None
    if pieces is None:
        # The trailing comma of each part keeps its intonation from falling as at the end of a sentence.
        pieces = [_without_silence(speak(part, voice)) for part in sentence.parts]
    loudest = max(float(np.abs(piece).max()) for piece in pieces)
    # Up to one frame more, so that speech does not always begin at the same place in a frame.
    position = LEAD_SECONDS + float(rng.uniform(0, 0.05))
    track, pauses = [np.zeros(_samples(position), np.float32)], []
    for index, piece in enumerate(pieces):
        if index:
            pause = float(rng.uniform(*PAUSE_SECONDS))
            pauses.append((position, position + pause))
            track.append(np.zeros(_samples(pause), np.float32))
            position += pause
        track.append(_faded(piece * (PEAK / loudest)))
        position += len(piece) / TTS_SAMPLE_RATE
    clean = np.concatenate([*track, np.zeros(_samples(TAIL_SECONDS), np.float32)])
    noise_dbfs = float(rng.uniform(*NOISE_DBFS))
    offset = int(rng.integers(len(noise) - len(clean)))
    noisy = clean + noise[offset : offset + len(clean)] * np.float32(10 ** (noise_dbfs / 20))
    samples = np.frombuffer(to_pcm16(pcm_reader(TTS_SAMPLE_RATE, 1)(to_pcm16(noisy))), "<i2")
    return Recording(sentence, voice, samples, tuple(pauses), round(noise_dbfs, 1), round(position, 4), one_piece)


def _in_one_piece(sentence: Sentence, voice: str, speak: Speak) -> list[Audio] | None:
    for mark in _MARKS:
        marked = [part[:-1] + mark if part.endswith(",") else part for part in sentence.parts[:-1]]
        pieces = split_at_gaps(speak(" ".join([*marked, sentence.parts[-1]]), voice), sentence.parts)
        if pieces is not None:
            return pieces
    return None


def split_at_gaps(speech: Audio, parts: Sequence[str]) -> list[Audio] | None:
    """The speech cut where it is silent near the end of each part, or None where Kokoro spoke on without a gap.

    A part's end is expected after its share of the letters; that is right to within 0.3 s or so.
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
            if gap[0] > start and abs(sum(gap) / 2 - expected) < _GAP_SEARCH_RADIUS * TTS_SAMPLE_RATE
        ]
        if not near:
            return None
        # Of two gaps, that of the comma is the longer; a nearer one wins unless it is much shorter.
        begin, end = max(near, key=lambda gap: gap[1] - gap[0] - abs(sum(gap) / 2 - expected))
        pieces.append(speech[start:begin])
        start = end
    return [*pieces, speech[start:]]


def _gaps(speech: Audio) -> list[tuple[int, int]]:
    count = len(speech) // _WINDOW
    level = np.sqrt((speech[: count * _WINDOW].reshape(count, _WINDOW) ** 2).mean(axis=1))
    loud = np.flatnonzero(level > _QUIET * level.max())
    return [
        (int(before + 1) * _WINDOW, int(after) * _WINDOW)
        for before, after in itertools.pairwise(loud)
        if (after - before - 1) * _WINDOW >= _SHORTEST_GAP * TTS_SAMPLE_RATE
    ]


def _without_silence(speech: Audio) -> Audio:
    audible = np.flatnonzero(np.abs(speech) > _AUDIBLE * np.abs(speech).max())
    return speech[int(audible[0]) : int(audible[-1]) + 1]


def _faded(piece: Audio) -> Audio:
    """Without the click of a hard cut."""
    piece = piece.copy()
    ramp = np.linspace(0, 1, _FADE, dtype=np.float32)
    piece[:_FADE] *= ramp
    piece[-_FADE:] *= ramp[::-1]
    return piece


def room_noise(seed: int, seconds: float = 60.0) -> Audio:
    """Pink noise at 0 dBFS, as rooms and telephone lines have it: digital silence would be too easy for a VAD."""
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


def cached_speech() -> Speak:
    """Kokoro takes about 0.6 s of two cores for 1 s of speech, so what it said is kept for the next run."""
    folder = cache_dir() / "benchmarks" / "endpointing"
    folder.mkdir(parents=True, exist_ok=True)
    kokoro: KokoroTTS | None = None

    def speak(text: str, voice: str) -> Audio:
        nonlocal kokoro
        key = hashlib.sha256(json.dumps([weights.KOKORO_SHA256, voice, text]).encode()).hexdigest()
        path = folder / f"{key[:32]}.pcm"
        if not path.exists():
            kokoro = kokoro or KokoroTTS(*weights.kokoro())
            path.with_suffix(".part").write_bytes(_synthesise(kokoro, text, voice))
            # Only a whole file gets the name: a run that was stopped leaves nothing half-written.
            path.with_suffix(".part").replace(path)
        return from_pcm16(path.read_bytes())

    return speak


def _synthesise(kokoro: KokoroTTS, text: str, voice: str) -> bytes:
    async def speech() -> bytes:
        request = SpeechRequest(model="kokoro", text=text, voice=voice)
        return b"".join([pcm async for pcm in kokoro.stream(request)])

    return asyncio.run(speech())
