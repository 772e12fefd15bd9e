"""What callers are heard with over the agent's speech: real interruptions, backchannels, coughs, side-talk, echo.

Sounds and words are those of recordings of people wherever there are any. ``SOURCES`` says what is not.
"""

from __future__ import annotations

import csv
import hashlib
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from pydantic import TypeAdapter

from agent_worker.core.folders import cache_dir
from benchmarks.turn_taking.features import Models, through_phone, voiced_stretches
from benchmarks.turn_taking.recordings import SAMPLE_RATE, Recording, Samples, read_wav, spread

INTERRUPTION, BACKCHANNEL = "interruption", "backchannel"
COUGH, WORDLESS = "cough, noise", "voice without words"
SIDE_TALK, WRITTEN_SIDE_TALK, ECHO = "side-talk", "side-talk, written words", "echo"
KINDS = (INTERRUPTION, BACKCHANNEL, COUGH, WORDLESS, SIDE_TALK, WRITTEN_SIDE_TALK, ECHO)
SOURCES = {
    INTERRUPTION: "turns of callers and requests, three words and more, begun over the answer",
    BACKCHANNEL: "acknowledgements of both parties of the calls",
    COUGH: "synthetic coughs, throat clearing and knocks: the recordings have none",
    WORDLESS: "a laugh, an unrecognised sound, and pieces of callers' turns of the length of a cough, backwards",
    SIDE_TALK: "talk of a meeting (AMI), not to an agent",
    WRITTEN_SIDE_TALK: "words written for this benchmark, on the sound of callers' turns",
    ECHO: "turns of the calls' agents as the agent's words, 20 dB softer, by telephone; words as recognised in that",
}

_ACKNOWLEDGES = re.compile(
    r"(mm+|m+hm+|uhhuh|huh|oh|yeah|yes|yep|yup|okay|ok|sure|right|alright|all right|great|good|i see|\s)+"
)
_MAX_ACKNOWLEDGEMENT_S = 1.5
_MIN_WORDS = 3
_MIN_INTERRUPTION_S = 1.0
_MAX_HEARD_S = 4.0
_LEAD_S = 0.3
_SIDE_TALK_S = (1.2, 4.0)
_SIDE_TALKS_OF_A_FILE = 2
_ECHO_GAIN = 0.1
_COUGH_DBFS = -24.0
_WRITTEN_SIDE_TALK = (
    "Hold on a second, somebody is at the door.",
    "Can you close the window please, it's cold.",
    "Mum, where did you put the charger?",
    "Not now, sweetie, I'm on the phone.",
    "No, leave it there, I'll do it later.",
    "Give me a minute, I'm talking to them.",
    "Did you feed the dog already?",
    "Turn that music down, will you?",
)


@dataclass(frozen=True)
class CallerSound:
    """A sound over the agent's speech.

    Attributes:
        kind: One of ``KINDS``.
        name: Of the recording, or what it is.
        speaker: Whose it is.
        samples: At 16 kHz.
        voiced: The stretches in which the voice activity detector hears a voice, seconds; the whole sound if in none.
        start_s: First sound.
        end_s: Last sound.
        words: As a recogniser writes them.
        noise: What is behind it.
        agent_says: What of it the agent says itself.
    """

    kind: str
    name: str
    speaker: str
    samples: Samples
    voiced: tuple[tuple[float, float], ...]
    start_s: float
    end_s: float
    words: str
    noise: Samples
    agent_says: str = ""


def caller_sounds(folder: Path, recordings: Sequence[Recording]) -> list[CallerSound]:
    """Return the sounds that a folder of recordings gives."""
    transcribe = _Transcripts()
    turns = [recording for recording in recordings if recording.kind in ("calls", "requests")]
    rows = list(_rows(folder / "MANIFEST.tsv"))
    texts = {row["file"]: row["transcript"] for row in rows}
    interruptions = [*_interruptions(turns, texts)]
    return [
        *interruptions,
        *_acknowledgements(folder, rows),
        *coughs(),
        *_wordless(folder, rows, turns),
        *_side_talk(folder, rows, transcribe),
        *_written_side_talk(interruptions),
        *_echoes(turns, transcribe),
    ]


