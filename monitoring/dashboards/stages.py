"""The dashboard of stages: each by provider and model, from the caller's voice to the agent's."""

from __future__ import annotations

from grafana_foundation_sdk.builders import dashboard

from monitoring.dashboards.frame import frame, with_lines
from monitoring.dashboards.panels import Panel, Query, Unit, heat, lines, number
from monitoring.dashboards.promql import RATE_INTERVAL, increase, quantile, rate, ratio, selector

UID = "agent-worker-stages"
_OF_MODEL = "provider, model"
_OF_LLM = f"role, {_OF_MODEL}"
_MODEL = "{{provider}} {{model}}"
_LLM = f"{{{{role}}}}: {_MODEL}"


def build() -> dashboard.Dashboard:
    """Return the dashboard of stages."""
    rows = {
        "The last turn": _last_turn,
        "Hearing": _hearing,
        "Language models": _models,
        "Tokens": _tokens,
        "Voice": _voice,
        "What callers wait for, every turn": _waits,
        "agent-metrics": _agent_metrics,
    }
    return frame(UID, "Voice agent: stages", "Every stage of a turn, by provider and model.", rows)


def _last_turn(board: dashboard.Dashboard) -> dashboard.Dashboard:
    parts = (
        ("livekit_stt_duration_ms", "transcript"),
        ("livekit_eou_delay_ms", "end of turn"),
        ("livekit_llm_duration_ms", "main model"),
        ("livekit_tts_duration_ms", "voice"),
        ("livekit_total_conversation_latency_ms", "first sound"),
    )
    return board.with_panel(
        number(
            Panel(
                "The last turn of all",
                "Milliseconds of the newest turn or request, whichever call it was in: for trying something out, not "
                "for judging. The total is no sum: the stages overlap.",
                Unit.MILLISECONDS,
                [Query(f"max({selector(gauge)})", legend) for gauge, legend in parts],
                24,
            )
        )
    )


def _hearing(board: dashboard.Dashboard) -> dashboard.Dashboard:
    seconds, windows = (rate(f"livekit_vad_inference{part}_total") for part in ("_seconds", "s"))
    return (
        board.with_panel(
            lines(
                Panel(
                    "Transcript and end of turn",
                    "From the caller's last sound to the final transcript, and to the decision that they have "
                    "finished. A transcript later than the decision's usual delay holds every turn up: recognition "
                    "is slow or far away.",
                    Unit.SECONDS,
                    [
                        *_p50_p95("livekit_transcription_delay_seconds", "transcript"),
                        *_p50_p95("livekit_end_of_turn_delay_seconds", "end of turn"),
                    ],
                )
            )
        )
        .with_panel(
            heat(
                Panel(
                    "End of turn, every turn",
                    "Two bands are as they should be: callers who have finished (ENDPOINTING_MIN_DELAY), and those "
                    "who may go on (ENDPOINTING_MAX_DELAY). Many in the upper one wait for nothing: "
                    "ENDPOINTING_THRESHOLD is high.",
                    Unit.SECONDS,
                    [Query(_buckets("livekit_end_of_turn_delay_seconds"), "{{le}}")],
                )
            )
        )
        .with_panel(
            lines(
                Panel(
                    "Voice activity detection, for one window",
                    "Time to judge one window of audio. Near the window's own length (about 30 ms): the CPU cannot "
                    "keep up, and everything after it is late.",
                    Unit.SECONDS,
                    [Query(ratio(seconds, windows), "inference")],
                )
            )
        )
        .with_panel(
            lines(
                Panel(
                    "Transcripts without words",
                    "Coughs, noise, and what recognisers invent of them: no turns. Many invented or no_speech: callers "
                    "are in loud places, or the microphone hears something else.",
                    Unit.COUNT,
                    [Query(increase("livekit_wordless_transcripts_total", by="reason"), "{{reason}}")],
                    12,
                )
            )
        )
        .with_panel(
            lines(
                Panel(
                    "Listener's sounds",
                    "The agent's mm-hm in pauses in which the caller goes on, such as between the groups of a number.",
                    Unit.COUNT,
                    [Query(increase("livekit_agent_backchannels_total"), "mm-hm")],
                    12,
                )
            )
        )
    )


