"""The guard's metrics, which it serves itself."""

from __future__ import annotations

from typing import Final, Literal, get_args

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from agent_metrics.compat.prometheus import in_memory_values

_WAIT_BUCKETS_S: Final = (0.5, 1, 2, 3, 4, 5, 6, 8, 10, 15, 20, 30, 60, 120, 300)
_SWEEP_BUCKETS_S: Final = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)

WebhookResult = Literal["used", "ignored", "refused"]
RoomState = Literal["served", "waiting"]
AnnouncementEnd = Literal["agent", "no_caller", "limit", "disconnected", "failed"]
WEBHOOK_RESULTS: Final[tuple[WebhookResult, ...]] = ("used", "ignored", "refused")
ROOM_STATES: Final[tuple[RoomState, ...]] = ("served", "waiting")
DELETE_REASONS: Final = ("late", "double")
REMOVAL_REASONS: Final = ("double", "silent")
ANNOUNCEMENT_ENDS: Final[tuple[AnnouncementEnd, ...]] = get_args(AnnouncementEnd)


class GuardMetrics:
    """Every metric of a guard.

    With two guards each counts what it does itself, and both report the same rooms.

    Attributes:
        registry: Serves them.
    """

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        # In memory, also where the image tells workers to write theirs to files.
        with in_memory_values():
            self._declare()

    def _declare(self) -> None:
        to = self.registry
        self.rooms = Gauge(
            "call_guard_rooms", "Rooms with callers, by whether an agent is there", ["state"], registry=to
        )
        self.longest_wait = Gauge(
            "call_guard_longest_wait_seconds",
            "How long the caller who waits longest has been without an agent",
            registry=to,
        )
        self.wait = Histogram(
            "call_guard_wait_seconds",
            "How long a room with a caller was without an agent, until one joined",
            buckets=_WAIT_BUCKETS_S,
            registry=to,
        )
        self.abandoned = Histogram(
            "call_guard_abandoned_seconds",
            "How long a room with a caller was without an agent, until the caller left or the call was ended",
            buckets=_WAIT_BUCKETS_S,
            registry=to,
        )
        self.dispatches = Counter("call_guard_dispatches_total", "Agents that were requested", registry=to)
        self.deleted_dispatches = Counter(
            "call_guard_deleted_dispatches_total", "Requests that were taken back", ["reason"], registry=to
        )
        self.removed_agents = Counter(
            "call_guard_removed_agents_total",
            "Agents that were removed: another had come earlier, or its connection no longer answered",
            ["reason"],
            registry=to,
        )
        self.announcements = Counter(
            "call_guard_announcements_total",
            "Announcers in rooms of waiting callers, by what ended them",
            ["end"],
            registry=to,
        )
        self.closed_rooms = Counter(
            "call_guard_closed_rooms_total", "Calls that were ended because no agent came", registry=to
        )
        self.webhooks = Counter(
            "call_guard_webhooks_total", "Webhooks, by what was done with them", ["result"], registry=to
        )
        self.sweep = Histogram(
            "call_guard_sweep_seconds", "Duration of a look at all rooms", buckets=_SWEEP_BUCKETS_S, registry=to
        )
        self.last_sweep = Gauge(
            "call_guard_last_sweep_timestamp_seconds",
            "When all rooms were last looked at, seconds since 1970",
            registry=to,
        )
        self.errors = Counter("call_guard_livekit_errors_total", "Failed requests to LiveKit's API", registry=to)
        self._zero()

    def _zero(self) -> None:
        """Have the series there before their first event, so that a graph starts at zero."""
        for state in ROOM_STATES:
            self.rooms.labels(state)
        for reason in DELETE_REASONS:
            self.deleted_dispatches.labels(reason)
        for reason in REMOVAL_REASONS:
            self.removed_agents.labels(reason)
        for end in ANNOUNCEMENT_ENDS:
            self.announcements.labels(end)
        for result in WEBHOOK_RESULTS:
            self.webhooks.labels(result)
