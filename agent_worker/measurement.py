"""From the session's events to metrics."""

from __future__ import annotations

from collections.abc import Callable

from livekit.agents import (
    AgentSession,
    AgentStateChangedEvent,
    ChatMessage,
    CloseEvent,
    ConversationItemAddedEvent,
)
from livekit.agents import metrics as lk_metrics

from agent_worker import metrics
from agent_worker.stack import VoiceStack
from agent_worker.turns import TurnRecord, TurnRecorder


def measure(
    session: AgentSession[None], stack: VoiceStack, on_turn: Callable[[TurnRecord], None] | None = None
) -> TurnRecorder:
    """Count everything that happens in a session, from now to its end.

    Call it before ``session.start``, and the returned recorder's ``watch`` after it. Each component reports
    what it used itself: the session knows nothing of the fast model.
    """
    stack.main_llm.on("metrics_collected", _on_main_llm)
    stack.fast_llm.on("metrics_collected", _on_llm)
    stack.stt.on("metrics_collected", _on_stt)
    stack.tts.on("metrics_collected", _on_tts)
    _count_active(session)

    @session.on("conversation_item_added")
    def _on_item(event: ConversationItemAddedEvent) -> None:
        if isinstance(event.item, ChatMessage) and event.item.role == "user":
            metrics.TURNS.inc()

    def _on_turn(record: TurnRecord) -> None:
        _on_turn_record(record)
        if on_turn is not None:
            on_turn(record)

    return TurnRecorder(session, _on_turn)


def _on_main_llm(event: lk_metrics.LLMMetrics) -> None:
    if not event.cancelled:
        metrics.LLM_DURATION.set(event.duration * 1000)
    _on_llm(event)


def _on_llm(event: lk_metrics.LLMMetrics) -> None:
    metrics.count_llm_tokens(event.prompt_tokens, event.completion_tokens)


def _on_stt(event: lk_metrics.STTMetrics) -> None:
    metrics.count_stt_audio(event.audio_duration)


def _on_tts(event: lk_metrics.TTSMetrics) -> None:
    if not event.cancelled:
        metrics.TTS_DURATION.set(event.duration * 1000)
    metrics.count_tts_chars(event.characters_count)


def _count_active(session: AgentSession[None]) -> None:
    counted = False

    @session.once("agent_state_changed")  # not before: a session that fails to start never closes
    def _on_started(_: AgentStateChangedEvent) -> None:
        nonlocal counted
        metrics.ACTIVE_CONVERSATIONS.inc()
        counted = True

    @session.once("close")
    def _on_closed(_: CloseEvent) -> None:
        if counted:
            metrics.ACTIVE_CONVERSATIONS.dec()


def _on_turn_record(record: TurnRecord) -> None:
    for gauge, seconds in (
        (metrics.STT_DURATION, record.transcription_delay),
        (metrics.EOU_DELAY, record.end_of_turn_delay),
        (metrics.TOTAL_LATENCY, record.response_gap),
    ):
        if seconds is not None:
            gauge.set(seconds * 1000)
