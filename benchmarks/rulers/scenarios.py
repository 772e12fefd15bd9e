"""What voicebench plays: scenarios in its own format, spoken by the clips of the other benchmarks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks.harness.clips import UTTERANCES
from caller.audio import audible_part, read_wav

_SETTLE_MS = 5000
"""From joining to the first turn."""
_JOIN_MS = 1500
"""Silence of the agent that ends its reply: a pre-response and the answer are one reply."""
_PAUSE_MS = 1000
"""The same where replies are interrupted: longer than between a pre-response and the answer, and shorter than until the
next reply."""
_AFTER_REPLY_MS = 2500
_IN_REPLY_MS = 1200
"""Into a reply of at least 3 s: it would go on for more than the 1 s in which voicebench takes its end for a stop."""
_COUGH_MS = 180
_COUGH = {"synth": "noise", "duration_ms": _COUGH_MS, "level_db": -25}
"""As in the scenario that voicebench ships."""

RESPOND, INTERRUPT = "respond", "interrupt"


def scenarios(clips: Sequence[Path]) -> Mapping[str, dict[str, Any]]:
    """Return the scenarios by name.

    ``respond`` has a turn for each clip. ``interrupt`` is the course of the scenario that voicebench ships: two
    utterances, a barge-in into the second reply, a cough into the next one, and a last question. The first reply is
    left alone, because livekit-agents mutes the recogniser in the first 3 s of the agent's speech in a call.
    """
    spoken = [{"file": str(clip)} for clip in clips]
    respond = [_turn("turn-1", spoken[0], "session_start", _SETTLE_MS)]
    respond += [_turn(f"turn-{i}", clip, "agent_speech_end", _AFTER_REPLY_MS) for i, clip in enumerate(spoken[1:], 2)]
    interrupt = [
        _turn("question", spoken[0], "session_start", _SETTLE_MS),
        _turn("request", spoken[2], "agent_speech_end", _AFTER_REPLY_MS),
        _turn("barge-in", spoken[1], "agent_speech_start", _IN_REPLY_MS, "stop"),
        _turn("cough", _COUGH, "agent_speech_start", _IN_REPLY_MS, "ignore"),
        _turn("last", spoken[4], "agent_speech_end", _AFTER_REPLY_MS),
    ]
    return {RESPOND: _scenario(RESPOND, respond, _JOIN_MS), INTERRUPT: _scenario(INTERRUPT, interrupt, _PAUSE_MS)}


def script(name: str, clips: Sequence[Path]) -> list[dict[str, Any]]:
    """Return what the simulated recogniser hears in a scenario; nothing where it may take any sound for the next text.

    A cough has no words. A recogniser that heard some would make of it the beginning of a turn.
    """
    if name != INTERRUPT:
        return []
    first, second, third, last = (_words(UTTERANCES[index], clips[index]) for index in (0, 2, 1, 4))
    return [first, second, third, {"words": [], "seconds": _COUGH_MS / 1000}, last]


def _words(text: str, clip: Path) -> dict[str, Any]:
    part = audible_part(read_wav(clip))
    assert part
    seconds = part.end - part.start
    return {"words": [{"text": text, "start": 0, "end": seconds / 2}], "seconds": seconds}


def _turn(name: str, audio: Mapping[str, Any], after: str, delay_ms: int, expect: str = "respond") -> dict[str, Any]:
    return {"id": name, "audio": dict(audio), "start": {"after": after, "delay_ms": delay_ms}, "expect": expect}


def _scenario(name: str, turns: Sequence[Mapping[str, Any]], min_silence_ms: int) -> dict[str, Any]:
    vad = {"agent": {"min_silence_ms": min_silence_ms}}
    return {"name": name, "vad": vad, "turns": list(turns), "max_duration_ms": 180_000}
