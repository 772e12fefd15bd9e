"""Settings of the call guard."""

from __future__ import annotations

from pydantic import Field

from agent_worker.core.settings import LiveKitSettings, Port, Text, WorkerUrlSettings
from call_guard.decision import Policy


class GuardSettings(LiveKitSettings, WorkerUrlSettings):
    """The call guard, which gives an agent to every caller who has none. It also needs the LiveKit settings."""

    guard_host: Text = Field(
        default="127.0.0.1",
        description="Address on which the guard takes LiveKit's webhooks and serves its metrics. 0.0.0.0 is every "
        "interface: whoever reaches the port reads the metrics; webhooks need LiveKit's signature.",
    )
    guard_port: Port = Field(
        default=9200, description="Port of the guard: /webhook, /metrics and /healthz; 0 picks a free one."
    )
    guard_sweep_interval: float = Field(
        default=2.0,
        ge=0.2,
        le=60,
        description="Seconds between two looks at all rooms, which find what no webhook has told. Without webhooks, a "
        "caller waits that much longer.",
    )
    guard_page_rooms_only: bool = Field(
        default=False,
        description="true: only callers in rooms of the page server get an agent. Set it where "
        "WORKER_PAGE_ROOMS_ONLY is true, as the workers then refuse all other rooms.",
    )
    guard_wait_limit: float = Field(
        default=120.0,
        ge=10,
        le=3600,
        description="Seconds that a caller may wait for an agent; then the call is ended.",
    )

    @property
    def policy(self) -> Policy:
        """What the decisions follow."""
        return Policy(
            agent_name=self.agent_name,
            page_rooms_only=self.guard_page_rooms_only,
            wait_limit_s=self.guard_wait_limit,
            with_announcer=False,
        )
