"""Did the call hold what is promised, whatever failed in it?"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

from benchmarks.reliability.calls import Call, HeardTurn
from benchmarks.reliability.faults import FAST, MAIN, PARTS
from benchmarks.reliability.world import CALLER_SAYS, SECRETS

LONGEST_SILENCE = 6.0
#: Seconds that connections may be counted longer or shorter than the provider has them, and share of them: both ends
#: see a broken one end at times of their own.
_STT_TOLERANCE = 2.0
STT_SHARE_OF_BROKEN = 0.1
STT_SHARE = 0.02
#: Of a busy machine, not of what fails.
_MACHINE = (
    "event loop blocked",
    "VAD inference is slower",
    "no warmed process",
    "error initializing",
    "timed out waiting",
    "livekit_ffi::",
    "eot prediction timed out",
    "transcript arrives after turn",
)
_NEVER_LOGGED = (*SECRETS.values(), CALLER_SAYS, CALLER_SAYS.rstrip("?").lower(), "answer is at nine", "quick look")


@dataclass(frozen=True)
class Evidence:
    """What is left of a call: what was heard, logged and counted, and what the providers saw."""

    call: Call
    log: str
    counted: Mapping[str, float]
    seen: Mapping[str, Counter[str]]


@dataclass(frozen=True)
class Expectation:
    """
    Attributes:
        failing: Turns (from 0) in which something fails.
        errors: Components of ``livekit_errors_total`` that have to show it.
        unnoticed: It need not be in the metrics, or the log, because nobody is worse off.
        loses_usage: What was used cannot be known exactly, because the provider's word of it is lost.
        uncounted: The counters do not survive it, or are not there to be looked at.
        silence: The longest that is allowed in a failing turn, seconds.
        agent_lost: The caller may have to speak again: a turn in which the agent dies has no reply.
    """

    failing: tuple[int, ...] = ()
    errors: tuple[str, ...] = ()
    unnoticed: bool = False
    loses_usage: bool = False
    uncounted: bool = False
    silence: float = LONGEST_SILENCE
    agent_lost: bool = False


@dataclass(frozen=True)
class Verdict:
    heard: str
    silence: float
    logged: str
    metric: str
    problems: list[str] = field(default_factory=list)
    meaningful: bool = True
    """Whether all was well in the first turn, before anything failed. On a machine that is too busy it is not."""


def judge(evidence: Evidence, expected: Expectation) -> Verdict:
    turns = evidence.call.turns
    problems = [evidence.call.error] if evidence.call.error else []
    for number, turn in enumerate(turns):
        if number in expected.failing:
            problems += _problems_of(number, turn, expected)
        else:
            problems += problems_of_sound_turn(number, turn)
    lines = log_lines(evidence.log)
    problems += [f"in the log: {secret!r}" for secret in _NEVER_LOGGED if secret.lower() in evidence.log.lower()]
    errors = {part: evidence.counted.get(f"livekit_errors_total[{part}]", 0) for part in (p.name for p in PARTS)}
    metric = ", ".join(f"{part} {count:g}" for part, count in errors.items() if count)
    if not expected.unnoticed:
        problems += [] if lines else ["nothing in the log"]
        problems += [f"no error of {part} is counted" for part in expected.errors if not errors[part]]
    if not expected.uncounted:
        problems += uncounted(evidence, expected.loses_usage)
    failing = [turns[number] for number in expected.failing if number < len(turns)]
    return Verdict(
        heard="; ".join(_words(turn) for turn in failing) or "; ".join(_words(turn) for turn in turns[1:]),
        silence=max((turn.longest_silence for turn in (failing or turns)), default=0.0),
        logged=next(iter(lines), ""),
        metric=metric,
        problems=problems,
        meaningful=bool(turns) and not problems_of_sound_turn(0, turns[0]),
    )


def _problems_of(number: int, turn: HeardTurn, expected: Expectation) -> list[str]:
    name = f"turn {number + 1}"
    problems = []
    if turn.longest_silence > expected.silence:
        problems.append(f"{name}: {turn.longest_silence:.1f} s of silence")
    if not turn.replied and not expected.agent_lost:
        problems.append(f"{name}: no reply")
    return problems


def problems_of_sound_turn(number: int, turn: HeardTurn) -> list[str]:
    """One in which nothing fails. After the main model has failed, the fast one may answer once more."""
    problems = _problems_of(number, turn, Expectation())
    if turn.replied and not {"answer", "stand-in"} & set(turn.heard):
        problems.append(f"turn {number + 1}: nothing fails in it, and no answer")
    return problems


def _words(turn: HeardTurn) -> str:
    heard = ", ".join(turn.heard) or "nothing"
    return heard if turn.first is None else f"{heard} after {turn.first:.1f} s"


def log_lines(log: str) -> list[str]:
    """Warnings and errors about what has failed, without their tracebacks."""
    lines = log.splitlines()
    entries = [json.loads(line) for line in lines if line.startswith("{")]
    messages = [str(entry["message"]) for entry in entries if entry.get("level") in ("WARNING", "ERROR", "CRITICAL")]
    messages += [line for line in lines if line.startswith("agent-worker: ")]  # what has no worker to log it
    return [message.splitlines()[0] for message in messages if message and not message.startswith(_MACHINE)]


def uncounted(evidence: Evidence, loses_usage: bool, stt_share: float = STT_SHARE_OF_BROKEN) -> list[str]:
    """Where the worker's counters and the providers' differ."""
    counted, seen = evidence.counted, evidence.seen

    def of(name: str, *labels: str) -> float:
        wanted = [f"[{label}]" for label in labels]
        return sum(
            value for key, value in counted.items() if key.split("[")[0] == name and all(w in key for w in wanted)
        )

    turns = of("livekit_conversation_turns_total")
    pairs = [("turns", turns, min(max(turns, evidence.call.understood), evidence.call.finals), 0.0)]
    for part in (FAST, MAIN):
        role = part.name.removesuffix("_llm")
        answered = seen[part.name]["ended"] - seen[part.name]["refused"]
        if not loses_usage:
            pairs.append((f"{role} requests", of("livekit_llm_requests_total", role, "completed"), answered, 0.0))
    if not loses_usage:
        for kind in ("prompt", "completion"):
            told = of("livekit_llm_tokens_total", kind) - of("livekit_estimated_tokens_total", kind)
            pairs.append((f"{kind} tokens", told, sum(seen[part.name][f"{kind}_tokens"] for part in (FAST, MAIN)), 0.0))
        pairs.append(("characters", of("livekit_tts_chars_total"), seen["tts"]["characters"], 0.0))
        seconds = seen["stt"]["billed_milliseconds"] / 1000
        pairs.append(
            (
                "seconds of speech",
                of("livekit_stt_duration_seconds_total"),
                seconds,
                max(_STT_TOLERANCE, stt_share * seconds),
            )
        )
    return [
        f"{name}: counted {ours:.6g}, the provider saw {theirs:.6g}"
        for name, ours, theirs, tolerance in pairs
        if abs(ours - theirs) > tolerance
    ]
