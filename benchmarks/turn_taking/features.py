"""What the models say in the silences of a recording; kept in the cache, so that a second run needs no models.

The voice activity detector's events are those of livekit-agents 1.8.9 (``inference.VAD``, `_VADStream._main_task`):
windows of 32 ms, speech from 0.5, silence under 0.35, end of speech after 0.25 s, start of speech after 0.05 s.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import pairwise
from pathlib import Path

import numpy as np
from livekit.local_inference import EOT, EOT_MAX_SAMPLES, VAD, VAD_WINDOW_SAMPLES
from pydantic import TypeAdapter

from agent_worker.core.folders import cache_dir
from agent_worker.turn_taking import smart_turn
from agent_worker.turn_taking.audio_models import with_silence_ahead
from agent_worker.turn_taking.completeness import completeness
from agent_worker.turn_taking.end_of_turn import AHEAD_S, CHECKPOINTS_S
from benchmarks.harness.cli import progress
from benchmarks.turn_taking.prosody import MAX_SPEECH_S, Prosody, prosody
from benchmarks.turn_taking.recordings import SAMPLE_RATE, Event, Recording, Samples, resample, spread
from model_server import weights
from model_server.stt import Whisper

_VERSION = 4
"""Changes with what is kept in the cache."""
_WINDOW_S = VAD_WINDOW_SAMPLES / SAMPLE_RATE
_ACTIVATION, _DEACTIVATION = 0.5, 0.35
_MIN_SPEECH_S, _MIN_SILENCE_S = 0.05, 0.25
_MAX_TRANSCRIBED_S = 28.0
_PHONE_RATE = 8000
_MU = 255

Condition = str
"""``clean``, ``phone`` (8 kHz, mu-law) or ``noise 10`` (another recording's noise, 10 dB under the speech)."""


@dataclass(frozen=True)
class Silence:
    """One silence as the voice activity detector reports it, seconds from the start of the recording.

    Attributes:
        since: Last voice.
        reported: END_OF_SPEECH.
        resumed: START_OF_SPEECH; None at the end.
    """

    since: float
    reported: float
    resumed: float | None


@dataclass(frozen=True)
class Moment:
    """A pause or an end, and what can be known in it.

    Attributes:
        file: The recording.
        kind: Of the recording.
        speaker: Of the recording.
        dialogue: Of the recording.
        start: End of the caller's last sound, seconds.
        end: When the caller goes on; None at the end of the turn.
        hint: What precedes a pause.
        spoken_s: Since the start of the turn.
        silence: None if the voice activity detector misses it: no turn ends there.
        mini: Of v1-mini at each checkpoint of the detector that lies in the silence, asked as early as there.
        smart: Of smart-turn at the same.
        mini_in_time: Of v1-mini at the checkpoints themselves, as others ask it.
        smart_in_time: Of smart-turn at the same.
        prosody: Of the speech before it.
        text: The recogniser's words of the turn so far.
        question: The other party's last words.
    """

    file: str
    kind: str
    speaker: str
    dialogue: str
    start: float
    end: float | None
    hint: str
    spoken_s: float
    silence: Silence | None
    mini: tuple[float, ...]
    smart: tuple[float, ...]
    mini_in_time: tuple[float, ...]
    smart_in_time: tuple[float, ...]
    prosody: Prosody
    text: str
    question: str

    @cached_property
    def completeness(self) -> float:
        """How complete the words so far are."""
        return completeness(self.text, self.question)


def asked_in_time(moment: Moment) -> Moment:
    """Return the moment as a detector knows it that asks the models at the checkpoints, and not ahead."""
    return replace(moment, mini=moment.mini_in_time, smart=moment.smart_in_time)


class Models:
    """The models, loaded when the first is needed."""

    def __init__(self) -> None:
        self.mini = EOT()
        path = smart_turn.weights_path()
        smart_turn.check(path)
        self.smart = smart_turn.load(path)
        self._whisper = Whisper(weights.whisper())

    def ask_mini(self, samples: Samples) -> float:
        """Return v1-mini's probability of the end."""
        return float(self.mini.predict(samples[-EOT_MAX_SAMPLES:]))

    def transcribe(self, samples: Samples) -> str:
        """Return the recogniser's words."""
        recent = samples[-round(_MAX_TRANSCRIBED_S * SAMPLE_RATE) :]
        return self._whisper._transcribe((recent / 32768).astype(np.float32)).text


def moments(recordings: Iterable[Recording], condition: Condition, *, others: list[Samples]) -> list[Moment]:
    """Return the moments of all recordings, from the cache where they are known.

    Args:
        recordings: The recordings.
        condition: What to do to the sound first.
        others: Noises of recordings, for the condition ``noise``.
    """
    models: list[Models] = []

    def loaded() -> Models:
        if not models:
            models.append(Models())
        return models[0]

    found: list[Moment] = []
    for recording in recordings:
        found += _cached(recording, condition, others, loaded)
    return found


_MOMENTS = TypeAdapter(list[Moment])


def _cached(
    recording: Recording, condition: Condition, others: list[Samples], models: Callable[[], Models]
) -> list[Moment]:
    # Not of the samples: the resampler dithers, so that they differ each time.
    of = (recording.digest, condition, recording.events, recording.question)
    key = hashlib.sha256(repr(of).encode()).hexdigest()[:24]
    file = cache_dir() / "benchmarks" / "turn-taking" / f"{_VERSION}-{key}.json"
    if file.exists():
        return _MOMENTS.validate_json(file.read_bytes())
    progress(f"{condition}: {recording.file}")
    heard = replace(recording, samples=_under(condition, recording, others))
    found = list(_measure(heard, models()))
    write_whole(file, _MOMENTS.dump_json(found))
    return found


def write_whole(file: Path, content: bytes) -> None:
    """Write a file of the cache, whose folder may be missing; one that was begun is never read."""
    file.parent.mkdir(parents=True, exist_ok=True)
    part = file.with_suffix(".part")
    part.write_bytes(content)
    part.replace(file)


def _under(condition: Condition, recording: Recording, others: list[Samples]) -> Samples:
    if condition == "phone":
        return through_phone(recording.samples)
    if condition.startswith("noise "):
        return with_noise(recording, others, float(condition.removeprefix("noise ")))
    return recording.samples


def through_phone(samples: Samples) -> Samples:
    """Return the sound after 8 kHz and mu-law (ITU-T G.711 by its formula, 8 bits)."""
    narrow = resample(samples, SAMPLE_RATE, _PHONE_RATE) / 32768
    compressed = np.sign(narrow) * np.log1p(_MU * np.abs(narrow)) / np.log1p(_MU)
    rounded = np.round(compressed * 127) / 127
    expanded = np.sign(rounded) * np.expm1(np.abs(rounded) * np.log1p(_MU)) / _MU
    wide = resample((expanded * 32767).astype(np.int16), _PHONE_RATE, SAMPLE_RATE)
    return np.resize(np.concatenate([wide, np.zeros(SAMPLE_RATE, np.int16)]), len(samples))


def with_noise(recording: Recording, others: list[Samples], below_db: float) -> Samples:
    """Return the sound with another recording's noise, so many decibels under the speech."""
    number = int(hashlib.sha256(recording.file.encode()).hexdigest(), 16)
    noise = spread(others[number % len(others)], len(recording.samples)).astype(np.float64)
    start, end = (round(at * SAMPLE_RATE) for at in (recording.start, recording.events[-1].start))
    speech = recording.samples[start : max(end, start + SAMPLE_RATE)].astype(np.float64)
    loud = np.quantile(speech**2, 0.9)
    gain = np.sqrt(loud / max(1e-9, float((noise**2).mean())) / 10 ** (below_db / 10))
    noisy: Samples = np.clip(recording.samples + noise * gain, -32768, 32767).astype(np.int16)
    return noisy


def _measure(recording: Recording, models: Models) -> Iterator[Moment]:
    silences = list(silences_of(activity_of(recording.samples)))
    for event in recording.events:
        silence = matching(event, silences)
        asked = [at for at in CHECKPOINTS_S if silence and (event.end is None or silence.since + at < event.end)]
        until = [silence.since + at for at in asked] if silence else []
        spans = [recording.samples[: round(at * SAMPLE_RATE)] for at in until]
        ahead = [with_silence_ahead(recording.samples[: round((at - AHEAD_S) * SAMPLE_RATE)], AHEAD_S) for at in until]
        turn_start = max(0, round((recording.start - 0.3) * SAMPLE_RATE))
        speech = recording.samples[turn_start : round((silence.since if silence else event.start) * SAMPLE_RATE)]
        yield Moment(
            file=recording.file,
            kind=recording.kind,
            speaker=recording.speaker,
            dialogue=recording.dialogue,
            start=event.start,
            end=event.end,
            hint=event.hint,
            spoken_s=event.start - recording.start,
            silence=silence,
            mini=tuple(models.ask_mini(span) for span in ahead),
            smart=tuple(models.smart.probability(span[turn_start:]) for span in ahead),
            mini_in_time=tuple(models.ask_mini(span) for span in spans),
            smart_in_time=tuple(models.smart.probability(span[turn_start:]) for span in spans),
            prosody=prosody(speech[-round(MAX_SPEECH_S * SAMPLE_RATE) :]),
            text=models.transcribe(spans[0][turn_start:]) if spans else "",
            question=recording.question,
        )


def matching(event: Event, silences: list[Silence]) -> Silence | None:
    """Return the reported silence in which the event's silence lies."""
    for silence in silences:
        ends = silence.resumed if silence.resumed is not None else np.inf
        if event.end is None:
            if ends > event.start + _MIN_SILENCE_S and silence.since < event.start + 1.0:
                return silence
        elif silence.since < event.end and silence.reported < event.end + 0.1 and ends > event.start + 0.1:
            return silence
    return None


@dataclass(frozen=True)
class Activity:
    """One window of the voice activity detector.

    Attributes:
        at: Its end, seconds.
        probability: Of voice in it.
        speaking: Whether the caller counts as speaking before it.
        silence_s: How long the caller has been silent before it.
    """

    at: float
    probability: float
    speaking: bool
    silence_s: float


class _Voice:
    """Whether the caller counts as speaking, as livekit-agents' detector decides it window by window."""

    def __init__(self) -> None:
        self.speaking = False
        self.speech_s = self.silence_s = 0.0

    def hear(self, probability: float) -> None:
        if probability >= _ACTIVATION or (self.speaking and probability > _DEACTIVATION):
            self.speech_s, self.silence_s = self.speech_s + _WINDOW_S, 0.0
            self.speaking = self.speaking or self.speech_s >= _MIN_SPEECH_S
        else:
            self.speech_s, self.silence_s = 0.0, self.silence_s + _WINDOW_S
            self.speaking = self.speaking and self.silence_s < _MIN_SILENCE_S


def activity_of(samples: Samples) -> Iterator[Activity]:
    """Yield the windows as livekit-agents' detector reports them (``INFERENCE_DONE``)."""
    voice = _Voice()
    for now, probability in _probabilities(samples):
        yield Activity(now, probability, voice.speaking, voice.silence_s)
        voice.hear(probability)


def silences_of(activity: Iterable[Activity]) -> Iterator[Silence]:
    """Yield the silences that livekit-agents' voice activity detector reports."""
    pending: Silence | None = None
    for window, following in pairwise(activity):
        if window.speaking and not following.speaking:
            pending = Silence(round(window.at - following.silence_s, 4), round(window.at, 4), None)
        elif following.speaking and not window.speaking and pending:
            yield replace(pending, resumed=round(window.at, 4))
            pending = None
    if pending:
        yield pending


def voiced_stretches(samples: Samples) -> Iterator[tuple[float, float]]:
    """Yield the stretches in which that detector hears speech: (start, end), seconds."""
    voice, start = _Voice(), 0.0
    for now, probability in _probabilities(samples):
        was_speaking = voice.speaking
        voice.hear(probability)
        if voice.speaking and not was_speaking:
            start = now - voice.speech_s
        elif was_speaking and not voice.speaking:
            yield float(round(start, 4)), float(round(now - voice.silence_s, 4))
    if voice.speaking:
        yield float(round(start, 4)), float(round(len(samples) / SAMPLE_RATE - voice.silence_s, 4))


def _probabilities(samples: Samples) -> Iterator[tuple[float, float]]:
    detector = VAD()
    for start in range(0, len(samples) - VAD_WINDOW_SAMPLES + 1, VAD_WINDOW_SAMPLES):
        window = np.ascontiguousarray(samples[start : start + VAD_WINDOW_SAMPLES])
        yield (start + VAD_WINDOW_SAMPLES) / SAMPLE_RATE, float(detector.predict(window))
