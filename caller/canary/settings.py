"""Settings of the canary."""

from __future__ import annotations

from importlib import resources
from pathlib import Path

from pydantic import Field, FilePath

from agent_worker.core.settings import HttpUrl, LiveKitSettings


class CanarySettings(LiveKitSettings):
    """The canary, which calls the agent at intervals (docs/caller.md). It also needs the LiveKit settings."""

    canary_pushgateway_url: HttpUrl | None = Field(
        default=None,
        description="Address of the Prometheus Pushgateway that keeps the result of the last call, such as "
        "http://pushgateway:9091. Unset: the result is printed only.",
    )
    canary_interval: float | None = Field(
        default=None,
        ge=30,
        le=86_400,
        description="Seconds from one call to the next. Unset: one call, and the exit code is its result, as cron and "
        "a Kubernetes CronJob want it. The alert CanarySilent fires after 20 minutes without a call.",
    )
    canary_agent_timeout: float = Field(
        default=10.0, gt=0, le=60, description="Seconds within which an agent has to be in the room of the canary."
    )
    canary_answer_timeout: float = Field(
        default=10.0,
        gt=0,
        le=60,
        description="Seconds after its question within which the canary has to hear the agent.",
    )
    canary_wav: FilePath | None = Field(
        default=None,
        description="WAV file with the question of the canary, in the callers' language. Unset: 'Can you hear me?', in "
        "English.",
    )

    @property
    def question(self) -> Path:
        """The WAV file that is played."""
        return self.canary_wav or Path(str(resources.files("agent_worker.app.checkup") / "can-you-hear-me.wav"))
