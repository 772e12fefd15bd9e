"""Declare every metric of the worker. docs/metrics.md defines each of them from event to event."""

from __future__ import annotations

from typing import Final, Literal, get_args

from prometheus_client import Counter, Gauge

from agent_worker.telemetry.exemplars import TracedHistogram
from agent_worker.turn_taking.wordless import Wordless

#: Modes of a gauge over several processes: the newest value; the sum with ended processes; the sum of living ones.
_MOST_RECENT: Final = "mostrecent"
_SUM: Final = "sum"
_LIVE_SUM: Final = "livesum"

_GAP_BUCKETS_S: Final = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 1.0, 1.25, 1.5, 2.0, 2.5, 3.0, 4.0, 5.0, 7.5, 10.0)
_STAGE_BUCKETS_S: Final = (0.025, 0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.4, 0.5, 0.6, 0.8, 1.0, 1.5, 2.0, 3.0, 5.0, 10.0)
_MODEL_LABELS: Final = ("provider", "model")

# --- the last turn

LAST_LLM_DURATION_MS = Gauge(
    "livekit_llm_duration_ms",
    "Main model: request to last token, last request, ms",
    multiprocess_mode=_MOST_RECENT,
)
LAST_TRANSCRIPTION_DELAY_MS = Gauge(
    "livekit_stt_duration_ms",
    "Caller's last voice to final transcript, last turn, ms",
    multiprocess_mode=_MOST_RECENT,
)
LAST_TTS_DURATION_MS = Gauge(
    "livekit_tts_duration_ms",
    "Text sent to last audio received, last request, ms",
    multiprocess_mode=_MOST_RECENT,
)
LAST_END_OF_TURN_DELAY_MS = Gauge(
    "livekit_eou_delay_ms", "Caller's last voice to end of turn, last turn, ms", multiprocess_mode=_MOST_RECENT
)
LAST_RESPONSE_GAP_MS = Gauge(
    "livekit_total_conversation_latency_ms",
    "Caller's last voice to the agent's first audio, last turn, ms",
    multiprocess_mode=_MOST_RECENT,
)

# --- gaps that the caller hears; label `reply`: the first thing heard in the turn, preresponse or answer

RESPONSE_GAP = TracedHistogram(
    "livekit_response_gap_seconds", "Caller's last voice to the agent's first audio", ["reply"], buckets=_GAP_BUCKETS_S
)
ANSWER_GAP = TracedHistogram(
    "livekit_answer_gap_seconds",
    "Caller's last voice to the first audio of the answer",
    ["reply"],
    buckets=_GAP_BUCKETS_S,
)
INTER_SEGMENT_GAP = TracedHistogram(
    "livekit_seam_seconds", "Silence between the pre-response and the answer", buckets=(0.01, *_STAGE_BUCKETS_S)
)

# --- the stages of a turn

TRANSCRIPTION_DELAY = TracedHistogram(
    "livekit_transcription_delay_seconds", "Caller's last voice to final transcript", buckets=_STAGE_BUCKETS_S
)
END_OF_TURN_DELAY = TracedHistogram(
    "livekit_end_of_turn_delay_seconds",
    "Caller's last voice to the decision that the turn has ended",
    buckets=_STAGE_BUCKETS_S,
)
LLM_TTFT = TracedHistogram(
    "livekit_llm_ttft_seconds", "LLM request to its first token", ["role", *_MODEL_LABELS], buckets=_STAGE_BUCKETS_S
)
LLM_REQUEST_DURATION = TracedHistogram(
    "livekit_llm_duration_seconds", "LLM request to its last token", ["role", *_MODEL_LABELS], buckets=_STAGE_BUCKETS_S
)
TTS_TTFB = TracedHistogram(
    "livekit_tts_ttfb_seconds", "TTS request to its first audio", _MODEL_LABELS, buckets=_STAGE_BUCKETS_S
)
TTS_REQUEST_DURATION = TracedHistogram(
    "livekit_tts_duration_seconds", "TTS request to its last audio", _MODEL_LABELS, buckets=_STAGE_BUCKETS_S
)
VAD_INFERENCE_TIME = Counter("livekit_vad_inference_seconds_total", "Time spent in voice activity detection, s")
VAD_INFERENCES = Counter("livekit_vad_inferences_total", "Audio windows processed by voice activity detection")