def _models(board: dashboard.Dashboard) -> dashboard.Dashboard:
    return (
        board.with_panel(
            lines(
                Panel(
                    "First token",
                    "A request to its first token. The fast model's should be far under the main one's, or it is of "
                    "no use.",
                    Unit.SECONDS,
                    _p50_p95("livekit_llm_ttft_seconds", _LLM, _OF_LLM),
                )
            )
        )
        .with_panel(
            lines(
                Panel(
                    "Whole reply",
                    "A request to its last token, without cancelled ones. High with a good first token: answers are "
                    "long.",
                    Unit.SECONDS,
                    _p50_p95("livekit_llm_duration_seconds", _LLM, _OF_LLM),
                )
            )
        )
        .with_panel(
            heat(
                Panel(
                    "First token of the main model, every request",
                    "A second band far above the first: queues or rate limits at the provider.",
                    Unit.SECONDS,
                    [Query(_buckets("livekit_llm_ttft_seconds", 'role="main"'), "{{le}}")],
                )
            )
        )
        .with_panel(
            lines(
                Panel(
                    "Requests per minute, by outcome",
                    "Requests that were answered. Many cancelled ones of the main model: attempts on words that "
                    "changed, or interruptions; they are paid for.",
                    Unit.PER_MINUTE,
                    [Query(f"{rate('livekit_llm_requests_total', by='role, outcome')} * 60", "{{role}}: {{outcome}}")],
                    24,
                ),
                stacked=True,
            )
        )
        .with_panel(
            lines(
                Panel(
                    "Answers of the fast model in the main one's place",
                    "Many for thinking: the main model reasons for longer than callers wait. For empty: its tokens end "
                    "in its reasoning, or it writes nothing that can be spoken.",
                    Unit.COUNT,
                    [Query(increase("livekit_answers_replaced_total", by="reason"), "{{reason}}")],
                    24,
                )
            )
        )
    )


def _tokens(board: dashboard.Dashboard) -> dashboard.Dashboard:
    tokens = rate("livekit_model_tokens_total", by=f"{_OF_LLM}, type")
    cached, prompt = (
        increase("livekit_model_tokens_total", f'type="{type_}"') for type_ in ("cached_prompt", "prompt")
    )
    estimated, all_tokens = (increase(f"livekit_{which}_tokens_total") for which in ("estimated", "llm"))
    panels = (
        Panel(
            "Tokens per minute, by model",
            "cached_prompt is a part of prompt, reasoning one of completion. The fast model's should be small beside "
            "the main one's.",
            Unit.PER_MINUTE,
            [Query(f"{tokens} * 60", f"{_LLM}: {{{{type}}}}")],
        ),
        Panel(
            "Prompt tokens from the provider's cache",
            "Zero where a provider has no cache. A fall: the beginning of the prompt changes from request to request.",
            Unit.SHARE,
            [Query(ratio(cached, prompt), "cached")],
        ),
        Panel(
            "Estimated tokens",
            "Of all tokens, those of cancelled requests, whose number the provider did not tell. Over a tenth: do "
            "not take the cost for the bill.",
            Unit.SHARE,
            [Query(ratio(estimated, all_tokens), "estimated")],
        ),
    )
    return with_lines(board, panels)


