"""A LiveKit voice agent that answers at once: a fast phrase or model speaks first, a large model takes over.

The public API, loaded on first use::

    from agent_worker import PreResponseAgent, pace

To write metrics, call :func:`prepare` before the first import of livekit. Each of these names therefore loads its
module lazily; ``docs/api.md`` describes them.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from agent_worker.app.bootstrap import prepare
    from agent_worker.app.worker import run
    from agent_worker.audio.output import pace
    from agent_worker.audio.phrase_cache import PhraseAudio
    from agent_worker.core.outbound_call import place_call
    from agent_worker.core.settings import Settings
    from agent_worker.preresponse.agent import PreResponseAgent
    from agent_worker.preresponse.phrases import PhraseBook
    from agent_worker.preresponse.progress import report_progress
    from agent_worker.preresponse.strategies import Attempt, CallerTurn, PhraseStrategy, Preresponse, Strategy
    from agent_worker.providers.preflight import ProviderProbe
    from agent_worker.providers.stack import ProviderNames, StackDefinition, VoiceStack
    from agent_worker.text.intent import Intent
    from agent_worker.text.move import Move

__all__ = [
    "Attempt",
    "CallerTurn",
    "Intent",
    "Move",
    "PhraseAudio",
    "PhraseBook",
    "PhraseStrategy",
    "PreResponseAgent",
    "Preresponse",
    "ProviderNames",
    "ProviderProbe",
    "Settings",
    "StackDefinition",
    "Strategy",
    "VoiceStack",
    "pace",
    "place_call",
    "prepare",
    "report_progress",
    "run",
]

_MODULES = {
    "Attempt": "preresponse.strategies",
    "CallerTurn": "preresponse.strategies",
    "Intent": "text.intent",
    "Move": "text.move",
    "PhraseAudio": "audio.phrase_cache",
    "PhraseBook": "preresponse.phrases",
    "PhraseStrategy": "preresponse.strategies",
    "PreResponseAgent": "preresponse.agent",
    "Preresponse": "preresponse.strategies",
    "ProviderNames": "providers.stack",
    "ProviderProbe": "providers.preflight",
    "Settings": "core.settings",
    "StackDefinition": "providers.stack",
    "Strategy": "preresponse.strategies",
    "VoiceStack": "providers.stack",
    "pace": "audio.output",
    "place_call": "core.outbound_call",
    "prepare": "app.bootstrap",
    "report_progress": "preresponse.progress",
    "run": "app.worker",
}


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(importlib.import_module(f"{__name__}.{_MODULES[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