# --- events

CONVERSATIONS = Counter("livekit_conversations_total", "Conversations started")
CONTINUED_CONVERSATIONS = Counter(
    "livekit_conversations_continued_total",
    "Conversations that another agent has begun; livekit_conversations_total counts them once",
)
ACTIVE_CONVERSATIONS = Gauge("livekit_active_conversations", "Conversations in progress", multiprocess_mode=_LIVE_SUM)
CALLS_ENDED = Counter("livekit_calls_ended_total", "Calls that ended, by reason", ["reason"])
OUTBOUND_CALLS_ANSWERED = Counter(
    "livekit_outbound_calls_answered_total", "Calls that the agent placed, by who has answered", ["by"]
)
TURNS = Counter("livekit_conversation_turns_total", "Caller turns added to the conversation")
WORDLESS_TRANSCRIPTS = Counter(
    "livekit_wordless_transcripts_total", "Final transcripts without words, which are no turns, by reason", ["reason"]
)
BACKCHANNELS = Counter(
    "livekit_agent_backchannels_total", "Listener's sounds of the agent in pauses in which the caller goes on"
)
PRERESPONSES = Counter(
    "livekit_preresponses_total", "Caller turns, by the outcome of the pre-response", ["strategy", "source", "outcome"]
)
INTERRUPTIONS = Counter(
    "livekit_interruptions_total", "Replies that the caller interrupted, by the interrupted part", ["during"]
)
ANSWERS_REPLACED = Counter(
    "livekit_answers_replaced_total", "Answers of the fast model, by why the main model gave none", ["reason"]
)
ERRORS = Counter(
    "livekit_errors_total",
    "Failed provider requests, including those that were retried, by component and reason",
    ["component", "reason"],
)

# --- the worker; several workers are summed

WORKER_SLOTS = Gauge(
    "livekit_worker_slots", "Calls that the workers take at once (WORKER_MAX_CALLS)", multiprocess_mode=_LIVE_SUM
)
WORKER_FREE_SLOTS = Gauge(
    "livekit_worker_free_slots",
    "Calls that the registered workers take now; 0 where WORKER_MAX_CALLS is not set",
    multiprocess_mode=_LIVE_SUM,
)
WORKER_LOAD = Gauge(
    "livekit_worker_load", "Load that the workers report to LiveKit, each from 0 to 1", multiprocess_mode=_LIVE_SUM
)
WORKERS_REGISTERED = Gauge(
    "livekit_workers_registered", "Workers that are registered with LiveKit", multiprocess_mode=_LIVE_SUM
)
WORKERS_READY = Gauge(
    "livekit_workers_ready", "Workers at which a call would get an agent at once", multiprocess_mode=_LIVE_SUM
)
WORKERS_DRAINING = Gauge(
    "livekit_workers_draining", "Workers that take no new calls and end after theirs", multiprocess_mode=_LIVE_SUM
)

BUILD_INFO = Gauge(
    "agent_worker_build_info",
    "Workers that run this version (AGENT_WORKER_VERSION)",
    ["version"],
    multiprocess_mode=_LIVE_SUM,
)

# --- what a call needs of its machine

AGENT_DELAY = TracedHistogram(
    "livekit_agent_delay_seconds",
    "LiveKit's request to the worker until the agent hears the caller",
    buckets=(0.1, 0.25, 0.5, 0.75, 1.0, 1.5, 2.0, 3.0, 4.0, 5.0, 7.5, 10.0, 20.0, 30.0),
)
EVENT_LOOP_LAG = TracedHistogram(
    "livekit_event_loop_lag_seconds",
    "How late the event loop of a call was, once a second",
    buckets=(0.001, 0.0025, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5),
)
CALL_CPU = Counter("livekit_call_cpu_seconds_total", "CPU time of the processes of calls, during their calls, s")

