"""What the agent does when a caller is heard over its answer, in calls: sounds of people, and synthetic coughs.

The sounds are those of ``benchmarks.turn_taking.caller_sounds``. In each round every system gets the same ones. The
simulated recogniser delivers their words at their times; each answer has another tone than the one before it, so that
it is heard whether the agent goes on or begins something new.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from agent_worker.core.folders import cache_dir
from benchmarks.harness.clips import UTTERANCES, wav_bytes
from benchmarks.harness.simulation import LONG_ANSWER_HZ, PRERESPONSE_HZ
from benchmarks.harness.tones import Frame, tone_segments
from benchmarks.latency.people import onset
from benchmarks.turn_taking.caller_sounds import BACKCHANNEL, COUGH, INTERRUPTION, CallerSound, caller_sounds
from benchmarks.turn_taking.recordings import SAMPLE_RATE, read

SOUNDS_PER_CALL = (INTERRUPTION, BACKCHANNEL, INTERRUPTION, BACKCHANNEL, INTERRUPTION, COUGH)
"""A cough is the last one: one that the simulated recogniser hears in one call and not in another would move what it
delivers for the sounds behind it."""
OVER_ANSWER_AFTER_S = 4.0
"""For how long the agent is heard before the sound: livekit-agents mutes the recogniser for the first 3 s of a call."""
TICK_S = 0.2
"""A shorter silence of the agent is none, as in tau-voice."""
_QUESTION_S = 4.0
"""A question with some of the silence behind it."""
_WORDS_S = 1.2
"""The words of a question are said in its first part, so that all are in one segment."""


@dataclass(frozen=True)
class OverSound:
    """A sound over the agent's answer. Times in seconds.

    Attributes:
        kind: One of ``SOUNDS_PER_CALL``.
        name: Of the recording, or what it is.
        clip: WAV file.
        start: First sound, from the start of the clip.
        seconds: From the first sound to the last.
        script: What the simulated recogniser delivers, a ``model_server.simulation.TimedUtterance``; None if it does
            not hear the sound.
    """

    kind: str
    name: str
    clip: str
    start: float
    seconds: float
    script: Mapping[str, Any] | None


@dataclass(frozen=True)
class Interruption:
    """What the caller heard of the agent around a sound.

    Attributes:
        kind: Of the sound.
        seconds: From its first sound to its last.
        heard: When the agent was heard, from the first sound on, and whether it was the answer under way.
    """

    kind: str
    seconds: float
    heard: Sequence[tuple[float, float, bool]]

    @classmethod
    def of(cls, row: Mapping[str, Any]) -> Interruption:
        """Return what a row of the results has."""
        return cls(row["kind"], row["seconds"], [(start, end, own) for start, end, own in row["heard"]])

    def silent_at(self) -> float | None:
        """Return when the agent fell silent; None if it was not heard at all, seconds."""
        return next((start for start, _ in self._silences()), None)

    def goes_on(self) -> bool:
        """Whether the answer was heard behind the sound, and nothing else."""
        return any(end > self.seconds for _, end, _ in self.heard) and all(own for _, _, own in self.heard)

    def held_s(self) -> float:
        """Return for how long the agent was silent before it went on, in all."""
        return sum(end - start for start, end in self._silences()[:-1])

    def _silences(self) -> list[tuple[float, float]]:
        found, last = [], 0.0
        for start, end, _ in [*self.heard, (float("inf"), float("inf"), True)]:
            if start - last >= TICK_S:
                found.append((last, start))
            last = max(last, end)
        return found


async def sounds_of(folder: Path, seed: int) -> list[OverSound]:
    """Return the sounds of a folder of recordings, in the order of ``SOUNDS_PER_CALL``, again and again.

    Raises:
        RecordingsError: If it has none.
    """
    return await asyncio.to_thread(_sounds_of, folder, seed)


def _sounds_of(folder: Path, seed: int) -> list[OverSound]:
    found = caller_sounds(folder, read(folder))
    by_kind = {kind: [sound for sound in found if sound.kind == kind] for kind in set(SOUNDS_PER_CALL)}
    for kind, of_kind in sorted(by_kind.items()):
        random.Random(f"{seed}/{kind}").shuffle(of_kind)
    calls = min(len(of_kind) // SOUNDS_PER_CALL.count(kind) for kind, of_kind in by_kind.items())
    return [_over_sound(by_kind[kind].pop()) for _ in range(calls) for kind in SOUNDS_PER_CALL]


def _over_sound(sound: CallerSound) -> OverSound:
    folder = cache_dir() / "benchmarks" / "interruptions"
    folder.mkdir(parents=True, exist_ok=True)
    clip = folder / f"{sound.kind}-{sound.name.replace('/', '-')}.wav".replace(" ", "-")
    clip.write_bytes(wav_bytes(sound.samples, SAMPLE_RATE))
    return OverSound(sound.kind, sound.name, str(clip), sound.start_s, sound.end_s - sound.start_s, _script(sound))


def _script(sound: CallerSound) -> dict[str, Any] | None:
    """Return the words, each stretch of voice with its share of them; None for a sound that the recogniser ignores."""
    origin = onset(sound.samples)
    if origin is None:
        return None
    words, timed, given, before_s = sound.words.split(), [], 0, 0.0
    total_s = sum(end - start for start, end in sound.voiced)
    for start, end in sound.voiced:
        before_s += end - start
        upto = round(len(words) * before_s / total_s)
        if words[given:upto]:
            at = max(0.0, start - origin)
            timed.append({"text": " ".join(words[given:upto]), "start": at, "end": max(at, end - origin)})
        given = upto
    return {"words": timed, "seconds": max(TICK_S, sound.end_s - origin)}


def scripts(sounds: Sequence[OverSound]) -> list[Mapping[str, Any]]:
    """Return what the recogniser delivers in a call: each question, and the sound over its answer."""
    found: list[Mapping[str, Any]] = []
    for number, sound in enumerate(sounds):
        question = {"text": UTTERANCES[number], "start": 0, "end": _WORDS_S}
        found.append({"words": [question], "seconds": _QUESTION_S})
        found += [sound.script] if sound.script else []
    return found


def heard_of(sound: OverSound, frames: Sequence[Frame], first_sound: float) -> Interruption | None:
    """Return what is heard of the agent around a sound; None if no answer is heard before it.

    Args:
        sound: What the caller is heard with.
        frames: From the answer's begin to the caller's next question.
        first_sound: When the sound began, on the clock of the frames.
    """
    tones = [*LONG_ANSWER_HZ.values(), PRERESPONSE_HZ]
    segments = [
        (segment.start - first_sound, segment.end - first_sound, hertz)
        for hertz, found in zip(tones, tone_segments(frames, tones, exclusive=True), strict=True)
        for segment in found
    ]
    own = [hertz for start, _, hertz in sorted(segments) if start < 0 and hertz != PRERESPONSE_HZ]
    if not own:
        return None
    heard = [(start, end, hertz == own[-1]) for start, end, hertz in sorted(segments) if end > 0]
    return Interruption(sound.kind, sound.seconds, heard)
