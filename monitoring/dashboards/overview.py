"""The overview dashboard: waits of callers, durations of stages, events, errors, costs."""

from __future__ import annotations

from grafana_foundation_sdk.builders import dashboard

from monitoring.dashboards import promql
from monitoring.dashboards.frame import frame, with_lines
from monitoring.dashboards.panels import Panel, Query, Unit, bars, lines, number
from monitoring.dashboards.promql import RANGE, increase, now, quantile, rate, ratio

UID = "agent-worker-overview"
_QUANTILES = (0.5, 0.95, 0.99)
_FROM_LAST_SOUND = "Seconds after the caller's last sound, as it reached the worker; the way to the phone comes on top."


def build() -> dashboard.Dashboard:
    """Return the overview dashboard."""
    rows = {
        "Objectives": _objectives,
        "At a glance, over the range shown": _at_a_glance,
        "What callers wait for": _waits,
        "Where the time goes": _turns,
        "What happens": _events,
        "The workers": _workers,
        "What it uses and costs": _use,
    }
    return frame(UID, "Voice agent: overview", "What callers wait for, and whether something is wrong.", rows)


def _objectives(board: dashboard.Dashboard) -> dashboard.Dashboard:
    panels = (
        Panel(
            "Objectives, share of errors",
            "Of the last hour, by objective: calls without an agent within 5 s, turns without an answer, late first "
            "sounds, late answers. Bad when over 1 % for the first two, 5 % for the others: see the alert's runbook.",
            Unit.SHARE,
            [Query(f"max by (slo) ({promql.selector('job_slo:sli_error:ratio_rate1h')})", "{{slo}}")],
            12,
        ),
        Panel(
            "Error budget left",
            "What is left of the errors that 30 days may have. Falls steadily: something small fails all the time. "
            "Below zero: the objective is missed.",
            Unit.SHARE,
            [Query(f"min by (slo) ({promql.selector('job_slo:slo_error_budget:remaining')})", "{{slo}}")],
            12,
        ),
    )
    return board.with_panel(lines(panels[0])).with_panel(lines(panels[1], from_zero=False))


def _at_a_glance(board: dashboard.Dashboard) -> dashboard.Dashboard:
    turns = increase("livekit_conversation_turns_total", over=RANGE)
    begun = increase("livekit_conversations_total", over=RANGE)
    spent = increase("livekit_cost_usd_total", over=RANGE)
    panels = (
        (
            Panel(
                "First sound, median",
                "Half of the turns heard something sooner: the pre-response, or the answer. "
                "Over a second, callers begin to ask whether the line is dead.",
                Unit.SECONDS,
                [Query(quantile(0.5, "livekit_response_gap_seconds", over=RANGE))],
                4,
            ),
            (1.0, 2.0),
        ),
        (
            Panel(
                "First sound, p95",
                "One turn in twenty waited longer. Far from the median: look which stage has the long tail below.",
                Unit.SECONDS,
                [Query(quantile(0.95, "livekit_response_gap_seconds", over=RANGE))],
                4,
            ),
            (2.0, 3.0),
        ),
        (
            Panel(
                "Answer, p95",
                "One turn in twenty waited longer for the main model's answer. "
                "High: the main model is slow, or its fallback had to answer.",
                Unit.SECONDS,
                [Query(quantile(0.95, "livekit_answer_gap_seconds", over=RANGE))],
                4,
            ),
            (4.0, 6.0),
        ),
        (
            Panel(
                "Errors per turn",
                "Failed provider requests, retries included, for each turn of a caller. Over 0.05: see which "
                "component.",
                Unit.SHARE,
                [Query(ratio(increase("livekit_errors_total", over=RANGE), turns))],
                4,
            ),
            (0.01, 0.05),
        ),
        (
            Panel("Turns", "Turns of callers taken into a conversation.", Unit.COUNT, [Query(turns)], 4),
            None,
        ),
        (
            Panel(
                "Cost per conversation",
                "All that was spent, by all conversations begun. It jumps with longer calls and dearer models.",
                Unit.USD,
                [Query(ratio(spent, begun))],
                4,
            ),
            None,
        ),
    )
    for panel, limits in panels:
        board = board.with_panel(number(panel, *limits) if limits else number(panel))
    return board


