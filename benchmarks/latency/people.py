"""Callers who are recordings of people: what they say and when, and how an agent's sounds are judged.

A recording is a turn with a certain end, played with its own pauses and the silence behind it. The simulated recogniser
delivers the words of Whisper tiny.en at their times, so that every system gets the same words at the same moments.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from agent_worker.core.folders import cache_dir
from benchmarks.harness.cli import progress
from benchmarks.harness.clips import wav_bytes
from benchmarks.turn_taking.recordings import SAMPLE_RATE, Recording, Samples, read
from caller import Segment
from model_server import weights
from model_server.backends import VAD_FRAME_SAMPLES, Word
from model_server.segmenter import FRAME_S, ONSET_FRAMES, Segmenter, SegmentEvent
from model_server.stt import SileroVAD, Whisper
from testbed.processes import ServiceError

TURNS_PER_CALL = 6
KINDS = ("calls", "requests")
_VERSION = 1
"""Changes with what is kept in the cache."""
_LEAD_S = 0.3
_TAIL_S = 2.5
"""Recorded silence behind the end: as long as the longest usual wait."""
_MIN_WORDS = 3
"""Shorter turns ("Okay.") answer another person, and ask an agent nothing."""
_MIN_S, _MAX_S = 1.0, 20.0
_HALF_WORD_S = 0.02
"""Words of the script are short, so that each falls into one segment of the recogniser."""
MAX_TALKED_OVER_S = 0.3
"""To be talked over for longer is taken for a disturbance."""


@dataclass(frozen=True)
class PersonTurn:
    """One turn that a person says. Times in seconds from the start of the clip.

    Attributes:
        file: The recording.
        clip: WAV file with the turn and the silence behind it.
        start: Begin of the speech.
        end: Labelled end of the speech.
        pauses: Labelled pauses in which the same speaker goes on.
        script: What the simulated recogniser delivers: a ``model_server.simulation.TimedUtterance``.
    """

    file: str
    clip: str
    start: float
    end: float
    pauses: Sequence[tuple[float, float]]
    script: Mapping[str, Any]


@dataclass(frozen=True)
class Judgement:
    """What a caller hears of the agent around one turn, without listener's sounds.

    Attributes:
        first_sound: From the labelled end to the agent's first sound that begins after it; None if there is none, or if
            the agent spoke at the end.
        cut_off: Whether the agent began to speak before the end.
        answer: From the labelled end to the answer, as ``first_sound``.
        answer_cut_off: Whether the answer began before the end.
        cut_pauses: Pauses in which, or behind which, it did so.
        pauses: How many there are.
        talked_over_s: For how long both spoke.
        began: When the caller began to speak, counted from the labelled end.
        heard: When the agent was heard, beginnings and ends, counted likewise.
    """

    first_sound: float | None
    cut_off: bool
    cut_pauses: int
    pauses: int
    talked_over_s: float
    answer: float | None = None
    answer_cut_off: bool = False
    began: float = 0.0
    heard: Sequence[tuple[float, float]] = ()

    @property
    def is_harmful(self) -> bool:
        """Whether the caller was cut off by words, or talked over for long."""
        return self.cut_off or self.talked_over_s > MAX_TALKED_OVER_S


def judge(sounds: Sequence[Segment], turn: PersonTurn, answers: Sequence[Segment] = ()) -> Judgement:
    """Judge the agent's sounds, on the clock of the clip, which end before the caller's next turn.

    Args:
        sounds: All words of the agent.
        turn: What the caller says.
        answers: Those of the sounds that are the main model's.
    """
    heard = [sound for sound in sounds if sound.end > turn.start]
    early = [sound for sound in heard if turn.start <= sound.start < turn.end]
    after = [sound.start for sound in heard if sound.start >= turn.end]
    answered = [answer.start for answer in answers if answer.start >= turn.start]
    due = [start for start in answered if start >= turn.end]
    boundaries = [*(start for start, _ in turn.pauses), turn.end]
    cut = [any(begin <= sound.start < following for sound in early) for begin, following in pairwise(boundaries)]
    speaks_at_end = any(sound.start < turn.end < sound.end for sound in heard)
    return Judgement(
        first_sound=min(after) - turn.end if after and not speaks_at_end else None,
        cut_off=bool(early),
        cut_pauses=sum(cut),
        pauses=len(turn.pauses),
        talked_over_s=sum(_overlap(sound, stretch) for sound in heard for stretch in speech_of(turn)),
        answer=min(due) - turn.end if due and not speaks_at_end else None,
        answer_cut_off=len(due) < len(answered),
        began=turn.start - turn.end,
        heard=[(sound.start - turn.end, sound.end - turn.end) for sound in heard],
    )


def speech_of(turn: PersonTurn) -> list[tuple[float, float]]:
    """Return the stretches in which the caller speaks: what lies between the pauses."""
    edges = [turn.start, *(edge for pause in turn.pauses for edge in pause), turn.end]
    return list(zip(edges[::2], edges[1::2], strict=True))


def _overlap(sound: Segment, stretch: tuple[float, float]) -> float:
    return max(0.0, min(sound.end, stretch[1]) - max(sound.start, stretch[0]))


async def turns_of(folder: Path, seed: int) -> list[PersonTurn]:
    """Return the turns of a folder of recordings, in an order by the seed.

    Raises:
        ServiceError: If the folder has none.
    """
    return await asyncio.to_thread(_turns_of, folder, seed)


def _turns_of(folder: Path, seed: int) -> list[PersonTurn]:
    whisper: list[Whisper] = []
    found = []
    for recording in read(folder):
        ends = [event for event in recording.events if event.end is None]
        if recording.kind in KINDS and ends and _MIN_S <= ends[0].start - recording.start <= _MAX_S:
            turn = _turn(recording, ends[0].start, whisper)
            if sum(len(words["text"].split()) for words in turn.script["words"]) >= _MIN_WORDS:
                found.append(turn)
    if not found:
        raise ServiceError(f"{folder} has no turn with a certain end: see docs/benchmarks/turn-taking.md, 'Recordings'")
    random.Random(seed).shuffle(found)
    return found


def _turn(recording: Recording, end: float, whisper: list[Whisper]) -> PersonTurn:
    """Return a recording as a turn; its clip and words are kept in the cache."""
    clip_start = max(0.0, recording.start - _LEAD_S)
    pauses = [(event.start - clip_start, event.end - clip_start) for event in recording.events if event.end is not None]
    key = hashlib.sha256(repr((recording.digest, recording.events)).encode()).hexdigest()[:24]
    base = cache_dir() / "benchmarks" / "people" / f"{_VERSION}-{key}"
    clip, script = base.with_suffix(".wav"), base.with_suffix(".json")
    if not script.exists():
        progress(f"words of {recording.file}")
        base.parent.mkdir(parents=True, exist_ok=True)
        samples = recording.samples[round(clip_start * SAMPLE_RATE) : round((end + _TAIL_S) * SAMPLE_RATE)]
        clip.write_bytes(wav_bytes(samples, SAMPLE_RATE))
        if not whisper:
            whisper.append(Whisper(weights.whisper()))
        spoken = samples[: round((end - clip_start + _LEAD_S) * SAMPLE_RATE)]
        words = whisper[0]._transcribe((spoken / 32768).astype(np.float32)).words
        script.write_text(json.dumps(script_of(words, pauses, end - clip_start, samples)), encoding="utf-8")
    return PersonTurn(
        file=recording.file,
        clip=str(clip),
        start=recording.start - clip_start,
        end=end - clip_start,
        pauses=pauses,
        script=json.loads(script.read_text(encoding="utf-8")),
    )


def script_of(
    words: Sequence[Word], pauses: Sequence[tuple[float, float]], end: float, samples: Samples
) -> dict[str, Any]:
    """Return the recogniser's script: each word at its time after the first sound that the recogniser notices.

    The times of words are estimates: one that lies in a pause, or behind the end, belongs to the speech before it.
    """
    origin = onset(samples) or 0.0
    timed = []
    for word in words:
        middle = (word.start + word.end) / 2
        latest = next((start for start, stop in pauses if start <= middle < stop), end)
        at = max(0.0, (middle if middle < latest else latest - _HALF_WORD_S) - origin)
        timed.append({"text": word.text, "start": max(0.0, at - _HALF_WORD_S), "end": at + _HALF_WORD_S})
    return {"words": timed, "seconds": len(samples) / SAMPLE_RATE - origin}


def onset(samples: Samples) -> float | None:
    """Return when the simulated recogniser notices the first sound, seconds; None if it notices none."""
    detector, segmenter = SileroVAD(), Segmenter(None)
    count = len(samples) // VAD_FRAME_SAMPLES
    frames = (samples[: count * VAD_FRAME_SAMPLES] / 32768).astype(np.float32).reshape(count, VAD_FRAME_SAMPLES)
    for frame, probability in zip(frames, detector.probabilities(frames), strict=True):
        if segmenter.push(frame, probability) is SegmentEvent.STARTED:
            return segmenter.elapsed_s - ONSET_FRAMES * FRAME_S
    return None
