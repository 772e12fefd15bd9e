"""The rows of the dashboard of calls that nobody answers, in the order of the steps of a call."""

from __future__ import annotations

from grafana_foundation_sdk.builders import dashboard

from monitoring.dashboards.frame import with_lines
from monitoring.dashboards.panels import Panel, Query, Unit
from monitoring.dashboards.promql import increase, now, quantile, ratio, selector

_RATE_LIMITED = 'reason="rate_limited"'
_UNHEARD = 'reason=~"unanswered|silence|error"'


def callers(board: dashboard.Dashboard) -> dashboard.Dashboard:
    """Add the page, and the rooms that callers are in."""
    panels = (
        Panel(
            "Sessions and calls begun",
            "Sessions that the page granted, and calls to which an agent listens. Bad when sessions are granted and "
            "no calls begin: see LiveKit and the workers. Calls from elsewhere, such as telephones, are no sessions.",
            Unit.COUNT,
            [
                Query(increase("page_sessions_total"), "sessions of the page"),
                Query(increase("livekit_conversations_total"), "calls begun"),
            ],
        ),
        Panel(
            "Refused by the page, by reason",
            "all_lines_busy, rooms_unavailable: callers are turned away. rate_limited, too_many_open_calls: one "
            "address calls often, or many people share it. wrong_password, wrong_origin, bad_request: somebody tries.",
            Unit.COUNT,
            [Query(increase("page_refusals_total", by="reason"), "{{reason}}")],
        ),
        Panel(
            "Rooms with callers",
            "As the call guard sees them: with an agent (served) and without (waiting). Bad when waiting stays above "
            "zero.",
            Unit.COUNT,
            [Query(f"max by (state) ({selector('call_guard_rooms')})", "{{state}}")],
        ),
    )
    return with_lines(board, panels)


def guard(board: dashboard.Dashboard) -> dashboard.Dashboard:
    """Add whether LiveKit answers the call guard."""
    panels = (
        Panel(
            "Since LiveKit was reached",
            "Time since a guard has looked at all rooms, which it does every 2 s. Bad when it rises: LiveKit's API "
            "does not answer, or refuses the key. Nothing: it never has, since the guard began.",
            Unit.SECONDS,
            [Query(f"min(time() - ({selector('call_guard_last_sweep_timestamp_seconds')} > 0))", "seconds")],
            6,
        ),
        Panel(
            "Look at all rooms",
            "How long a guard takes to look at all rooms. Bad when over its interval of 2 s: LiveKit is slow, or has "
            "very many rooms.",
            Unit.SECONDS,
            [
                Query(quantile(0.5, "call_guard_sweep_seconds"), "p50"),
                Query(quantile(0.95, "call_guard_sweep_seconds"), "p95"),
            ],
            6,
        ),
        Panel(
            "Failed requests to LiveKit",
            "Requests of the guard that LiveKit's API did not answer, or refused. Bad when there are any: the guard's "
            "log has the status.",
            Unit.COUNT,
            [Query(increase("call_guard_livekit_errors_total"), "requests")],
            6,
        ),
        Panel(
            "Webhooks, by what was done",
            "LiveKit's webhooks to the guard: used, ignored (of no room of ours), refused (not signed with our key). "
            "None: LiveKit does not know the guard's address, and callers wait up to 2 s longer.",
            Unit.COUNT,
            [Query(increase("call_guard_webhooks_total", by="result"), "{{result}}")],
            6,
        ),
    )
    return with_lines(board, panels)


def waiting(board: dashboard.Dashboard) -> dashboard.Dashboard:
    """Add callers without an agent, and what the guard does for them."""
    left = increase("call_guard_abandoned_seconds_count")
    left_soon = increase("call_guard_abandoned_seconds_bucket", 'le="5.0"')
    panels = (
        Panel(
            "Time without an agent",
            "How long callers were without an agent until one joined. Bad when over 5 s: no slot was free, or an agent "
            "died while it started.",
            Unit.SECONDS,
            [
                Query(quantile(0.5, "call_guard_wait_seconds"), "p50"),
                Query(quantile(0.95, "call_guard_wait_seconds"), "p95"),
            ],
            6,
        ),
        Panel(
            "Agents requested by the guard",
            "Agents that LiveKit's own request did not bring, requests taken back because they came late or doubled, "
            "and agents removed. Many silent ones: agents or their machines die.",
            Unit.COUNT,
            [
                Query(increase("call_guard_dispatches_total"), "requested"),
                Query(increase("call_guard_deleted_dispatches_total", by="reason"), "taken back: {{reason}}"),
                Query(increase("call_guard_removed_agents_total", by="reason"), "removed: {{reason}}"),
            ],
            6,
        ),
        Panel(
            "Announcements, by their end",
            "Waiting callers who were asked for patience. agent: one came. no_caller: the caller gave up. limit: "
            "nobody came, and the call was ended. failed, disconnected: the caller heard nothing.",
            Unit.COUNT,
            [Query(increase("call_guard_announcements_total", by="end"), "{{end}}")],
            6,
        ),
        Panel(
            "Calls that got no agent",
            "Callers who left, or whose call was ended, before an agent came. Bad when there are any who waited for "
            "more than 5 s; who leaves sooner has changed their mind.",
            Unit.COUNT,
            [
                Query(f"{left} - {left_soon}", "left after more than 5 s"),
                Query(left_soon, "left sooner"),
                Query(increase("call_guard_closed_rooms_total"), "ended by the guard"),
            ],
            6,
        ),
    )
    return with_lines(board, panels)