def _waits(board: dashboard.Dashboard) -> dashboard.Dashboard:
    panels = (
        Panel(
            "First sound, with a pre-response",
            f"{_FROM_LAST_SOUND} Bad when over 1 s: the end of the turn is decided late, or pre-responses come from "
            "a slow fast model instead of phrases made beforehand.",
            Unit.SECONDS,
            _quantiles("livekit_response_gap_seconds", 'reply="preresponse"'),
        ),
        Panel(
            "First sound, without",
            f"{_FROM_LAST_SOUND} Turns in which the answer was heard first. Bad when far over the pre-responses': an "
            "answer that is slow should not go without one; see the outcomes.",
            Unit.SECONDS,
            _quantiles("livekit_response_gap_seconds", 'reply="answer"'),
        ),
        Panel(
            "Answer",
            f"{_FROM_LAST_SOUND} All turns. Bad when it rises while the first sound does not: the main model is "
            "slow, and the pre-response hides it only for a moment.",
            Unit.SECONDS,
            _quantiles("livekit_answer_gap_seconds"),
        ),
    )
    return with_lines(board, panels)


def _turns(board: dashboard.Dashboard) -> dashboard.Dashboard:
    heard = increase("livekit_response_gap_seconds_count")
    return (
        board.with_panel(
            lines(
                Panel(
                    "Stages, medians",
                    "The median of each stage, stacked to show which one weighs most. The stages overlap (both "
                    "models are asked before the turn has ended), so the sum is more than a caller waits. A stage "
                    "that grows is the one to look at on the page of stages.",
                    Unit.SECONDS,
                    [
                        Query(quantile(0.5, "livekit_end_of_turn_delay_seconds"), "end of turn"),
                        Query(quantile(0.5, "livekit_llm_ttft_seconds", 'role="fast"'), "fast model, first token"),
                        Query(quantile(0.5, "livekit_llm_ttft_seconds", 'role="main"'), "main model, first token"),
                        Query(quantile(0.5, "livekit_tts_ttfb_seconds"), "voice, first audio"),
                        Query(quantile(0.5, "livekit_seam_seconds"), "seam before the answer"),
                    ],
                ),
                stacked=True,
            )
        )
        .with_panel(
            lines(
                Panel(
                    "Turns that began with a pre-response",
                    "Of the turns in which something was heard. Falls to zero when pre-responses are off or fail; it "
                    "is also low, and rightly, when the main model is quick.",
                    Unit.SHARE,
                    [Query(ratio(increase("livekit_response_gap_seconds_count", 'reply="preresponse"'), heard))],
                )
            )
        )
        .with_panel(
            lines(
                Panel(
                    "Pre-responses, by outcome",
                    "Replies to callers: spoken, or why there was no pre-response. Bad: failed (the strategy did), "
                    "nothing_to_say (no phrase fits and the fast model had none), undecided and inaudible (callers "
                    "go on speaking: turns are ended too soon).",
                    Unit.COUNT,
                    [Query(increase("livekit_preresponses_total", by="outcome"), "{{outcome}}")],
                ),
                stacked=True,
            )
        )
    )


def _events(board: dashboard.Dashboard) -> dashboard.Dashboard:
    panels = (
        Panel(
            "Turns per minute",
            "Turns of callers taken into a conversation. Zero while conversations are active: the agent does not hear.",
            Unit.PER_MINUTE,
            [Query(_per_minute("livekit_conversation_turns_total"), "turns")],
            5,
        ),
        Panel(
            "Active conversations",
            "Calls going on, of living processes. Bad when it only ever rises: calls that do not end.",
            Unit.COUNT,
            [Query(now("livekit_active_conversations"), "conversations")],
            5,
        ),
        Panel(
            "Interruptions, by what was cut",
            "Replies that callers cut off. Many before_audio or preresponse: the turn is taken to have ended while "
            "callers only pause. Many in the answer: it is too long or beside the point.",
            Unit.COUNT,
            [Query(increase("livekit_interruptions_total", by="during"), "{{during}}")],
            5,
        ),
        Panel(
            "Errors, by component",
            "Failed requests to providers, each attempt of one that is tried again. main_llm: the fast model answers "
            "in its place. fast_llm: phrases only. stt, tts: callers are not heard, or hear nothing.",
            Unit.COUNT,
            [Query(increase("livekit_errors_total", by="component"), "{{component}}")],
            5,
        ),
        Panel(
            "How calls end",
            "caller_left: the caller hangs up. unanswered, silence: callers leave without hanging up, or hear nothing. "
            "Many at duration, tokens or cost: somebody wants to cause cost, or a limit is too low for your callers.",
            Unit.COUNT,
            [Query(increase("livekit_calls_ended_total", by="reason"), "{{reason}}")],
            4,
        ),
        Panel(
            "Who answers the agent's calls",
            "Calls that the agent has placed, by what was recognised. Mostly machines: call at another hour. Many "
            "unknown: people speak a language that is not recognised, or say nothing.",
            Unit.COUNT,
            [Query(increase("livekit_outbound_calls_answered_total", by="by"), "{{by}}")],
        ),
    )
    return with_lines(board, panels)


