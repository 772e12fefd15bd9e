"""From the events of a session and its components to metrics."""

from __future__ import annotations

import dataclasses
from collections import deque
from collections.abc import Callable
from typing import Any, Literal

from livekit.agents import (
    AgentSession,
    AgentStateChangedEvent,
    ChatMessage,
    CloseEvent,
    ConversationItemAddedEvent,
    llm,
)
from livekit.agents import metrics as lk_metrics

from agent_worker.core.log import logger
from agent_worker.preresponse.agent import OUTCOMES, PreResponseAgent
from agent_worker.providers.stack import VoiceStack
from agent_worker.telemetry import metrics
from agent_worker.telemetry.pricing import LLMPrice, Prices
from agent_worker.telemetry.record import TurnRecord, TurnRecorder, Usage
from agent_worker.telemetry.unreported_usage import UnreportedUsage

Role = Literal["fast", "main"]

#: English text has about four characters to a token (https://platform.openai.com/tokenizer).
_CHARACTERS_PER_TOKEN = 4
_KEPT_MESSAGES = 64
#: In one request. A counter that a provider's mistake has raised beyond all measure would be wrong for ever.
_MOST_TOKENS = 10_000_000


class SessionMeter:
    """Counts what a process's components use, and what its sessions go through.

    Each component reports what it used itself: the session knows nothing of the fast model.

    Args:
        stack: The components. They are listened to from now on.
        prices: What they cost.
    """

    def __init__(self, stack: VoiceStack, prices: Prices) -> None:
        self._usage = Usage()
        self._llms = {
            "main": _LLMMeter("main", stack.main_llm, stack.provider_names.llm, prices, self._usage),
            "fast": _LLMMeter("fast", stack.fast_llm, stack.provider_names.llm, prices, self._usage),
        }
        _meter_stt(stack, prices, self._usage)
        _meter_tts(stack, prices, self._usage)
        stack.vad.on("metrics_collected", _on_vad)

    def watch(
        self,
        session: AgentSession[Any],
        agent: PreResponseAgent,
        on_turn: Callable[[TurnRecord], None] | None = None,
    ) -> TurnRecorder:
        """Count everything that happens in a session, from now to its end.

        Call it before ``session.start``, and the returned recorder's ``watch`` after it.
        """
        make_preresponse_series(_strategy(agent.strategy.name if agent.strategy else "off"))
        _count_conversation(session)
        _count_turns(session)
        agent.on_cut_off = self._on_cut_off

        @session.on("conversation_item_added")
        def _on_item(_: ConversationItemAddedEvent) -> None:
            if isinstance(session.current_agent, PreResponseAgent):  # a handoff may have brought another
                session.current_agent.on_cut_off = self._on_cut_off

        def on_record(record: TurnRecord) -> None:
            count_turn(record)
            if on_turn is not None:
                on_turn(dataclasses.replace(record, usage=dataclasses.replace(self._usage)))

        return TurnRecorder(session, on_record)

    def _on_cut_off(self, request: UnreportedUsage) -> None:
        self._llms[request.role].estimate(request)


class _LLMMeter:
    def __init__(self, role: Role, model: llm.LLM[Any], provider: str, prices: Prices, usage: Usage) -> None:
        self._usage = usage
        labels = (role, provider, model.model)
        self._is_main = role == "main"
        self._price: LLMPrice = prices.of_llm(provider, model.model)
        self._ttft = metrics.LLM_TTFT.labels(*labels)
        self._seconds = metrics.LLM_SECONDS.labels(*labels)
        self._completed, self._cancelled = (
            metrics.LLM_REQUESTS.labels(*labels, outcome) for outcome in ("completed", "cancelled")
        )
        self._prompt, self._completion, self._cached = (
            metrics.MODEL_TOKENS.labels(*labels, type_) for type_ in ("prompt", "completion", "cached_prompt")
        )
        self._all_prompt, self._all_completion = (metrics.LLM_TOKENS.labels(t) for t in ("prompt", "completion"))
        self._estimated = [metrics.ESTIMATED_TOKENS.labels(type_) for type_ in ("prompt", "completion")]
        self._cost = metrics.COST.labels("llm", provider, model.model)
        model.on("metrics_collected", self._on_metrics)
        model.on("error", _counted(f"{role}_llm"))

    def estimate(self, request: UnreportedUsage) -> None:
        """A cancelled request was billed, and the provider did not say how many tokens."""
        tokens = [
            round(characters / _CHARACTERS_PER_TOKEN)
            for characters in (request.prompt_characters, request.completion_characters)
        ]
        for counter, number in zip(self._estimated, tokens, strict=True):
            counter.inc(number)
        self._count(*tokens)

    def _on_metrics(self, event: lk_metrics.LLMMetrics) -> None:
        if event.cancelled:
            self._cancelled.inc()
        else:
            self._completed.inc()
            self._seconds.observe(event.duration)
            if self._is_main:
                metrics.LLM_DURATION.set(event.duration * 1000)
        if event.ttft >= 0:
            self._ttft.observe(event.ttft)
        tokens = (event.prompt_tokens, event.completion_tokens, event.prompt_cached_tokens)
        if not all(0 <= number <= _MOST_TOKENS for number in tokens):
            logger.warning("a provider told of %s tokens in one request: not counted", tokens)
        elif event.total_tokens:
            self._count(*tokens)

    def _count(self, prompt: int, completion: int, cached: int = 0) -> None:
        self._all_prompt.inc(prompt)
        self._prompt.inc(prompt)
        self._all_completion.inc(completion)
        self._completion.inc(completion)
        if cached:
            self._cached.inc(cached)
        metrics.TOTAL_TOKENS.inc(prompt + completion)
        cost = self._price.of(prompt, completion, cached)
        metrics.LLM_COST.inc(cost)
        self._cost.inc(cost)
        self._usage.prompt_tokens += prompt
        self._usage.completion_tokens += completion
        self._usage.cost_usd += cost


