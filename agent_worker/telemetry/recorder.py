"""Watch a session and make the record of each turn."""

from __future__ import annotations

import time
from collections.abc import Callable
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

from agent_worker.telemetry.events import TracedAgent
from agent_worker.telemetry.record import Playout, SpeechTimestamps, TurnRecord, turn_record
from agent_worker.telemetry.trace import TurnTrace, monotonic_from_wall_clock
from agent_worker.turn_taking.audio_input import SpeechEndTracker


@dataclass
class _OpenTurn:
    """A turn whose reply has not ended.

    Attributes:
        caller_spoke: Whether the caller spoke while the reply was awaited or heard.
        is_withdrawn: Whether the caller went on after all: the turn that follows is this one.
        is_held: Whether it is not known yet if a person speaks.
        backchannels: Listener's sounds of the agent before the caller had finished.
    """

    caller: ChatMessage | None = None
    speech: SpeechTimestamps = field(default_factory=SpeechTimestamps)
    agent: Agent | None = None
    replies: list[ChatMessage] = field(default_factory=list)
    playouts: list[Playout] = field(default_factory=list)
    caller_spoke: bool = False
    is_withdrawn: bool = False
    is_held: bool = False
    backchannels: int = 0

    @property
    def goes_on(self) -> bool:
        """Whether the turn that follows is this one, or this is none."""
        return self.is_withdrawn or self.is_held

    @property
    def is_interrupted(self) -> bool:
        """Whether the caller ended the reply: it also ends early when the voice fails or the caller hangs up."""
        return self.caller_spoke and (not self.replies or any(reply.interrupted for reply in self.replies))

    @property
    def is_playing(self) -> bool:
        return bool(self.playouts) and self.playouts[-1].end is None

    @property
    def trace(self) -> TurnTrace | None:
        """The trace of the agent that the caller spoke to: another agent may have ended the turn."""
        return self.agent.trace(self.caller.id) if self.caller and isinstance(self.agent, TracedAgent) else None


class TurnRecorder:
    """Call ``on_turn`` with the record of each turn, once its reply has ended.

    Make it before ``session.start`` and call ``watch_audio`` after it.
    """

    def __init__(self, session: AgentSession[Any], on_turn: Callable[[TurnRecord], None]) -> None:
        self._session = session
        self._on_turn = on_turn
        self._turns = 0
        self._backchannels = 0
        self._is_holding = False
        self._speech_end: SpeechEndTracker | None = None
        self._open = _OpenTurn()
        session.on("conversation_item_added", self._on_item)
        session.on("agent_state_changed", self._on_agent_state)
        session.on("user_state_changed", self._on_user_state)
        session.on("close", lambda _: self._finish())

    def watch_audio(self, output: io.AudioOutput | None, speech_end: SpeechEndTracker | None = None) -> None:
        """Take the playout from ``output`` and the end of the caller's last sound from ``speech_end``."""
        self._speech_end = speech_end
        if output is not None:
            output.on("playback_started", self._on_playback_started)
            output.on("playback_finished", self._on_playback_finished)

    def withdraw(self, message_id: str) -> None:
        """Make no record of the turn with this message of the caller: it goes on."""
        if self._open.caller is not None and self._open.caller.id == message_id:
            self._open.is_withdrawn = True

    def hold(self) -> None:
        """Make no record of what is said from now on, unless :meth:`release` follows."""
        self._is_holding = True

    def release(self) -> None:
        """Make one turn of what was said meanwhile."""
        self._is_holding = self._open.is_held = False

    def on_backchannel(self, _text: str, _seconds: float) -> None:
        """Count a listener's sound of the agent: it belongs to the turn that the caller has not finished."""
        self._backchannels += 1

    def _on_playback_started(self, event: io.PlaybackStartedEvent) -> None:
        self._open.playouts.append(Playout(monotonic_from_wall_clock(event.created_at)))

    def _on_playback_finished(self, _: io.PlaybackFinishedEvent) -> None:
        if self._open.is_playing:
            self._open.playouts[-1].end = time.monotonic()

    def _on_item(self, event: ConversationItemAddedEvent) -> None:
        item = event.item
        if not isinstance(item, ChatMessage):
            return
        if item.role == "user":
            self._finish()
            if self._open.goes_on:
                self._open = _OpenTurn(backchannels=self._open.backchannels)
            self._open.is_held = self._is_holding
            self._open.backchannels += self._backchannels
            self._backchannels = 0
            self._open.caller, self._open.agent = item, self._session.current_agent
            # Now: the levels of the audio are kept for seconds only, and the wall clock may be set later.
            self._open.speech = speech_timestamps(item, self._speech_end)
        elif item.role == "assistant":
            self._open.replies.append(item)
            if self._session.agent_state == "listening":
                self._finish()

    def _on_agent_state(self, event: AgentStateChangedEvent) -> None:
        # A paused playout has no end before it is clear whether the caller interrupts.
        if event.new_state == "listening" and self._open.replies and not self._open.is_playing:
            self._finish()

    def _on_user_state(self, event: UserStateChangedEvent) -> None:
        if event.new_state == "speaking" and self._session.agent_state in ("thinking", "speaking"):
            self._open.caller_spoke = True

    def _finish(self) -> None:
        if self._open.goes_on:
            return
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
                turn.trace,
                turn.speech,
                interrupted=turn.is_interrupted,
                backchannels=turn.backchannels,
                wall_clock_offset_s=time.time() - time.monotonic(),
            )
        )


def speech_timestamps(caller: ChatMessage, speech_end: SpeechEndTracker | None = None) -> SpeechTimestamps:
    """Return the timestamps of the caller's turn.

    livekit-agents counts its delays from the last voice that the voice activity detector reported.

    Args:
        caller: The caller's message with livekit's metrics.
        speech_end: Corrects the detector's last voice to the last sound.
    """
    stopped_at = caller.metrics.get("stopped_speaking_at")
    if stopped_at is None:
        return SpeechTimestamps()
    detected = monotonic_from_wall_clock(stopped_at)
    transcription_delay = caller.metrics.get("transcription_delay")
    end_of_turn_delay = caller.metrics.get("end_of_turn_delay")
    return SpeechTimestamps(
        last_voice=speech_end.last_audible(detected) if speech_end else detected,
        stt_final=None if transcription_delay is None else detected + transcription_delay,
        end_of_turn=None if end_of_turn_delay is None else detected + end_of_turn_delay,
    )
