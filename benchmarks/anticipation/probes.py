"""Ask the models earlier than the detector does; their answers are kept in the cache.

In each silence at :data:`ASKED_S`, and every :data:`STEP_S` while the caller speaks. They always hear the silence that
the detector's first checkpoint has: what is still to come of it is put behind the audio.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from pydantic import TypeAdapter

from agent_worker.core.folders import cache_dir
from agent_worker.turn_taking.audio_models import with_silence_ahead
from agent_worker.turn_taking.end_of_turn import DETECTED_SILENCE_S
from benchmarks.harness.cli import progress
from benchmarks.turn_taking.features import Activity, Models, activity_of, matching, silences_of, write_whole
from benchmarks.turn_taking.recordings import SAMPLE_RATE, Event, Recording, Samples, spread
from benchmarks.turn_taking.report import SCORED

ASKED_S = (0.064, 0.128)
STEP_S = 0.25
_VERSION = 1
"""Changes with what is kept in the cache."""
_PREFIX_S = 0.3
_WINDOW_S = 0.032
_CLOCK_ERROR_S = 1e-6


@dataclass(frozen=True)
class Answer:
    """Probabilities of the end."""

    mini: float
    smart: float


@dataclass(frozen=True)
class EarlySilence:
    """A silence by the voice activity detector's clock, and what the models say early in it.

    Attributes:
        start: Of the pause or end that it belongs to; None if it is too short for the detector.
        since: Last voice, seconds from the start of the recording.
        resumed: Next voice; None at the end of the turn.
        answers: In the order of ``ASKED_S``, as many as the silence is long enough for.
    """

    start: float | None
    since: float
    resumed: float | None
    answers: tuple[Answer, ...]


@dataclass(frozen=True)
class SpeechProbe:
    """What the models say while the caller speaks, as if he fell silent now.

    Attributes:
        before_end_s: Time to the caller's last sound.
        answer: The models'.
    """

    before_end_s: float
    answer: Answer


@dataclass(frozen=True)
class Probes:
    """Everything about one recording; `speech` is empty unless its kind is scored and its end is certain."""

    file: str
    kind: str
    speaker: str
    dialogue: str
    silences: tuple[EarlySilence, ...]
    speech: tuple[SpeechProbe, ...]


_PROBES = TypeAdapter(Probes)


def probes(recordings: Sequence[Recording]) -> list[Probes]:
    """Return the probes of all recordings, from the cache where they are known."""
    models: Models | None = None
    found = []
    for recording in recordings:
        of = (recording.digest, recording.events, recording.start)
        key = hashlib.sha256(repr(of).encode()).hexdigest()[:24]
        file = cache_dir() / "benchmarks" / "anticipation" / f"{_VERSION}-{key}.json"
        if not file.exists():
            progress(f"probes: {recording.file}")
            models = models or Models()
            write_whole(file, _PROBES.dump_json(_measure(recording, models)))
        found.append(_PROBES.validate_json(file.read_bytes()))
    return found


def _measure(recording: Recording, models: Models) -> Probes:
    activity = list(activity_of(recording.samples))

    def ask(heard: Samples) -> Answer:
        turn = heard[max(0, round((recording.start - _PREFIX_S) * SAMPLE_RATE)) :]
        return Answer(models.ask_mini(heard), models.smart.probability(turn))

    def until(at: float) -> Samples:
        return recording.samples[: round(at * SAMPLE_RATE)]

    silences = []
    for start, since, resumed in early_silences(recording.events, recording.start, activity):
        asked = [at for at in ASKED_S if resumed is None or since + at <= resumed + _CLOCK_ERROR_S]
        answers = [ask(with_silence_ahead(until(since + at), DETECTED_SILENCE_S - at)) for at in asked]
        silences.append(EarlySilence(start, since, resumed, tuple(answers)))
    # What the detector puts behind a silence, its last moment, would be speech here.
    silence = spread(recording.noise, round(DETECTED_SILENCE_S * SAMPLE_RATE))
    end = recording.events[-1]
    speech = tuple(
        SpeechProbe(end.start - at, ask(np.concatenate([until(at), silence])))
        for at in (speaking_at(activity, recording.start, end.start) if end.end is None else ())
        if recording.kind in SCORED
    )
    return Probes(recording.file, recording.kind, recording.speaker, recording.dialogue, tuple(silences), speech)


def early_silences(
    events: Sequence[Event], start: float, activity: Sequence[Activity]
) -> Iterator[tuple[float | None, float, float | None]]:
    """Yield (start of the event, since, resumed) of each silence in the turn, too short ones for an event as well.

    An event that the voice activity detector hears as no silence at all is left out, and so are other short silences
    that overlap an event: they belong to it.
    """
    short, reported = list(short_silences(activity)), list(silences_of(activity))
    for event in events:
        until = np.inf if event.end is None else event.end
        if silence := matching(event, reported):
            yield event.start, silence.since, event.end
        elif overlapping := [it for it in short if it[0] < until and it[1] > event.start and event.end is not None]:
            yield event.start, max(overlapping, key=lambda it: it[1] - it[0])[0], event.end
    for since, resumed in short:
        is_apart = all(resumed <= event.start or (event.end is not None and since >= event.end) for event in events)
        if is_apart and since >= start and resumed <= events[-1].start:
            yield None, since, resumed


def short_silences(activity: Iterable[Activity]) -> Iterator[tuple[float, float]]:
    """Yield (since, resumed) of the silences in which the voice activity detector goes on to hear the caller speak."""
    for window, following in pairwise(activity):
        is_over = window.silence_s >= ASKED_S[0] - _CLOCK_ERROR_S and following.silence_s == 0
        if is_over and window.speaking and following.speaking:
            resumed = window.at - _WINDOW_S
            yield round(resumed - window.silence_s, 4), round(resumed, 4)


def speaking_at(activity: Sequence[Activity], start: float, end: float) -> list[float]:
    """Return the times, every ``STEP_S`` of the turn, at which the caller is within speech."""
    windows = ((at, activity[int(at / _WINDOW_S)]) for at in np.arange(start + STEP_S, end, STEP_S))
    return [float(at) for at, window in windows if window.speaking and window.silence_s < ASKED_S[0] - _CLOCK_ERROR_S]
