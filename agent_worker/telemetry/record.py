"""The record of one turn: what was said, and when, from the caller's last voice to the end of the reply.

``docs/turn-record.schema.json`` is generated from these classes, and the page's TypeScript type from that.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timezone
from itertools import takewhile
from typing import Any

from livekit.agents import ChatMessage

from agent_worker.telemetry.trace import PRERESPONSE_EXTRA_KEY, TurnTrace


@dataclass(frozen=True)
class TurnTimestamps:
    """When each event of a turn happened: seconds after ``last_voice``, one monotonic clock; ``None`` if it did not.

    Without a caller's voice, as in a greeting or for text input, they count from the first event.
    """

    last_voice: float | None = None
    """End of the caller's last sound (``turn_taking.audio_input.SpeechEndTracker``)."""
    stt_final: float | None = None
    """Final transcript."""
    end_of_turn: float | None = None
    """Decision that the caller has finished."""
    fast_request: float | None = None
    """Request to the fast model."""
    fast_first_token: float | None = None
    """First token of the fast model."""
    fast_first_audio: float | None = None
    """First audio of the pre-response, whatever its source."""
    main_request: float | None = None
    """Request to the main model."""
    main_first_token: float | None = None
    """First token of the main model."""
    main_first_audio: float | None = None
    """First audio of the answer."""
    preresponse_start: float | None = None
    """Playout of the pre-response begins: its first frame goes to LiveKit."""
    preresponse_end: float | None = None
    """Playout of the pre-response, and of the fillers before the answer, ends."""
    answer_start: float | None = None
    """Playout of the answer begins."""
    answer_end: float | None = None
    """Playout of the answer ends."""
    interruption: float | None = None
    """Playout ends because the caller spoke."""


@dataclass
class Usage:
    """What the whole call has used so far, this turn included."""

    prompt_tokens: int = 0
    """Tokens of both models' prompts."""
    completion_tokens: int = 0
    """Tokens of both models' completions."""
    reasoning_tokens: int = 0
    """Those of the completion tokens that were reasoning, which nobody hears."""
    stt_seconds: float = 0.0
    """Billed speech recognition, seconds of audio."""
    tts_characters: int = 0
    """Characters sent to speech synthesis."""
    cost_usd: float = 0.0
    """Cost at the current prices (docs/costs.md), US dollars."""


@dataclass(frozen=True)
class CallIdentity:
    """Which call a turn belongs to, and what ran it."""

    id: str
    """Id of the call: the name of the room if the page made it, which the page shows; otherwise LiveKit's id of it."""
    room: str
    """Name of the room."""
    worker: str | None
    """Host name of the worker; in a container, that of the container or pod. ``None`` in the caller's copy."""
    version: str | None
    """Version of the worker (``AGENT_WORKER_VERSION``). ``None`` in the caller's copy."""
    trace_id: str | None = None
    """Id of the call's OpenTelemetry trace, 32 hexadecimal digits. ``None`` without one, and in the caller's copy."""

    def for_caller(self) -> CallIdentity:
        """Return what a caller may see: nothing of the machine and its software."""
        return dataclasses.replace(self, worker=None, version=None, trace_id=None)


