"""All settings in the order in which the generated files list them."""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from agent_worker.core.folders import Folders
from agent_worker.core.settings import (
    CloudSettings,
    ConversationSettings,
    FromEnvironment,
    LiveKitSettings,
    SelfHostedSettings,
    TraceSettings,
    WorkerSettings,
    WorkerUrlSettings,
)
from call_guard.settings import GuardSettings
from caller.canary.settings import CanarySettings
from page_server.settings import PageSettings


@dataclass(frozen=True)
class Setting:
    """One environment variable.

    Attributes:
        default: The value as ``.env`` would have it; empty if unset, ``None`` if the setting is required.
        example: A value for a first try, if the setting is required.
        schema: The JSON Schema of the value.
    """

    name: str
    description: str
    default: str | None
    example: str
    schema: dict[str, Any]


@dataclass(frozen=True)
class Section:
    """Classes of settings under one title. The first class's docstring is the introduction."""

    title: str
    classes: tuple[type[FromEnvironment], ...]
    command: str = ""

    @property
    def introduction(self) -> str:
        """The docstring of the first class, as one paragraph."""
        return " ".join((inspect.getdoc(self.classes[0]) or "").split())

    @property
    def settings(self) -> Iterator[Setting]:
        """The settings that the classes declare themselves."""
        for settings_type in self.classes:
            yield from _own_settings(settings_type)


#: A test fails if a class of settings is missing here.
SECTIONS = (
    Section("LiveKit", (LiveKitSettings,)),
    Section("Cloud stack", (CloudSettings,), "python fast-preresponse.py"),
    Section("Self-hosted stack", (SelfHostedSettings,), "python fast-preresponse-ollama.py"),
    Section("Conversation", (ConversationSettings,)),
    Section("Worker", (WorkerSettings, Folders)),
    Section("Traces", (TraceSettings,)),
    Section("Free slots", (WorkerUrlSettings,)),
    Section("Page", (PageSettings,), "python -m page_server"),
    Section("Call guard", (GuardSettings,), "python -m call_guard"),
    Section("Canary", (CanarySettings,), "python -m caller.canary"),
)


def _own_settings(settings_type: type[FromEnvironment]) -> Iterator[Setting]:
    schemas = settings_type.model_json_schema()["properties"]
    for field in inspect.get_annotations(settings_type):
        if (info := settings_type.model_fields.get(field)) is None:
            continue
        example = str(info.examples[0]) if info.examples else ""
        default = None if info.is_required() else _as_written(info.get_default(call_default_factory=True))
        yield Setting(field.upper(), info.description or "", default, example, schemas[field])


def _as_written(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, Mapping):
        return ",".join(f"{name}={each}" for name, each in value.items())
    if isinstance(value, bool):
        return str(value).lower()
    return str(value.get_secret_value() if hasattr(value, "get_secret_value") else value)
