"""Turns in which the main model calls a tool: what the caller hears until the answer, and when the tool returned."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.harness.simulation import ANSWER_HZ, PRERESPONSE_HZ, sentence_tones
from benchmarks.harness.tones import Frame, pitch, tone_segments
from caller import Segment
from model_server.simulation import SimulatedTTS

_CHARS_PER_S = SimulatedTTS().chars_per_second
_PITCH_HZ = (350.0, 530.0)
"""Where the tones of all sentences are."""
_MAX_BREAK_S = 0.25
"""A shorter silence is a break in the audio, as on a busy machine; agents wait for longer between two sentences."""


@dataclass(frozen=True)
class ToolRun:
    """One run of the tool, on the clock of the call."""

    called: float
    returned: float


@dataclass(frozen=True)
class Said:
    """A sound before the answer.

    Attributes:
        text: The sentence whose tone it has.
        sound: When it was heard.
        seconds: For how long, without breaks in it.
    """

    text: str
    sound: Segment
    seconds: float


@dataclass(frozen=True)
class ToolTurn:
    """What the caller hears in one turn; times in seconds.

    Attributes:
        longest_silence: The longest between the caller's last sound and the first of the answer.
        result_to_answer: From the tool's return to the first sound of the answer.
        sentences: How many sentences are said before the answer.
        said_again: How many of them were said in this turn already.
        runs: How often the tool ran.
    """

    longest_silence: float
    result_to_answer: float
    sentences: int
    said_again: int
    runs: int


def runs_of(log: Path, room: str, clock_start: float) -> list[ToolRun]:
    """Return the runs of the tool in a call; ``clock_start`` is the zero of its clock as unix time."""
    lines = log.read_text(encoding="utf-8").splitlines() if log.exists() else []
    noted = (run for run in map(json.loads, lines) if run["room"] == room)
    return [ToolRun(run["called"] - clock_start, run["returned"] - clock_start) for run in noted]


def heard_before_answer(frames: Sequence[Frame]) -> tuple[list[Said], float | None]:
    """Return what is said before the answer, and when the answer starts; None if it is not heard."""
    answers, others = tone_segments(frames, (ANSWER_HZ, PRERESPONSE_HZ))
    start = answers[0].start if answers else None
    before = [sound for sound in others if start is None or sound.start < start]
    return [_said(frames, parts) for parts in _joined(before)], start


def _joined(sounds: Sequence[Segment]) -> list[list[Segment]]:
    """Return the parts of each sound that has breaks in it."""
    found: list[list[Segment]] = []
    for sound in sounds:
        if found and sound.start - found[-1][-1].end < _MAX_BREAK_S:
            found[-1].append(sound)
        else:
            found.append([sound])
    return found


def _said(frames: Sequence[Frame], parts: Sequence[Segment]) -> Said:
    sound = Segment(parts[0].start, parts[-1].end)
    return Said(_sentence(pitch(frames, sound, _PITCH_HZ)), sound, sum(part.end - part.start for part in parts))


def judge(said: Sequence[Said], answer_start: float, last_sent: float, runs: Sequence[ToolRun]) -> ToolTurn:
    """Judge one turn.

    Args:
        said: What was said before the answer.
        answer_start: First sound of the answer.
        last_sent: The caller's last sound.
        runs: Of the tool, at least one.
    """
    times = _times_said(said)
    return ToolTurn(
        longest_silence=max(_silences([each.sound for each in said], last_sent, answer_start)),
        result_to_answer=answer_start - max(run.returned for run in runs),
        sentences=sum(times.values()),
        said_again=sum(count - 1 for count in times.values()),
        runs=len(runs),
    )


def _sentence(hertz: float) -> str:
    tones = sentence_tones()
    return min(tones, key=lambda text: abs(tones[text] - hertz))


def _times_said(said: Sequence[Said]) -> Counter[str]:
    """Return how often each sentence was said, by its duration: one with a long break in it is two sounds."""
    seconds: dict[str, float] = {}
    for each in said:
        seconds[each.text] = seconds.get(each.text, 0.0) + each.seconds
    return Counter({text: max(1, round(heard * _CHARS_PER_S / len(text))) for text, heard in seconds.items()})


def _silences(sounds: Sequence[Segment], begin: float, end: float) -> list[float]:
    found, silent_since = [], begin
    for sound in sounds:
        found.append(max(0.0, sound.start - silent_since))
        silent_since = max(silent_since, sound.end)
    return [*found, max(0.0, end - silent_since)]
