"""One record for each turn: what was said, and every instant from the caller's last voice to the end of the reply."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from livekit.agents import (
    Agent,
    AgentSession,
    AgentStateChangedEvent,
    ChatMessage,
    ConversationItemAddedEvent,
    UserStateChangedEvent,
)
from livekit.agents.voice import io

from agent_worker.preresponse.agent import EXTRA_KEY, PreResponseAgent
from agent_worker.telemetry.trace import TurnTrace, monotonic_of
from agent_worker.turn_taking.audio_input import SpeechEndTracker


@dataclass(frozen=True)
class TurnTimestamps:
    """When what happened, in seconds after ``last_voice``, all from one monotonic clock; ``None`` if it did not.

    Without a caller's voice, as in a greeting or for text input, they count from the first instant there is.
    """

    last_voice: float | None = None
    """The end of the caller's last sound (:class:`agent_worker.turn_taking.audio_input.SpeechEndTracker`)."""
    stt_final: float | None = None
    end_of_turn: float | None = None
    """The decision that the caller has finished."""
    fast_request: float | None = None
    fast_first_token: float | None = None
    fast_first_audio: float | None = None
    """First audio of the pre-response, whatever it comes from."""
    main_request: float | None = None
    main_first_token: float | None = None
    main_first_audio: float | None = None
    preresponse_start: float | None = None
    """Playout begins: the first frame goes to LiveKit."""
    preresponse_end: float | None = None
    answer_start: float | None = None
    answer_end: float | None = None
    interruption: float | None = None
    """Playout ends because the caller spoke."""


@dataclass
class Usage:
    """What a call has used so far, and what that costs by ``agent_worker.telemetry.pricing``."""

    prompt_tokens: int = 0
    """Of both models, as are the completion tokens."""
    completion_tokens: int = 0
    stt_seconds: float = 0.0
    tts_characters: int = 0
    cost_usd: float = 0.0


@dataclass(frozen=True)
class TurnRecord:
    """One turn: the caller's words and the agent's reply. Seconds; ``None`` where there is nothing to measure."""

    turn: int
    """Counts from 1 in each call; the greeting is a turn without a caller."""
    strategy: str | None
    kind: str | None
    """What the caller's words are, as judged for the pre-response."""
    caller: str | None
    preresponse: str | None
    preresponse_source: str | None
    """``llm`` or ``phrase``."""
    preresponse_outcome: str | None
    """``spoken``, ``interrupted``, or why there was none: one of ``agent_worker.preresponse.OUTCOMES``."""
    answer: str
    interrupted: bool
    """Whether the caller cut the reply off, or spoke on before it began."""
    transcription_delay: float | None
    end_of_turn_delay: float | None
    response_gap: float | None
    """Caller's last voice to the agent's first audio."""
    answer_gap: float | None
    """Caller's last voice to the first audio of the main model's answer."""
    instants: TurnTimestamps
    usage: Usage | None = None
    """Of the whole call, this turn included."""

    def as_dict(self, *, words: bool = True) -> dict[str, Any]:
        """For JSON; without ``words`` it holds nothing that anybody said."""
        record = dataclasses.asdict(self)
        if not words:
            for name in ("caller", "preresponse", "answer"):
                del record[name]
        return record


@dataclass
class Playout:
    start: float
    end: float | None = None


@dataclass
class _OpenTurn:
    caller: ChatMessage | None = None
    heard: dict[str, float | None] = field(default_factory=dict)
    agent: Agent | None = None
    replies: list[ChatMessage] = field(default_factory=list)
    playouts: list[Playout] = field(default_factory=list)
    caller_spoke: bool = False
    """While the reply was awaited or heard."""

    @property
    def interrupted(self) -> bool:
        """By the caller: a reply also ends early, or never begins, when the voice fails or the caller hangs up."""
        return self.caller_spoke and (not self.replies or any(reply.interrupted for reply in self.replies))


class TurnRecorder:
    """Watches a session and calls ``on_turn`` with each turn's record once its reply has ended.

    Make it before ``session.start``; give it what the caller hears and says afterwards.
    """

    def __init__(self, session: AgentSession[Any], on_turn: Callable[[TurnRecord], None]) -> None:
        self._session = session
        self._on_turn = on_turn
        self._turns = 0
        self._heard: SpeechEndTracker | None = None
        self._open = _OpenTurn()
        session.on("conversation_item_added", self._on_item)
        session.on("agent_state_changed", self._on_state)
        session.on("user_state_changed", self._on_caller)
        session.on("close", lambda _: self._finish())

    def watch(self, output: io.AudioOutput | None, heard: SpeechEndTracker | None = None) -> None:
        """From now on take the playout from ``output`` and the end of the caller's last sound from ``heard``."""
        self._heard = heard
        if output is not None:
            output.on("playback_started", self._on_playback_started)
            output.on("playback_finished", self._on_playback_finished)

    def _on_playback_started(self, event: io.PlaybackStartedEvent) -> None:
        self._open.playouts.append(Playout(monotonic_of(event.created_at)))

    def _on_playback_finished(self, _: io.PlaybackFinishedEvent) -> None:
        if self._open.playouts and self._open.playouts[-1].end is None:
            self._open.playouts[-1].end = time.monotonic()

    def _on_item(self, event: ConversationItemAddedEvent) -> None:
        item = event.item
        if not isinstance(item, ChatMessage):
            return
        if item.role == "user":
            self._finish()
            self._open.caller, self._open.agent = item, self._session.current_agent
            # Now, while the audio is remembered, and before anybody sets the clock.
            self._open.heard = speech_timestamps(item, self._heard)
        elif item.role == "assistant":
            self._open.replies.append(item)
            if self._session.agent_state == "listening":
                self._finish()

    def _on_state(self, event: AgentStateChangedEvent) -> None:
        playouts = self._open.playouts
        paused = bool(playouts) and playouts[-1].end is None  # until it is clear whether the caller interrupts
        if event.new_state == "listening" and self._open.replies and not paused:
            self._finish()

    def _on_caller(self, event: UserStateChangedEvent) -> None:
        if event.new_state == "speaking" and self._session.agent_state in ("thinking", "speaking"):
            self._open.caller_spoke = True

    def _finish(self) -> None:
        turn, self._open = self._open, _OpenTurn()
        if turn.caller is None and not turn.replies:
            self._open.playouts = turn.playouts
            return
        self._turns += 1
        self._on_turn(
            turn_record(
                self._turns,
                turn.caller,
                turn.replies,
                turn.playouts,
                _timeline(turn),
                turn.heard,
                turn.interrupted,
            )
        )