@dataclass(frozen=True)
class TurnRecord:
    """One turn: the caller's words and the agent's reply. Times are seconds; ``None`` where nothing was measured."""

    turn: int
    """Counts from 1 in each call; the greeting is a turn without a caller."""
    strategy: str | None
    """Strategy in force, or ``off``."""
    kind: str | None
    """Intent of the caller's words (``text.intent.Intent``)."""
    caller: str | None
    """Transcript of the caller."""
    preresponse: str | None
    """The pre-response and the fillers as far as they were spoken."""
    preresponse_source: str | None
    """``llm``, ``phrase``, ``filler`` if there was only a filler, or a custom strategy's word."""
    preresponse_move: str | None
    """What the pre-response does (``text.move.Move``), such as ``consent``; ``None`` if that is not known."""
    preresponse_outcome: str | None
    """``spoken``, ``interrupted``, or why there was none: one of ``telemetry.trace.OUTCOMES``."""
    answer: str
    """The answer as far as it was spoken."""
    interrupted: bool
    """Whether the caller interrupted the reply, or spoke on before it began."""
    transcription_delay: float | None
    """Caller's last voice to the final transcript."""
    end_of_turn_delay: float | None
    """Caller's last voice to the decision that the turn has ended."""
    response_gap: float | None
    """Caller's last voice to the agent's first audio."""
    answer_gap: float | None
    """Caller's last voice to the first audio of the main model's answer."""
    instants: TurnTimestamps
    """When each event happened."""
    backchannels: int = 0
    """Listener's sounds of the agent ("mm-hm") before the caller had finished."""
    time: str | None = None
    """Wall clock at instant 0, UTC, in ISO 8601; ``None`` without instants."""
    call: CallIdentity | None = None
    """The call, and what ran it."""
    usage: Usage | None = None
    """Usage of the call; ``None`` for a caller who may not see it (``CALLERS_SEE_USAGE``)."""

    def as_dict(self, *, words: bool = True) -> dict[str, Any]:
        """Return the record for JSON; without ``words`` it holds nothing that the caller or the agent said."""
        record = dataclasses.asdict(self)
        if not words:
            for name in ("caller", "preresponse", "answer"):
                del record[name]
        return record


@dataclass(frozen=True)
class SpeechTimestamps:
    """When the caller fell silent, was transcribed, and was taken to have finished: ``time.monotonic()``, seconds."""

    last_voice: float | None = None
    stt_final: float | None = None
    end_of_turn: float | None = None


@dataclass
class Playout:
    """The playout of one segment of the reply: ``time.monotonic()``, seconds."""

    start: float
    end: float | None = None


@dataclass(frozen=True)
class SpokenReply:
    """The text of a reply as far as it was spoken.

    Attributes:
        preresponse: The pre-response; ``None`` if not a word of it was spoken.
        answer: The rest.
        is_preresponse_complete: Whether the pre-response was spoken to its end.
    """

    preresponse: str | None
    answer: str
    is_preresponse_complete: bool


def turn_record(
    turn: int,
    caller: ChatMessage | None,
    replies: Sequence[ChatMessage],
    playouts: Sequence[Playout],
    trace: TurnTrace | None,
    speech: SpeechTimestamps | None = None,
    interrupted: bool = False,
    backchannels: int = 0,
    wall_clock_offset_s: float = 0.0,
) -> TurnRecord:
    """Convert what was observed of a turn to its record.

    Args:
        turn: Number of the turn.
        caller: The caller's message.
        replies: The agent's messages.
        playouts: The playout of each segment that was heard.
        trace: The engine's trace; ``None`` for an agent without the engine.
        speech: The caller's timestamps, taken when the turn ended.
        interrupted: Whether the caller interrupted the reply.
        backchannels: Listener's sounds of the agent before the caller had finished.
        wall_clock_offset_s: ``time.time()`` less ``time.monotonic()``.
    """
    spoken = split_reply(replies, trace.fillers if trace else ())
    was_decided = trace is not None and trace.outcome == "spoken"
    # A pre-response that was interrupted in its first moment was heard, but no word of it is in the history.
    has_preresponse = spoken.preresponse is not None or (was_decided and not spoken.answer)
    is_heard = bool(playouts) and has_preresponse
    absolute = _timestamps(speech or SpeechTimestamps(), playouts, trace, is_heard, interrupted)
    zero = _zero(absolute)
    instants = _relative(absolute, zero or 0.0)
    return TurnRecord(
        turn=turn,
        strategy=trace.strategy if trace else None,
        kind=trace.intent if trace else None,
        caller=caller.text_content if caller else None,
        preresponse=spoken.preresponse,
        preresponse_source=trace.source if trace else None,
        preresponse_move=trace.move if trace else None,
        preresponse_outcome=_outcome(trace, is_heard or spoken.preresponse is not None, spoken.is_preresponse_complete),
        answer=spoken.answer,
        interrupted=interrupted,
        transcription_delay=_since_last_voice(instants, instants.stt_final),
        end_of_turn_delay=_since_last_voice(instants, instants.end_of_turn),
        response_gap=_since_last_voice(instants, instants.preresponse_start, instants.answer_start),
        answer_gap=_since_last_voice(instants, instants.answer_start),
        instants=instants,
        backchannels=backchannels,
        time=None if zero is None else _iso_utc(zero + wall_clock_offset_s),
    )


