"""Recordings of people, with labelled pauses and ends of turns, read from a folder beside the repository.

The folder has ``MANIFEST.tsv``, a row for each file (set, file, speaker, type, noise_dbfs, speech_start, speech_end,
tail_silence, end_label, source_path, source_span, transcript), and ``PAUSES.tsv``, a row for each pause (file, start,
end, label, hint). A pause labelled ``hold`` is one after which the same speaker goes on; an end labelled ``true_end``
is one after which the speaker waits for the other party. Everything else is left out.
"""

from __future__ import annotations

import csv
import hashlib
import wave
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from livekit import rtc

SAMPLE_RATE = 16_000
TAIL_S = 3.5
"""Recorded silence behind the end of speech."""
MIN_PAUSE_S = 0.25
"""No voice activity detector in use takes a shorter silence for a pause."""

_KINDS = {
    "aws-turns": "calls",
    "speechmatics": "requests",
    "google": "requests",
    "livekit": "requests",
    "microsoft": "requests",
    "kyutai": "requests",
    "misc": "requests",
    "rosehill-notes": "monologues",
    "rosehill-requests": "monologues",
    "mfa": "monologues",
    "ham-radio": "monologues",
}
_GUARD_S = 0.05
_MIN_NOISE_S = 0.2
_GRAIN_SAMPLES = SAMPLE_RATE // 10

Samples = npt.NDArray[np.int16]


class RecordingsError(Exception):
    """The folder is missing or incomplete; the message says what to do."""


@dataclass(frozen=True)
class Event:
    """A pause, or the end of the turn.

    Attributes:
        start: End of the speech before it, seconds.
        end: When the speaker goes on; None at the end of the turn.
        hint: What precedes a pause: ``filler``, ``mid`` or ``sentence``.
    """

    start: float
    end: float | None
    hint: str


@dataclass(frozen=True)
class Recording:
    """A turn of one speaker.

    Attributes:
        file: Relative to the folder.
        kind: ``calls``, ``requests`` to an agent, or ``monologues`` and dictation.
        speaker: Whoever is the same person has the same name; an unknown speaker has the file's.
        dialogue: Turns of one dialogue belong together.
        samples: Mono at 16 kHz, with ``TAIL_S`` of silence behind the end.
        start: Of the speech, seconds.
        events: In their order.
        question: What the other party said before, as a recogniser wrote it.
        noise: Stretches of the recording without speech.
        digest: sha256 of the file.
    """

    file: str
    kind: str
    speaker: str
    dialogue: str
    samples: Samples
    start: float
    events: tuple[Event, ...]
    question: str
    noise: Samples
    digest: str


def read(folder: Path) -> list[Recording]:
    """Return the recordings of a folder.

    Raises:
        RecordingsError: If there are none.
    """
    manifest = folder / "MANIFEST.tsv"
    if not manifest.is_file():
        raise RecordingsError(
            f"{manifest} does not exist: --recordings needs a folder of recordings of people with MANIFEST.tsv and "
            "PAUSES.tsv (docs/benchmarks/turn-taking.md, 'Recordings'); they are not part of the repository"
        )
    rows = list(_rows(manifest))
    pauses = defaultdict(list)
    for row in _rows(folder / "PAUSES.tsv"):
        pauses[row["file"]].append(row)
    questions = _questions(rows)
    found = [_recording(folder, row, pauses[row["file"]], questions.get(row["file"], "")) for row in rows]
    return [recording for recording in found if recording is not None]