def _timeline(turn: _OpenTurn) -> TurnTrace | None:
    """Of the agent that the caller spoke to: another may have ended the turn."""
    return turn.agent.timeline(turn.caller.id) if turn.caller and isinstance(turn.agent, PreResponseAgent) else None


def turn_record(
    turn: int,
    caller: ChatMessage | None,
    replies: Sequence[ChatMessage],
    playouts: Sequence[Playout],
    timeline: TurnTrace | None,
    heard: Mapping[str, float | None] | None = None,
    interrupted: bool = False,
) -> TurnRecord:
    """
    Args:
        heard: What :func:`speech_timestamps` found when the turn ended.
    """
    preresponse, answer, whole = _parts(replies, timeline.filler if timeline else None)
    decided = timeline is not None and timeline.outcome == "spoken"
    # Cut off in its first moment, not a word of it is in the history, and yet it was heard.
    sounded = bool(playouts) and (preresponse is not None or (decided and not answer))
    instants = _instants(heard or {}, playouts, timeline, sounded, interrupted)
    return TurnRecord(
        turn=turn,
        strategy=timeline.strategy if timeline else None,
        kind=timeline.kind if timeline else None,
        caller=caller.text_content if caller else None,
        preresponse=preresponse,
        preresponse_source=timeline.source if timeline else None,
        preresponse_outcome=_outcome(timeline, sounded or preresponse is not None, whole),
        answer=answer,
        interrupted=interrupted,
        transcription_delay=_after_last_voice(instants, instants.stt_final),
        end_of_turn_delay=_after_last_voice(instants, instants.end_of_turn),
        response_gap=_after_last_voice(instants, instants.preresponse_start, instants.answer_start),
        answer_gap=_after_last_voice(instants, instants.answer_start),
        instants=instants,
    )


def _outcome(timeline: TurnTrace | None, heard: bool, whole: bool) -> str | None:
    if timeline is None or timeline.outcome != "spoken":
        return timeline.outcome if timeline else None
    if not heard:
        return "not_heard"
    return "spoken" if whole else "interrupted"


def _parts(replies: Sequence[ChatMessage], filler: str | None) -> tuple[str | None, str, bool]:
    """The pre-response and the answer, as far as they were spoken, and whether the first was to its end."""
    preresponse: str | None = None
    whole = False
    answer: list[str] = []
    for reply in replies:
        text = reply.text_content or ""
        begins_with = reply.extra.get(EXTRA_KEY) or (filler if filler and filler.startswith(text.strip()) else None)
        if begins_with and not text.startswith(begins_with):
            preresponse, text = text.strip() or None, ""  # interrupted before it was spoken to its end
        elif begins_with:
            preresponse, text, whole = begins_with, text.removeprefix(begins_with), True
        answer.append(text.strip())
    return preresponse, " ".join(part for part in answer if part), whole


def speech_timestamps(caller: ChatMessage, audio: SpeechEndTracker | None = None) -> dict[str, float | None]:
    """When the caller fell silent, was understood, and was taken to have finished: ``time.monotonic()``, seconds.

    The framework counts from the detector's last voice.
    """
    if (stopped := caller.metrics.get("stopped_speaking_at")) is None:
        return {}
    detected = monotonic_of(stopped)
    found: dict[str, float | None] = {"last_voice": audio.last_audible(detected) if audio else detected}
    for name, delay in (("stt_final", "transcription_delay"), ("end_of_turn", "end_of_turn_delay")):
        if (seconds := caller.metrics.get(delay)) is not None:
            found[name] = detected + float(seconds)  # type: ignore[arg-type]
    return found


def _instants(
    heard: Mapping[str, float | None],
    playouts: Sequence[Playout],
    timeline: TurnTrace | None,
    has_preresponse: bool,
    interrupted: bool,
) -> TurnTimestamps:
    found = dict(heard)
    if timeline:
        names = {instant.name for instant in dataclasses.fields(TurnTimestamps)}
        found.update({name: value for name, value in vars(timeline).items() if name in names})
    parts = list(playouts)
    if has_preresponse and parts:
        found["preresponse_start"], found["preresponse_end"] = parts[0].start, parts[0].end
        parts = parts[1:]
    if parts:
        found["answer_start"], found["answer_end"] = parts[0].start, parts[-1].end
    if interrupted and playouts:
        found["interruption"] = playouts[-1].end
    known = [value for value in found.values() if value is not None]
    zero = found.get("last_voice") or min(known, default=0.0)
    return TurnTimestamps(**{name: None if value is None else round(value - zero, 4) for name, value in found.items()})


def _after_last_voice(instants: TurnTimestamps, *instant: float | None) -> float | None:
    if instants.last_voice is None:
        return None
    return next((value for value in instant if value is not None), None)
