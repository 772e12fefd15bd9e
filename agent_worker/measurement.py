"""From the session's events to metrics and turn records."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from livekit.agents import (
    AgentSession,
    AgentStateChangedEvent,
    ChatMessage,
    CloseEvent,
    ConversationItemAddedEvent,
)
from livekit.agents import metrics as lk_metrics

from agent_worker import metrics
from agent_worker.preresponse import EXTRA_KEY
from agent_worker.stack import VoiceStack


@dataclass(frozen=True)
class TurnRecord:
    """One reply of the agent and the caller's words it replies to.

    Delays are in seconds and ``None`` where they were not measured, as for the greeting or text input.
    """

    caller: str | None
    preresponse: str | None
    answer: str
    interrupted: bool
    transcription_delay: float | None
    """Caller's last voice to the final transcript."""
    end_of_turn_delay: float | None
    """Caller's last voice to the decision that the turn has ended."""
    response_delay: float | None
    """Caller's last voice to the agent's first audio."""


def measure(
    session: AgentSession[None], stack: VoiceStack, on_turn: Callable[[TurnRecord], None] | None = None
) -> None:
    """Count everything that happens in a session, from now to its end.

    Call it before ``session.start``. Each component reports what it used itself: the session knows nothing
    of the fast model.
    """
    stack.main_llm.on("metrics_collected", _on_main_llm)
    stack.fast_llm.on("metrics_collected", _on_llm)
    stack.stt.on("metrics_collected", _on_stt)
    stack.tts.on("metrics_collected", _on_tts)
    _count_active(session)

    caller_message: ChatMessage | None = None

    @session.on("conversation_item_added")
    def _on_item(event: ConversationItemAddedEvent) -> None:
        nonlocal caller_message
        if not isinstance(event.item, ChatMessage):
            return
        if event.item.role == "user":
            caller_message = event.item
            _on_caller_message(event.item)
        elif event.item.role == "assistant":
            record = turn_record(caller_message, event.item)
            caller_message = None
            if record.response_delay is not None:
                metrics.TOTAL_LATENCY.set(record.response_delay * 1000)
            if on_turn is not None:
                on_turn(record)


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


def _on_caller_message(message: ChatMessage) -> None:
    metrics.TURNS.inc()
    if (delay := message.metrics.get("transcription_delay")) is not None:
        metrics.STT_DURATION.set(delay * 1000)
    if (delay := message.metrics.get("end_of_turn_delay")) is not None:
        metrics.EOU_DELAY.set(delay * 1000)


def turn_record(caller: ChatMessage | None, reply: ChatMessage) -> TurnRecord:
    text = reply.text_content or ""
    preresponse = reply.extra.get(EXTRA_KEY)
    if preresponse and not text.startswith(preresponse):
        preresponse, text = text.strip() or None, ""  # interrupted before it was spoken to its end
    caller_metrics = caller.metrics if caller else {}
    return TurnRecord(
        caller=caller.text_content if caller else None,
        preresponse=preresponse,
        answer=text.removeprefix(preresponse or "").strip(),
        interrupted=reply.interrupted,
        transcription_delay=caller_metrics.get("transcription_delay"),
        end_of_turn_delay=caller_metrics.get("end_of_turn_delay"),
        response_delay=reply.metrics.get("e2e_latency"),
    )
