"""The five parts of a voice agent that a stack chooses."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Generic

from livekit.agents import llm, stt, tts, vad

from agent_worker.core.settings import SettingsT
from agent_worker.providers.preflight import ProviderProbe

#: Enough for a short sentence; a small model that rambles is cut off by the provider.
FAST_REPLY_MAX_TOKENS = 32


@dataclass(frozen=True)
class ProviderNames:
    """Who serves each part: what prices are found by, and a label of the metrics."""

    stt: str
    llm: str
    tts: str


@dataclass(frozen=True)
class VoiceStack:
    """What a conversation runs on. Built anew for each call, in the call's own process."""

    stt: stt.STT[Any]
    fast_llm: llm.LLM[Any]
    main_llm: llm.LLM[Any]
    tts: tts.TTS[Any]
    vad: vad.VAD
    voice: str
    """Names the voice: everything beside the text that its audio depends on."""
    provider_names: ProviderNames


@dataclass(frozen=True)
class StackDefinition(Generic[SettingsT]):
    """A stack before anything is made of it.

    Attributes:
        name: What ``--stack`` calls it.
        settings_type: The settings that it reads.
        build: Called in each call's process, before the call.
        provider_probes: What to ask, before the worker registers, whether they would serve us.
    """

    name: str
    settings_type: type[SettingsT]
    build: Callable[[SettingsT], VoiceStack]
    provider_probes: Callable[[SettingsT], Sequence[ProviderProbe]]
