"""Count what a session goes through: conversations, turns, gaps, pre-responses, interruptions."""

from __future__ import annotations

import dataclasses
from collections import deque
from collections.abc import Callable
from typing import Any, Literal

from livekit.agents import (
    Agent,
    AgentSession,
    AgentStateChangedEvent,
    ChatMessage,
    CloseEvent,
    ConversationItemAddedEvent,
)

from agent_worker.providers.stack import VoiceStack
from agent_worker.telemetry import metrics
from agent_worker.telemetry.events import TracedAgent
from agent_worker.telemetry.pricing import Prices
from agent_worker.telemetry.record import CallIdentity, TurnRecord
from agent_worker.telemetry.recorder import TurnRecorder
from agent_worker.telemetry.trace import AUDIBLE_OUTCOMES, OUTCOMES
from agent_worker.telemetry.tracing import TurnSpans
from agent_worker.telemetry.usage_meter import UsageMeter
from agent_worker.turn_taking.wordless import Wordless

#: A message may be added again, after a later one.
_REMEMBERED_MESSAGES = 64


class SessionMeter:
    """Count what a process's components use and what its sessions go through.

    Args:
        stack: The components. Their usage is counted from now on.
        prices: Their prices.

    Attributes:
        usage_events: Tell of each change of the usage.
    """

    def __init__(self, stack: VoiceStack, prices: Prices) -> None:
        self._usage = UsageMeter(stack, prices)
        self.usage_events = self._usage.events

    def watch(
        self,
        session: AgentSession[Any],
        agent: Agent,
        on_turn: Callable[[TurnRecord], None] = lambda _: None,
        *,
        is_continued: bool = False,
        is_counted: bool = True,
        call: CallIdentity | None = None,
    ) -> TurnRecorder:
        """Count everything in a session from now to its end.

        Call it before ``session.start``, and the returned recorder's ``watch_audio`` after it.

        Args:
            session: The session.
            agent: The agent that starts it.
            on_turn: Receives the record of each turn, with the usage of the call so far.
            is_continued: Whether another agent has begun the conversation, and counted it.
            is_counted: Whether the conversation and its turns count; the usage always does.
            call: The call, for the records.
        """
        create_preresponse_series(agent.strategy_name if isinstance(agent, TracedAgent) else "off")
        if is_counted:
            _count_conversation(session, is_continued=is_continued)

        spans = TurnSpans(session)

        def on_record(record: TurnRecord) -> None:
            if is_counted:
                count_turn(record)
            record = dataclasses.replace(record, call=call, usage=dataclasses.replace(self._usage.usage))
            spans.add(record)
            on_turn(record)

        recorder = TurnRecorder(session, on_record)
        turns = _TurnCounter()
        if is_counted:
            session.on("conversation_item_added", turns.on_item)

        def subscribe(agent: Agent) -> None:
            if isinstance(agent, TracedAgent):
                agent.events.on("usage_unreported", self._usage.add_unreported)
                agent.events.on("wordless_transcript", _count_wordless)
                agent.events.on("answer_replaced", _count_replaced)
                agent.events.on("backchannel_started", _count_backchannel)
                agent.events.on("backchannel_started", recorder.on_backchannel)
                agent.events.on("turn_reopened", turns.on_reopened)
                agent.events.on("turn_reopened", recorder.withdraw)
                for listener in (turns, recorder):
                    agent.events.on("turns_held", listener.hold)
                    agent.events.on("turns_released", listener.release)

        subscribe(agent)
        # A handoff may have brought another agent. Subscribing twice has no effect.
        session.on("conversation_item_added", lambda _: subscribe(session.current_agent))
        return recorder