def workers(board: dashboard.Dashboard) -> dashboard.Dashboard:
    """Add which workers are there, and ready."""
    panels = (
        Panel(
            "Workers, by state",
            "Workers that run, are registered with LiveKit, are ready for a call, and drain. Running and not "
            "registered: a wrong address or key. Registered and not ready: no process is prepared.",
            Unit.COUNT,
            [
                Query(now("agent_worker_build_info"), "running"),
                Query(now("livekit_workers_registered"), "registered"),
                Query(now("livekit_workers_ready"), "ready"),
                Query(now("livekit_workers_draining"), "draining"),
            ],
        ),
        Panel(
            "Ready workers, by instance",
            "Where a call would get an agent at once. Bad when one instance stays below the others.",
            Unit.COUNT,
            [Query(now("livekit_workers_ready", by="instance"), "{{instance}}")],
        ),
        Panel(
            "Workers, by version",
            "Which version runs (AGENT_WORKER_VERSION). Two for long: a rollout that hangs. What began with a new "
            "version began with its mark.",
            Unit.COUNT,
            [Query(now("agent_worker_build_info", by="version"), "{{version}}")],
        ),
    )
    return with_lines(board, panels)


def slots(board: dashboard.Dashboard) -> dashboard.Dashboard:
    """Add whether they take more calls."""
    panels = (
        Panel(
            "All slots and free ones",
            "Calls that the workers take at once (WORKER_MAX_CALLS), and how many more they take now. Free at zero: "
            "new callers wait. Both are zero without WORKER_MAX_CALLS.",
            Unit.COUNT,
            [Query(now("livekit_worker_slots"), "all"), Query(now("livekit_worker_free_slots"), "free")],
        ),
        Panel(
            "Free slots, by instance",
            "Calls that each instance takes now. Bad when one stays at zero while the others have calls to take.",
            Unit.COUNT,
            [Query(now("livekit_worker_free_slots", by="instance"), "{{instance}}")],
        ),
        Panel(
            "Load, by instance",
            "What workers report to LiveKit, from 0 to 1. Bad when one stays high: its machine is busy with something "
            "else, or is smaller.",
            Unit.SHARE,
            [
                Query(
                    ratio(*(now(gauge, "instance") for gauge in ("livekit_worker_load", "livekit_workers_registered"))),
                    "{{instance}}",
                )
            ],
        ),
    )
    return with_lines(board, panels)


def processes(board: dashboard.Dashboard) -> dashboard.Dashboard:
    """Add how calls start in them."""
    panels = (
        Panel(
            "From the request to the agent",
            "From LiveKit's request to the worker until the agent hears the caller. Bad when over 2 s: no process was "
            "prepared, or the machine is short of CPU.",
            Unit.SECONDS,
            [
                Query(quantile(0.5, "livekit_agent_delay_seconds"), "p50"),
                Query(quantile(0.95, "livekit_agent_delay_seconds"), "p95"),
            ],
            6,
        ),
        Panel(
            "Preparing a process",
            "How long processes took to load models, before they have a call. Bad when it rises: the disk or the CPU "
            "is busy, and the next call may find none prepared.",
            Unit.SECONDS,
            [
                Query(quantile(0.5, "lk_agents_proc_initialize_duration_seconds"), "p50"),
                Query(quantile(0.95, "lk_agents_proc_initialize_duration_seconds"), "p95"),
            ],
            6,
        ),
        Panel(
            "Jobs and conversations",
            "Processes that have a job of LiveKit, and those of them in which an agent listens. Bad when jobs stay "
            "above conversations: agents hang while they start, or after their call.",
            Unit.COUNT,
            [
                Query(now("lk_agents_active_job_count"), "jobs"),
                Query(now("livekit_active_conversations"), "conversations"),
            ],
            6,
        ),
        Panel(
            "Processes that died",
            "Calls that another agent had to go on with, and sessions that ended with an error. Bad when there are "
            "any: the worker's log has the reason.",
            Unit.COUNT,
            [
                Query(increase("livekit_conversations_continued_total"), "continued by another"),
                Query(increase("livekit_calls_ended_total", 'reason="error"'), "ended with an error"),
            ],
            6,
        ),
    )
    return with_lines(board, panels)