def split_reply(replies: Sequence[ChatMessage], fillers: Collection[str]) -> SpokenReply:
    """Split the agent's messages of a turn into pre-response and answer.

    Args:
        replies: The messages, as far as they were spoken.
        fillers: What was said while a tool or the main model took long: it counts as pre-response.
    """
    preresponse: list[str] = []
    is_complete = False
    answer: list[str] = []
    for reply in replies:
        text = reply.text_content or ""
        filler = next((filler for filler in fillers if text.strip() and filler.startswith(text.strip())), None)
        expected = reply.extra.get(PRERESPONSE_EXTRA_KEY) or filler
        if expected and not text.startswith(expected):
            is_complete = False  # interrupted before its end
            preresponse.append(text.strip())
        elif expected:
            is_complete = True
            preresponse.append(expected)
            answer.append(text.removeprefix(expected).strip())
        else:
            answer.append(text.strip())
    return SpokenReply(" ".join(filter(None, preresponse)) or None, " ".join(filter(None, answer)), is_complete)


def _outcome(trace: TurnTrace | None, is_heard: bool, is_complete: bool) -> str | None:
    if trace is None or trace.outcome != "spoken":
        return trace.outcome if trace else None
    if not is_heard:
        return "inaudible"
    return "spoken" if is_complete else "interrupted"


def _timestamps(
    speech: SpeechTimestamps,
    playouts: Sequence[Playout],
    trace: TurnTrace | None,
    has_preresponse: bool,
    interrupted: bool,
) -> TurnTimestamps:
    trace = trace or TurnTrace()
    lead = _lead(playouts, trace) if has_preresponse else []
    answer = playouts[len(lead) :]
    return TurnTimestamps(
        last_voice=speech.last_voice,
        stt_final=speech.stt_final,
        end_of_turn=speech.end_of_turn,
        fast_request=trace.fast_request,
        fast_first_token=trace.fast_first_token,
        fast_first_audio=trace.fast_first_audio,
        main_request=trace.main_request,
        main_first_token=trace.main_first_token,
        main_first_audio=trace.main_first_audio,
        preresponse_start=lead[0].start if lead else None,
        preresponse_end=lead[-1].end if lead else None,
        answer_start=answer[0].start if answer else None,
        answer_end=answer[-1].end if answer else None,
        interruption=playouts[-1].end if interrupted and playouts else None,
    )


def _lead(playouts: Sequence[Playout], trace: TurnTrace) -> Sequence[Playout]:
    """Return the playouts of the pre-response and of the fillers before the answer."""
    before_answer = list(
        takewhile(lambda playout: trace.main_first_audio is None or playout.start < trace.main_first_audio, playouts)
    )
    return playouts[: min(max(1, trace.lead_segments), max(1, len(before_answer)))]


def _zero(absolute: TurnTimestamps) -> float | None:
    """Return the caller's last voice, or else the first event: ``time.monotonic()``, seconds."""
    found = [value for value in dataclasses.asdict(absolute).values() if value is not None]
    return absolute.last_voice or min(found, default=None)


def _relative(absolute: TurnTimestamps, zero: float) -> TurnTimestamps:
    """Count from ``zero``."""
    found = {name: value for name, value in dataclasses.asdict(absolute).items() if value is not None}
    return dataclasses.replace(absolute, **{name: round(value - zero, 4) for name, value in found.items()})


def _iso_utc(wall_clock: float) -> str:
    return datetime.fromtimestamp(wall_clock, timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _since_last_voice(instants: TurnTimestamps, *candidates: float | None) -> float | None:
    """Return the first instant that there is, if the caller was heard."""
    if instants.last_voice is None:
        return None
    return next((value for value in candidates if value is not None), None)
