"""The dashboard of calls that nobody answers: every step from the caller to the first sound, in their order.

The numbers at the top have the numbers of the rows below: the first that is not green is the step at which it breaks.
"""

from __future__ import annotations

from grafana_foundation_sdk.builders import dashboard

from monitoring.dashboards import answering_rows as rows
from monitoring.dashboards.frame import frame
from monitoring.dashboards.panels import NOTHING_YET, Panel, Query, Unit, number
from monitoring.dashboards.promql import increase, now, quantile, ratio, selector

UID = "agent-worker-answering"
_TURNED_AWAY = 'reason=~"all_lines_busy|rooms_unavailable|rate_limited|too_many_open_calls"'
#: A guard that has never reached LiveKit gives the time since 1970.
_SINCE_LIVEKIT = f"min(time() - {selector('call_guard_last_sweep_timestamp_seconds')})"
_LONGEST_SHOWN_S = 600


def build() -> dashboard.Dashboard:
    """Return the dashboard of calls that nobody answers."""
    titled = {
        "From the caller to the first sound: the first number that is not green is the row to look at": _steps,
        "1 · Callers come in": rows.callers,
        "2 · LiveKit and the call guard": rows.guard,
        "3 · Callers wait for an agent": rows.waiting,
        "4 · Workers": rows.workers,
        "5 · Slots and load": rows.slots,
        "6 · Processes of calls": rows.processes,
        "7 · Providers": rows.providers,
        "8 · The first sound": rows.first_sound,
        "One instance against the rest": rows.instances,
    }
    description = "At which step between the caller and the first sound it breaks."
    return frame(UID, "Voice agent: why nobody answers", description, titled)


def _steps(board: dashboard.Dashboard) -> dashboard.Dashboard:
    steps = (
        (
            Panel(
                "1 Turned away",
                "Callers whom the page has refused because all lines are busy, LiveKit does not answer, or a limit is "
                "reached. Bad when there are any: see the reasons.",
                Unit.COUNT,
                [Query(increase("page_refusals_total", _TURNED_AWAY))],
                3,
            ),
            (1, 5),
            "no page",
        ),
        (
            Panel(
                "2 LiveKit silent for",
                "Time since a call guard has reached LiveKit's API, up to 10 min. Over a minute: LiveKit or its Redis "
                "is down, and no call can begin.",
                Unit.SECONDS,
                [Query(f"clamp_max({_SINCE_LIVEKIT}, {_LONGEST_SHOWN_S})")],
                3,
            ),
            (10, 60),
            "no guard",
        ),
        (
            Panel(
                "3 Waiting for",
                "How long the caller who waits longest has been without an agent, now. Over 5 s: go on with the "
                "workers to the right.",
                Unit.SECONDS,
                [Query(f"max({selector('call_guard_longest_wait_seconds')})")],
                3,
            ),
            (5, 10),
            "no guard",
        ),
        (
            Panel(
                "4 Not ready",
                "Workers that would give no call an agent at once, of all that run; 100 % if none runs. Not "
                "registered: see their log. Draining: a rollout.",
                Unit.SHARE,
                [
                    Query(
                        f"1 - {now('livekit_workers_ready')} / ({now('agent_worker_build_info')} > 0) or vector(1)",
                    )
                ],
                3,
            ),
            (0.01, 0.5),
            NOTHING_YET,
        ),
        (
            Panel(
                "5 Slots taken",
                "Of the calls that the workers take at once (WORKER_MAX_CALLS), those that they do not take now. At "
                "100 %, new callers wait.",
                Unit.SHARE,
                [Query(f"1 - {now('livekit_worker_free_slots')} / ({now('livekit_worker_slots')} > 0)")],
                3,
            ),
            (0.8, 1.0),
            "no limit",
        ),
        (
            Panel(
                "6 Agent joins, p95",
                "From LiveKit's request to the worker until the agent hears the caller, of one call in twenty. Over 2 "
                "s: processes start slowly, or the machine is busy.",
                Unit.SECONDS,
                [Query(quantile(0.95, "livekit_agent_delay_seconds"))],
                3,
            ),
            (2, 5),
            NOTHING_YET,
        ),
        (
            Panel(
                "7 Errors per turn",
                "Failed requests to providers for each turn, retries included. Over 5 %: see the component and the "
                "reason.",
                Unit.SHARE,
                [Query(ratio(increase("livekit_errors_total"), increase("livekit_conversation_turns_total")))],
                3,
            ),
            (0.01, 0.05),
            NOTHING_YET,
        ),
        (
            Panel(
                "8 Turns unheard",
                "Turns of callers after which nothing was heard, of all. Turns that callers cut off, and typed ones, "
                "are among them. Over 20 %: callers speak to silence.",
                Unit.SHARE,
                [
                    Query(
                        f"round(clamp_min(1 - {increase('livekit_response_gap_seconds_count')} / "
                        f"({increase('livekit_conversation_turns_total')} > 0), 0), 0.001)"
                    )
                ],
                3,
            ),
            (0.1, 0.2),
            NOTHING_YET,
        ),
    )
    for panel, limits, no_value in steps:
        board = board.with_panel(number(panel, *limits, no_value=no_value))
    return board