def _voice(board: dashboard.Dashboard) -> dashboard.Dashboard:
    panels = (
        Panel(
            "First audio of the voice",
            "A request to its first audio. It is in the wait of every answer, and of every pre-response that was not "
            "made beforehand.",
            Unit.SECONDS,
            _p50_p95("livekit_tts_ttfb_seconds", _MODEL, _OF_MODEL),
        ),
        Panel(
            "Whole audio of the voice",
            "A request to its last audio, without cancelled ones. Longer than the speech it makes: the voice stutters.",
            Unit.SECONDS,
            _p50_p95("livekit_tts_duration_seconds", _MODEL, _OF_MODEL),
        ),
        Panel(
            "Characters and seconds per minute",
            "Characters sent to speech synthesis, and seconds of audio sent to recognition: what both are billed by. "
            "More than 60 seconds a minute for each conversation: audio is sent twice.",
            Unit.COUNT,
            [
                Query(f"{rate('livekit_tts_chars_total')} * 60", "characters spoken"),
                Query(f"{rate('livekit_stt_duration_seconds_total')} * 60", "seconds heard"),
            ],
        ),
    )
    return with_lines(board, panels)


def _waits(board: dashboard.Dashboard) -> dashboard.Dashboard:
    return (
        board.with_panel(
            heat(
                Panel(
                    "First sound, every turn",
                    "Caller's last sound to the agent's first audio. Two bands: turns with a pre-response, and "
                    "without.",
                    Unit.SECONDS,
                    [Query(_buckets("livekit_response_gap_seconds"), "{{le}}")],
                )
            )
        )
        .with_panel(
            heat(
                Panel(
                    "Answer, every turn",
                    "Caller's last sound to the first audio of the answer. Single dark cells high up: the fallback "
                    "answered.",
                    Unit.SECONDS,
                    [Query(_buckets("livekit_answer_gap_seconds"), "{{le}}")],
                )
            )
        )
        .with_panel(
            lines(
                Panel(
                    "Seam",
                    "Silence between the pre-response and the answer. Over a second it sounds like a broken call: "
                    "the main model is too slow for the pre-response's length.",
                    Unit.SECONDS,
                    _p50_p95("livekit_seam_seconds", "seam"),
                )
            )
        )
    )


def _agent_metrics(board: dashboard.Dashboard) -> dashboard.Dashboard:
    ours = "and on (job, instance) livekit_active_conversations"
    panels = (
        Panel(
            "Scrape of agent-metrics",
            "What a scrape takes. It should not grow with the calls of the past. Near the scrape interval, points go "
            "missing.",
            Unit.SECONDS,
            [Query(f"{selector('scrape_duration_seconds')} {ours}", "{{instance}}")],
            6,
        ),
        Panel(
            "Processes and files",
            "What agent-metrics reads. Waiting ones that only rise: what ended processes counted does not get into the "
            "ledger.",
            Unit.COUNT,
            [Query(_own("(processes|files)_(living|waiting|unmanaged)"), "{{__name__}}")],
            6,
        ),
        Panel(
            "What agent-metrics could not do",
            "Zero is right. Files flawed or set aside: something else writes to the folder, or the disk was full. "
            "Series left out: versions of the worker that disagree. Folding paused: the ledger cannot be written. "
            "Processes without a lock: something removed it.",
            Unit.COUNT,
            [
                Query(
                    _own("(files_flawed|files_set_aside_total|series_left_out|folding_paused|processes_without_lock)"),
                    "{{__name__}}",
                )
            ],
            6,
        ),
        Panel(
            "Ledger",
            "Size of the file that keeps what ended processes counted. It follows the number of series, and stays.",
            Unit.BYTES,
            [Query(_own("ledger_bytes"), "{{__name__}}")],
            6,
        ),
    )
    return with_lines(board, panels)


def _own(names: str) -> str:
    """Match names by a pattern, so that a metric that this version of agent-metrics lacks is left out."""
    return f'sum by (__name__) ({{__name__=~"agent_metrics_{names}", job=~"$job", instance=~"$instance"}})'


def _p50_p95(histogram: str, legend: str, by: str = "") -> list[Query]:
    return [Query(quantile(q, histogram, by=by), f"{legend} p{q * 100:.0f}") for q in (0.5, 0.95)]


def _buckets(histogram: str, matchers: str = "") -> str:
    return increase(f"{histogram}_bucket", matchers, by="le", over=RATE_INTERVAL)
