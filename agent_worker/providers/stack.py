"""The components of a voice agent that a stack chooses: STT, two LLMs, TTS and VAD."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic

from livekit.agents import llm, stt, tts, vad

from agent_worker.core.settings import SettingsT
from agent_worker.providers.preflight import ProviderProbe
from agent_worker.text.language import base_language

#: Enough for a pre-response. A small model that does not stop is cut off by its provider.
FAST_REPLY_MAX_TOKENS = 32


@dataclass(frozen=True)
class ProviderNames:
    """The provider of each component, as in the labels of metrics and in the file of prices."""

    stt: str
    llm: str
    tts: str


@dataclass(frozen=True)
class Voices:
    """The voice of each language, for callers whose language is known only when they speak.

    Attributes:
        model: The TTS model, which all of them are of.
        default: Name of the voice for all other languages.
        select: Lets the TTS speak with the voice of this name from now on.
        by_language: Names of voices by language tag.
    """

    model: str
    default: str
    select: Callable[[str], None]
    by_language: Mapping[str, str] = field(default_factory=dict)

    def identity(self, language: str) -> str:
        """Return everything beside the text that the audio of a language depends on."""
        return f"{self.model} {self._name(language)}"

    def use(self, language: str) -> None:
        """Speak with the voice of a language from now on."""
        self.select(self._name(language))

    def _name(self, language: str) -> str:
        found = self.by_language.get(language) or self.by_language.get(base_language(language))
        return found or self.default


@dataclass(frozen=True)
class VoiceStack:
    """What a conversation runs on. Built for each call, in the call's process.

    Attributes:
        stt: Transcribes the caller.
        fast_llm: Gives the pre-response.
        main_llm: Gives the answer.
        tts: Speaks.
        vad: Detects the caller's voice.
        voice: Identifies the voice: everything beside the text that its audio depends on.
        provider_names: Who serves STT, LLMs and TTS.
        prefill: Whether the main model gets its instructions when the call begins, so that the first turn is faster.
            For models on hardware of one's own.
        answering_fast_llm: The fast model without the limit of a short sentence: it answers if the main model fails or
            says no word. ``None``: ``fast_llm`` itself.
        voices: The voice of each language, for ``LANGUAGE=multi``; ``None`` if one voice speaks all.
    """

    stt: stt.STT[Any]
    fast_llm: llm.LLM[Any]
    main_llm: llm.LLM[Any]
    tts: tts.TTS[Any]
    vad: vad.VAD
    voice: str
    provider_names: ProviderNames
    prefill: bool = False
    answering_fast_llm: llm.LLM[Any] | None = None
    voices: Voices | None = None

    @property
    def fallback_llm(self) -> llm.LLM[Any]:
        """The model that answers in the main model's place."""
        return self.answering_fast_llm or self.fast_llm


@dataclass(frozen=True)
class StackDefinition(Generic[SettingsT]):
    """How to build a stack, and how to check its providers.

    Attributes:
        name: The value of ``--stack`` that chooses it.
        settings_type: The settings that it reads.
        build: Builds the stack. Called in each call's process, before the call.
        provider_probes: Returns the requests that check the providers before the worker registers.
    """

    name: str
    settings_type: type[SettingsT]
    build: Callable[[SettingsT], VoiceStack]
    provider_probes: Callable[[SettingsT], Sequence[ProviderProbe]]