def count_turn(record: TurnRecord) -> None:
    """Add a turn that is over to the metrics."""
    _observe_stages(record)
    instants = record.instants
    reply = "answer" if instants.preresponse_start is None else "preresponse"
    if record.response_gap is not None:
        metrics.RESPONSE_GAP.labels(reply).observe(record.response_gap)
        metrics.LAST_RESPONSE_GAP_MS.set(record.response_gap * 1000)
    if record.answer_gap is not None:
        metrics.ANSWER_GAP.labels(reply).observe(record.answer_gap)
    if instants.preresponse_end is not None and instants.answer_start is not None:
        metrics.INTER_SEGMENT_GAP.observe(max(0.0, instants.answer_start - instants.preresponse_end))
    if record.interrupted:
        metrics.INTERRUPTIONS.labels(interruption_phase(record)).inc()
    if record.preresponse_outcome is not None:
        source = record.preresponse_source or "none"
        source = source if source in metrics.SOURCES else "custom"
        metrics.PRERESPONSES.labels(_strategy_label(record.strategy), source, record.preresponse_outcome).inc()


def _count_wordless(reason: Wordless) -> None:
    metrics.WORDLESS_TRANSCRIPTS.labels(reason.value).inc()


def _count_backchannel(_text: str, _seconds: float) -> None:
    metrics.BACKCHANNELS.inc()


def _count_replaced(reason: str) -> None:
    metrics.ANSWERS_REPLACED.labels(reason).inc()


def create_preresponse_series(strategy: str) -> None:
    """Create the series of a strategy before their first event: a counter that starts at 1 shows no increase."""
    for outcome in OUTCOMES:
        for source in ("llm", "phrase") if outcome in AUDIBLE_OUTCOMES else ("none",):
            metrics.PRERESPONSES.labels(_strategy_label(strategy), source, outcome)


def interruption_phase(record: TurnRecord) -> Literal["before_audio", "preresponse", "answer"]:
    """Return which part of the reply the caller interrupted."""
    if record.instants.answer_start is not None:
        return "answer"
    return "before_audio" if record.instants.preresponse_start is None else "preresponse"


def _strategy_label(name: str | None) -> str:
    return name if name in metrics.STRATEGIES else "custom"


def _observe_stages(record: TurnRecord) -> None:
    if record.transcription_delay is not None:
        metrics.TRANSCRIPTION_DELAY.observe(record.transcription_delay)
        metrics.LAST_TRANSCRIPTION_DELAY_MS.set(record.transcription_delay * 1000)
    if record.end_of_turn_delay is not None:
        metrics.END_OF_TURN_DELAY.observe(record.end_of_turn_delay)
        metrics.LAST_END_OF_TURN_DELAY_MS.set(record.end_of_turn_delay * 1000)


def _count_conversation(session: AgentSession[Any], *, is_continued: bool) -> None:
    counted = False

    @session.once("agent_state_changed")  # not before: a session that fails to start never closes
    def _on_started(_: AgentStateChangedEvent) -> None:
        nonlocal counted
        (metrics.CONTINUED_CONVERSATIONS if is_continued else metrics.CONVERSATIONS).inc()
        metrics.ACTIVE_CONVERSATIONS.inc()
        counted = True

    @session.once("close")
    def _on_closed(_: CloseEvent) -> None:
        if counted:
            metrics.ACTIVE_CONVERSATIONS.dec()


class _TurnCounter:
    """Count a turn when it is added to the history, so that none is lost with a process that dies in its reply."""

    def __init__(self) -> None:
        self._counted: deque[str] = deque(maxlen=_REMEMBERED_MESSAGES)
        self._is_reopened = False
        self._is_holding = False
        self._has_held = False

    def hold(self) -> None:
        """Count nothing that is said from now on, unless :meth:`release` follows."""
        self._is_holding = True

    def release(self) -> None:
        """Count what was said meanwhile as one turn."""
        if self._has_held:
            metrics.TURNS.inc()
        self._is_holding = self._has_held = False

    def on_reopened(self, _: str) -> None:
        """The next message of the caller is that of a turn which has been counted."""
        self._is_reopened = True

    def on_item(self, event: ConversationItemAddedEvent) -> None:
        """Count the caller's message, unless it has been counted."""
        item = event.item
        if isinstance(item, ChatMessage) and item.role == "user" and item.id not in self._counted:
            self._counted.append(item.id)
            if self._is_holding:
                self._has_held = True
            elif not self._is_reopened:
                metrics.TURNS.inc()
            self._is_reopened = False