def _rows(path: Path) -> Iterator[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as lines:
        yield from csv.DictReader(lines, delimiter="\t", quoting=csv.QUOTE_NONE)


def _questions(rows: Iterable[dict[str, str]]) -> dict[str, str]:
    """Return for each turn of a call what the other party said before it."""
    calls = defaultdict(list)
    for row in rows:
        if row["set"] == "aws-turns":
            calls[_dialogue(row)].append(row)
    questions = {}
    for turns in calls.values():
        turns.sort(key=_span_start)
        for number, turn in enumerate(turns):
            others = [earlier["transcript"] for earlier in turns[:number] if earlier["speaker"] != turn["speaker"]]
            questions[turn["file"]] = others[-1] if others else ""
    return questions


def _span_start(row: dict[str, str]) -> float:
    return float(row["source_span"].split("-")[0])


def _dialogue(row: dict[str, str]) -> str:
    return row["speaker"].split(",")[0] if row["set"] == "aws-turns" else _speaker(row)


def _speaker(row: dict[str, str]) -> str:
    if row["set"].startswith("rosehill"):
        return "rosehill"
    if row["set"] == "speechmatics":  # takes of the same few sentences
        return "speechmatics welcome" if "example1" in row["file"] or "audio_01" in row["file"] else "speechmatics"
    return row["speaker"] or row["file"]


def _recording(folder: Path, row: dict[str, str], pauses: list[dict[str, str]], question: str) -> Recording | None:
    kind = _KINDS.get(row["set"])
    holds = [
        Event(float(pause["start"]), float(pause["end"]), pause["hint"])
        for pause in pauses
        if pause["label"] == "hold" and float(pause["dur"]) >= MIN_PAUSE_S
    ]
    is_end = row["end_label"] == "true_end"
    if kind is None or not (holds or is_end):
        return None
    samples = read_wav(folder / row["file"])
    speech_end = float(row["speech_end"])
    silences = [(float(pause["start"]), float(pause["end"])) for pause in pauses]
    noise = _noise(samples, [*silences, (speech_end, len(samples) / SAMPLE_RATE)], float(row["noise_dbfs"]))
    ends = [Event(speech_end, None, "")] if is_end else []
    return Recording(
        file=row["file"],
        kind=kind,
        speaker=_speaker(row),
        dialogue=_dialogue(row),
        samples=_with_tail(samples, speech_end, noise),
        start=max(0.0, float(row["speech_start"])),
        events=(*holds, *ends),
        question=question,
        noise=noise,
        digest=hashlib.sha256((folder / row["file"]).read_bytes()).hexdigest(),
    )


def read_wav(path: Path) -> Samples:
    """Return the first channel of a file at 16 kHz."""
    with wave.open(str(path)) as file:
        rate, channels = file.getframerate(), file.getnchannels()
        samples = np.frombuffer(file.readframes(file.getnframes()), "<i2")[::channels]
    return samples if rate == SAMPLE_RATE else resample(samples, rate, SAMPLE_RATE)


def resample(samples: Samples, source: int, target: int) -> Samples:
    """Return the samples at another rate."""
    resampler = rtc.AudioResampler(source, target, quality=rtc.AudioResamplerQuality.HIGH)
    frames = [*resampler.push(bytearray(samples.tobytes())), *resampler.flush()]
    return np.concatenate([np.frombuffer(frame.data, np.int16) for frame in frames])


def _noise(samples: Samples, silences: Iterable[tuple[float, float]], level_dbfs: float) -> Samples:
    """Return the recording's own silence; white noise of its level where there is too little."""
    pieces = [
        samples[round((start + _GUARD_S) * SAMPLE_RATE) : round((end - _GUARD_S) * SAMPLE_RATE)]
        for start, end in silences
        if end - start > 2 * _GUARD_S
    ]
    found = np.concatenate([np.zeros(0, np.int16), *pieces])
    if len(found) >= _MIN_NOISE_S * SAMPLE_RATE:
        return found
    amplitude = 32768 * 10 ** (level_dbfs / 20)
    return np.random.default_rng(len(samples)).normal(0, amplitude, SAMPLE_RATE).astype(np.int16)


def _with_tail(samples: Samples, speech_end: float, noise: Samples) -> Samples:
    missing = round((speech_end + TAIL_S) * SAMPLE_RATE) - len(samples)
    return np.concatenate([samples, spread(noise, missing)]) if missing > 0 else samples


def spread(noise: Samples, count: int) -> Samples:
    """Return `count` samples of the noise's kind: overlapping grains of 0.1 s from random places."""
    random = np.random.default_rng(len(noise))
    window = np.sqrt(np.hanning(_GRAIN_SAMPLES + 1)[:-1])
    half = _GRAIN_SAMPLES // 2
    result = np.zeros(count + 2 * _GRAIN_SAMPLES)
    for start in range(0, count + half, half):
        place = int(random.integers(0, max(1, len(noise) - _GRAIN_SAMPLES)))
        grain = np.resize(noise[place : place + _GRAIN_SAMPLES], _GRAIN_SAMPLES)
        result[start : start + _GRAIN_SAMPLES] += grain * window
    return np.clip(result[half : half + count], -32768, 32767).astype(np.int16)
