"""Every metric of the worker, declared once. docs/metrics.md defines each from event to event."""

from __future__ import annotations

from typing import Final

from prometheus_client import Counter, Gauge

_LAST_TURN: Final = "mostrecent"  # of all processes, the newest value
_SUM: Final = "sum"  # over all processes, ended ones included
_LIVE_SUM: Final = "livesum"  # over the processes not marked dead; nothing marks one yet

LLM_DURATION = Gauge(
    "livekit_llm_duration_ms",
    "Main model: request to last token, last request, ms",
    multiprocess_mode=_LAST_TURN,
)
STT_DURATION = Gauge(
    "livekit_stt_duration_ms",
    "Caller's last voice to final transcript, last turn, ms",
    multiprocess_mode=_LAST_TURN,
)
TTS_DURATION = Gauge(
    "livekit_tts_duration_ms",
    "Text sent to last audio received, last request, ms",
    multiprocess_mode=_LAST_TURN,
)
EOU_DELAY = Gauge(
    "livekit_eou_delay_ms", "Caller's last voice to end of turn, last turn, ms", multiprocess_mode=_LAST_TURN
)
TOTAL_LATENCY = Gauge(
    "livekit_total_conversation_latency_ms",
    "Caller's last voice to the agent's first audio, last turn, ms",
    multiprocess_mode=_LAST_TURN,
)

LLM_TOKENS = Counter("livekit_llm_tokens_total", "LLM tokens of both models, by type", ["type"])
TOTAL_TOKENS = Counter("livekit_total_tokens_total", "LLM tokens of both models, prompt and completion")
STT_SECONDS = Counter("livekit_stt_duration_seconds_total", "Audio sent to speech recognition, s")
TTS_CHARS = Counter("livekit_tts_chars_total", "Characters sent to speech synthesis")
TURNS = Counter("livekit_conversation_turns_total", "Caller turns taken into the conversation")

ACTIVE_CONVERSATIONS = Gauge("livekit_active_conversations", "Conversations going on now", multiprocess_mode=_LIVE_SUM)

LLM_COST = Gauge("livekit_llm_cost_total", "Cost of LLM tokens, USD", multiprocess_mode=_SUM)
STT_COST = Gauge("livekit_stt_cost_total", "Cost of speech recognition, USD", multiprocess_mode=_SUM)
TTS_COST = Gauge("livekit_tts_cost_total", "Cost of speech synthesis, USD", multiprocess_mode=_SUM)

USD_PER_PROMPT_TOKEN = 0.01 / 1000
USD_PER_COMPLETION_TOKEN = 0.03 / 1000
USD_PER_STT_SECOND = 0.0001
USD_PER_TTS_CHAR = 0.000015

# Series that exist before their first event, so that a graph starts at zero.
for _type in ("prompt", "completion"):
    LLM_TOKENS.labels(type=_type)


def count_llm_tokens(prompt: int, completion: int) -> None:
    LLM_TOKENS.labels(type="prompt").inc(prompt)
    LLM_TOKENS.labels(type="completion").inc(completion)
    TOTAL_TOKENS.inc(prompt + completion)
    LLM_COST.inc(prompt * USD_PER_PROMPT_TOKEN + completion * USD_PER_COMPLETION_TOKEN)


def count_stt_audio(seconds: float) -> None:
    STT_SECONDS.inc(seconds)
    STT_COST.inc(seconds * USD_PER_STT_SECOND)


def count_tts_chars(chars: int) -> None:
    TTS_CHARS.inc(chars)
    TTS_COST.inc(chars * USD_PER_TTS_CHAR)