def _meter_stt(stack: VoiceStack, prices: Prices, usage: Usage) -> None:
    provider, model = stack.provider_names.stt, stack.stt.model
    price, cost = prices.of_stt(provider, model), metrics.COST.labels("stt", provider, model)

    def on_metrics(event: lk_metrics.STTMetrics) -> None:
        costs = price.of(event.audio_duration)
        metrics.STT_SECONDS.inc(event.audio_duration)
        metrics.STT_COST.inc(costs)
        cost.inc(costs)
        usage.stt_seconds += event.audio_duration
        usage.cost_usd += costs

    stack.stt.on("metrics_collected", on_metrics)
    stack.stt.on("error", _counted("stt"))


def _meter_tts(stack: VoiceStack, prices: Prices, usage: Usage) -> None:
    provider, model = stack.provider_names.tts, stack.tts.model
    price, cost = prices.of_tts(provider, model), metrics.COST.labels("tts", provider, model)
    ttfb, seconds = metrics.TTS_TTFB.labels(provider, model), metrics.TTS_SECONDS.labels(provider, model)

    def on_metrics(event: lk_metrics.TTSMetrics) -> None:
        if event.ttfb >= 0:
            ttfb.observe(event.ttfb)
        if not event.cancelled:
            seconds.observe(event.duration)
            metrics.TTS_DURATION.set(event.duration * 1000)
        costs = price.of(event.characters_count)
        metrics.TTS_CHARS.inc(event.characters_count)
        metrics.TTS_COST.inc(costs)
        cost.inc(costs)
        usage.tts_characters += event.characters_count
        usage.cost_usd += costs

    stack.tts.on("metrics_collected", on_metrics)
    stack.tts.on("error", _counted("tts"))


def _on_vad(event: lk_metrics.VADMetrics) -> None:
    metrics.VAD_SECONDS.inc(event.inference_duration_total)
    metrics.VAD_INFERENCES.inc(event.inference_count)


def _counted(component: str) -> Callable[[object], None]:
    counter = metrics.ERRORS.labels(component)
    return lambda _: counter.inc()


def _count_conversation(session: AgentSession[Any]) -> None:
    counted = False

    @session.once("agent_state_changed")  # not before: a session that fails to start never closes
    def _on_started(_: AgentStateChangedEvent) -> None:
        nonlocal counted
        metrics.CONVERSATIONS.inc()
        metrics.ACTIVE_CONVERSATIONS.inc()
        counted = True

    @session.once("close")
    def _on_closed(_: CloseEvent) -> None:
        if counted:
            metrics.ACTIVE_CONVERSATIONS.dec()


def _count_turns(session: AgentSession[Any]) -> None:
    """As they are taken into the conversation, so that none is lost with a process that dies in its reply."""
    counted: deque[str] = deque(maxlen=_KEPT_MESSAGES)

    @session.on("conversation_item_added")
    def _on_item(event: ConversationItemAddedEvent) -> None:
        item = event.item
        if isinstance(item, ChatMessage) and item.role == "user" and item.id not in counted:
            counted.append(item.id)
            metrics.TURNS.inc()


def count_turn(record: TurnRecord) -> None:
    """Add one turn that is over."""
    _observe_stages(record)
    instants = record.instants
    reply = "answer" if instants.preresponse_start is None else "preresponse"
    if record.response_gap is not None:
        metrics.RESPONSE_GAP.labels(reply).observe(record.response_gap)
        metrics.TOTAL_LATENCY.set(record.response_gap * 1000)
    if record.answer_gap is not None:
        metrics.ANSWER_GAP.labels(reply).observe(record.answer_gap)
    if instants.preresponse_end is not None and instants.answer_start is not None:
        metrics.SEAM.observe(max(0.0, instants.answer_start - instants.preresponse_end))
    if record.interrupted:
        metrics.INTERRUPTIONS.labels(_cut(record)).inc()
    if record.preresponse_outcome is not None:
        source = record.preresponse_source or "none"
        source = source if source in metrics.SOURCES else "custom"
        metrics.PRERESPONSES.labels(_strategy(record.strategy), source, record.preresponse_outcome).inc()


def make_preresponse_series(strategy: str) -> None:
    """Before their first event: a counter that begins at 1 has not grown, as Prometheus sees it."""
    for outcome in OUTCOMES:
        for source in ("llm", "phrase") if outcome in ("spoken", "interrupted", "not_heard") else ("none",):
            metrics.PRERESPONSES.labels(strategy, source, outcome)


def _strategy(name: str | None) -> str:
    return name if name in metrics.STRATEGIES else "custom"


def _observe_stages(record: TurnRecord) -> None:
    if record.transcription_delay is not None:
        metrics.TRANSCRIPTION_DELAY.observe(record.transcription_delay)
        metrics.STT_DURATION.set(record.transcription_delay * 1000)
    if record.end_of_turn_delay is not None:
        metrics.END_OF_TURN_DELAY.observe(record.end_of_turn_delay)
        metrics.EOU_DELAY.set(record.end_of_turn_delay * 1000)


def _cut(record: TurnRecord) -> str:
    """What the caller cut off: one of ``metrics.CUT``."""
    if record.instants.answer_start is not None:
        return "answer"
    return "before_audio" if record.instants.preresponse_start is None else "preresponse"
