"""Which settings are there, in which order, and what is said of each?"""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from agent_worker.core.folders import Folders
from agent_worker.core.settings import (
    CloudSettings,
    ConversationSettings,
    FromEnvironment,
    LiveKitSettings,
    SelfHostedSettings,
    WorkerSettings,
)
from page_server.settings import PageSettings


@dataclass(frozen=True)
class Setting:
    """One environment variable.

    Attributes:
        about: What it is for, in one paragraph.
        default: As it is written in ``.env``; ``None`` if it has to be set.
        example: A value that works for a first try, of a setting without a default.
        schema: Its JSON schema.
    """

    name: str
    about: str
    default: str | None
    example: str
    schema: dict[str, Any]


@dataclass(frozen=True)
class Section:
    """Settings that are read together. The first class's docstring introduces them."""

    title: str
    classes: tuple[type[FromEnvironment], ...]
    command: str = ""

    @property
    def about(self) -> str:
        return _one_paragraph(inspect.getdoc(self.classes[0]) or "")

    @property
    def settings(self) -> Iterator[Setting]:
        for settings_type in self.classes:
            yield from _own_settings(settings_type)


#: A new class of settings goes here; a test fails until it does.
SECTIONS = (
    Section("LiveKit", (LiveKitSettings,)),
    Section("Cloud stack", (CloudSettings,), "python fast-preresponse.py"),
    Section("Self-hosted stack", (SelfHostedSettings,), "python fast-preresponse-ollama.py"),
    Section("The conversation", (ConversationSettings,)),
    Section("The worker", (WorkerSettings, Folders)),
    Section("The page", (PageSettings,), "python -m page_server"),
)


def _one_paragraph(text: str) -> str:
    return " ".join(text.split())


def _own_settings(settings_type: type[FromEnvironment]) -> Iterator[Setting]:
    """Those that the class declares itself, in its order."""
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
    if isinstance(value, bool):
        return str(value).lower()
    return str(value.get_secret_value() if hasattr(value, "get_secret_value") else value)
