"""The five parts of a voice agent that a stack chooses."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from livekit.agents import llm, stt, tts, vad


@dataclass(frozen=True)
class Providers:
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
    providers: Providers
