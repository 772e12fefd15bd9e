"""Build the agent of a call from the settings."""

from __future__ import annotations

from agent_worker.audio.phrase_cache import PhraseAudio
from agent_worker.core.folders import cache_dir
from agent_worker.core.language_tag import MULTI
from agent_worker.core.settings import Settings
from agent_worker.preresponse.agent import PreResponseAgent
from agent_worker.preresponse.fast_reply import DEFAULT_PRERESPONSE_PROMPT
from agent_worker.preresponse.phrases import PhraseBook
from agent_worker.providers.stack import VoiceStack
from agent_worker.turn_taking.floor import Floor
from agent_worker.turn_taking.overlap import OverlapTiming

#: Share of ``ANSWER_TIMEOUT`` that the fast model may take to answer in the main model's place.
_FALLBACK_SHARE = 0.5


def build_agent(stack: VoiceStack, settings: Settings) -> PreResponseAgent:
    """Build the agent of one call.

    Raises:
        BadPhrasesError: If the file of the user's own phrases cannot be used.
    """
    return PreResponseAgent(
        instructions=settings.system_prompt,
        fast_llm=stack.fast_llm,
        strategy=settings.preresponse_strategy,
        language=settings.language,
        phrases=None
        if settings.language == MULTI
        else PhraseBook.load(settings.language, settings.preresponse_phrases),
        voices=stack.voices if settings.language == MULTI else None,
        phrase_audio=PhraseAudio(settings.preresponse_audio_dir or cache_dir() / "phrases", stack.voice),
        preresponse_prompt=settings.preresponse_prompt or DEFAULT_PRERESPONSE_PROMPT,
        budget=settings.preresponse_budget,
        quick_answer=settings.preresponse_quick_answer,
        fallback_llm=stack.fallback_llm,
        answer_timeout=settings.answer_timeout * (1 + _FALLBACK_SHARE),
        thinking_timeout=settings.thinking_timeout or settings.answer_timeout,
        fallback_timeout=settings.answer_timeout * _FALLBACK_SHARE,
        voice_timeout=settings.voice_timeout or settings.usual_voice_timeout,
        numbers_as_words=settings.numbers_as_words,
        history_max_tokens=settings.history_max_tokens,
        floor=build_floor(settings),
        filler_delay=settings.filler_delay or None,
        tool_timeout=settings.tool_timeout,
    )


def overlap_timing(settings: Settings) -> OverlapTiming:
    """Return what decides when a sound of the caller silences the agent."""
    return OverlapTiming(
        interruption_delay_s=settings.interruption_delay,
        transcript_timeout_s=settings.transcript_timeout or settings.usual_transcript_timeout,
    )


def build_floor(settings: Settings) -> Floor:
    """Build what decides who has the floor in one call."""
    return Floor(settings.language, overlap_timing(settings), settings.tool_delay)
