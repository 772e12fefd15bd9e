"""Checks of a call in which something failed: replies, silence, log, metrics, usage counts."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from benchmarks.reliability.calls import Call, HeardTurn
from benchmarks.reliability.provider_faults import FAST, MAIN, PROVIDERS
from benchmarks.reliability.testbed import CALLER_SAYS, SECRETS

_MAX_SILENCE_S = 6.0
_STT_TOLERANCE_S = 2.0
"""Worker and provider may count a connection differently, because each notices a broken one at a different time."""
_STT_TOLERANCE_OF_BROKEN = 0.1
STT_TOLERANCE = 0.02
"""The same as a share of the counted seconds."""
_BUSY_MACHINE_MESSAGES = (
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
    """What a call leaves behind.

    Attributes:
        call: What the caller heard.
        log: What the workers logged.
        counted: Increase of the worker's metrics.
        seen: Increase of what each provider was asked for.
    """

    call: Call
    log: str
    counted: Mapping[str, float]
    seen: Mapping[str, Counter[str]]


@dataclass(frozen=True)
class Expectation:
    """What must hold in a case.

    Attributes:
        failing: Turns (from 0) in which something fails.
        errors: Components of ``livekit_errors_total`` that must show it.
        unnoticed: Metrics and log need not show it, because it harms no caller.
        loses_usage: Usage cannot be known exactly, because the provider's report of it is lost.
        uncounted: The counters do not survive it, or cannot be read.
        silence: Longest silence that is allowed in a failing turn, seconds.
        agent_lost: The caller may have to speak again: a turn in which the agent dies has no reply.
        late_words: The recogniser may deliver words after the caller has left. They are a turn, and reach no caller.
    """

    failing: tuple[int, ...] = ()
    errors: tuple[str, ...] = ()
    unnoticed: bool = False
    loses_usage: bool = False
    uncounted: bool = False
    silence: float = _MAX_SILENCE_S
    agent_lost: bool = False
    late_words: bool = False


@dataclass(frozen=True)
class CaseResult:
    """A row of the table.

    Attributes:
        heard: What the caller heard in the failing turns.
        silence: Longest silence in them, seconds.
        logged: First line of the log about it.
        metric: Errors that were counted.
        problems: What does not hold.
        meaningful: Whether the first turn, in which nothing fails, was good; on a machine that is too busy it is not.
    """

    heard: str
    silence: float
    logged: str
    metric: str
    problems: list[str] = field(default_factory=list)
    meaningful: bool = True


def check(evidence: Evidence, expected: Expectation) -> CaseResult:
    """Compare what a call left behind with what must hold."""
    turns, lines = evidence.call.turns, warnings_in(evidence.log)
    errors = {each.name: _sum(evidence, "livekit_errors_total", each.name) for each in PROVIDERS}
    failing = [turns[number] for number in expected.failing if number < len(turns)]
    return CaseResult(
        heard="; ".join(_heard(turn) for turn in failing or turns[1:]),
        silence=max((turn.longest_silence for turn in (failing or turns)), default=0.0),
        logged=next(iter(lines), ""),
        metric=", ".join(f"{name} {count:g}" for name, count in errors.items() if count),
        problems=list(_problems(evidence, expected, lines, errors)),
        meaningful=bool(turns) and not problems_of_good_turn(0, turns[0]),
    )


def _problems(
    evidence: Evidence, expected: Expectation, lines: list[str], errors: Mapping[str, float]
) -> Iterator[str]:
    if evidence.call.error:
        yield evidence.call.error
    for number, turn in enumerate(evidence.call.turns):
        is_failing = number in expected.failing
        yield from _problems_of_turn(number, turn, expected) if is_failing else problems_of_good_turn(number, turn)
    yield from (f"in the log: {secret!r}" for secret in _NEVER_LOGGED if secret.lower() in evidence.log.lower())
    if not expected.unnoticed:
        if not lines:
            yield "nothing in the log"
        yield from (f"no error of {name} is counted" for name in expected.errors if not errors[name])
    if not expected.uncounted:
        yield from count_differences(evidence, expected.loses_usage, late_words=expected.late_words)


def _problems_of_turn(number: int, turn: HeardTurn, expected: Expectation) -> list[str]:
    problems = []
    if turn.longest_silence > expected.silence:
        problems.append(f"turn {number + 1}: {turn.longest_silence:.1f} s of silence")
    if not turn.replied and not expected.agent_lost:
        problems.append(f"turn {number + 1}: no reply")
    return problems


def problems_of_good_turn(number: int, turn: HeardTurn) -> list[str]:
    """Check a turn in which nothing fails; after the main model has failed, the fast one may still answer it."""
    problems = _problems_of_turn(number, turn, Expectation())
    if turn.replied and not {"answer", "stand-in"} & set(turn.heard):
        problems.append(f"turn {number + 1}: nothing fails in it, and no answer")
    return problems


def _heard(turn: HeardTurn) -> str:
    heard = ", ".join(turn.heard) or "nothing"
    return heard if turn.first is None else f"{heard} after {turn.first:.1f} s"


def warnings_in(log: str) -> list[str]:
    """Return warnings and errors that are not about a busy machine, without tracebacks."""
    lines = log.splitlines()
    entries = [json.loads(line) for line in lines if line.startswith("{")]
    messages = [str(entry["message"]) for entry in entries if entry.get("level") in ("WARNING", "ERROR", "CRITICAL")]
    messages += [line for line in lines if line.startswith("agent-worker: ")]  # of a process that has lost its worker
    return [
        message.splitlines()[0] for message in messages if message and not message.startswith(_BUSY_MACHINE_MESSAGES)
    ]


def count_differences(
    evidence: Evidence,
    loses_usage: bool,
    stt_tolerance: float = _STT_TOLERANCE_OF_BROKEN,
    *,
    late_words: bool = False,
) -> list[str]:
    """Return the differences between the worker's counters and what the providers saw."""
    seen, call = evidence.seen, evidence.call
    turns = _sum(evidence, "livekit_conversation_turns_total")
    most = max(turns, call.finals) if late_words else call.finals
    pairs = [("turns", turns, min(max(turns, call.understood), most), 0.0)]
    if not loses_usage:
        for role, model in (("fast", seen[FAST.name]), ("main", seen[MAIN.name])):
            completed = _sum(evidence, "livekit_llm_requests_total", role, "completed")
            pairs.append((f"{role} requests", completed, model["ended"] - model["refused"], 0.0))
        for kind in ("prompt", "completion"):
            reported = _sum(evidence, "livekit_llm_tokens_total", kind)
            reported -= _sum(evidence, "livekit_estimated_tokens_total", kind)
            billed = sum(seen[model.name][f"{kind}_tokens"] for model in (FAST, MAIN))
            pairs.append((f"{kind} tokens", reported, billed, 0.0))
        pairs.append(("characters", _sum(evidence, "livekit_tts_chars_total"), seen["tts"]["characters"], 0.0))
        seconds = seen["stt"]["billed_milliseconds"] / 1000
        tolerance = max(_STT_TOLERANCE_S, stt_tolerance * seconds)
        pairs.append(("seconds of speech", _sum(evidence, "livekit_stt_duration_seconds_total"), seconds, tolerance))
    return [
        f"{name}: counted {ours:.6g}, the provider saw {theirs:.6g}"
        for name, ours, theirs, tolerance in pairs
        if abs(ours - theirs) > tolerance
    ]


def _sum(evidence: Evidence, name: str, *labels: str) -> float:
    """Return a counter's increase over all series that have these label values."""
    return sum(
        value
        for key, value in evidence.counted.items()
        if key.split("[")[0] == name and all(f"[{label}]" in key for label in labels)
    )
