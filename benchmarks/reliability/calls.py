"""One call during which something fails: what the caller hears, turn by turn."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from benchmarks.harness import calls
from benchmarks.harness.clips import clip_after_silence
from benchmarks.harness.simulation import ANSWER_HZ, PRERESPONSE_HZ
from benchmarks.harness.tones import tone_segments
from benchmarks.reliability.testbed import APOLOGY_HZ, FALLBACK_ANSWER_HZ, Testbed
from caller import Recording, Segment, Turn

_TONES = {"phrase": PRERESPONSE_HZ, "answer": ANSWER_HZ, "apology": APOLOGY_HZ, "stand-in": FALLBACK_ANSWER_HZ}
LEAD_S = 1.5
"""Silence before the caller speaks in a turn, in which a fault takes effect."""
_TURN_TIMEOUT_S = 120
_AGENT_TIMEOUT_S = 600


@dataclass(frozen=True)
class HeardTurn:
    """One turn after the caller's last audible sample; times in seconds.

    Attributes:
        heard: ``phrase``, ``answer``, ``apology`` and ``stand-in`` (the fast model's answer) in their order.
        first: When something was heard first, if anything was.
        longest_silence: Before and between what was heard; until the turn's end if there was no reply.
    """

    heard: tuple[str, ...]
    first: float | None
    longest_silence: float

    @property
    def replied(self) -> bool:
        """Whether there was an answer or an apology."""
        return bool({"answer", "apology", "stand-in"} & set(self.heard))


def heard_turn(turn: Turn, end: float, tones: Mapping[str, Sequence[Segment]]) -> HeardTurn:
    """Return what was heard in a turn.

    Args:
        turn: The caller's report of it.
        end: When the caller stopped to listen.
        tones: Segments in which each tone was heard.
    """
    segments = sorted(
        (segment.start, segment.end, name)
        for name, found in tones.items()
        for segment in found
        if segment.end > turn.last_sent and segment.start < end
    )
    names: list[str] = []
    silences, at = [], turn.last_sent
    for start, stop, name in segments:
        silences.append(max(0.0, start - at))
        at = max(at, stop)
        if not names or names[-1] != name:
            names.append(name)
    if not {"answer", "apology", "stand-in"} & set(names):
        silences.append(end - at)
    first = segments[0][0] - turn.last_sent if segments else None
    return HeardTurn(tuple(names), first, max(silences, default=0.0))


Event = Callable[[], Coroutine[Any, Any, None]]


@dataclass(frozen=True)
class Call:
    """A call's turns.

    Attributes:
        understood: Turns for which the caller received a transcript of its speech.
        finals: Final transcripts that the caller received; a turn may have several.
        error: Why the call failed.
    """

    turns: list[HeardTurn]
    understood: int
    finals: int
    error: str | None


async def make_call(testbed: Testbed, room: str, leads: Sequence[float], events: Mapping[int, Event]) -> Call:
    """Say the same sentence in each turn.

    Args:
        testbed: Where to call.
        room: The room to create.
        leads: Silence before the caller speaks, for each turn, seconds.
        events: What happens when a turn (from 0) starts.
    """
    recording = Recording()
    turns: list[tuple[Turn, float]] = []
    started: list[asyncio.Task[None]] = []

    def on_turn(turn: Turn) -> None:
        turns.append((turn, recording.frames[-1][0] if recording.frames else turn.last_sent))
        if event := events.get(len(turns)):
            started.append(asyncio.create_task(event()))

    error = await calls.make_call(
        testbed.ports.livekit_url,
        room,
        [await clip_after_silence(lead, testbed.folder) for lead in leads],
        on_turn,
        recording=recording,
        greeting_wait=0,
        reply_timeout=testbed.reply_timeout,
        turn_timeout=_TURN_TIMEOUT_S,
        agent_timeout=_AGENT_TIMEOUT_S,
    )
    await asyncio.gather(*started)
    tones = dict(zip(_TONES, tone_segments(recording.frames, list(_TONES.values())), strict=True))
    heard = [heard_turn(turn, end, tones) for turn, end in turns]
    finals = [part for turn, _ in turns for part in turn.caller_transcripts if part.final]
    return Call(heard, sum(bool(turn.understood) for turn, _ in turns), len(finals), error)