def providers(board: dashboard.Dashboard) -> dashboard.Dashboard:
    """Add failed requests to providers."""
    panels = (
        Panel(
            "Errors, by provider",
            "Failed requests, without those over a rate limit. main_llm: the fast model answers. stt: callers are not "
            "understood. tts: callers hear nothing.",
            Unit.COUNT,
            [Query(increase("livekit_errors_total", 'reason!="rate_limited"', by="component"), "{{component}}")],
        ),
        Panel(
            "Rate limits (429), by provider",
            "Requests that a provider refused because there were too many. Bad when there are any: raise the limit, or "
            "take fewer calls. The provider itself is well.",
            Unit.COUNT,
            [Query(increase("livekit_errors_total", _RATE_LIMITED, by="component"), "{{component}}")],
        ),
        Panel(
            "Errors, by reason",
            "denied: the key, or the account's balance. rate_limited: the limit. timeout, unavailable: the provider, "
            "or the way to it. other: a request that it does not accept; see the worker's log.",
            Unit.COUNT,
            [Query(increase("livekit_errors_total", by="reason"), "{{reason}}")],
        ),
    )
    return with_lines(board, panels)


def first_sound(board: dashboard.Dashboard) -> dashboard.Dashboard:
    """Add whether callers hear something."""
    panels = (
        Panel(
            "First sound, all turns",
            "From the caller's last sound to the agent's first audio. Bad when over 2.5 s: see which stage is slow on "
            "the overview.",
            Unit.SECONDS,
            [
                Query(quantile(0.5, "livekit_response_gap_seconds"), "p50"),
                Query(quantile(0.95, "livekit_response_gap_seconds"), "p95"),
            ],
        ),
        Panel(
            "Turns and first sounds",
            "Turns of callers, and those after which something was heard. Bad when they part: the voice fails, or "
            "callers cut off what they do not hear.",
            Unit.COUNT,
            [
                Query(increase("livekit_conversation_turns_total"), "turns"),
                Query(increase("livekit_response_gap_seconds_count"), "first sounds"),
            ],
        ),
        Panel(
            "Calls without a conversation",
            "Calls that ended because callers said nothing that was heard (unanswered, silence), or with an error. "
            "Many: callers' audio does not arrive, or the recogniser fails.",
            Unit.COUNT,
            [
                Query(
                    increase("livekit_calls_ended_total", _UNHEARD, by="reason"),
                    "{{reason}}",
                )
            ],
        ),
    )
    return with_lines(board, panels)


def instances(board: dashboard.Dashboard) -> dashboard.Dashboard:
    """Add each worker beside the others."""
    errors, turns = (
        increase(name, by="instance") for name in ("livekit_errors_total", "livekit_conversation_turns_total")
    )
    panels = (
        Panel(
            "First sound p95, by instance",
            "An instance is a target of Prometheus: a worker with its agent-metrics. Bad when one lies above the "
            "others: choose it at the top, and read the rows again.",
            Unit.SECONDS,
            [Query(quantile(0.95, "livekit_response_gap_seconds", by="instance"), "{{instance}}")],
            6,
        ),
        Panel(
            "Agent joins p95, by instance",
            "From LiveKit's request until the agent hears the caller. Bad when one lies above the others: its machine "
            "is short of CPU, or far from LiveKit.",
            Unit.SECONDS,
            [Query(quantile(0.95, "livekit_agent_delay_seconds", by="instance"), "{{instance}}")],
            6,
        ),
        Panel(
            "Errors per turn, by instance",
            "Failed requests to providers for each turn. Bad when one lies above the others: its key, its network, its "
            "version.",
            Unit.SHARE,
            [Query(ratio(errors, turns), "{{instance}}")],
            6,
        ),
        Panel(
            "Event loop late p95, by instance",
            "How late event loops of calls were; audio waits as long. Bad when one lies above the others: too many "
            "calls for its machine.",
            Unit.SECONDS,
            [Query(quantile(0.95, "livekit_event_loop_lag_seconds", by="instance"), "{{instance}}")],
            6,
        ),
    )
    return with_lines(board, panels)
