"""What did the caller hear, turn by turn?"""

from __future__ import annotations

import asyncio
import wave
from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.latency.calls import room_token
from benchmarks.latency.speech import clips
from benchmarks.latency.tones import stretches
from benchmarks.reliability.world import ANSWER_HZ, APOLOGY_HZ, PHRASE_HZ, STAND_IN_HZ, World
from caller import CallError, CallOptions, Recording, Segment, Turn, Wav, call
from caller.audio import SAMPLE_RATE, Pcm, read_wav

_TONES = {"phrase": PHRASE_HZ, "answer": ANSWER_HZ, "apology": APOLOGY_HZ, "stand-in": STAND_IN_HZ}
PATIENCE = 15.0
"""Seconds of silence after which the caller gives a turn up."""
LEAD = 1.5
"""Seconds before the caller speaks in a turn: time for something to go wrong before."""


@dataclass(frozen=True)
class HeardTurn:
    """One turn, from the caller's last sound on. Seconds.

    Attributes:
        heard: ``phrase``, ``answer``, ``apology``, ``stand-in`` (the fast model's answer), in their order.
        longest_silence: Before and between what was heard; up to the end of the turn if the caller was left alone.
    """

    heard: tuple[str, ...]
    first: float | None
    longest_silence: float

    @property
    def replied(self) -> bool:
        return bool({"answer", "apology", "stand-in"} & set(self.heard))


def heard_turn(turn: Turn, ended: float, sounds: Mapping[str, Sequence[Segment]]) -> HeardTurn:
    """
    Args:
        ended: When the caller stopped to listen.
        sounds: When each tone was heard.
    """
    since = turn.last_sent
    stretches_ = sorted(
        (stretch.start, stretch.end, name)
        for name, found in sounds.items()
        for stretch in found
        if stretch.end > since and stretch.start < ended
    )
    names: list[str] = []
    silences, at = [], since
    for start, end, name in stretches_:
        silences.append(max(0.0, start - at))
        at = max(at, end)
        if not names or names[-1] != name:
            names.append(name)
    heard = HeardTurn(tuple(names), stretches_[0][0] - since if stretches_ else None, max(silences, default=0.0))
    if heard.replied:
        return heard
    return HeardTurn(heard.heard, heard.first, max(heard.longest_silence, ended - at))


Event = Callable[[], Coroutine[Any, Any, None]]


@dataclass(frozen=True)
class Call:
    turns: list[HeardTurn]
    understood: int
    """Turns of which the caller was told what was understood."""
    finals: int
    """How many final transcripts the caller was told: a turn may have several."""
    error: str | None


async def hold_call(world: World, room: str, leads: Sequence[float], before: dict[int, Event]) -> Call:
    """Say the same sentence in each turn.

    Args:
        leads: For each turn, seconds of silence before the caller speaks.
        before: What happens as a turn (from 0) begins.
    """
    recording = Recording()
    turns: list[tuple[Turn, float]] = []
    happening: list[asyncio.Task[None]] = []

    def on_turn(turn: Turn) -> None:
        turns.append((turn, recording.frames[-1][0] if recording.frames else turn.last_sent))
        if event := before.get(len(turns)):
            happening.append(asyncio.create_task(event()))

    options = CallOptions(
        url=world.ports.livekit_url,
        token=room_token(room, "caller"),
        utterances=[Wav(await _clip(lead, world.folder)) for lead in leads],
        greeting_wait=0,
        reply_timeout=PATIENCE,
        turn_timeout=60,
        agent_timeout=60,
    )
    error = None
    try:
        await call(options, on_turn, recording)
    except CallError as failed:
        error = str(failed)
    await asyncio.gather(*happening)
    sounds = dict(zip(_TONES, stretches(recording.frames, list(_TONES.values())), strict=True))
    heard = [heard_turn(turn, ended, sounds) for turn, ended in turns]
    finals = [part for turn, _ in turns for part in turn.caller_transcripts if part.final]
    return Call(heard, sum(bool(turn.understood) for turn, _ in turns), len(finals), error)


async def _clip(lead: float, folder: Path) -> Path:
    path = folder / f"clip-{lead:g}.wav"
    if not path.exists():
        spoken = await asyncio.to_thread(read_wav, (await clips())[0])
        silence: Pcm = np.zeros(int(lead * SAMPLE_RATE), np.int16)
        await asyncio.to_thread(_write, path, np.concatenate([silence, spoken]))
    return path


def _write(path: Path, pcm: Pcm) -> None:
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(SAMPLE_RATE)
        file.writeframes(pcm.tobytes())