def _rows(path: Path) -> Iterator[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as lines:
        yield from csv.DictReader(lines, delimiter="\t", quoting=csv.QUOTE_NONE)


def _sound(
    kind: str, name: str, speaker: str, samples: Samples, start_s: float, words: str, noise: Samples
) -> CallerSound:
    """Return a sound of up to 4 s from its first sound on."""
    if start_s > _LEAD_S:
        samples, start_s = samples[round((start_s - _LEAD_S) * SAMPLE_RATE) :], _LEAD_S
    samples = samples[: round((start_s + _MAX_HEARD_S) * SAMPLE_RATE)]
    voiced = tuple(voiced_stretches(samples))
    end_s = voiced[-1][1] if voiced else len(samples) / SAMPLE_RATE
    return CallerSound(kind, name, speaker, samples, voiced or ((start_s, end_s),), start_s, end_s, tidy(words), noise)


def tidy(words: str) -> str:
    """Return a transcript without what the recordings' own recogniser puts between its words."""
    return re.sub(r"\s+([.,!?-])", r"\1", words).strip()


def _interruptions(turns: Iterable[Recording], texts: dict[str, str]) -> Iterator[CallerSound]:
    for turn in turns:
        text = texts[turn.file]
        last = turn.events[-1]
        if len(text.split()) < _MIN_WORDS or last.start - turn.start < _MIN_INTERRUPTION_S:
            continue
        lasted_s = last.start - turn.start
        said = text.split()[: max(_MIN_WORDS, round(len(text.split()) * min(1.0, _MAX_HEARD_S / lasted_s)))]
        yield _sound(
            INTERRUPTION, turn.file, turn.speaker, _until(turn, last.start), turn.start, " ".join(said), turn.noise
        )


def _until(turn: Recording, end_s: float) -> Samples:
    return turn.samples[: round((end_s + 0.1) * SAMPLE_RATE)]


def _acknowledgements(folder: Path, rows: Iterable[dict[str, str]]) -> Iterator[CallerSound]:
    for row in rows:
        start_s, end_s = float(row["speech_start"]), float(row["speech_end"])
        if not (row["set"] == "aws-turns" and is_acknowledgement(row["transcript"], end_s - start_s)):
            continue
        samples = read_wav(folder / row["file"])
        noise = samples[round((end_s + 0.1) * SAMPLE_RATE) :]
        spoken = samples[: round((end_s + 0.1) * SAMPLE_RATE)]
        yield _sound(BACKCHANNEL, row["file"], row["speaker"], spoken, start_s, row["transcript"], noise)


def is_acknowledgement(text: str, seconds: float) -> bool:
    """Whether a short turn has only words that acknowledge; the list is not the product's."""
    words = re.sub(r"[^a-z ]", "", text.lower().replace(" -", "")).strip()
    return seconds <= _MAX_ACKNOWLEDGEMENT_S and _ACKNOWLEDGES.fullmatch(words) is not None


def coughs() -> Iterator[CallerSound]:
    """Yield synthetic coughs (noise that bursts and fades, once or twice), throat clearing and knocks."""
    random = np.random.default_rng(1)
    quiet = random.normal(0, 8, SAMPLE_RATE).astype(np.int16)
    for number in range(24):
        kind = ("cough", "double cough", "throat", "knock")[number % 4]
        seconds = (0.25, 0.4, 0.6)[number % 3]
        body = _burst(kind, seconds, random)
        samples = np.concatenate([quiet[: SAMPLE_RATE // 10], body, quiet[: SAMPLE_RATE // 10]])
        end_s = 0.1 + len(body) / SAMPLE_RATE
        voiced = tuple(voiced_stretches(samples)) or ((0.1, end_s),)
        yield CallerSound(COUGH, f"{kind} {number}", f"{kind} {number}", samples, voiced, 0.1, end_s, "", quiet)


def _burst(kind: str, seconds: float, random: np.random.Generator) -> Samples:
    count = round(seconds * SAMPLE_RATE)
    times = np.arange(count) / SAMPLE_RATE
    noise = random.normal(0, 1, count)
    fading = np.exp(-times / (seconds / 4))
    if kind == "double cough":
        fading = np.exp(-(times % (seconds / 2)) / (seconds / 8))
    if kind == "throat":
        noise = noise * (1 + np.sign(np.sin(2 * np.pi * 45 * times))) + 2 * np.sign(np.sin(2 * np.pi * 90 * times))
        fading = np.hanning(count)
    if kind == "knock":
        noise, fading = np.sin(2 * np.pi * 180 * times) + 0.3 * noise, np.exp(-times / 0.03)
    smooth = np.convolve(noise, np.hanning(9) / np.hanning(9).sum(), mode="same")
    shaped = smooth * fading
    level = 32768 * 10 ** (_COUGH_DBFS / 20) / max(1e-9, float(np.sqrt(np.quantile(shaped**2, 0.9))))
    return np.clip(shaped * level, -32768, 32767).astype(np.int16)


def _wordless(folder: Path, rows: Iterable[dict[str, str]], turns: Sequence[Recording]) -> Iterator[CallerSound]:
    for row in rows:
        seconds = float(row["speech_end"]) - float(row["speech_start"])
        if row["set"] == "aws-turns" and seconds <= _MAX_ACKNOWLEDGEMENT_S and is_wordless(row["transcript"]):
            samples, end_s = read_wav(folder / row["file"]), float(row["speech_end"])
            noise = samples[round((end_s + 0.1) * SAMPLE_RATE) :]
            spoken = samples[: round((end_s + 0.1) * SAMPLE_RATE)]
            yield _sound(WORDLESS, row["file"], row["speaker"], spoken, float(row["speech_start"]), "", noise)
    for number, turn in enumerate(turns[::4]):
        seconds = (0.3, 0.45, 0.6, 0.75)[number % 4]
        start = round((turn.start + 0.1) * SAMPLE_RATE)
        piece = turn.samples[start : start + round(seconds * SAMPLE_RATE)][::-1]
        framed = np.concatenate([spread(turn.noise, SAMPLE_RATE // 10), piece, spread(turn.noise, SAMPLE_RATE // 10)])
        yield _sound(WORDLESS, f"{turn.file} backwards", turn.speaker, framed, 0.1, "", turn.noise)


def is_wordless(text: str) -> bool:
    """Whether the recogniser wrote no word, or only a laugh."""
    return not re.sub(r"\b(ha)+\b|\W", "", text.lower())


def _side_talk(folder: Path, rows: Iterable[dict[str, str]], transcribe: _Transcripts) -> Iterator[CallerSound]:
    shortest, longest = _SIDE_TALK_S
    for row in rows:
        if row["set"] != "ami" or not row["file"].endswith(".wav"):
            continue
        samples = read_wav(folder / row["file"])
        found = 0
        for start, end in voiced_stretches(samples):
            if found == _SIDE_TALKS_OF_A_FILE or not shortest <= end - start <= longest:
                continue
            piece = samples[max(0, round((start - 0.2) * SAMPLE_RATE)) : round((end + 0.1) * SAMPLE_RATE)]
            words = transcribe(f"{row['file']} {start:.2f}", piece)
            if len(words.split()) >= _MIN_WORDS:
                found += 1
                noise = np.random.default_rng(found).normal(0, 8, SAMPLE_RATE).astype(np.int16)
                yield _sound(
                    SIDE_TALK, f"{row['file']} at {start:.1f} s", row["file"], piece, min(0.2, start), words, noise
                )


def _written_side_talk(interruptions: Sequence[CallerSound]) -> Iterator[CallerSound]:
    """Yield written words on the sounds whose length suits them best."""
    for words in _WRITTEN_SIDE_TALK:
        seconds = len(words) * 0.06
        sound = min(interruptions, key=lambda it: abs(it.end_s - it.start_s - seconds))
        yield CallerSound(
            WRITTEN_SIDE_TALK,
            words,
            sound.speaker,
            sound.samples,
            sound.voiced,
            sound.start_s,
            sound.end_s,
            words,
            sound.noise,
        )


def _echoes(turns: Iterable[Recording], transcribe: _Transcripts) -> Iterator[CallerSound]:
    for turn in turns:
        last = turn.events[-1].start
        if not turn.speaker.endswith("agent") or last - turn.start < _MIN_INTERRUPTION_S:
            continue
        spoken = _until(turn, min(last, turn.start + _MAX_HEARD_S))
        said = transcribe(f"{turn.file} said", spoken)
        soft = (through_phone(spoken) * _ECHO_GAIN).astype(np.int16)
        words = transcribe(f"{turn.file} echo", soft)
        if len(said.split()) >= _MIN_WORDS:
            echo = _sound(ECHO, turn.file, turn.speaker, soft, turn.start, words, turn.noise)
            yield CallerSound(**{**vars(echo), "agent_says": tidy(said)})


_TEXTS = TypeAdapter(dict[str, str])


class _Transcripts:
    """Whisper's words, kept in the cache."""

    def __init__(self) -> None:
        self._file = cache_dir() / "benchmarks" / "turn-taking" / "words.json"
        self._known = _TEXTS.validate_json(self._file.read_bytes()) if self._file.exists() else {}
        self._models: Callable[[], Models] = Models
        self._loaded: Models | None = None

    def __call__(self, name: str, samples: Samples) -> str:
        """Return the words of a piece of a recording."""
        key = hashlib.sha256(f"{name} {len(samples)}".encode()).hexdigest()[:24]
        if key not in self._known:
            self._loaded = self._loaded or self._models()
            self._known[key] = self._loaded.transcribe(samples)
            self._file.parent.mkdir(parents=True, exist_ok=True)
            self._file.write_bytes(_TEXTS.dump_json(self._known))
        return self._known[key]