# --- usage and cost

LLM_TOKENS = Counter("livekit_llm_tokens_total", "LLM tokens of both models, by type", ["type"])
ALL_TOKENS = Counter("livekit_total_tokens_total", "LLM tokens of both models, prompt and completion")
STT_AUDIO = Counter(
    "livekit_stt_duration_seconds_total",
    "Audio sent to speech recognition, s; for Deepgram the connection time if that is longer",
)
TTS_CHARACTERS = Counter("livekit_tts_chars_total", "Characters sent to speech synthesis")
LLM_REQUESTS = Counter(
    "livekit_llm_requests_total", "LLM requests that were answered, by outcome", ["role", *_MODEL_LABELS, "outcome"]
)
LLM_TOKENS_BY_MODEL = Counter("livekit_model_tokens_total", "LLM tokens by model", ["role", *_MODEL_LABELS, "type"])
ESTIMATED_TOKENS = Counter(
    "livekit_estimated_tokens_total",
    "Part of livekit_llm_tokens_total: estimated tokens of cancelled requests without reported usage",
    ["type"],
)
LLM_COST = Gauge("livekit_llm_cost_total", "Cost of LLM tokens at fixed prices, USD", multiprocess_mode=_SUM)
STT_COST = Gauge("livekit_stt_cost_total", "Cost of speech recognition at fixed prices, USD", multiprocess_mode=_SUM)
TTS_COST = Gauge("livekit_tts_cost_total", "Cost of speech synthesis at fixed prices, USD", multiprocess_mode=_SUM)
COST_BY_MODEL = Counter(
    "livekit_cost_usd_total", "Cost at list prices, by component and model, USD", ["component", *_MODEL_LABELS]
)

AgentEndReason = Literal["duration", "tokens", "cost", "silence", "unanswered", "goodbye", "machine"]
CallEndReason = Literal[AgentEndReason, "caller_left", "transferred", "error"]

AnsweredBy = Literal["person", "machine", "menu", "unknown"]

ReplacedReason = Literal["failed", "silent", "thinking", "empty"]

ErrorReason = Literal["rate_limited", "denied", "timeout", "unavailable", "other"]

#: The closed sets of label values.
AGENT_END_REASONS: Final[tuple[AgentEndReason, ...]] = get_args(AgentEndReason)
CALL_END_REASONS: Final[tuple[CallEndReason, ...]] = get_args(CallEndReason)
ANSWERED_BY: Final[tuple[AnsweredBy, ...]] = get_args(AnsweredBy)
REPLACED_REASONS: Final[tuple[ReplacedReason, ...]] = get_args(ReplacedReason)
ERROR_REASONS: Final[tuple[ErrorReason, ...]] = get_args(ErrorReason)
REPLIES: Final = ("preresponse", "answer")
STRATEGIES: Final = ("llm", "phrase", "hybrid", "off", "custom")
SOURCES: Final = ("llm", "phrase", "filler", "none", "custom")
COMPONENTS: Final = ("stt", "fast_llm", "main_llm", "tts")
INTERRUPTION_PHASES: Final = ("before_audio", "preresponse", "answer")

# Series that exist before their first event, so that a graph starts at zero.
for _reply in REPLIES:
    RESPONSE_GAP.labels(_reply)
    ANSWER_GAP.labels(_reply)
for _component in COMPONENTS:
    for _error in ERROR_REASONS:
        ERRORS.labels(_component, _error)
for _reason in CALL_END_REASONS:
    CALLS_ENDED.labels(_reason)
for _answered_by in ANSWERED_BY:
    OUTBOUND_CALLS_ANSWERED.labels(_answered_by)
for _replaced in REPLACED_REASONS:
    ANSWERS_REPLACED.labels(_replaced)
for _why in Wordless:
    WORDLESS_TRANSCRIPTS.labels(_why.value)
for _phase in INTERRUPTION_PHASES:
    INTERRUPTIONS.labels(_phase)
for _type in ("prompt", "completion"):
    LLM_TOKENS.labels(_type)
    ESTIMATED_TOKENS.labels(_type)
