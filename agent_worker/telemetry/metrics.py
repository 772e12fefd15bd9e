"""Every metric of the worker, declared once. docs/metrics.md defines each from event to event."""

from __future__ import annotations

from typing import Final

from prometheus_client import Counter, Gauge, Histogram

_LAST_TURN: Final = "mostrecent"  # of all processes, the newest value
_SUM: Final = "sum"  # over all processes, ended ones included
_LIVE_SUM: Final = "livesum"  # over the living processes

_WAITS: Final = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 1.0, 1.25, 1.5, 2.0, 2.5, 3.0, 4.0, 5.0, 7.5, 10.0)
_STAGES: Final = (0.025, 0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.4, 0.5, 0.6, 0.8, 1.0, 1.5, 2.0, 3.0, 5.0, 10.0)
_MODEL: Final = ("provider", "model")

# --- the last turn

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

# --- what the caller waits for; `reply` is what was heard first in the turn: preresponse or answer

RESPONSE_GAP = Histogram(
    "livekit_response_gap_seconds", "Caller's last voice to the agent's first audio", ["reply"], buckets=_WAITS
)
ANSWER_GAP = Histogram(
    "livekit_answer_gap_seconds", "Caller's last voice to the first audio of the answer", ["reply"], buckets=_WAITS
)
SEAM = Histogram("livekit_seam_seconds", "Silence between the pre-response and the answer", buckets=(0.01, *_STAGES))

# --- the stages of a turn

TRANSCRIPTION_DELAY = Histogram(
    "livekit_transcription_delay_seconds", "Caller's last voice to final transcript", buckets=_STAGES
)
END_OF_TURN_DELAY = Histogram(
    "livekit_end_of_turn_delay_seconds", "Caller's last voice to the decision that the turn has ended", buckets=_STAGES
)
LLM_TTFT = Histogram("livekit_llm_ttft_seconds", "LLM request to its first token", ["role", *_MODEL], buckets=_STAGES)
LLM_SECONDS = Histogram(
    "livekit_llm_duration_seconds", "LLM request to its last token", ["role", *_MODEL], buckets=_STAGES
)
TTS_TTFB = Histogram("livekit_tts_ttfb_seconds", "TTS request to its first audio", _MODEL, buckets=_STAGES)
TTS_SECONDS = Histogram("livekit_tts_duration_seconds", "TTS request to its last audio", _MODEL, buckets=_STAGES)
VAD_SECONDS = Counter("livekit_vad_inference_seconds_total", "Time spent in voice activity detection, s")
VAD_INFERENCES = Counter("livekit_vad_inferences_total", "Windows of audio judged by voice activity detection")

# --- what happened

CONVERSATIONS = Counter("livekit_conversations_total", "Conversations begun")
ACTIVE_CONVERSATIONS = Gauge("livekit_active_conversations", "Conversations going on now", multiprocess_mode=_LIVE_SUM)
TURNS = Counter("livekit_conversation_turns_total", "Caller turns taken into the conversation")
PRERESPONSES = Counter(
    "livekit_preresponses_total", "Caller turns, by what became of the pre-response", ["strategy", "source", "outcome"]
)
INTERRUPTIONS = Counter("livekit_interruptions_total", "Replies that the caller cut off, by what was cut", ["during"])
ERRORS = Counter("livekit_errors_total", "Failed provider requests, those that are tried again too", ["component"])

# --- what was used, and what it costs

LLM_TOKENS = Counter("livekit_llm_tokens_total", "LLM tokens of both models, by type", ["type"])
TOTAL_TOKENS = Counter("livekit_total_tokens_total", "LLM tokens of both models, prompt and completion")
STT_SECONDS = Counter(
    "livekit_stt_duration_seconds_total",
    "Audio sent to speech recognition, s; of Deepgram the time that it was connected, if that is more",
)
TTS_CHARS = Counter("livekit_tts_chars_total", "Characters sent to speech synthesis")
LLM_REQUESTS = Counter(
    "livekit_llm_requests_total", "LLM requests that were answered, by outcome", ["role", *_MODEL, "outcome"]
)
MODEL_TOKENS = Counter("livekit_model_tokens_total", "LLM tokens by model", ["role", *_MODEL, "type"])
ESTIMATED_TOKENS = Counter(
    "livekit_estimated_tokens_total",
    "Of livekit_llm_tokens_total: tokens of cancelled requests, whose number the provider did not tell",
    ["type"],
)
LLM_COST = Gauge("livekit_llm_cost_total", "Cost of LLM tokens, USD", multiprocess_mode=_SUM)
STT_COST = Gauge("livekit_stt_cost_total", "Cost of speech recognition, USD", multiprocess_mode=_SUM)
TTS_COST = Gauge("livekit_tts_cost_total", "Cost of speech synthesis, USD", multiprocess_mode=_SUM)
COST = Counter("livekit_cost_usd_total", "Cost by component and model, USD", ["component", *_MODEL])

#: The closed sets behind the labels.
REPLIES: Final = ("preresponse", "answer")
STRATEGIES: Final = ("llm", "phrase", "hybrid", "off", "custom")
SOURCES: Final = ("llm", "phrase", "none", "custom")
COMPONENTS: Final = ("stt", "fast_llm", "main_llm", "tts")
CUT: Final = ("before_audio", "preresponse", "answer")

# Series that exist before their first event, so that a graph starts at zero.
for _reply in REPLIES:
    RESPONSE_GAP.labels(_reply)
    ANSWER_GAP.labels(_reply)
for _component in COMPONENTS:
    ERRORS.labels(_component)
for _part in CUT:
    INTERRUPTIONS.labels(_part)
for _type in ("prompt", "completion"):
    LLM_TOKENS.labels(_type)
    ESTIMATED_TOKENS.labels(_type)