def _workers(board: dashboard.Dashboard) -> dashboard.Dashboard:
    panels = (
        Panel(
            "Slots",
            "Calls that the workers take at once (WORKER_MAX_CALLS), and how many more they take now. Free at zero: "
            "new callers wait, or are turned away. Both are zero without WORKER_MAX_CALLS.",
            Unit.COUNT,
            [Query(now("livekit_worker_slots"), "all"), Query(now("livekit_worker_free_slots"), "free")],
            6,
        ),
        Panel(
            "Workers",
            "Registered with LiveKit, ready for a call at once, and draining: these take no new calls and end after "
            "theirs. Bad when fewer are ready than run, or when draining ones never end.",
            Unit.COUNT,
            [
                Query(now("livekit_workers_registered"), "registered"),
                Query(now("livekit_workers_ready"), "ready"),
                Query(now("livekit_workers_draining"), "draining"),
            ],
            6,
        ),
        Panel(
            "Load of the workers",
            "What the workers report to LiveKit, from 0 to 1, their average. Bad when it stays high: without "
            "WORKER_MAX_CALLS it decides whether they take new calls.",
            Unit.SHARE,
            [Query(ratio(now("livekit_worker_load"), now("livekit_workers_registered")), "load")],
            6,
        ),
        Panel(
            "Calls taken over",
            "Calls that an agent went on with in the place of a dead one. Bad when there are any: see why processes or "
            "workers die.",
            Unit.COUNT,
            [Query(increase("livekit_conversations_continued_total"), "calls")],
            6,
        ),
        Panel(
            "Time to the agent",
            "From LiveKit's request to the worker until the agent hears the caller. Bad when over 2 s: processes are "
            "not prepared in time, or the machine is short of CPU.",
            Unit.SECONDS,
            _quantiles("livekit_agent_delay_seconds"),
        ),
        Panel(
            "Lateness of the event loop",
            "How late the event loops of calls were. Audio waits as long: over 50 ms is heard, and the machine has too "
            "many calls, or something blocks the loop.",
            Unit.SECONDS,
            _quantiles("livekit_event_loop_lag_seconds"),
        ),
        Panel(
            "CPU of a call",
            "CPU cores that a call needs on average. The cores of a machine by this number are the calls that fit; "
            "WORKER_MAX_CALLS has to stay below.",
            Unit.COUNT,
            [Query(ratio(rate("livekit_call_cpu_seconds_total"), _average("livekit_active_conversations")), "cores")],
        ),
    )
    return with_lines(board, panels)


def _use(board: dashboard.Dashboard) -> dashboard.Dashboard:
    cost = "livekit_cost_usd_total"
    begun = increase("livekit_conversations_total")
    by_model = increase(cost, by="component, provider, model", over=RANGE)
    panels = (
        Panel(
            "Tokens per minute",
            "Tokens of both models. Prompt tokens that grow with every turn: conversations get long, and each request "
            "carries up to HISTORY_MAX_TOKENS of one.",
            Unit.PER_MINUTE,
            [Query(_per_minute("livekit_llm_tokens_total", by="type"), "{{type}}")],
            6,
        ),
        Panel(
            "Cost per hour",
            "What an hour would cost at the rate of each point, at list prices or those in PRICES. A jump without more "
            "turns: a model or a price has changed, or requests are repeated.",
            Unit.USD,
            [Query(f"{rate(cost, by='component')} * 3600", "{{component}}")],
            6,
        ),
        Panel(
            "Cost per conversation, by component",
            "Spent, by conversations begun in the same time; a call longer than that time is spread over several "
            "points.",
            Unit.USD,
            [Query(f"{increase(cost, by='component')} / scalar({begun} > 0)", "{{component}}")],
            6,
        ),
    )
    board = board.with_panel(lines(panels[0])).with_panel(lines(panels[1], stacked=True))
    board = board.with_panel(lines(panels[2], stacked=True))
    return board.with_panel(
        bars(
            Panel(
                "Cost, by model",
                "Over the range shown. The longest bar is where a cheaper model or shorter prompts save most.",
                Unit.USD,
                [Query(by_model, "{{component}}: {{provider}} {{model}}")],
                6,
            )
        )
    )


def _quantiles(histogram: str, matchers: str = "") -> list[Query]:
    return [Query(quantile(q, histogram, matchers), f"p{q * 100:.0f}") for q in _QUANTILES]


def _average(gauge: str) -> str:
    return f"sum(avg_over_time({promql.selector(gauge)}[{promql.WINDOW}]))"


def _per_minute(counter: str, by: str = "") -> str:
    return f"{rate(counter, by=by)} * 60"
