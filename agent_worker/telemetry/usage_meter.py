"""Count what the components of a stack use: requests, tokens, audio, characters, cost."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

from livekit.agents import llm
from livekit.agents import metrics as lk_metrics

from agent_worker.core.log import logger
from agent_worker.providers.stack import VoiceStack
from agent_worker.telemetry import metrics
from agent_worker.telemetry.events import UsageEvents
from agent_worker.telemetry.pricing import Prices
from agent_worker.telemetry.provider_errors import reason_of
from agent_worker.telemetry.record import Usage
from agent_worker.telemetry.unreported_usage import Role, UnreportedUsage

#: English text has about four characters to a token (https://platform.openai.com/tokenizer).
_CHARS_PER_TOKEN = 4
#: In one request. A larger number is a provider's mistake, and would spoil the counter for the life of the process.
_MAX_TOKENS = 10_000_000


_AddUsage = Callable[[Usage], None]


class UsageMeter:
    """Count what a process's components report, from now on.

    Each component reports its own usage, because the session knows nothing of the fast model.

    Args:
        stack: The components.
        prices: Their prices.

    Attributes:
        usage: The sum so far.
        events: Tell of each change of the sum.
    """

    def __init__(self, stack: VoiceStack, prices: Prices) -> None:
        self.usage = Usage()
        self.events = UsageEvents()
        names = stack.provider_names
        self._llms: dict[Role, _LLMMeter] = {
            "main": _LLMMeter("main", stack.main_llm, names.llm, prices, self._add),
            "fast": _LLMMeter("fast", stack.fast_llm, names.llm, prices, self._add),
        }
        if stack.answering_fast_llm is not None:
            self._llms["fast"].watch(stack.answering_fast_llm)
        _meter_stt(stack, prices, self._add)
        _meter_tts(stack, prices, self._add)
        stack.vad.on("metrics_collected", _on_vad_metrics)

    def add_unreported(self, request: UnreportedUsage) -> None:
        """Add the estimated tokens of a request that was billed although the provider reported no usage."""
        self._llms[request.role].add_estimate(request)

    def _add(self, used: Usage) -> None:
        for field in dataclasses.fields(Usage):
            setattr(self.usage, field.name, getattr(self.usage, field.name) + getattr(used, field.name))
        self.events.emit("usage_changed", self.usage)


class _LLMMeter:
    def __init__(self, role: Role, model: llm.LLM[Any], provider: str, prices: Prices, add: _AddUsage) -> None:
        self._add = add
        labels = (role, provider, model.model)
        self._is_main = role == "main"
        self._fixed_price = prices.fixed.of_llm(provider, model.model)
        self._price = prices.current.of_llm(provider, model.model)
        self._ttft = metrics.LLM_TTFT.labels(*labels)
        self._duration = metrics.LLM_REQUEST_DURATION.labels(*labels)
        self._completed = metrics.LLM_REQUESTS.labels(*labels, "completed")
        self._cancelled = metrics.LLM_REQUESTS.labels(*labels, "cancelled")
        self._prompt = metrics.LLM_TOKENS_BY_MODEL.labels(*labels, "prompt")
        self._completion = metrics.LLM_TOKENS_BY_MODEL.labels(*labels, "completion")
        self._cached_prompt = metrics.LLM_TOKENS_BY_MODEL.labels(*labels, "cached_prompt")
        self._all_prompt = metrics.LLM_TOKENS.labels("prompt")
        self._all_completion = metrics.LLM_TOKENS.labels("completion")
        self._estimated_prompt = metrics.ESTIMATED_TOKENS.labels("prompt")
        self._estimated_completion = metrics.ESTIMATED_TOKENS.labels("completion")
        self._reasoning = metrics.LLM_TOKENS_BY_MODEL.labels(*labels, "reasoning")
        self._cost = metrics.COST_BY_MODEL.labels("llm", provider, model.model)
        self._on_error = _count_error(f"{role}_llm")
        self.watch(model)

    def watch(self, model: llm.LLM[Any]) -> None:
        """Count what a client of this model uses, from now on."""
        model.on("metrics_collected", self._on_metrics)
        model.on("error", self._on_error)

    def add_estimate(self, request: UnreportedUsage) -> None:
        prompt = round(request.prompt_chars / _CHARS_PER_TOKEN)
        completion = round(request.completion_chars / _CHARS_PER_TOKEN)
        self._estimated_prompt.inc(prompt)
        self._estimated_completion.inc(completion)
        self._count(prompt, completion)

    def _on_metrics(self, event: lk_metrics.LLMMetrics) -> None:
        if event.cancelled:
            self._cancelled.inc()
        else:
            self._completed.inc()
            self._duration.observe(event.duration)
            if self._is_main:
                metrics.LAST_LLM_DURATION_MS.set(event.duration * 1000)
        if event.ttft >= 0:
            self._ttft.observe(event.ttft)
        tokens = (event.prompt_tokens, event.completion_tokens, event.prompt_cached_tokens, event.reasoning_tokens)
        if not all(0 <= number <= _MAX_TOKENS for number in tokens):
            logger.warning("a provider reported %s tokens for one request: not counted", tokens)
        elif event.total_tokens:
            self._count(*tokens)

    def _count(self, prompt: int, completion: int, cached_prompt: int = 0, reasoning: int = 0) -> None:
        self._all_prompt.inc(prompt)
        self._prompt.inc(prompt)
        self._all_completion.inc(completion)
        self._completion.inc(completion)
        if cached_prompt:
            self._cached_prompt.inc(cached_prompt)
        if reasoning:
            self._reasoning.inc(reasoning)
        metrics.ALL_TOKENS.inc(prompt + completion)
        metrics.LLM_COST.inc(self._fixed_price.of(prompt, completion, cached_prompt))
        cost = self._price.of(prompt, completion, cached_prompt)
        self._cost.inc(cost)
        used = Usage(prompt_tokens=prompt, completion_tokens=completion, reasoning_tokens=reasoning, cost_usd=cost)
        self._add(used)


def _meter_stt(stack: VoiceStack, prices: Prices, add: _AddUsage) -> None:
    provider, model = stack.provider_names.stt, stack.stt.model
    fixed_price, price = prices.fixed.of_stt(provider, model), prices.current.of_stt(provider, model)
    cost_by_model = metrics.COST_BY_MODEL.labels("stt", provider, model)

    def on_metrics(event: lk_metrics.STTMetrics) -> None:
        cost = price.of(event.audio_duration)
        metrics.STT_AUDIO.inc(event.audio_duration)
        metrics.STT_COST.inc(fixed_price.of(event.audio_duration))
        cost_by_model.inc(cost)
        add(Usage(stt_seconds=event.audio_duration, cost_usd=cost))

    stack.stt.on("metrics_collected", on_metrics)
    stack.stt.on("error", _count_error("stt"))


def _meter_tts(stack: VoiceStack, prices: Prices, add: _AddUsage) -> None:
    provider, model = stack.provider_names.tts, stack.tts.model
    fixed_price, price = prices.fixed.of_tts(provider, model), prices.current.of_tts(provider, model)
    cost_by_model = metrics.COST_BY_MODEL.labels("tts", provider, model)
    ttfb = metrics.TTS_TTFB.labels(provider, model)
    duration = metrics.TTS_REQUEST_DURATION.labels(provider, model)

    def on_metrics(event: lk_metrics.TTSMetrics) -> None:
        if event.ttfb >= 0:
            ttfb.observe(event.ttfb)
        if not event.cancelled:
            duration.observe(event.duration)
            metrics.LAST_TTS_DURATION_MS.set(event.duration * 1000)
        usage = (event.characters_count, event.input_tokens, event.output_tokens)
        cost = price.of(*usage)
        metrics.TTS_CHARACTERS.inc(event.characters_count)
        metrics.TTS_COST.inc(fixed_price.of(*usage))
        cost_by_model.inc(cost)
        add(Usage(tts_characters=event.characters_count, cost_usd=cost))

    stack.tts.on("metrics_collected", on_metrics)
    stack.tts.on("error", _count_error("tts"))


def _on_vad_metrics(event: lk_metrics.VADMetrics) -> None:
    metrics.VAD_INFERENCE_TIME.inc(event.inference_duration_total)
    metrics.VAD_INFERENCES.inc(event.inference_count)


def _count_error(component: str) -> Callable[[object], None]:
    counters = {reason: metrics.ERRORS.labels(component, reason) for reason in metrics.ERROR_REASONS}
    return lambda event: counters[reason_of(getattr(event, "error", None))].inc()
