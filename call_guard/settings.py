"""Settings of the call guard."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, Field, field_validator

from agent_worker.core.language_tag import canonical_tag
from agent_worker.core.settings import LiveKitSettings, Port, Text, WorkerUrlSettings
from call_guard.decision import Policy
from call_guard.sentences import BUILT_IN, BadAudioError, SentenceBook


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
    guard_agent_timeout: float = Field(
        default=1.0,
        ge=0,
        le=2,
        description="Seconds within which the connection of an agent has to answer the guard, which asks with each "
        "look at all rooms. An agent that is silent twice running is removed, and another requested. 0: it is not "
        "asked; LiveKit notices a dead agent after some 20 s.",
    )
    guard_page_rooms_only: bool = Field(
        default=False,
        description="true: only callers in rooms of the page server get an agent. Set it where "
        "WORKER_PAGE_ROOMS_ONLY is true, as the workers then refuse all other rooms.",
    )
    guard_announcer: bool = Field(
        default=True,
        description="true: callers who wait for an agent are told so, again and again, until one is there. false: they "
        "wait in silence.",
    )
    guard_announce_after: float = Field(
        default=3.5,
        ge=0,
        le=60,
        description="Seconds without an agent after which callers are told. An agent needs 1 to 3 s to join.",
    )
    guard_wait_limit: float = Field(
        default=120.0,
        ge=10,
        le=3600,
        description="Seconds that a caller may wait for an agent; then it hears a goodbye, and the room is closed.",
    )
    guard_language: Annotated[str, AfterValidator(canonical_tag)] = Field(
        default="en",
        description="Language in which callers are told to wait, if neither they nor their rooms tell theirs "
        "(agent_worker.language). A language without audio gets English.",
    )
    guard_audio_dir: Path | None = Field(
        default=None,
        validate_default=True,
        description="Folder with your own audio of what callers who wait are told: de-waiting.wav and de-farewell.wav "
        "for German, and so on. `agent-worker phrases waiting FOLDER` makes them with the voice of the worker. Unset: "
        "the English audio that comes with the guard.",
    )

    @property
    def sentences(self) -> SentenceBook:
        """What callers who wait are told."""
        return SentenceBook(_audio_folders(self.guard_audio_dir), self.guard_language)

    @field_validator("guard_audio_dir")
    @classmethod
    def _require_audio(cls, folder: Path | None) -> Path | None:
        if folder is not None and not folder.is_dir():
            raise ValueError(f"no folder {folder}: make it with `agent-worker phrases waiting {folder}`")
        try:
            SentenceBook(_audio_folders(folder))
        except BadAudioError as error:
            raise ValueError(str(error)) from None
        return folder

    @property
    def policy(self) -> Policy:
        """What the decisions follow."""
        return Policy(
            agent_name=self.agent_name,
            page_rooms_only=self.guard_page_rooms_only,
            wait_limit_s=self.guard_wait_limit,
            announce_after_s=self.guard_announce_after,
            with_announcer=self.guard_announcer,
        )


def _audio_folders(folder: Path | None) -> list[Path]:
    return [BUILT_IN] if folder is None else [folder, BUILT_IN]
